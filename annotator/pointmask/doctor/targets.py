"""What is wrong with the mask and the points of one frame."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pointmask.doctor import visibility as evidence
from pointmask.doctor.findings import Note
from pointmask.io.images.masks import is_numbered
from pointmask.io.points.points import Point

Shape = tuple[int, int]

NEAR_MASK = 2
"""Pixels along an axis by which a click may lie beside its target."""

NEAR_POINT = 3.0
"""Pixels up to which two clicks mean one target, as the usual measure of detection has it."""

_NOTHING = 0.5  # deviations above the surroundings below which a point lies on nothing bright
_DARK = 2.0  # deviations below them at which it lies on something dark
_EIGHT = np.ones((3, 3), np.bool_)


def mask_notes(shown: str, stored: NDArray[Any], mask: NDArray[np.bool_]) -> Iterator[Note]:
    """
    Say what is odd about the values of a mask.

    Parameters
    ----------
    shown : str
        Name for messages.
    stored : (H, W) real
        As decoded.
    mask : (H, W) bool
        The truth.
    """
    values = np.unique(stored)
    if not mask.any() or (is_numbered(stored) and not is_binary(stored, values)):
        yield "mask dim" if values[-1] > 0 else "mask empty", f"{shown}: largest value {values[-1]}"
    elif not is_binary(stored, values):
        least = values[0]
        between = int(np.count_nonzero((stored != least) & (stored != values[-1])))
        yield (
            "mask grey",
            f"{shown}: {len(values)} values from {least} to {values[-1]}, {between:,} pixels between; "
            f"{np.count_nonzero(mask):,} pixels above half, {np.count_nonzero(stored > 0):,} above 0",
        )
    if 2 * (area := np.count_nonzero(mask)) > mask.size:
        yield "mask inverted", f"{shown}: {area:,} of {mask.size:,} pixels"


def is_binary(stored: NDArray[Any], values: NDArray[Any]) -> bool:
    """Say whether a mask whose different values are given holds 0 and the end of its range alone."""
    top = np.iinfo(stored.dtype).max if stored.dtype.kind in "iu" else 1
    return bool(np.isin(values, (0, top)).all())


def point_notes(
    shown: str, pixels: NDArray[Any], points: Sequence[Point], labels: NDArray[np.int32] | None
) -> Iterator[Note]:
    """Say which points lie outside, on nothing, or mark a target (of ``labels``, if any) again."""
    height, width = pixels.shape
    inside = [p for p in points if is_inside(p, pixels.shape)]
    for p in points:
        if not is_inside(p, pixels.shape):
            yield "outside", f"{shown}: x {p.col}, y {p.row} in {width} x {height} pixels"
    for first, second in repeated(inside, labels):
        yield "point twice", f"{shown}: {_place(first)} and {_place(second)}"
    for p, (dark, bright) in zip(inside, spots_of(pixels, inside), strict=True):
        if bright < _NOTHING and dark > -_DARK:
            yield "point flat", f"{shown}: {_place(p)}, {bright:+.1f} deviations"


def agreement_notes(shown: str, labels: NDArray[np.int32], points: Sequence[Point]) -> Iterator[Note]:
    """Compare points with the targets of a mask, which are numbered from 1 in (H, W) ``labels``."""
    boxes = ndimage.find_objects(labels)
    held: list[list[Point]] = [[] for _ in range(len(boxes) + 1)]
    for p in points:
        held[_target_at(labels, p)].append(p)
    for p in held[0]:
        if is_inside(p, labels.shape):
            yield "off mask", f"{shown}: {_place(p)}"
    for number, (own, box) in enumerate(zip(held[1:], boxes, strict=True), 1):
        if not own:
            row, col = (side.start + (side.stop - side.start) // 2 for side in box)
            area = int(np.count_nonzero(labels[box] == number))
            yield "no point", f"{shown}: {area} pixels at x {col}, y {row}"
        elif len(own) - len(repeated(own, labels)) > 1:
            yield "point many", f"{shown}: {len(own)} points, the first at {_place(own[0])}"


def is_inside(point: Point, shape: tuple[int, ...]) -> bool:
    """Say whether a point lies on a pixel of an image of this shape."""
    return 0 <= point.row < shape[0] and 0 <= point.col < shape[1]


def repeated(points: Sequence[Point], labels: NDArray[np.int32] | None) -> list[tuple[Point, Point]]:
    """
    List each point that marks the target of an earlier one again, after that one.

    Parameters
    ----------
    points : sequence of Point
    labels : (H, W) int32 or None
        Targets of the mask, if there is one: points on different targets are never repetitions.
    """
    kept: list[Point] = []
    pairs = []
    for p in points:
        twin = next((k for k in kept if _is_same_target(k, p, labels)), None)
        if twin is None:
            kept.append(p)
        else:
            pairs.append((twin, p))
    return pairs


def _is_same_target(one: Point, other: Point, labels: NDArray[np.int32] | None) -> bool:
    if math.hypot(one.row - other.row, one.col - other.col) >= NEAR_POINT:
        return False
    return labels is None or _target_at(labels, one) == _target_at(labels, other)


def targets_of(mask: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Label the 8-connected targets of an (H, W) mask from 1."""
    labels: NDArray[np.int32] = ndimage.label(mask, _EIGHT)[0]
    return labels


def spots_of(pixels: NDArray[Any], points: Sequence[Point]) -> list[tuple[float, float]]:
    """How points that lie inside show; see `pointmask.doctor.visibility.of_points`."""
    return evidence.of_points(pixels, [(p.row, p.col) for p in points])


def _target_at(labels: NDArray[np.int32], p: Point) -> int:
    """Give the number of the target under a point, or else of the nearest in reach; 0 if there is none."""
    top, left = max(p.row - NEAR_MASK, 0), max(p.col - NEAR_MASK, 0)
    window = labels[top : max(p.row + NEAR_MASK + 1, 0), left : max(p.col + NEAR_MASK + 1, 0)]
    rows, cols = np.nonzero(window)
    if not rows.size:
        return 0
    nearest = np.argmin((rows + top - p.row) ** 2 + (cols + left - p.col) ** 2)
    return int(window[rows[nearest], cols[nearest]])


def _place(p: Point) -> str:
    return f"x {p.col}, y {p.row}"
