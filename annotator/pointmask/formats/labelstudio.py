"""Label Studio's JSON export: a list of tasks.

Key points (``keypointlabels`` and ``keypoint``) are read as points, brush masks (``brushlabels`` and
``brush``) with `pointmask.codecs.brush_rle`. A brush whose ``parentID`` is a key point's ``id`` is that
target's mask. Of a task's annotations the one marked as ground truth counts, or else the only one that was
not skipped; an empty one says that the image holds no target. A task without annotation is taken from its
only prediction, and left out if it has none.

The image is named by the task's data; the random prefix and the folders that Label Studio puts before the
name of an uploaded file are dropped.

Written are predictions, which Label Studio shows for review, with their confidence as ``score``. A target
without label gets `pointmask.labelled.NO_LABEL`.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from pointmask.codecs import brush_rle
from pointmask.errors import PointsError
from pointmask.formats import EVERYTHING
from pointmask.formats._documents import brief, head_keys, listing, mapping, number, read_json
from pointmask.formats._files import text_written_atomically
from pointmask.formats._origin import Origin, from_pixel, to_pixel
from pointmask.formats._pairs import Part, targets
from pointmask.formats._shapes import confidence_of, label_of, size_of
from pointmask.formats._table import Collector
from pointmask.images import is_image
from pointmask.labelled import NO_LABEL, LabelledImage, LabelledTarget, Patch, Shape, split_key
from pointmask.points import Point, Points, clean_key

DESCRIPTION = "Label Studio JSON"
ORIGIN: Origin = "percent"
HOLDS = EVERYTHING

_UPLOADED = re.compile(r"(?:.*/)?data/upload/(?:\d+/)?(?:[0-9a-f]{8}-)?([^/]+)")
_POINTS = ("keypointlabels", "keypoint")
_BRUSHES = ("brushlabels", "brush")
_OTHER_SHAPES = ("rectangle", "polygon", "ellipse", "vector", "bitmask", "brush")


def sniff(path: Path) -> bool:
    """Say whether the file is a JSON list of tasks with annotations or predictions."""
    keys = head_keys(path) if path.is_file() else frozenset()
    return "[" in keys and bool(keys & {"annotations", "predictions", "completions"})


def read(path: Path) -> Points:
    """Read the points, and the middles of masks without one.

    Raises
    ------
    PointsError
        If the file is unreadable or no list of tasks, or a task names no image.
    """
    collector = Collector()
    for task in _tasks(path):
        try:
            if (regions := _regions(task)) is None:
                continue
            found = _targets(regions)
        except PointsError as error:
            collector.reject(task.name, task.where, str(error))
            continue
        for click in [target.click for target in found] or (None,):
            collector.add(task.name, task.where, click)
    return collector.points(f"{path} ({DESCRIPTION})")


def read_masks(path: Path, rejected: dict[str, str]) -> Iterator[LabelledImage]:
    """Yield images with points and masks; those that cannot be read go into ``rejected``.

    Raises
    ------
    PointsError
        If the file is unreadable or no list of tasks, or a task names no image.
    """
    for task in _tasks(path):
        try:
            if (regions := _regions(task)) is None:
                continue
            shape = regions[0].shape if regions else task.shape
            labelled = LabelledImage.of_key(clean_key(task.name), shape, _targets(regions))
        except PointsError as error:
            rejected.setdefault(task.name, f"{task.where}: {error}")
        else:
            yield labelled


def write_masks(images: Iterable[LabelledImage], path: Path) -> None:
    """Write one task per image with a prediction; the image is named as a file of local storage.

    Raises
    ------
    OutputError
        If the file cannot be written.
    PointsError
        If an image is larger than brush masks can be.
    """
    with text_written_atomically(path) as file:
        separator = "[\n"
        for image in images:
            file.write(separator + json.dumps(_task_of(image)))
            separator = ",\n"
        file.write("[]\n" if separator == "[\n" else "\n]\n")


@dataclass(frozen=True, slots=True)
class _Task:
    """One image of the document."""

    name: str
    where: str
    content: dict[str, Any]

    @property
    def shape(self) -> Shape:
        """Size of the image as the data say it; only our own do."""
        data = self.content["data"]
        return size_of(data.get("height"), data.get("width"), "its data")


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


def _tasks(path: Path) -> Iterator[_Task]:
    for place, item in enumerate(listing(read_json(path), f"{path}: the document"), 1):
        where = f"{path}: task {place}"
        content = mapping(item, where)
        try:
            name = _image_name(mapping(content.get("data"), "data"))
        except PointsError as error:
            raise PointsError(f"{where}: {error}") from None
        yield _Task(name, f"{where}, image {brief(name)}", content)


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


def _regions(task: _Task) -> list[_Region] | None:
    """Return the results that count; None if nobody has looked at the image."""
    stored = task.content.get("annotations") or task.content.get("completions") or []
    made = [mapping(item, "an annotation") for item in listing(stored, "annotations")]
    kept = [item for item in made if not item.get("was_cancelled")]
    if not made:
        kept = [
            mapping(p, "a prediction") for p in listing(task.content.get("predictions") or [], "predictions")
        ]
    chosen = [item for item in kept if item.get("ground_truth")] or kept
    if len(chosen) > 1:
        raise PointsError(
            f"has {len(chosen)} annotations or predictions; mark one annotation as ground truth, or keep one"
        )
    if not chosen:
        return None
    return [_Region(mapping(item, "a result")) for item in listing(chosen[0].get("result"), "result")]


def _targets(regions: list[_Region]) -> tuple[LabelledTarget, ...]:
    found = targets(_parts(regions))
    kinds = sorted({region.kind for region in regions if region.kind.startswith(_OTHER_SHAPES)})
    if kinds and not found:
        raise PointsError(
            f"has {', '.join(kinds)[:200]} but neither points nor masks; mark its targets with these"
        )
    return found


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


def _task_of(image: LabelledImage) -> dict[str, Any]:
    height, width = image.shape
    results = [
        result
        for place, target in enumerate(image.targets, 1)
        for result in _results(target, place, image.shape)
    ]
    return {
        "data": {
            "image": f"/data/local-files/?d={quote(image.key)}",
            "width": width,
            "height": height,
        },
        "predictions": [{"model_version": "pointmask", "result": results}],
    }


def _results(target: LabelledTarget, place: int, shape: Shape) -> Iterator[dict[str, Any]]:
    height, width = shape
    common: dict[str, Any] = {
        "to_name": "image",
        "original_width": width,
        "original_height": height,
        "image_rotation": 0,
    }
    if target.confidence is not None:
        common["score"] = target.confidence
    label = [target.label or NO_LABEL]
    if target.point is not None:
        x, y = from_pixel(target.point.col, ORIGIN, width), from_pixel(target.point.row, ORIGIN, height)
        value: dict[str, Any] = {"x": x, "y": y, "width": 100 / width, "keypointlabels": label}
        yield {
            "id": f"point-{place}",
            "type": "keypointlabels",
            "from_name": "point",
            "value": value,
            **common,
        }
    if target.patch is not None:
        patch = target.patch
        rle = brush_rle.encode(patch.pixels, patch.row, patch.col, shape)
        value = {"format": "rle", "rle": list(rle), "brushlabels": label}
        parent = {"parentID": f"point-{place}"} if target.point is not None else {}
        yield {
            "id": f"mask-{place}",
            "type": "brushlabels",
            "from_name": "mask",
            "value": value,
            **parent,
            **common,
        }
