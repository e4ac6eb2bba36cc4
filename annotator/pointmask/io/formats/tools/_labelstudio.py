"""The tasks of a Label Studio export: which image, which annotation counts, which regions it has."""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from pointmask.errors import PointsError
from pointmask.io.formats.encodings import brush_rle
from pointmask.io.formats.labelled import Box, LabelledTarget, Patch, Shape, split_key
from pointmask.io.formats.parts.documents import brief, listing, mapping, number
from pointmask.io.formats.parts.json_stream import json_list
from pointmask.io.formats.parts.origin import Origin, to_pixel
from pointmask.io.formats.parts.shapes import box_around, known_size, label_of, outlined, score_of, size_of
from pointmask.io.formats.tools._pairs import Part, targets
from pointmask.io.images.array import is_image
from pointmask.io.points.points import Point

ORIGIN: Origin = "percent"

_UPLOADED = re.compile(r"(?:.*/)?data/upload/(?:\d+/)?(?:[0-9a-f]{8}-)?([^/]+)")
_POINTS = ("keypointlabels", "keypoint")
_BRUSHES = ("brushlabels", "brush")
_BOXES = ("rectanglelabels", "rectangle", "ellipselabels", "ellipse")
_POLYGONS = ("polygonlabels", "polygon")
_READ = frozenset((*_POINTS, *_BRUSHES, *_BOXES, *_POLYGONS))
_GEOMETRY = frozenset(("x", "y", "points", "vertices", "rle", "sequence", "imageDataURL"))  # in other shapes


@dataclass(frozen=True)
class Task:
    """One image of the document.

    Attributes
    ----------
    name : str
        Of the image.
    where : str
        The place in the document, for messages.
    content : dict
        As stored.
    """

    name: str
    where: str
    content: dict[str, Any]

    @property
    def annotated(self) -> bool:
        """Whether somebody or some model has looked at the image."""
        return self._chosen is not None

    @property
    def shape(self) -> Shape | None:
        """Size of the image as its regions tell it, or else its data, as those that pointmask wrote."""
        for region in self._regions:
            if region.kind in _READ:
                return region.shape
        data = self.content["data"]
        return known_size(data.get("height"), data.get("width"), "its data")

    @property
    def targets(self) -> tuple[LabelledTarget, ...]:
        """Targets of the annotation that counts."""
        regions = self._regions
        kinds = sorted({region.kind for region in regions if region.is_other_shape})
        if kinds:
            raise PointsError(
                f"has {', '.join(kinds)[:200]}, which is not read, so that a target would be missing; mark "
                "it with a key point, rectangle, ellipse, polygon or brush instead, or delete it"
            )
        return targets(_parts(regions))

    @cached_property
    def _regions(self) -> list["_Region"]:
        chosen = self._chosen or {"result": []}
        return [_Region(mapping(item, "a result")) for item in listing(chosen.get("result"), "result")]

    @cached_property
    def _chosen(self) -> dict[str, Any] | None:
        stored = self.content.get("annotations") or self.content.get("completions") or []
        made = [mapping(item, "an annotation") for item in listing(stored, "annotations")]
        kept = [item for item in made if not item.get("was_cancelled")]
        if not made:
            stored = self.content.get("predictions") or []
            kept = [mapping(item, "a prediction") for item in listing(stored, "predictions")]
        chosen = [item for item in kept if item.get("ground_truth")] or kept
        if len(chosen) > 1:
            raise PointsError(
                f"has {len(chosen)} annotations or predictions; mark one as ground truth, or keep only one"
            )
        return chosen[0] if chosen else None


def tasks(
    path: Path, prepare: Callable[[dict[str, Any]], dict[str, Any]] = lambda task: task
) -> Iterator[Task]:
    """Yield the tasks of a document, each brought into the form of the JSON export by ``prepare``.

    Raises
    ------
    PointsError
        If the file is unreadable or no list of tasks, or a task names no image.
    """
    for place, item in enumerate(json_list(path), 1):
        where = f"{path}: task {place}"
        content = prepare(mapping(item, where))
        try:
            name = _image_name(mapping(content.get("data"), "data"))
        except PointsError as error:
            raise PointsError(f"{where}: {error}") from None
        yield Task(name, f"{where}, image {brief(name)}", content)


def _image_name(data: dict[str, Any]) -> str:
    """Return the first image among the values, which are names, addresses or other things."""
    for value in data.values():
        if isinstance(value, str) and is_image(split_key(name := name_of(value))[0]):
            return name
    raise PointsError("its data hold no name of an image; export the tasks with their data")


def name_of(address: str) -> str:
    """Return the path of an image within its folder or bucket."""
    if "://" not in address and not address.startswith("/data/"):
        return address
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    local = parse_qs(parts.query).get("d")
    path = local[0] if local else unquote(parts.path)
    uploaded = _UPLOADED.fullmatch(path)
    return uploaded[1] if uploaded else path


