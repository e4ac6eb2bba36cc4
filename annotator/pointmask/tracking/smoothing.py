"""Smooth the places of one target, using its whole history."""

import numpy as np
from numpy.typing import NDArray

from pointmask.tracking.kernels.beam import COL, COL_SPEED, COVAR, ROW, ROW_SPEED, SPEED_VAR, VAR
from pointmask.tracking.pursuit import SPEED_NOISE, Pursuit, place_noise

_UNEVEN = 0.15  # standard deviation of the filter's centroid from the target's middle, over its radius
_CLICK = 0.25  # square pixels: variance of a click


def smoothed(pursuit: Pursuit) -> NDArray[np.float64]:
    """
    Smooth a target's best history backwards (Rauch, Tung and Striebel).

    Parameters
    ----------
    pursuit : Pursuit
        After its last frame.

    Returns
    -------
    (n, 2) float64
        (row, col) for each node of `Pursuit.history`. The larger the target, the closer the places stay to
        the part that was clicked.
    """
    nodes = pursuit.history()
    states = np.array([node.state for node in nodes])
    places = states[:, [ROW, COL]] + [pursuit.correction(node.frame) for node in nodes]
    speeds = states[:, [ROW_SPEED, COL_SPEED]]
    variance = float(states[-1, VAR])
    speed_variance, covariance = float(states[-1, SPEED_VAR]), float(states[-1, COVAR])
    for k in range(len(nodes) - 2, -1, -1):
        now, shift = states[k], nodes[k + 1].shift
        own = np.array([[now[VAR], now[COVAR]], [now[COVAR], now[SPEED_VAR]]])
        step = np.array([[1.0, 1.0], [0.0, 1.0]])
        ahead = step @ own @ step.T + np.diag([place_noise(shift), SPEED_NOISE])
        gain = own @ step.T @ np.linalg.inv(ahead)
        place_miss = places[k + 1] - (places[k] + speeds[k] + (shift.row, shift.col))
        speed_miss = speeds[k + 1] - speeds[k]
        places[k] += gain[0, 0] * place_miss + gain[0, 1] * speed_miss
        speeds[k] += gain[1, 0] * place_miss + gain[1, 1] * speed_miss
        later = np.array([[variance, covariance], [covariance, speed_variance]])
        own = own + gain @ (later - ahead) @ gain.T
        variance, covariance, speed_variance = float(own[0, 0]), float(own[0, 1]), float(own[1, 1])
    uneven = (_UNEVEN * pursuit.shape.radius) ** 2
    share = uneven / (uneven + _CLICK + variance)
    return np.asarray(places + share * (np.array(pursuit.point) - places[0]))
