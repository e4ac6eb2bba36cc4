"""What `pointmask annotate` wrote: an output folder, or its ``masks.jsonl`` alone.

The masks of single targets come from run lengths (``--save rle``), else from ``instances/``, else from
``masks/`` and the areas and boxes of the manifest: as long as no two targets touch, these tell the targets
apart. Where they do not, the image is rejected. Images that were skipped are rejected with the reason given.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointmask.errors import ImageError, PointsError
from pointmask.io.clicks import note_if_ahead
from pointmask.io.formats.base import DocumentFormat
from pointmask.io.formats.encodings import rle
from pointmask.io.formats.labelled import Box, LabelledImage, LabelledTarget, Patch, Shape
from pointmask.io.formats.parts.documents import (
    brief,
    head_keys,
    listing,
    mapping,
    parse_json,
    rejecting,
    text,
    whole,
)
from pointmask.io.formats.parts.per_image import Parsed, images_of, points_of
from pointmask.io.formats.parts.shapes import confidence_of, patch_of_runs, size_of
from pointmask.io.images.array import read as read_image
from pointmask.io.images.array import read_mask
from pointmask.io.images.source import ImageSource
from pointmask.io.layout import MANIFEST, MASKS, RESULTS
from pointmask.io.notes import note
from pointmask.io.points.names import clean_key
from pointmask.io.points.points import Point, Points
from pointmask.regular import open_regular

_LONGEST_LINE = 1 << 28  # bytes; a frame with 100,000 targets needs a tenth of that
_LARGEST = 1 << 31


class Native(DocumentFormat):
    """Output folders of `pointmask annotate`, and their ``masks.jsonl``."""

    name = "native"
    description = "output of pointmask"
    origin = "index"
    searched = "never"

    def sniff(self, path: Path) -> bool:
        """Say whether the path is an output folder, or a file of its lines."""
        if path.is_dir():
            return (path / MANIFEST).is_file() or (path / MASKS).is_file()
        return path.is_file() and head_keys(path) >= {"{", "image", "frame", "targets"}

    def read(self, path: Path, *, images: ImageSource | None = None) -> Points:
        """Read the clicks.

        Raises
        ------
        PointsError
            If a line is not pointmask's.
        """
        rejected: dict[str, str] = {}
        return points_of(_parsed(path, rejected, with_masks=False), rejected, self.source_of(path))

    def parsed(self, path: Path, rejected: dict[str, str], images: ImageSource | None) -> Iterator[Parsed]:
        """Yield what each line holds, with the masks."""
        return _parsed(path, rejected, with_masks=True)

    def read_joined(self, path: Path, rejected: dict[str, str]) -> Iterator[LabelledImage]:
        """
        Yield images for formats that do not part targets: where masks touch, the first target has them all.

        Parameters
        ----------
        path : Path
        rejected : dict
            Gets the images that cannot be read.
        """
        return images_of(_parsed(path, rejected, with_masks=True, joined=True), rejected)


def _parsed(
    path: Path, rejected: dict[str, str], *, with_masks: bool, joined: bool = False
) -> Iterator[Parsed]:
    if path.is_dir():
        note_if_ahead(path)
        path = path / (MANIFEST if (path / MANIFEST).is_file() else MASKS)
    seen: set[str] = set()
    for where, fields in _lines(path):
        key = _key_of(fields, where)
        with rejecting(key, rejected):
            if key in seen:
                raise PointsError(f"{where}: {key} has another line too; keep one of them")
            seen.add(key)
            if fields.get("status", "done") != "done":
                raise PointsError(f"{where}: was skipped: {brief(fields.get('reason'))}")
            if with_masks and fields.get("size_prior") == "hand":
                note(
                    "masks were drawn or changed by hand; figures from them are not those of points alone",
                    key,
                )
            shape, targets = frame_of_entry(fields, path.parent, where, with_masks=with_masks, joined=joined)
            yield Parsed(key, shape, targets)


def frame_of_entry(
    fields: dict[str, Any], out: Path, where: str, *, with_masks: bool = True, joined: bool = False
) -> tuple[Shape, list[LabelledTarget]]:
    """Return shape and targets of a finished frame.

    Parameters
    ----------
    fields : dict
        Its manifest entry.
    out : Path
        Folder of the manifest, where the masks are.
    where : str
        For messages.
    with_masks : bool
        False: points alone.
    joined : bool
        Masks of touching targets need not be told apart: the first target gets them all.

    Raises
    ------
    PointsError
        If a field is not as pointmask writes it, or the masks of touching targets cannot be told apart.
    """
    size = listing(fields.get("shape"), f"the shape in {where}")
    if len(size) != 2:
        raise PointsError(f"the shape in {where} is {brief(size)}, not [height, width]; correct it")
    shape = size_of(size[0], size[1], f"the shape in {where}")
    records = [
        _Record(item, shape, f"target {count} in {where}")
        for count, item in enumerate(listing(fields.get("targets"), f"the targets in {where}"))
    ]
    if with_masks and not all(record.is_whole for record in records):
        _add_masks(records, fields, out, shape, joined=joined)
    return shape, [record.target() for record in records]


def _lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield place and content of each line, but for the first line of a shard's file."""
    try:
        with open_regular(path) as file:
            for count, line in enumerate(iter(lambda: file.readline(_LONGEST_LINE), b""), 1):
                where = f"{path}:{count}"
                try:
                    fields = mapping(parse_json(line.decode(), where), where)
                except UnicodeDecodeError as error:
                    raise PointsError(f"{where}: not UTF-8 ({error}); copy the file again") from None
                if "shard" not in fields:
                    yield where, fields
    except OSError as error:
        raise PointsError(f"{path}: cannot be read ({error.strerror}); check the folder") from error


