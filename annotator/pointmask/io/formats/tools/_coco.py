"""A COCO document as it is read: its images, and what is annotated in each."""

import contextlib
import functools
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeGuard

from pointmask.errors import ImageError, PointsError
from pointmask.io.formats.encodings import rle
from pointmask.io.formats.labelled import NO_LABEL, Box, LabelledTarget, Patch, Shape
from pointmask.io.formats.parts.documents import brief, listing, mapping, number, rejecting, text, whole
from pointmask.io.formats.parts.finder import ImageFinder
from pointmask.io.formats.parts.json_stream import json_items
from pointmask.io.formats.parts.origin import Origin, to_pixel
from pointmask.io.formats.parts.per_image import Parsed
from pointmask.io.formats.parts.shapes import (
    box_of_edges,
    is_of_shares,
    known_size,
    label_of,
    patch_of_polygons,
    patch_of_runs,
    score_of,
    size_of,
)
from pointmask.io.formats.tools._coco_packed import Annotations
from pointmask.io.images.kinds import may_hold_frames
from pointmask.io.images.source import ImageSource
from pointmask.io.notes import note
from pointmask.io.points.names import clean_key
from pointmask.io.points.points import Point

ORIGIN: Origin = "index"
"""Of keypoints; boxes and polygons are in edge coordinates."""
_SHARES = (
    "lies within the first pixel, so it seems to hold shares of the image's width and height, but COCO's "
    "numbers are px; multiply them by the size of the image"
)
_LISTS = ("images", "annotations", "categories")
_OF_IMAGE = ("id", "file_name", "frame", "height", "width")


class _Image:
    """One entry of ``images``."""

    def __init__(
        self, fields: dict[str, Any], where: str, has_frames: Callable[[str], bool], uses: int
    ) -> None:
        self.where = where
        self.id = _identity(fields.get("id"), f"the id of {where}")
        self.key = clean_key(text(fields.get("file_name"), f"the file_name of {where}"))
        if fields.get("frame") and (uses > 1 or has_frames(self.key)):
            self.key += f"#{whole(fields['frame'], f'the frame of {where}')}"
        self.shape = known_size(fields.get("height"), fields.get("width"), where)


