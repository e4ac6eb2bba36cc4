"""The superpixel that holds the point."""

import numpy as np
from numpy.typing import NDArray

from pointmask.kernels.regions import piece_of
from pointmask.kernels.slic import slic


def point_superpixel(
    values: NDArray[np.float64], *, kind: str, step: int, compactness: float, iterations: int
) -> NDArray[np.bool_]:
    """Binary superpixel at the centre of a window (``C`` of equation 4).

    Parameters
    ----------
    values : (n, n) float64
        Window with the point at its centre.
    kind : {"grid", "centred"}
        First centres on scikit-image's regular grid over the whole window, or on a 3 x 3 grid round
        the point. The second needs a third of the time for windows of 49 samples and commutes with
        flips and transposes.
    step : int
        Distance of the first centres in samples.
    compactness : float
    iterations : int

    Returns
    -------
    (n, n) bool
        The 4-connected piece of the cluster at the point; empty if a tie leaves the point without.
    """
    n = values.shape[0]
    half = n // 2
    if kind == "grid":
        places = [(y, x) for y in range(step // 2, n, step) for x in range(step // 2, n, step)]
        centres = np.array([(y, x, 0.0) for y, x in places])
        clip = slice(0, n)
        first_wins = True
    else:
        # The cluster at the point ends about half a step from it; what lies beyond 1.5 steps only
        # moves the other centres.
        reach = min(half, 3 * step // 2)
        clip = slice(half - reach, half + reach + 1)
        half = reach
        offsets = [o for o in (-step, 0, step) if abs(o) <= reach]
        places = [(half + dy, half + dx) for dy in offsets for dx in offsets]
        centres = np.array([(y, x, values[clip, clip][y, x]) for y, x in places])
        first_wins = False
    window = np.ascontiguousarray(values[clip, clip])
    distance = np.empty(window.shape)
    labels = np.empty(window.shape, np.int32)
    slic(window, centres, step, compactness, iterations, first_wins, distance, labels)
    out = np.zeros(values.shape, np.bool_)
    mine = labels[half, half]
    if mine >= 0:
        piece = np.empty(window.shape, np.bool_)
        piece_of(labels, half, half, np.empty(window.size, np.int64), piece)
        out[clip, clip] = piece
    return out