def _key_of(fields: dict[str, Any], where: str) -> str:
    try:
        image = clean_key(text(fields.get("image"), "the image"))
    except PointsError as error:
        raise PointsError(f"{where}: {error}") from None
    frame = whole(fields.get("frame", 0), f"the frame in {where}")
    return f"{image}#{frame}" if frame else image


class _Record:
    """One target of a line."""

    def __init__(self, item: object, shape: Shape, what: str) -> None:
        self._fields = mapping(item, what)
        self._what = what
        self.patch: Patch | None = None
        runs = self._fields.get("rle")
        self.is_whole = runs is not None
        if runs is not None:
            try:
                counts = rle.unpack(text(runs, f"the rle of {what}"))
            except ValueError as error:
                raise PointsError(f"{what}: {error}") from None
            self.patch = patch_of_runs(counts, shape, what)

    def target(self) -> LabelledTarget:
        """Return it as everyone sees it."""
        fields, what = self._fields, self._what
        label = None if fields.get("label") is None else text(fields["label"], f"the label of {what}")
        confidence = confidence_of(fields.get("confidence"), f"the confidence of {what}")
        place = fields.get("point")
        if place is None:
            return LabelledTarget(None, self.patch, confidence, label)
        row, col = self._wholes("point", 2)
        return LabelledTarget(Point(row, col, label), self.patch, confidence)

    def extent(self) -> tuple[Box, int]:
        """Box and area of the mask."""
        return Box(*self._wholes("box", 4)), whole(self._fields.get("area"), f"the area of {self._what}")

    def _wholes(self, name: str, count: int) -> list[int]:
        what = f"the {name} of {self._what}"
        values = [whole(value, what, least=-_LARGEST) for value in listing(self._fields.get(name), what)]
        if len(values) != count:
            raise PointsError(f"{what} has {len(values)} numbers, not {count}; correct it")
        return values


def _add_masks(
    records: list[_Record], fields: dict[str, Any], out: Path, shape: Shape, *, joined: bool
) -> None:
    """Cut the masks of the targets out of the images that were written."""
    name = clean_key(text(fields.get("mask"), f"the mask of {fields.get('image')}"))
    instances = out / RESULTS["instance"] / name.partition("/")[2]
    extents = [record.extent() for record in records]
    for box, _ in extents:
        if not (0 <= box.top < box.bottom <= shape[0] and 0 <= box.left < box.right <= shape[1]):
            raise PointsError(f"{name}: a target's box {tuple(box)} lies outside of {shape}; annotate again")
    try:
        if instances.is_file():
            labels = read_image(instances)
            found = [_at(labels, box) == count for count, (box, _) in enumerate(extents, 1)]
        else:
            labels = read_mask(out / name)
            found = _separated(labels, extents, joined=joined)
    except ImageError as error:
        raise PointsError(f"its masks are needed, but {error}") from error
    if labels.shape != shape:
        raise PointsError(f"{name}: its masks have the size {labels.shape}, not {shape}; annotate again")
    if not found:
        records[0].patch = Patch.crop(labels)
        return
    for record, (box, area), pixels in zip(records, extents, found, strict=True):
        record.patch = Patch.crop(pixels, box.top, box.left)
        if record.patch is None or (record.patch.box, record.patch.area) != (box, area):
            raise PointsError(f"{name}: is not the mask that its manifest tells of; annotate again")


def _separated(
    union: NDArray[np.bool_], extents: Sequence[tuple[Box, int]], *, joined: bool
) -> list[NDArray[np.bool_]]:
    """Divide a mask as `separate` does; if it need not be divided and cannot be, return nothing."""
    try:
        return separate(union, extents)
    except PointsError:
        if joined:
            return []
        raise


def separate(union: NDArray[np.bool_], extents: Sequence[tuple[Box, int]]) -> list[NDArray[np.bool_]]:
    """Divide a mask into those of its targets, of which box and area are known.

    Parameters
    ----------
    union : (H, W) bool
        The masks of all targets, none of which share a pixel.
    extents : sequence of (Box, int)
        Box and area in pixels of each.

    Returns
    -------
    list of bool arrays
        The masks over their boxes: what is certain, nothing is guessed.

    Raises
    ------
    PointsError
        If touching targets leave several ways.
    """
    rest = union.copy()
    found: dict[int, NDArray[np.bool_]] = {}
    solved = -1
    while solved < len(found) < len(extents):
        solved = len(found)
        for index, (box, area) in enumerate(extents):
            left = _at(rest, box)
            # What is left in the box is as much as the target has: it is the target.
            if index not in found and np.count_nonzero(left) == area:
                found[index] = left.copy()
                left[:] = False
    if len(found) < len(extents):
        raise PointsError(
            "masks of targets that touch or surround each other cannot be told apart; annotate again with "
            "--save instance"
        )
    return [found[index] for index in range(len(extents))]


def _at(image: NDArray[Any], box: Box) -> NDArray[Any]:
    return image[box.top : box.bottom, box.left : box.right]