class Document:
    """A COCO document, its annotations sorted by image.

    Parameters
    ----------
    path : Path
        Of the document, which is read at once, item by item.
    rejected : dict
        Gets the images that cannot be read, with the reason.
    images : ImageSource or None
        To ask which files hold several frames.

    Raises
    ------
    PointsError
        If it is no such document, or none of its annotations has an image.
    """

    def __init__(self, path: Path, rejected: dict[str, str], images: ImageSource | None) -> None:
        self._where = str(path)
        self._names: dict[str, str] = {}
        self._labels: dict[str | None, int] = {}
        self.rejected = rejected
        self._finder = None if images is None else ImageFinder(images)
        self._annotations = Annotations()
        self._numbers: dict[str, int] = {}  # of images by id, as annotations name them
        self._spire = False
        entries: list[dict[str, Any]] = []
        for inside, key, value in json_items(path, _LISTS):
            if inside and key is not None:
                self._take(inside, mapping(value, f'{path}: an item of "{inside}"'), entries)
            elif inside or key in _LISTS:
                listing([] if value is None else value, f'{path}: "{inside or key}"')
            elif key is None:
                mapping(value, str(path))
        self._annotations.close(len(self._numbers))
        self.images = list(self._listed(entries))
        known = {_identity(fields["id"], "an id") for fields in entries if _is_identity(fields["id"])}
        unknown = [image_id for image_id in self._numbers if image_id not in known]
        for image_id in unknown:
            self.rejected[image_id] = f'{path}: "images" does not list the image_id of an annotation'
        if self._numbers and len(unknown) == len(self._numbers):
            raise PointsError(
                f'{path}: no annotation has an image_id that "images" lists (such as '
                f"{brief(next(iter(self._numbers)))}), so nobody can tell which targets an image has; "
                "export images and annotations together"
            )
        self.dialect = "SPIRE, one annotation per image" if self._spire else "one annotation per target"

    def parsed(self) -> Iterator[Parsed]:
        """Yield what is annotated in each image; one wrong annotation rejects its image."""
        names = [NO_LABEL if name is None else self._names.get(name, NO_LABEL) for name in self._labels]
        labels = [label_of(name) for name in names]
        for image in self.images:
            with rejecting(image.key, self.rejected):
                shape, targets = image.shape, []
                number = self._numbers.get(image.id)
                if number is not None:
                    sizes = map(size_of_runs, self._annotations.others(number))
                    shape = shape or next(filter(None, sizes), None)
                    read = functools.partial(self._targets_of, shape=shape)
                    targets = self._annotations.targets(number, labels, read)
                yield Parsed(image.key, shape, targets)

    def _take(self, kind: str, fields: dict[str, Any], entries: list[dict[str, Any]]) -> None:
        """Take an item of one of the lists; of images no more than what is needed of them."""
        if kind == "categories":
            self._names[str(fields.get("id")).strip()] = str(fields.get("name", NO_LABEL))
        elif kind == "images":
            entries.append({name: fields.get(name) for name in _OF_IMAGE})
        else:
            image_id = _identity(fields.get("image_id"), f"{self._where}: the image_id of an annotation")
            number = self._numbers.setdefault(image_id, len(self._numbers))
            category = fields.get("category_id", 0)
            name = str(category) if _is_identity(category) else None
            label = self._labels.setdefault(name, len(self._labels))
            if not self._annotations.add(number, label, fields):
                self._spire = self._spire or _is_spire(fields)

    def _listed(self, entries: list[dict[str, Any]]) -> Iterator[_Image]:
        """Yield the images; of two with one name or number nobody can tell which is meant: neither."""
        images = []
        uses = Counter(str(fields["file_name"]) for fields in entries)
        for count, fields in enumerate(entries):
            name = str(fields["file_name"])
            with rejecting(name, self.rejected):
                where = f"{self._where}: image {count}"
                images.append(_Image(fields, where, self._has_frames, uses[name]))
        keys = Counter(image.key for image in images)
        ids = Counter(image.id for image in images)
        for image in images:
            if keys[image.key] > 1 or ids[image.id] > 1:
                self.rejected[image.key] = f"{image.where}: its file_name or id is listed twice; correct it"
            else:
                yield image

    def _has_frames(self, key: str) -> bool:
        """Say whether an image's file holds several frames; if it cannot be opened, its suffix says so."""
        if not may_hold_frames(key):
            return False
        if self._finder is not None:
            with contextlib.suppress(PointsError, ImageError):
                return self._finder.source.frame_count(self._finder.frame_of(key)[0]) > 1
        return True

    def _targets_of(self, fields: dict[str, Any], where: str, *, shape: Shape | None) -> list[LabelledTarget]:
        where = f"{self._where}: annotation {brief(fields.get('id'))}{where}"
        category = fields.get("category_id", 0)
        label = label_of(self._names.get(str(category), NO_LABEL)) if _is_identity(category) else None
        if _is_empty_object(fields):
            note("empty objects, boxes of 0 x 0 pixels without area, are no targets", where)
            return []
        score = score_of(fields.get("score"))
        points = [Point(row, col, label) for row, col in keypoints_of(fields.get("keypoints"), where)]
        patch = segment(fields.get("segmentation"), shape, where, has_box=bool(fields.get("bbox")))
        if patch is not None:
            if len(points) > 1:
                raise PointsError(
                    f"{where} has one mask and {len(points)} keypoints; write one annotation per target"
                )
            return [LabelledTarget(points[0] if points else None, patch, score, label)]
        boxes = list(boxes_of(fields.get("bbox"), where))
        if len(points) > 1 and len(boxes) == 1 and not self._spire:
            note("targets with several key points are clicked on in the middle of their box", where)
            points = []
        if not points:
            points = [Point(row, col, label) for row, col, _ in boxes]
        if not points and not _is_spire(fields):
            raise PointsError(f"{where} has neither keypoints nor mask nor box; correct or delete it")
        known = [box for _, _, box in boxes] if len(boxes) == len(points) else [None] * len(points)
        return [LabelledTarget(p, None, score, box=box) for p, box in zip(points, known, strict=True)]


def _is_identity(value: object) -> TypeGuard[int | str]:
    return isinstance(value, (int, str)) and not isinstance(value, bool)


def _identity(value: object, what: str) -> str:
    """Return an id as a text: 1, 1.0 and "1" are the same."""
    if _is_identity(value):
        return str(value).strip()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    raise PointsError(f"{what} is {brief(value)}, not a number or text; correct it")


def _is_empty_object(fields: dict[str, Any]) -> bool:
    """Say whether nothing at all was drawn, though all fields are there."""
    if not {"segmentation", "bbox"} <= fields.keys() or fields["segmentation"] not in ([], [[]], None):
        return False
    box, points = fields["bbox"], fields.get("keypoints")
    is_nothing = isinstance(box, list) and not any(part != 0 for part in box) and len(box) in (0, 4)
    return is_nothing and not fields.get("area") and not (isinstance(points, list) and any(points))


