"""The loops of the search, in NumPy; `pointmask.kernels.defects` has the same ones compiled."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Field = NDArray[Any]
Places = NDArray[np.int64]

_LOOKED_AT = 4096  # pixels, roughly

WIDEST = 3
"""Bad lines side by side."""
NEAR = 4
"""Lines to either side that a bad one is compared with."""
CLEAR = 1.5
"""Least ratio of a bad line's distance from the lines beside it to that of those from one another."""

OTHERS = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j]
"""Offsets of the eight neighbours."""


def roughness(image: Field, rows: Places, cols: Places) -> tuple[float, float]:
    """
    Estimate how far the pixels of a frame lie from the mean of their neighbours, and the grey level's step.

    Parameters
    ----------
    image : (H, W) float
    rows, cols : (k,), (l,) int64
        Looked at where they cross; none of them at the border.

    Returns
    -------
    deviation : float
        90th percentile of the distance from the mean of the eight neighbours. Frames with defects in 0.5 % of
        the pixels have 4 % of neighbours of defects, hence hardly a higher one.
    step : float
        Least difference between neighbours along a row that is not 0; infinity if there is none.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        here, *pairs = _around(image, rows[:, None], cols[None, :])
        cross, corners = pairs[0] + pairs[1], pairs[2] + pairs[3]
        distance = np.abs(here - (cross + corners) / 8)
        known = np.isfinite(distance)
        apart = np.abs([here - image[rows[:, None], cols + side] for side in (-1, 1)])
    steps = apart[(apart > 0) & known]
    found = np.sort(distance[known])
    step = float(steps.min()) if steps.size else np.inf
    return (float(found[9 * found.size // 10]) if found.size else 0.0), step


def search(image: Field, floor: float, above: float, below: float, most: int) -> tuple[Places, Field]:
    """
    Find pixels that stand off all their neighbours, and what the neighbours suggest instead.

    Parameters
    ----------
    image : (H, W) float, H and W at least 3
        Beyond the border it is mirrored at the outermost pixels.
    floor : float
        Least distance from the nearest neighbour's grey value.
    above, below : float
        Least ratio of that distance to the range of the four means of opposite neighbours, for pixels above
        and below them.
    most : int
        The search ends with so many.

    Returns
    -------
    places : (k, 2) int64
        Row and column of each, in raster order.
    values : (k,) float
        Mean of the middle two of the four means. Means of opposite neighbours agree on slopes and on the top
        of a blurred spot, where neighbours do not.
    """
    padded = np.pad(image, 1, "reflect")
    left, right, up, down = padded[1:-1, :-2], padded[1:-1, 2:], padded[:-2, 1:-1], padded[2:, 1:-1]
    with np.errstate(invalid="ignore", over="ignore"):
        likely = image - np.maximum(np.maximum(left, right), np.maximum(up, down)) > floor
        likely |= np.minimum(np.minimum(left, right), np.minimum(up, down)) - image > floor
        rows, cols = np.nonzero(likely)
        here, *pairs = _around(padded, rows + 1, cols + 1)
        means = 0.5 * np.stack(pairs)
        high, low = means.max(axis=0), means.min(axis=0)
        others = np.stack([padded[rows + 1 + i, cols + 1 + j] for i, j in OTHERS])
        top, bottom = np.maximum(others.max(axis=0), high), np.minimum(others.min(axis=0), low)
        hot = here - top > np.maximum(floor, above * (high - low))
        dead = bottom - here > np.maximum(floor, below * (high - low))
        middle = 0.5 * (((means[0] + means[1]) + (means[2] + means[3])) - (high + low))
    found = np.flatnonzero(hot | dead)[:most]
    return np.stack([rows[found], cols[found]], axis=1), middle[found]


def _around(image: Field, rows: Places, cols: Places) -> tuple[Field, ...]:
    """Return pixels, and the sums of their opposite neighbours: along rows, columns and both diagonals."""
    pairs = [
        image[rows - i, cols - j] + image[rows + i, cols + j] for i, j in ((0, 1), (1, 0), (1, 1), (1, -1))
    ]
    return image[rows, cols], *pairs


def strays(image: Field, limit: float, down: Places, across: Places) -> Places:
    """
    Find rows and columns that may be bad: in one half of them, pixels are far off those on both sides.

    Parameters
    ----------
    image : (H, W) float, H and W at least 3
    limit : float
        Least distance of a stray pixel from the mean of its two neighbours across the line.
    down, across : (2, k, 2) int64
        Rows of which columns are looked at, and columns of which rows are, as half-open ranges: first those
        of the first half, then those of the second.

    Returns
    -------
    (l, 2) int64
        Axis (0 for rows) and index of the lines of which more than half of the pixels looked at are stray,
        three times as many as in lines nearby, and whose distance from the lines beside them (or beside two
        or three of them) is 1.5 times that of those from one another. Rows first; none at the border.
    """
    found = []
    for axis, (field, ranges) in enumerate(((image, across), (image.T, down))):
        stray = np.zeros(field.shape, np.bool_)
        with np.errstate(invalid="ignore", over="ignore"):
            stray[1:-1] = np.abs((field[1:-1] + field[1:-1]) - (field[:-2] + field[2:])) > 2 * limit
        parts = [np.concatenate([stray[:, start:stop] for start, stop in half], axis=1) for half in ranges]
        counts = [np.count_nonzero(part, axis=1) for part in parts]
        length = field.shape[1]
        halves = field[:, : length // 2], field[:, length - length // 2 :]
        enough = [2 * count > part.shape[1] for count, part in zip(counts, parts, strict=True)]
        for i in map(int, np.flatnonzero(enough[0] | enough[1])):
            for half, count, many in zip(halves, counts, enough, strict=True):
                if many[i] and _stands_out(count, i) and _is_clear(half, i):
                    found.append((axis, i))
                    break
    return np.array(found, np.int64).reshape(-1, 2)


def _stands_out(counts: Places, i: int) -> bool:
    """Whether there is a row with much fewer stray pixels near on both sides, or on the one within."""
    last = len(counts) - 2
    before = counts[i - NEAR : i].min() if i > NEAR else 0
    after = counts[i + 1 : i + NEAR + 1].min() if i <= last - NEAR else 0
    return bool(3 * max(before, after) < counts[i])


def _is_clear(field: Field, i: int) -> bool:
    """Whether a row lies farther off the rows on its sides than they are from one another."""
    for width in range(1, WIDEST + 1):
        for first in {i - width + 1, i}:
            if first >= 1 and first + width <= len(field) - 1:
                before, after = field[first - 1], field[first + width]
                with np.errstate(invalid="ignore", over="ignore"):
                    off = np.abs((field[i] + field[i]) - (before + after)).sum(dtype=np.float64)
                    apart = np.abs(before - after).sum(dtype=np.float64)
                if off > 2 * CLEAR * apart:
                    return True
    return False


class Search(NamedTuple):
    """The steps of the search, in one implementation or another."""

    roughness: Callable[[Field, Places, Places], tuple[float, float]]
    search: Callable[[Field, float, float, float, int], tuple[Places, Field]]
    strays: Callable[[Field, float, Places, Places], Places]


PLAIN = Search(roughness, search, strays)


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """
    A frame as the search reads it.

    Attributes
    ----------
    values : (H, W) float32 or float64
        C-contiguous.
    deviation, step : float
        See `roughness`; a step of 0 where grey values are no whole numbers.
    """

    values: Field
    deviation: float
    step: float


def measured(image: NDArray[Any], by: Search) -> Measured | None:
    """Prepare a frame of any real dtype; None if it has a side of less than 3 pixels, or no noise at all."""
    if min(image.shape) < 3:
        return None
    exact = image.dtype in (np.uint8, np.int8, np.uint16, np.int16, np.float32)
    values = np.ascontiguousarray(image, np.float32 if exact else np.float64)
    stride = max(int((image.size / _LOOKED_AT) ** 0.5), 1)
    deviation, step = by.roughness(values, *(_looked_at(side, stride) for side in image.shape))
    if image.dtype.kind == "f":
        step = 0.0
    return Measured(values, deviation, step) if 0 < max(deviation, step) < np.inf else None


@lru_cache(maxsize=64)
def _looked_at(side: int, stride: int) -> Places:
    """Return inner rows or columns, counted from both ends, for a flipped frame to have the same."""
    inner = np.arange(1, side - 1)
    looked: Places = inner[(inner % (2 * stride) == 1) | ((side - 1 - inner) % (2 * stride) == 1)]
    return looked
