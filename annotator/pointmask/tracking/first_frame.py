"""Initialise a track: choose sign, filter and candidate peaks for a click."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointmask.theta import Polarity
from pointmask.tracking.appearance import (
    PICTURE,
    WIDTHS,
    Response,
    Shape,
    blob,
    crop,
    filter_response,
    own_shape,
)
from pointmask.tracking.camera_motion import Shift
from pointmask.tracking.histories import BEAM, Beam, Floats, Node
from pointmask.tracking.kernels import beam as kernel

_CLICK = 3.0  # pixels by which a click may miss its target
_CLICK_DEVIATION = 1.0
_SPEED = 2.0  # pixels per frame and axis: prior standard deviation
_DOUBT = 2.5  # multiple of the noise subtracted from a response before widths are compared
_CLEAR = 0.6  # share of the best signal-to-noise ratio that another width must reach


def first_response(
    image: NDArray[Any], point: tuple[int, int], polarity: Polarity
) -> tuple[int, Shape, Response]:
    """Choose sign and filter: the blob with the strongest clear response, or the target's own shape."""
    row, col = point
    signs = {"bright": (1,), "dark": (-1,), "auto": (1, -1)}[polarity]
    tried = []
    for sign in signs:
        for width in WIDTHS:
            response = filter_response(image, float(row), float(col), sign, blob(width))
            tried.append((sign, width, response, _height_at(response, point)))
    clear = _CLEAR * max(height / response.noise for _, _, response, height in tried)
    sign, width, response, height = max(
        (entry for entry in tried if entry[3] >= clear * entry[2].noise),
        key=lambda entry: math.sqrt(entry[1]) * (entry[3] - _DOUBT * entry[2].noise),
    )
    own = own_shape(sign * crop(image, point, PICTURE))
    if own is not None:
        own_response = filter_response(image, float(row), float(col), sign, own)
        if _height_at(own_response, point) / own_response.noise > height / response.noise:
            return sign, own, own_response
    return sign, blob(width), response


def _gains(response: Response, point: tuple[int, int]) -> Floats:
    """Score how well each peak matches a click; -inf for peaks out of reach."""
    away = ((response.places - point) ** 2).sum(axis=1)
    return np.where(
        away <= _CLICK**2, response.heights / response.noise - 0.5 * away / _CLICK_DEVIATION**2, -np.inf
    )


def _height_at(response: Response, point: tuple[int, int]) -> float:
    """Height of the peak that best matches a click, 0 if there is none."""
    gains = _gains(response, point)
    return float(response.heights[gains.argmax()]) if np.isfinite(gains).any() else 0.0


def first_beam(response: Response, frame: int, point: tuple[int, int]) -> Beam:
    """Create the histories at a click: one per peak near it, and one at the click itself."""
    itself = replace(response, places=np.array([point], np.float64), heights=np.array([2 * response.noise]))
    places, heights = (
        np.concatenate([response.places, itself.places]),
        np.append(response.heights, itself.heights),
    )
    gains = np.append(_gains(response, point), _gains(itself, point))
    order = [int(k) for k in np.argsort(-gains, kind="stable") if np.isfinite(gains[k])][: BEAM // 2]
    state = np.zeros((len(order), kernel.COLUMNS))
    state[:, [kernel.ROW, kernel.COL]] = places[order]
    state[:, kernel.VAR], state[:, kernel.SPEED_VAR] = 0.4**2, _SPEED**2
    state[:, kernel.HEIGHT] = heights[order]
    state[:, kernel.HEIGHT_VAR] = response.noise**2 + (0.3 * heights[order]) ** 2
    state[:, kernel.SCORE] = 0.5 * (gains[order] - gains[order[0]])
    nodes = tuple(Node(None, frame, row.copy(), True, Shift()) for row in state)
    return Beam(state, nodes, nodes[0])
