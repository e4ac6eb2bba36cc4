"""Masks, sizes and names as documents write them, checked and turned into ours."""

import math
from collections.abc import Sequence

import numpy as np

from pointmask.errors import PointsError
from pointmask.io.formats.encodings import outline, rle
from pointmask.io.formats.labelled import NO_LABEL, Box, LabelledTarget, Patch, Shape
from pointmask.io.formats.parts.documents import brief, listing, number, whole
from pointmask.io.formats.parts.origin import LARGEST, to_pixel
from pointmask.io.notes import note
from pointmask.io.points.points import Point


def size_of(height: object, width: object, what: str) -> Shape:
    """Return the size of an image; ``what`` names the place in messages.

    Raises
    ------
    PointsError
        If it is not two whole numbers, or more pixels than `pointmask.io.formats.encodings.rle.MOST_PIXELS`.
    """
    if type(height) is type(width) is int and min(height, width) > 0 and height * width <= rle.MOST_PIXELS:
        return height, width  # without words for a message
    shape = whole(height, f"the height in {what}", least=1), whole(width, f"the width in {what}", least=1)
    if shape[0] * shape[1] > rle.MOST_PIXELS:
        raise PointsError(
            f"{what} is {shape[1]} x {shape[0]} pixels, more than {rle.MOST_PIXELS:,}; correct the size"
        )
    return shape


def known_size(height: object, width: object, what: str) -> Shape | None:
    """Return the size of an image, or None where a document does not know it: many tools then write 0.

    Raises
    ------
    PointsError
        As `size_of`.
    """
    if _is_unknown(height) or _is_unknown(width):
        return None
    return size_of(height, width, what)


def _is_unknown(side: object) -> bool:
    return side is None or (isinstance(side, str) and side.strip() in ("", "0")) or side == 0


def label_of(name: str) -> str | None:
    """Return the label that a class name stands for; see `pointmask.io.formats.labelled.NO_LABEL`."""
    return None if name in ("", NO_LABEL) else name


def box_of_edges(left: float, top: float, right: float, bottom: float) -> Box:
    """Return the box of whole pixels nearest to edges given as fractions; at least a pixel wide and high.

    Raises
    ------
    PointsError
        If an edge is not finite or beyond any image.
    """
    if not (-LARGEST <= left <= LARGEST and -LARGEST <= right <= LARGEST
            and -LARGEST <= top <= LARGEST and -LARGEST <= bottom <= LARGEST):  # fmt: skip
        for edge in (left, top, right, bottom):
            to_pixel(edge, "index")  # says which
    first_row, first_col = math.floor(top + 0.5), math.floor(left + 0.5)
    last_row, last_col = math.floor(bottom + 0.5), math.floor(right + 0.5)
    return Box(first_row, first_col, max(last_row, first_row + 1), max(last_col, first_col + 1))


def is_of_shares(left: float, top: float, right: float, bottom: float) -> bool:
    """Say whether edges in px lie within the first pixel, as shares of an image's width and height do."""
    return 0 <= left <= right <= 1 and 0 <= top <= bottom <= 1 and 0 < max(right - left, bottom - top) < 1


def box_around(corners: Sequence[tuple[float, float]]) -> tuple[Point, Box]:
    """Return the middle pixel, without label, and the box of corners (x, y) in edge coordinates.

    Raises
    ------
    PointsError
        If there are none, or one is not finite or beyond any image.
    """
    row, col, box = _middle_and_box(corners)
    return Point(row, col), box


def boxed(
    corners: Sequence[tuple[float, float]], label: str | None, confidence: float | None = None
) -> LabelledTarget:
    """Return a target that is clicked on in the middle of the box around some corners; see `box_around`."""
    row, col, box = _middle_and_box(corners)
    return LabelledTarget(Point(row, col, label), None, confidence, label, box)


