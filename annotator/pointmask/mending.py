"""Bad lines and pixels replaced with the quick search: what every frame goes through before it is solved."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointmask import defects
from pointmask.defects.search import CLEAR, NEAR, WIDEST
from pointmask.kernels.defects import find, roughness, strays
from pointmask.theta import Polarity

Field = NDArray[Any]
Places = NDArray[np.int64]


def _roughness(image: Field, rows: Places, cols: Places) -> tuple[float, float]:
    return roughness(image, rows, cols, np.empty(rows.size * cols.size, image.dtype))


def _search(image: Field, floor: float, above: float, below: float, most: int) -> tuple[Places, Field]:
    places, values = np.empty((most, 2), np.int64), np.empty(most, image.dtype)
    spare = np.empty(image.shape[1], image.dtype)
    count = find(image, floor, above, below, spare, places, values)
    return places[:count], values[:count]


def _strays(image: Field, limit: float, down: Places, across: Places) -> Places:
    height, width = image.shape
    lines = np.empty((height + width, 2), np.int64)
    counts = np.empty((2, height), np.int32), np.empty((2, width), np.int32)
    count = strays(image, limit, down, across, *counts, lines, NEAR, WIDEST, CLEAR)
    return lines[:count]


QUICK = defects.Search(_roughness, _search, _strays)


def mend(image: NDArray[Any], polarity: Polarity = "auto") -> defects.Mending:
    """Replace all bad lines and defective pixels of a frame; see `pointmask.defects.mend`."""
    return defects.mend(image, polarity, QUICK)


def mended(
    image: NDArray[Any], polarity: Polarity = "auto", points: Sequence[tuple[int, int]] = ()
) -> tuple[NDArray[Any], Places]:
    """Replace the bad lines and defective pixels of a frame; see `pointmask.defects.mended`."""
    return defects.mended(image, polarity, points, QUICK)
