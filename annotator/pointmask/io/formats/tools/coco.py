"""COCO JSON: keypoints, run-length masks and boxes of all images in one document.

A target without keypoints is clicked on in the middle of its mask, or of its box. In the standard form an
annotation is a target. In the dialect of SPIRE an annotation is an image: ``bbox`` and ``area`` are lists
and each keypoint is a target. Both are read, and ``source`` says which it was. An image without
annotations holds no target, and so does one with an empty object alone (a box of 0, 0, 0, 0 without area,
as coco-annotator leaves it). Ids are the same whether they are numbers or texts. The ``frame`` of an image
is one of its file if files of that name have several entries or several frames; else it only says where in
a video the file comes from. Polygons are read by pixel centres; what is written are run lengths alone,
because polygons through the centres of pixels destroy a small target.
"""

import contextlib
import json
import re
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeGuard

from pointmask.errors import ImageError, PointsError
from pointmask.io.files import whole_text
from pointmask.io.formats.base import DEFAULTS, EVERYTHING, DocumentFormat, WriteOptions
from pointmask.io.formats.encodings import rle
from pointmask.io.formats.labelled import NO_LABEL, Box, LabelledImage, LabelledTarget, Patch, Shape
from pointmask.io.formats.parts.decoding import peek
from pointmask.io.formats.parts.documents import (
    brief,
    head_keys,
    listing,
    mapping,
    number,
    read_json,
    rejecting,
    text,
    whole,
)
from pointmask.io.formats.parts.finder import ImageFinder
from pointmask.io.formats.parts.origin import Origin, from_pixel, to_pixel
from pointmask.io.formats.parts.per_image import Parsed, points_of
from pointmask.io.formats.parts.shapes import (
    box_of_edges,
    known_size,
    label_of,
    patch_of_polygons,
    patch_of_runs,
    score_of,
    size_of,
)
from pointmask.io.images.kinds import may_hold_frames
from pointmask.io.images.source import ImageSource
from pointmask.io.notes import note
from pointmask.io.points.names import clean_key
from pointmask.io.points.points import Point, Points

_ORIGIN: Origin = "index"  # of keypoints; boxes and polygons are in edge coordinates
_VISIBLE = 2
_LISTED = re.compile(r'"(images|annotations)"\s*:\s*\[\s*(\]|\{[^{}]*"(file_name|image_id)")')
_SNIFFED = 1 << 16
_COPIED_AT_ONCE = 1 << 20


