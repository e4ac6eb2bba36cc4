"""Simple linear iterative clustering (SLIC) of grey windows."""

import numpy as np
from numpy.typing import NDArray

from pointmask.compiled import kernel
from pointmask.kernels.regions import piece_of

# Grey values are summed in fixed point: integer sums do not depend on the order of the
# pixels, so that a mirrored window gives exactly the mirrored superpixels.
_UNIT = 2.0**30


@kernel()
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
        Row, column and grey value of each centre; updated in place. An empty cluster keeps its centre.
    step : int
        Grid step in px; a cluster extends at most ``2 * step`` px from its centre along each axis.
    compactness : float
        Weight of space against grey value, as in the SLIC paper and scikit-image.
    iterations : int
    first_wins : bool
        A pixel at the same distance from two centres goes to the earlier centre if true (scikit-image's
        rule), otherwise to none, label -1, which does not depend on the order of the centres.
    distance : (n, m) float64
        Overwritten.
    labels : (n, m) int32
        Overwritten with the index of the cluster, or -1.
    """
    n, m = window.shape
    k = centres.shape[0]
    sums = np.zeros((k, 4), np.int64)
    none = np.int32(-1)
    space = 1.0 / (step * step)
    grey = 1.0 / (compactness * compactness)
    for _ in range(iterations):
        distance[:] = np.inf
        labels[:] = -1
        for c in range(k):
            cy, cx, cv = centres[c, 0], centres[c, 1], centres[c, 2]
            name = np.int32(c)
            for i in range(int(max(cy - 2 * step, 0)), int(min(cy + 2 * step + 1, n))):
                dy = (cy - i) * (cy - i)
                start, end = int(max(cx - 2 * step, 0)), int(min(cx + 2 * step + 1, m))
                greys, nearest, names = window[i, start:end], distance[i, start:end], labels[i, start:end]
                for t in range(end - start):
                    dx, dv = cx - (start + t), greys[t] - cv
                    d = (dy + dx * dx) * space + dv * dv * grey
                    # Branches, which nothing could predict, take three times as long.
                    before = nearest[t]
                    rest = none if d == before and not first_wins else names[t]
                    names[t] = name if d < before else rest
                    nearest[t] = d if d < before else before
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


@kernel()
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
    """Cluster the middle of a window and select the superpixel that contains its centre.

    Parameters
    ----------
    values : (n, n) float
    places : (k, 2) int64
        Initial centres, relative to the first pixel of the part that is clustered.
    reach : int
        That part is centred and has ``2 * reach + 1`` px a side.
    grey : bool
        If true, initial grey values are those of the window, and ties go to no centre; otherwise they are
        0, and ties go to the earlier centre, as in scikit-image.
    step, compactness, iterations
        As for `slic`.
    out : (n, n) bool
        Overwritten with the superpixel; empty if a tie leaves the centre pixel unassigned.
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
