"""Gray simple linear iterative clustering (SLIC) on windows."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from pointmask.kernels.regions import piece_of

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


@njit(cache=True, nogil=True)
def superpixel_at_centre(
    values: NDArray[np.floating],
    places: NDArray[np.int64],
    reach: int,
    grey: bool,
    step: int,
    compactness: float,
    iterations: int,
    out: NDArray[np.bool_],
) -> None:
    """Cluster the middle of a window and mark the piece that holds its centre.

    Parameters
    ----------
    values : (n, n) float
    places : (k, 2) int64
        First centres, relative to the first pixel of the part that is clustered.
    reach : int
        That part is ``2 * reach + 1`` px a side, round the centre.
    grey : bool
        Start the centres at the grey values they lie on, and leave ties to nobody; else at 0, and
        leave ties to the first, as scikit-image does.
    step, compactness, iterations
        As for `slic`.
    out : (n, n) bool
        Receives the superpixel; nothing if a tie leaves the centre without.
    """
    half = values.shape[0] // 2
    side = 2 * reach + 1
    first = half - reach
    part = np.empty((side, side), values.dtype)
    for i in range(side):
        for j in range(side):
            part[i, j] = values[first + i, first + j]
    centres = np.zeros((places.shape[0], 3))
    for c in range(places.shape[0]):
        centres[c, 0], centres[c, 1] = places[c, 0], places[c, 1]
        if grey:
            centres[c, 2] = part[places[c, 0], places[c, 1]]
    labels = np.empty((side, side), np.int32)
    slic(part, centres, step, compactness, iterations, not grey, np.empty((side, side)), labels)
    out[:] = False
    if labels[reach, reach] >= 0:
        piece = np.empty((side, side), np.bool_)
        piece_of(labels, reach, reach, np.empty(side * side, np.int64), piece)
        for i in range(side):
            for j in range(side):
                out[first + i, first + j] = piece[i, j]
