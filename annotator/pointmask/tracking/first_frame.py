"""The first frame of a target: which sign, filter and peaks its click stands for."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointmask.theta import Polarity
from pointmask.tracking.appearance import PICTURE, WIDTHS, Look, Shape, blob, crop, look, own_shape
from pointmask.tracking.camera_motion import Shift
from pointmask.tracking.histories import BEAM, Beam, Floats, Node
from pointmask.tracking.kernels import beam as kernel

_CLICK = 3.0  # pixels by which a click may miss its target
_CLICK_DEVIATION = 1.0
_SPEED = 2.0  # pixels per frame and axis, standard deviation before anything is known
_DOUBT = 2.5  # noises taken off a filter's answer before the widths are compared
_CLEAR = 0.6  # share of the best signal-to-noise ratio that another width must reach


def first_look(image: NDArray[Any], point: tuple[int, int], polarity: Polarity) -> tuple[int, Shape, Look]:
    """Choose sign and filter: the blob that answers most among those that stand out, or the own shape."""
    row, col = point
    signs = {"bright": (1,), "dark": (-1,), "auto": (1, -1)}[polarity]
    tried = []
    for sign in signs:
        for width in WIDTHS:
            seen = look(image, float(row), float(col), sign, blob(width))
            tried.append((sign, width, seen, _height_at(seen, point)))
    clear = _CLEAR * max(height / seen.noise for _, _, seen, height in tried)
    sign, width, seen, height = max(
        (entry for entry in tried if entry[3] >= clear * entry[2].noise),
        key=lambda entry: math.sqrt(entry[1]) * (entry[3] - _DOUBT * entry[2].noise),
    )
    own = own_shape(sign * crop(image, point, PICTURE))
    if own is not None:
        own_seen = look(image, float(row), float(col), sign, own)
        if _height_at(own_seen, point) / own_seen.noise > height / seen.noise:
            return sign, own, own_seen
    return sign, blob(width), seen


def _gains(seen: Look, point: tuple[int, int]) -> Floats:
    """How well each peak is what a click means; -inf for those out of reach."""
    away = ((seen.places - point) ** 2).sum(axis=1)
    return np.where(away <= _CLICK**2, seen.heights / seen.noise - 0.5 * away / _CLICK_DEVIATION**2, -np.inf)


def _height_at(seen: Look, point: tuple[int, int]) -> float:
    """Height of the peak that a click means, 0 if there is none."""
    gains = _gains(seen, point)
    return float(seen.heights[gains.argmax()]) if np.isfinite(gains).any() else 0.0


def first_beam(seen: Look, frame: int, point: tuple[int, int]) -> Beam:
    """Histories at the click: the peaks near it, and the click itself."""
    itself = replace(seen, places=np.array([point], np.float64), heights=np.array([2 * seen.noise]))
    places, heights = np.concatenate([seen.places, itself.places]), np.append(seen.heights, itself.heights)
    gains = np.append(_gains(seen, point), _gains(itself, point))
    order = [int(k) for k in np.argsort(-gains, kind="stable") if np.isfinite(gains[k])][: BEAM // 2]
    state = np.zeros((len(order), kernel.COLUMNS))
    state[:, [kernel.ROW, kernel.COL]] = places[order]
    state[:, kernel.VAR], state[:, kernel.SPEED_VAR] = 0.4**2, _SPEED**2
    state[:, kernel.HEIGHT] = heights[order]
    state[:, kernel.HEIGHT_VAR] = seen.noise**2 + (0.3 * heights[order]) ** 2
    state[:, kernel.SCORE] = 0.5 * (gains[order] - gains[order[0]])
    nodes = tuple(Node(None, frame, one.copy(), True, Shift()) for one in state)
    return Beam(state, nodes, nodes[0])
