"""By how much one frame is moved against another: sums of a robust least-squares step."""

import math

import numpy as np
from numpy.typing import NDArray

from pointmask.compiled import kernel

Field = NDArray[np.floating]


@kernel()
def shift_sums(
    before: Field,
    after: Field,
    ignored: NDArray[np.bool_],
    row: float,
    col: float,
    scale: float,
    stride: int,
    sums: Field,
) -> None:
    """Gather the normal equations of ``after(x + shift) = before(x) + level``.

    Parameters
    ----------
    before, after : (n, m) float
    ignored : (n, m) bool
        Samples of ``before`` that do not count.
    row, col : float
        Shift supposed so far, in samples.
    scale : float
        Residuals much larger than this count little (Geman and McClure); infinity for plain squares.
    stride : int
        Every ``stride``-th row and column is looked at.
    sums : (10,) float
        Receives the weighted sums ``yy, yx, xx, y, x, 1, ye, xe, e, ee`` over slopes ``y``, ``x`` of
        ``after`` and residuals ``e``.
    """
    n, m = before.shape
    sums[:] = 0.0
    low_row, low_col = math.floor(row), math.floor(col)
    part_row, part_col = row - low_row, col - low_col
    for i in range(max(-low_row, 0) + 1, min(n, n - low_row - 1) - 1, stride):
        for j in range(max(-low_col, 0) + 1, min(m, m - low_col - 1) - 1, stride):
            if ignored[i, j]:
                continue
            y, x = i + low_row, j + low_col
            value = _between(after, y, x, part_row, part_col)
            above, below = (
                _between(after, y - 1, x, part_row, part_col),
                _between(after, y + 1, x, part_row, part_col),
            )
            left, right = (
                _between(after, y, x - 1, part_row, part_col),
                _between(after, y, x + 1, part_row, part_col),
            )
            slope_row, slope_col = 0.5 * (below - above), 0.5 * (right - left)
            residual = before[i, j] - value
            weight = 1 / (1 + (residual / scale) ** 2) ** 2
            sums[0] += weight * slope_row * slope_row
            sums[1] += weight * slope_row * slope_col
            sums[2] += weight * slope_col * slope_col
            sums[3] += weight * slope_row
            sums[4] += weight * slope_col
            sums[5] += weight
            sums[6] += weight * slope_row * residual
            sums[7] += weight * slope_col * residual
            sums[8] += weight * residual
            sums[9] += weight * residual * residual


@kernel()
def _between(field: Field, row: int, col: int, part_row: float, part_col: float) -> float:
    """Bilinear interpolation; clamped at the last row and column."""
    n, m = field.shape
    next_row, next_col = min(row + 1, n - 1), min(col + 1, m - 1)
    upper = (1 - part_col) * field[row, col] + part_col * field[row, next_col]
    lower = (1 - part_col) * field[next_row, col] + part_col * field[next_row, next_col]
    return float((1 - part_row) * upper + part_row * lower)
