"""Estimate the shift of the scene between frames that is caused by camera motion."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pointmask.tracking.kernels.shift import shift_sums

Field = NDArray[np.float32]

_STEPS = 4  # Gauss-Newton steps per level
_SAMPLES = 8192  # approximate number of pixels used per level
_PER_LINE = 64  # approximate number of samples per row or column median
_LEAST_SIDE = 24  # pixels; smaller levels carry too little information
_ROBUST = 2.5  # residuals above this multiple of their root mean square are down-weighted
_CLEAR = 1.0  # least ratio of gradient power of scene and noise; pure noise gives up to 0.8
_SINGULAR = 1e12  # condition number above which the equations are singular
_LARGEST = 6.0  # pixels between two frames; larger estimates are taken as failures


class Shift(NamedTuple):
    """
    Shift of the scene between two frames.

    Attributes
    ----------
    row, col : float
        Pixels by which the scene moved; 0 if the estimate is not reliable.
    reliable : bool
        Whether the image determines the shift.
    """

    row: float = 0.0
    col: float = 0.0
    reliable: bool = False


def levels_of(image: NDArray[Any]) -> tuple[Field, ...]:
    """
    Return a frame at a quarter and at half its size, without row and column stripes.

    Parameters
    ----------
    image : (H, W) real
        NaN and infinity are replaced by the mean.

    Returns
    -------
    tuple of (h, w) float32
        Coarse to fine. Medians of rows and columns are subtracted: stripes of the sensor do not move with
        the scene and would bias each estimate towards zero.
    """
    field = image.astype(np.float32)
    if image.dtype.kind == "f" and not np.isfinite(field).all():
        finite = np.isfinite(field)
        field = np.where(finite, field, field[finite].mean() if finite.any() else np.float32(0))
    half = _halved(field - field[0, 0])  # small values, so that float32 holds all bits of a 16-bit frame
    half = _destriped(half)
    return _halved(half), half


def _halved(field: Field) -> Field:
    field = field[: len(field) // 2 * 2, : field.shape[1] // 2 * 2]
    total = (field[::2, ::2] + field[1::2, ::2]) + (field[::2, 1::2] + field[1::2, 1::2])
    return np.asarray(np.float32(0.25) * total)


def _destriped(field: Field) -> Field:
    # Medians, because a moving bright target would change the mean of its whole row.
    rows, cols = (max(1, side // _PER_LINE) for side in field.shape)
    field = field - np.median(field[:, ::cols], axis=1, keepdims=True)
    return np.ascontiguousarray(field - np.median(field[::rows], axis=0, keepdims=True))


def shift_between(
    before: tuple[Field, ...], after: tuple[Field, ...], moving: Sequence[tuple[float, float, float]] = ()
) -> Shift:
    """
    Estimate the shift between two frames.

    Parameters
    ----------
    before, after : tuple of (h, w) float32
        From `levels_of`, for frames of equal shape.
    moving : sequence of (row, col, radius)
        Discs to ignore, in pixels of the first frame: in a clear sky a target is the strongest
        structure.

    Returns
    -------
    Shift
        At most a few pixels; other small moving targets are treated as outliers.
    """
    shift = Shift()
    for size, first, second in zip((4, 2), before, after, strict=True):
        if min(first.shape) >= _LEAST_SIDE:
            ignored = _near(first.shape, moving, size)
            row, col, clarity = _refined(first, second, ignored, shift.row / size, shift.col / size)
            reliable = clarity > _CLEAR and math.hypot(row, col) * size <= _LARGEST
            shift = Shift(row * size, col * size, reliable=True) if reliable else Shift()
    return shift


def _near(
    shape: tuple[int, ...], moving: Sequence[tuple[float, float, float]], size: int
) -> NDArray[np.bool_]:
    """Mark the samples of a level (``size`` pixels each) around some places."""
    marked = np.zeros(shape, np.bool_)
    for row, col, radius in moving:
        corner = [(at + 0.5 - radius) / size for at in (row, col)]
        top, left = (max(math.floor(at), 0) for at in corner)
        bottom, right = (max(math.ceil(at + 2 * radius / size), 0) for at in corner)
        marked[top:bottom, left:right] = True
    return marked


def _refined(
    first: Field, second: Field, ignored: NDArray[np.bool_], row: float, col: float
) -> tuple[float, float, float]:
    """Refine a shift in samples; return it with the ratio of gradient power of scene and noise."""
    stride = max(1, round(math.sqrt(first.size / _SAMPLES)))
    scale, clarity = math.inf, 0.0
    sums = np.empty(10)
    limit = min(first.shape) / 4
    for _ in range(_STEPS):
        shift_sums(first, second, ignored, row, col, scale, stride, sums)
        matrix = sums[[0, 1, 3, 1, 2, 4, 3, 4, 5]].reshape(3, 3)
        if not np.linalg.cond(matrix) < _SINGULAR:
            return 0.0, 0.0, 0.0
        step = np.linalg.solve(matrix, sums[6:9])
        error = max((sums[9] - float(step @ sums[6:9])) / sums[5], 0.0)
        # Noise of variance s in both frames gives residuals of 2 s and gradients of s / 2 or less.
        noise = sums[5] * error / 4
        clarity = float(np.linalg.eigvalsh(matrix[:2, :2])[0]) / max(noise, 1e-300) - 1
        row = min(max(row + float(step[0]), -limit), limit)
        col = min(max(col + float(step[1]), -limit), limit)
        scale = max(_ROBUST * math.sqrt(error), 1e-9)
    return row, col, clarity