class _Region:
    """One result of an annotation."""

    __slots__ = ("_shape", "content", "kind")

    def __init__(self, content: dict[str, Any]) -> None:
        self.content = content
        self.kind = str(content.get("type")).lower()
        self._shape: Shape | None = None

    @property
    def is_other_shape(self) -> bool:
        """Whether it has a place in the image, but is of no kind that is read; a choice or text has none."""
        value = self.content.get("value")
        return self.kind not in _READ and isinstance(value, dict) and bool(_GEOMETRY & value.keys())

    @property
    def value(self) -> dict[str, Any]:
        value = self.content.get("value")
        return value if isinstance(value, dict) else mapping(value, f"the value of a {brief(self.kind)}")

    @property
    def shape(self) -> Shape:
        """Size of the image. A turned image would turn all coordinates."""
        if self._shape is None:
            content = self.content
            if number(content.get("image_rotation") or 0, "image_rotation"):
                raise PointsError(
                    f"was turned by {brief(content['image_rotation'])} degrees in Label Studio "
                    "(image_rotation), which its pixels are not; turn it back there and mark it again"
                )
            height, width = content.get("original_height"), content.get("original_width")
            self._shape = size_of(height, width, "the original size")
        return self._shape

    def point(self, label: str | None) -> Point:
        """Return the click of a key point."""
        height, width = self.shape
        value = self.value
        row = to_pixel(number(value.get("y"), "y"), ORIGIN, height)
        return Point(row, to_pixel(number(value.get("x"), "x"), ORIGIN, width), label)

    @property
    def box(self) -> tuple[Point, Box]:
        """Middle and extent; a rectangle turns about its upper left corner, an ellipse about its middle."""
        x, y = self._pixels("x", "y")
        turned = number(self.value.get("rotation") or 0, "rotation")
        if not turned and self.kind.startswith("rectangle"):
            across, down = self._pixels("width", "height")
            return box_around([(x, y), (x + across, y + down)])
        cos, sin = math.cos(math.radians(turned)), math.sin(math.radians(turned))
        if self.kind.startswith("ellipse"):
            across, down = self._pixels("radiusX", "radiusY")
            ends = [(-across, -down), (across, -down), (across, down), (-across, down)]
        else:
            across, down = self._pixels("width", "height")
            ends = [(0.0, 0.0), (across, 0.0), (across, down), (0.0, down)]
        return box_around([(x + dx * cos - dy * sin, y + dx * sin + dy * cos) for dx, dy in ends])

    @property
    def corners(self) -> list[tuple[float, float]]:
        """Corners of a polygon, in pixels from the edge."""
        height, width = self.shape
        found = []
        for pair in listing(self.value.get("points"), "points"):
            values = listing(pair, "a point of a polygon")
            if len(values) != 2:
                raise PointsError("a point of a polygon is not [x, y]; correct it")
            x, y = (number(value, "a point of a polygon") for value in values)
            found.append((x * width / 100, y * height / 100))
        return found

    def _pixels(self, across: str, down: str) -> tuple[float, float]:
        """Return two values of percent of width and height in pixels."""
        height, width = self.shape
        value = self.value
        x, y = number(value.get(across), across), number(value.get(down), down)
        return x * width / 100, y * height / 100

    @property
    def patch(self) -> Patch | None:
        stored = listing(self.value.get("rle"), "rle")
        try:
            found = brush_rle.decode(bytes(stored), self.shape)
        except (TypeError, ValueError) as error:
            raise PointsError(f"brush mask: {error}") from None
        if found is None:
            return None
        row, col, pixels = found
        return Patch.crop(pixels, row, col)

    @property
    def label(self) -> str | None:
        names = self.value.get(self.kind)
        name = names[0] if isinstance(names, list) and names else None
        return label_of(name) if isinstance(name, str) else None

    @property
    def confidence(self) -> float | None:
        return score_of(self.content.get("score"))


def _parts(regions: list[_Region]) -> Iterator[Part]:
    parents = {_text(parent) for region in regions if (parent := region.content.get("parentID"))}
    for region in regions:
        own = _text(region.content.get("id"))
        parent = _text(region.content.get("parentID"))
        label, confidence = region.label, region.confidence
        if region.kind in _POINTS:
            yield Part(region.point(label), None, label, confidence, own if own in parents else None)
        elif region.kind in _BRUSHES:
            if (patch := region.patch) is not None:
                yield Part(None, patch, label, confidence, parent)
        elif region.kind in _POLYGONS:
            corners = region.corners
            patch = outlined(corners, region.shape, "a polygon")
            middle, box = box_around(corners) if patch is None else (None, None)
            yield Part(None, patch, label, confidence, parent, box, middle)
        elif region.kind in _BOXES:
            middle, box = region.box
            yield Part(None, None, label, confidence, parent, box, middle)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
