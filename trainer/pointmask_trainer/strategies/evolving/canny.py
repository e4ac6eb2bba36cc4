"""Edges of a small 8-bit window after Canny, in integers, as OpenCV finds them with L1 gradients."""

import numpy as np
from numpy.typing import NDArray

from pointmask.components import components

_TANGENT = 13573  # of 22.5 degrees, times 2^15: integers leave no room for another rounding
_SHIFT = 15


def blurred(window: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Smooth by (1, 2, 1) / 4 along both axes, the border mirrored about its outermost pixels, rounded.

    Parameters
    ----------
    window : (h, w) uint8

    Returns
    -------
    (h, w) int64 in [0, 255]
    """
    padded = np.pad(window.astype(np.int64), 1, mode="reflect")
    rows = padded[:-2] + 2 * padded[1:-1] + padded[2:]
    return (rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:] + 8) >> 4


def edges(image: NDArray[np.int64], low: int, high: int) -> NDArray[np.bool_]:
    """Find edges: thin ridges of the gradient above `low` that are connected to one above `high`.

    Parameters
    ----------
    image : (h, w) int64
        Grey values from 0 to 255; beyond the border they continue as they are there.
    low, high : int
        Thresholds of ``|gx| + |gy|``, both by Sobel.

    Returns
    -------
    (h, w) bool
    """
    across, down = _sobel(image)
    strength = np.abs(across) + np.abs(down)
    candidates = _is_ridge(across, down, strength) & (strength > low)
    groups, _ = components(candidates)
    strong = np.unique(groups[candidates & (strength > high)])
    return candidates & np.isin(groups, strong)


def _sobel(image: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the derivatives along columns and along rows."""
    p = np.pad(image, 1, mode="edge")
    sides = p[:-2] + 2 * p[1:-1] + p[2:]
    levels = p[:, :-2] + 2 * p[:, 1:-1] + p[:, 2:]
    return sides[:, 2:] - sides[:, :-2], levels[2:] - levels[:-2]


def _is_ridge(
    across: NDArray[np.int64], down: NDArray[np.int64], strength: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Whether a gradient is the largest along its own direction; of equals, the last one is."""
    padded = np.pad(strength, 1)
    height, width = strength.shape

    def neighbour(row: int, col: int) -> NDArray[np.int64]:
        return padded[1 + row : 1 + row + height, 1 + col : 1 + col + width]

    a, b = np.abs(across), np.abs(down)
    is_level = (b << _SHIFT) < a * _TANGENT
    is_steep = (b << _SHIFT) > a * _TANGENT + (a << (_SHIFT + 1))
    is_falling = (across < 0) == (down < 0)
    is_falling |= (across == 0) | (down == 0)
    level = (strength > neighbour(0, -1)) & (strength >= neighbour(0, 1))
    steep = (strength > neighbour(-1, 0)) & (strength >= neighbour(1, 0))
    falling = (strength > neighbour(-1, -1)) & (strength > neighbour(1, 1))
    rising = (strength > neighbour(-1, 1)) & (strength > neighbour(1, -1))
    return np.where(is_level, level, np.where(is_steep, steep, np.where(is_falling, falling, rising)))
