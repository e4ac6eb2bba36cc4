"""Masks over a whole frame, for painting on them."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pointmask.click.contract.edits import Run
from pointmask.click.contract.errors import InvalidError
from pointmask.click.contract.targets import ClickTarget
from pointmask.click.masks.divided import drawn


def full(target: ClickTarget, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return a target's mask over the frame."""
    out = np.zeros(shape, np.bool_)
    top, left, pixels = target.crop(shape)
    out[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    return out


def painted(run: Run, shape: tuple[int, ...]) -> tuple[int, slice]:
    """Return the place of painted pixels in a frame; raise InvalidError if it is outside."""
    row, first, last = run
    if not (0 <= row < shape[0] and 0 <= first <= last < shape[1]):
        raise InvalidError(
            f"painted run (row {row}, columns {first} to {last}) lies outside the frame of {shape[0]} rows "
            f"and {shape[1]} columns"
        )
    return row, slice(first, last + 1)


def cropped(mask: NDArray[np.bool_]) -> tuple[int, int, NDArray[np.bool_]]:
    """Return top, left and pixels of a mask that is not empty, cropped to its box."""
    rows, cols = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    top, left = int(rows[0]), int(cols[0])
    return top, left, mask[top : rows[-1] + 1, left : cols[-1] + 1]


def yielding(other: ClickTarget, mask: NDArray[np.bool_], shape: tuple[int, int]) -> ClickTarget:
    """Take painted pixels from a mask that would stay as it is otherwise."""
    theirs = full(other, shape)
    rest = theirs & ~mask
    if np.array_equal(rest, theirs):
        return other
    if not rest.any():
        raise InvalidError(
            f"this would leave target {other.target} without a pixel; remove that one first, or leave it some"
        )
    confidence = other.confidence
    return replace(drawn(other, *cropped(rest), shape), confidence=confidence)
