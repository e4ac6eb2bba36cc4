"""Gray simple linear iterative clustering (SLIC) on windows."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

# Sums of grey values are kept in fixed point: integer sums do not depend on the order of the
# pixels, so a mirrored window gives exactly the mirrored superpixels.
_UNIT = 2.0**30


@njit(cache=True, nogil=True)
def slic(
    window: NDArray[np.floating],
    centres: NDArray[np.float64],
    step: int,
    compactness: float,
    iterations: int,
    first_wins: bool,
    distance: NDArray[np.float64],
    labels: NDArray[np.int32],
) -> None:
    """Assign every pixel to a cluster in position and grey value.

    Parameters
    ----------
    window : (n, m) float
    centres : (k, 3) float64
        Row, column and grey value of each centre; updated in place. An empty cluster keeps its place.
    step : int
        Grid step in px; a centre looks ``2 * step`` px around itself.
    compactness : float
        Weight of space against grey value, as in the SLIC paper and scikit-image.
    iterations : int
    first_wins : bool
        Who gets a pixel that is equally far from two centres: the earlier centre (scikit-image's
        rule), or nobody, label -1, which does not depend on the order of the centres.
    distance : (n, m) float64
        Overwritten.
    labels : (n, m) int32
        Receives the index of the cluster, or -1.
    """
    n, m = window.shape
    k = centres.shape[0]
    sums = np.zeros((k, 4), np.int64)
    space = 1.0 / (step * step)
    grey = 1.0 / (compactness * compactness)
    for _ in range(iterations):
        distance[:] = np.inf
        labels[:] = -1
        for c in range(k):
            cy, cx, cv = centres[c, 0], centres[c, 1], centres[c, 2]
            for i in range(int(max(cy - 2 * step, 0)), int(min(cy + 2 * step + 1, n))):
                dy = (cy - i) * (cy - i)
                for j in range(int(max(cx - 2 * step, 0)), int(min(cx + 2 * step + 1, m))):
                    dv = window[i, j] - cv
                    d = (dy + (cx - j) * (cx - j)) * space + dv * dv * grey
                    if d < distance[i, j]:
                        distance[i, j] = d
                        labels[i, j] = c
                    elif d == distance[i, j] and not first_wins:
                        labels[i, j] = -1
        sums[:] = 0
        for i in range(n):
            for j in range(m):
                c = labels[i, j]
                if c >= 0:
                    sums[c, 0] += 1
                    sums[c, 1] += i
                    sums[c, 2] += j
                    sums[c, 3] += np.int64(np.rint(window[i, j] * _UNIT))
        for c in range(k):
            if sums[c, 0] > 0:
                for f in range(2):
                    centres[c, f] = sums[c, f + 1] / sums[c, 0]
                centres[c, 2] = sums[c, 3] / (_UNIT * sums[c, 0])
