"""Counts and sums over a soft label, its mask and its window, in one pass."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

Field = NDArray[np.floating]


@njit(cache=True, nogil=True)
def agreement(
    values: Field, soft: Field, superpixel: NDArray[np.bool_], level: float, upper: float, out: Field
) -> None:
    """Compare the soft label above and below its level with the superpixel and the grey values.

    Parameters
    ----------
    values, soft : (n, n) float
    superpixel : (n, n) bool
    level, upper : float
        The mask's level and a higher one.
    out : (10,) float
        Receives the number of pixels above half the level, above ``level`` and above ``upper``; in
        the superpixel; above ``level`` and in the superpixel; of grey value over 0.5 and soft label
        over 0.05; above ``level`` and of grey value over 0.5; then the mean grey value above
        ``level`` and in the fringe (soft label between 0.05 and ``level``), and the mean absolute
        grey value of the rest. Means of nothing are 0.
    """
    wide, area, narrow, segment, common, hot, hot_area = 0, 0, 0, 0, 0, 0, 0
    fringe, rest = 0, 0
    inner, outer, around = 0.0, 0.0, 0.0
    for i in range(soft.shape[0]):
        for j in range(soft.shape[1]):
            s = soft[i, j]
            wide += s > 0.5 * level
            narrow += s > upper
            segment += superpixel[i, j]
            if s > level:
                area += 1
                common += superpixel[i, j]
                hot += values[i, j] > 0.5
                hot_area += values[i, j] > 0.5
                inner += values[i, j]
            elif s > 0.05:
                fringe += 1
                hot += values[i, j] > 0.5
                outer += values[i, j]
            else:
                rest += 1
                around += abs(values[i, j])
    out[0], out[1], out[2], out[3], out[4], out[5], out[6] = (
        wide,
        area,
        narrow,
        segment,
        common,
        hot,
        hot_area,
    )
    out[7] = inner / max(area, 1)
    out[8] = outer / max(fringe, 1)
    out[9] = around / max(rest, 1)