class Coco(DocumentFormat):
    """COCO JSON."""

    name = "coco"
    description = "COCO JSON"
    abilities = frozenset({"read points", "read masks", "write masks"})
    holds = EVERYTHING
    origin = _ORIGIN
    layout = "file"
    saved_as = "coco.json"

    def sniff(self, path: Path) -> bool:
        """Say whether the file begins like a COCO document."""
        keys = head_keys(path) if path.is_file() else frozenset()
        if "{" not in keys or not keys & {"images", "annotations"} or "image" in keys:
            return False
        return keys >= {"images", "annotations"} or _LISTED.search(peek(path, _SNIFFED)) is not None

    def read(self, path: Path, *, images: ImageSource | None = None) -> Points:
        """Read keypoints, or the middles of masks or boxes.

        Raises
        ------
        PointsError
            If the file is not such a document. Images with a wrong annotation are rejected.
        """
        rejected: dict[str, str] = {}
        document = _Document(path, rejected, images)
        return points_of(document.parsed(), rejected, f"{path} ({self.description}, {document.dialect})")

    def parsed(self, path: Path, rejected: dict[str, str], images: ImageSource | None) -> Iterator[Parsed]:
        """Yield what is annotated in each image."""
        return _Document(path, rejected, images).parsed()

    def write_masks(
        self,
        images: Iterable[LabelledImage],
        path: Path,
        *,
        source: ImageSource | None = None,
        options: WriteOptions = DEFAULTS,
    ) -> None:
        """Write one document; annotations wait in a temporary file until the images are written.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        classes: dict[str, int] = {}
        annotations = 0
        with (
            whole_text(path) as file,
            tempfile.TemporaryFile("w+", encoding="utf-8", dir=path.parent) as waiting,
        ):
            file.write('{"info": {"description": "written by pointmask"}, "licenses": [],\n"images": [')
            for count, image in enumerate(images, 1):
                height, width = image.shape
                record = {"id": count, "file_name": image.image, "width": width, "height": height}
                if image.frame:
                    record["frame"] = image.frame
                file.write((",\n" if count > 1 else "\n") + json.dumps(record))
                for target in image.targets:
                    annotations += 1
                    category = classes.setdefault(target.label or NO_LABEL, len(classes) + 1)
                    ids = {"id": annotations, "image_id": count, "category_id": category}
                    line = json.dumps(ids | _annotation(target, image.shape))
                    waiting.write((",\n" if annotations > 1 else "\n") + line)
            file.write('],\n"annotations": [')
            waiting.seek(0)
            while piece := waiting.read(_COPIED_AT_ONCE):
                file.write(piece)
            file.write('],\n"categories": ' + json.dumps(_categories(classes)) + "}\n")


def _annotation(target: LabelledTarget, shape: Shape) -> dict[str, Any]:
    patch, point = target.patch, target.point
    fields: dict[str, Any] = {"iscrowd": 0, "segmentation": [], "bbox": [], "area": 0}
    if patch is not None:
        counts = rle.encode(patch.pixels, patch.row, patch.col, shape)
        height, width = patch.pixels.shape
        fields["segmentation"] = {"size": list(shape), "counts": rle.pack(counts)}
        fields |= {"bbox": [patch.col, patch.row, width, height], "area": patch.area}
    elif target.box is not None:
        top, left, bottom, right = target.box
        fields["bbox"] = [left, top, right - left, bottom - top]
    elif point is not None:
        fields["bbox"] = [point.col, point.row, 0, 0]
    fields |= {"keypoints": [0, 0, 0], "num_keypoints": 0}
    if point is not None:
        x, y = from_pixel(point.col, _ORIGIN), from_pixel(point.row, _ORIGIN)
        fields |= {"keypoints": [x, y, _VISIBLE], "num_keypoints": 1}
    if target.confidence is not None:
        fields["score"] = target.confidence
    return fields


def _categories(classes: dict[str, int]) -> list[dict[str, Any]]:
    return [
        {"id": number, "name": name, "supercategory": "", "keypoints": ["point"], "skeleton": []}
        for name, number in (classes or {NO_LABEL: 1}).items()
    ]


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


class _Document:
    """A COCO document, its annotations sorted by image."""

    def __init__(self, path: Path, rejected: dict[str, str], images: ImageSource | None) -> None:
        root = mapping(read_json(path), str(path))
        self._where = str(path)
        self._names = {
            str(fields.get("id")).strip(): str(fields.get("name", NO_LABEL))
            for fields in self._objects(root, "categories")
        }
        self.rejected = rejected
        self._finder = None if images is None else ImageFinder(images)
        self.images = list(self._listed(root))
        self._by_image: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        ids = [fields.get("id") for fields in self._objects(root, "images")]
        known = {_identity(value, "an id") for value in ids if _is_identity(value)}
        placed = False
        self._spire = False
        for fields in self._objects(root, "annotations"):
            image_id = _identity(fields.get("image_id"), f"{path}: the image_id of an annotation")
            if image_id not in known:
                self.rejected[image_id] = f'{path}: "images" does not list the image_id of an annotation'
            placed = placed or image_id in known
            self._by_image[image_id].append(fields)
            self._spire = self._spire or _is_spire(fields)
        if self._by_image and not placed:
            raise PointsError(
                f'{path}: no annotation has an image_id that "images" lists (such as '
                f"{brief(next(iter(self._by_image)))}), so nobody can tell which targets an image has; "
                "export images and annotations together"
            )
        self.dialect = "SPIRE, one annotation per image" if self._spire else "one annotation per target"

    def parsed(self) -> Iterator[Parsed]:
        """Yield what is annotated in each image; one wrong annotation rejects its image."""
        for image in self.images:
            with rejecting(image.key, self.rejected):
                annotations = self._by_image[image.id]
                shape = image.shape or next(filter(None, map(size_of_runs, annotations)), None)
                targets = [t for fields in annotations for t in self._targets_of(fields, shape)]
                yield Parsed(image.key, shape, targets)

    def _objects(self, root: dict[str, Any], name: str) -> Iterator[dict[str, Any]]:
        stored = root.get(name)
        for item in listing([] if stored is None else stored, f'{self._where}: "{name}"'):
            yield mapping(item, f'{self._where}: an item of "{name}"')

    def _listed(self, root: dict[str, Any]) -> Iterator[_Image]:
        """Yield the images; of two with one name or number nobody can tell which is meant: neither."""
        images = []
        uses = Counter(str(fields.get("file_name")) for fields in self._objects(root, "images"))
        for count, fields in enumerate(self._objects(root, "images")):
            name = str(fields.get("file_name"))
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

    def _targets_of(self, fields: dict[str, Any], shape: Shape | None) -> list[LabelledTarget]:
        where = f"{self._where}: annotation {brief(fields.get('id'))}"
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
            row, col = (to_pixel(number(part, f"a keypoint of {where}"), _ORIGIN) for part in (y, x))
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
        known = box_of_edges(x, y, x + width, y + height) if width or height else None
        yield to_pixel(y + height / 2, "edge"), to_pixel(x + width / 2, "edge"), known


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
