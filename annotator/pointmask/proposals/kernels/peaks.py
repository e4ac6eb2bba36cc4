"""Local maxima of a field."""

import numpy as np
from numpy.typing import NDArray

from pointmask.compiled import kernel


@kernel()
def mark_peaks(field: NDArray[np.float64], radius: int, peaks: NDArray[np.bool_]) -> None:
    """Mark the positive pixels that no pixel within a square exceeds.

    Parameters
    ----------
    field : (n, m) float64
    radius : int
        The square has ``2 * radius + 1`` pixels a side, and is cut at the border.
    peaks : (n, m) bool
        Overwritten. All pixels of a plateau are marked.
    """
    n, m = field.shape
    for i in range(n):
        for j in range(m):
            value = field[i, j]
            is_peak = value > 0
            y = max(i - radius, 0)
            while is_peak and y < min(i + radius + 1, n):
                for x in range(max(j - radius, 0), min(j + radius + 1, m)):
                    is_peak = is_peak and field[y, x] <= value
                y += 1
            peaks[i, j] = is_peak
