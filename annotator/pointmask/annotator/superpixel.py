"""The superpixel that holds the point."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pointmask.kernels.slic import superpixel_at_centre


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
    places, reach = _first_centres(kind, step, values.shape[0])
    out = np.empty(values.shape, np.bool_)
    superpixel_at_centre(values, places, reach, kind == "centred", step, compactness, iterations, out)
    return out


@lru_cache(maxsize=32)
def _first_centres(kind: str, step: int, side: int) -> tuple[NDArray[np.int64], int]:
    """First centres, and how far from the point pixels are clustered at all."""
    half = side // 2
    if kind == "grid":
        line = range(step // 2, side, step)
        return np.array([(y, x) for y in line for x in line]), half
    # The cluster at the point ends about half a step from it; what lies beyond 1.5 steps only moves
    # the other centres.
    reach = min(half, 3 * step // 2)
    line_round = [reach + o for o in (-step, 0, step) if abs(o) <= reach]
    return np.array([(y, x) for y in line_round for x in line_round]), reach
