"""The tasks of a Label Studio export: which image, which annotation counts, which regions it has."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from pointmask.errors import PointsError
from pointmask.io.formats.encodings import brush_rle
from pointmask.io.formats.labelled import LabelledTarget, Patch, Shape, split_key
from pointmask.io.formats.parts.documents import brief, listing, mapping, number, read_json
from pointmask.io.formats.parts.origin import Origin, to_pixel
from pointmask.io.formats.parts.shapes import confidence_of, label_of, size_of
from pointmask.io.formats.tools._pairs import Part, targets
from pointmask.io.images.array import is_image
from pointmask.io.points.points import Point

ORIGIN: Origin = "percent"

_UPLOADED = re.compile(r"(?:.*/)?data/upload/(?:\d+/)?(?:[0-9a-f]{8}-)?([^/]+)")
_POINTS = ("keypointlabels", "keypoint")
_BRUSHES = ("brushlabels", "brush")
_OTHER_SHAPES = ("rectangle", "polygon", "ellipse", "vector", "bitmask", "brush")


@dataclass(frozen=True, slots=True)
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
        return self._chosen() is not None

    @property
    def shape(self) -> Shape | None:
        """Size of the image as its regions tell it, or else its data, as those that pointmask wrote."""
        for region in self._regions():
            if region.kind in (*_POINTS, *_BRUSHES):
                return region.shape
        data = self.content["data"]
        return (
            size_of(data["height"], data["width"], "its data") if {"height", "width"} <= data.keys() else None
        )

    @property
    def targets(self) -> tuple[LabelledTarget, ...]:
        """Targets of the annotation that counts."""
        regions = self._regions()
        found = targets(_parts(regions))
        kinds = sorted({region.kind for region in regions if region.kind.startswith(_OTHER_SHAPES)})
        if kinds and not found:
            raise PointsError(
                f"has {', '.join(kinds)[:200]} but neither points nor masks; mark its targets with these"
            )
        return found

    def _regions(self) -> list["_Region"]:
        chosen = self._chosen() or {"result": []}
        return [_Region(mapping(item, "a result")) for item in listing(chosen.get("result"), "result")]

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


def tasks(path: Path) -> Iterator[Task]:
    """Yield the tasks of a document.

    Raises
    ------
    PointsError
        If the file is unreadable or no list of tasks, or a task names no image.
    """
    for place, item in enumerate(listing(read_json(path), f"{path}: the document"), 1):
        where = f"{path}: task {place}"
        content = mapping(item, where)
        try:
            name = _image_name(mapping(content.get("data"), "data"))
        except PointsError as error:
            raise PointsError(f"{where}: {error}") from None
        yield Task(name, f"{where}, image {brief(name)}", content)


def _image_name(data: dict[str, Any]) -> str:
    """Return the first image among the values, which are names, addresses or other things."""
    for value in data.values():
        if isinstance(value, str) and is_image(split_key(name := _name_of(value))[0]):
            return name
    raise PointsError("its data hold no name of an image; export the tasks with their data")


def _name_of(address: str) -> str:
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


@dataclass(frozen=True, slots=True)
class _Region:
    """One result of an annotation."""

    content: dict[str, Any]

    @property
    def kind(self) -> str:
        return str(self.content.get("type")).lower()

    @property
    def value(self) -> dict[str, Any]:
        return mapping(self.content.get("value"), f"the value of a {brief(self.kind)}")

    @property
    def shape(self) -> Shape:
        """Size of the image. A turned image would turn all coordinates."""
        if number(self.content.get("image_rotation") or 0, "image_rotation"):
            raise PointsError(
                f"was turned by {brief(self.content['image_rotation'])} degrees in Label Studio "
                "(image_rotation), which its pixels are not; turn it back there and mark it again"
            )
        return size_of(
            self.content.get("original_height"), self.content.get("original_width"), "the original size"
        )

    @property
    def point(self) -> Point:
        height, width = self.shape
        row = to_pixel(number(self.value.get("y"), "y"), ORIGIN, height)
        return Point(row, to_pixel(number(self.value.get("x"), "x"), ORIGIN, width), self.label)

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
        return confidence_of(self.content.get("score"), "score")


def _parts(regions: list[_Region]) -> Iterator[Part]:
    parents = {_text(region.content.get("parentID")) for region in regions}
    for region in regions:
        own = _text(region.content.get("id"))
        if region.kind in _POINTS:
            group = own if own in parents else None
            yield Part(region.point, None, region.label, region.confidence, group)
        elif region.kind in _BRUSHES and (patch := region.patch) is not None:
            yield Part(None, patch, region.label, region.confidence, _text(region.content.get("parentID")))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