def _is_spire(fields: dict[str, Any]) -> bool:
    box = fields.get("bbox")
    nested = isinstance(box, list) and bool(box) and isinstance(box[0], list)
    return nested or isinstance(fields.get("area"), list)


def keypoints_of(value: object, where: str) -> Iterator[tuple[int, int]]:
    """Yield row and column of the key points that are visible or at least there."""
    values = [] if value is None else listing(value, f"the keypoints of {where}")
    if len(values) % 3:
        raise PointsError(f"{where} has {len(values)} keypoint numbers; they come in threes, x, y and v")
    for x, y, visible in zip(values[::3], values[1::3], values[2::3], strict=True):
        if number(visible, f"a keypoint of {where}") > 0:
            row, col = (to_pixel(number(part, f"a keypoint of {where}"), ORIGIN) for part in (y, x))
            yield row, col


def boxes_of(value: object, where: str) -> Iterator[tuple[int, int, Box | None]]:
    """Yield row and column of the middle, and the box, of ``[x, y, width, height]`` or of a list of these.

    A box without extent, as is written for a point alone, is none.
    """
    boxes = [] if value is None else listing(value, f"the bbox of {where}")
    for box in boxes if boxes and isinstance(boxes[0], list) else [boxes] if boxes else []:
        values = [number(part, f"the bbox of {where}") for part in listing(box, f"the bbox of {where}")]
        if len(values) != 4 or min(values[2:]) < 0:
            raise PointsError(f"the bbox of {where} is not [x, y, width, height]; correct it")
        x, y, width, height = values
        if is_of_shares(x, y, x + width, y + height):
            raise PointsError(f"the bbox of {where} {_SHARES}")
        known = box_of_edges(x, y, x + width, y + height) if width or height else None
        yield to_pixel(y + height / 2, "edge"), to_pixel(x + width / 2, "edge"), known


def _is_of_shares(polygon: object) -> bool:
    """Say whether all corners lie within the first pixel; what is wrong otherwise is said elsewhere."""
    if not isinstance(polygon, list) or not all(isinstance(part, (int, float)) for part in polygon):
        return False
    xs, ys = polygon[::2], polygon[1::2]
    return bool(xs and ys) and is_of_shares(min(xs), min(ys), max(xs), max(ys))


def size_of_runs(fields: dict[str, Any]) -> Shape | None:
    """Return the size of the image that run lengths are of; None without run lengths, or if it is none."""
    segmentation = fields.get("segmentation")
    size = segmentation.get("size") if isinstance(segmentation, dict) else None
    if not isinstance(size, list) or len(size) != 2:
        return None
    with contextlib.suppress(PointsError):
        return known_size(size[0], size[1], "run lengths")
    return None


def segment(value: object, shape: Shape | None, where: str, *, has_box: bool) -> Patch | None:
    """Return the mask of a segmentation; None if there is none, or a box says as much.

    Parameters
    ----------
    value, where : object, str
        As stored, and the place of the annotation, for messages.
    shape : (int, int) or None
        Of the image.
    has_box : bool
        Whether a box is given too, so that a polygon of fewer than three corners costs nothing.
    """
    what = f"the segmentation of {where}"
    if isinstance(value, list):
        flat = bool(value) and not isinstance(value[0], (list, dict))
        polygons = [polygon for polygon in ([value] if flat else value) if polygon != []]
        if has_box:
            polygons = [one for one in polygons if not isinstance(one, list) or len(one) not in (2, 4)]
        if any(_is_of_shares(polygon) for polygon in polygons):
            raise PointsError(f"{what} {_SHARES}")
        # Without the size of the image a polygon cannot be cut off at its border; its box is used.
        return patch_of_polygons(polygons, shape, what) if polygons and shape is not None else None
    if value is None:
        return None
    fields = mapping(value, what)
    size = listing(fields.get("size"), f"the size in {what}")
    if len(size) != 2 or (shape is not None and tuple(size) != shape):
        raise PointsError(f"{what} has the size {brief(size)}, its image {shape}; correct one of them")
    counts = fields.get("counts")
    if isinstance(counts, str):
        try:
            runs = rle.unpack(counts)
        except ValueError as error:
            raise PointsError(f"{what}: {error}") from None
    else:
        runs = [whole(count, f"a run in {what}") for count in listing(counts, f"the counts in {what}")]
    return patch_of_runs(runs, size_of(size[0], size[1], what), what)