def _middle_and_box(corners: Sequence[tuple[float, float]]) -> tuple[int, int, Box]:
    if not corners:
        raise PointsError("a box without corners; correct it")
    if len(corners) == 2:  # most boxes
        (left, top), (right, bottom) = corners
        left, right = (left, right) if left <= right else (right, left)
        top, bottom = (top, bottom) if top <= bottom else (bottom, top)
    else:
        xs, ys = zip(*corners, strict=True)
        left, top, right, bottom = min(xs), min(ys), max(xs), max(ys)
    box = box_of_edges(left, top, right, bottom)
    return math.floor((top + bottom) / 2), math.floor((left + right) / 2), box


def outlined(corners: Sequence[tuple[float, float]], shape: Shape | None, what: str) -> Patch | None:
    """Return the pixels whose centres lie in a polygon; None if there are none, or it is no polygon.

    Parameters
    ----------
    corners : sequence of (x, y)
        In edge coordinates.
    shape, what
        Of the image, the least that holds the polygon if it is not known; and where this is, for messages.

    Raises
    ------
    PointsError
        If a corner is not finite, or the polygon larger than any image.
    """
    if len(corners) < 3:
        return None
    if shape is None:
        _, box = box_around(corners)
        shape = max(box.bottom, 1), max(box.right, 1)
        if shape[0] * shape[1] > rle.MOST_PIXELS:
            raise PointsError(f"{what} reaches beyond {rle.MOST_PIXELS:,} pixels; correct it")
    return patch_of_polygons([[value for corner in corners for value in corner]], shape, what)


def score_of(score: object) -> float | None:
    """Return a confidence from 0 to 1; None for what is none, as no point depends on it."""
    try:
        found = None if score is None else number(score, "a score")
    except PointsError:
        found = -1.0
    if found is not None and not 0 <= found <= 1:
        note("scores that are no numbers from 0 to 1 are left out", brief(score))
        return None
    return found


def confidence_of(score: object, what: str) -> float | None:
    """Return a confidence, or None for None; ``what`` names it in messages.

    Raises
    ------
    PointsError
        If it is no number from 0 to 1.
    """
    found = None if score is None else number(score, what)
    if found is not None and not 0 <= found <= 1:
        raise PointsError(f"{what} is {found}, not a number from 0 to 1; correct it")
    return found


def patch_of_runs(counts: Sequence[int], shape: Shape, what: str) -> Patch | None:
    """Return the mask that COCO run lengths stand for; None if it is empty.

    Raises
    ------
    PointsError
        If the runs do not fill the image.
    """
    try:
        found = rle.decode(counts, shape)
    except ValueError as error:
        raise PointsError(f"{what}: {error}") from None
    return None if found is None else Patch.crop(found[2], found[0], found[1])


def patch_of_polygons(polygons: Sequence[object], shape: Shape, what: str) -> Patch | None:
    """Return the pixels whose centres lie in any of some polygons; None if there are none.

    Parameters
    ----------
    polygons : sequence
        Of lists ``[[x, y], ...]`` or ``[x, y, x, y, ...]``, in edge coordinates.
    shape, what
        Of the image; and where this is, for messages.

    Raises
    ------
    PointsError
        If one of them is not such a list, or no polygon.
    """
    crops = []
    for polygon in polygons:
        items = listing(polygon, what)
        if items and isinstance(items[0], list):
            items = [value for pair in items for value in listing(pair, what)]
        values = [number(value, f"a corner in {what}") for value in items]
        if len(values) % 2:
            raise PointsError(f"{what} has {len(values)} numbers; corners take two each, x and y: correct it")
        try:
            found = outline.fill([np.array(values).reshape(-1, 2)], shape)
        except ValueError as error:
            raise PointsError(f"{what}: {error}") from None
        if found is not None:
            crops.append(found)
    if not crops:
        return None
    top, left = min(crop[0] for crop in crops), min(crop[1] for crop in crops)
    bottom = max(row + pixels.shape[0] for row, _, pixels in crops)
    right = max(col + pixels.shape[1] for _, col, pixels in crops)
    union = np.zeros((bottom - top, right - left), np.bool_)
    for row, col, pixels in crops:
        height, width = pixels.shape
        union[row - top : row - top + height, col - left : col - left + width] |= pixels
    return Patch.crop(union, top, left)
