"""Dead, hot and stuck pixels of a sensor: found in a single frame, and replaced by what is around them.

Optics spread even a point over a pixel and its neighbours, so a pixel that alone stands far off its eight
neighbours is a defect of the sensor or of the transfer. Two defects side by side hide each other, and stay.
The search is NumPy here, for programs that load no kernels; `pointmask.mending` has the quick one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pointmask.theta import Polarity

Field = NDArray[Any]
Places = NDArray[np.int64]

DeadPixels = Literal["replace", "keep"]
"""What becomes of them: where no optics spread a target, one of a single pixel looks like them; keep both."""

KEEP = "; --dead-pixels keep leaves them as they are"
"""Behind `REPLACED`, where a command has the option."""

REPLACED = (
    "{count} dead, hot or stuck pixels in {places} frames, which stand alone far off all their neighbours, "
    "were replaced from these"
)
"""For `pointmask.io.notes.note`."""

# Least distance from all neighbours, in 90th percentiles of the distance between a pixel and its
# surroundings, and in grey levels: frames that are flat to a level have specks of one or two.
_ROUGHNESSES = 6.0
_LEVELS = 8.0

# Least ratio of that distance to the range of the means of opposite neighbours. Integrated over pixels, a
# Gaussian of sigma 0.5 px has 4.3 at the most and one of 0.7 px 2.4; true targets of SIRST3's train list
# have less than 3. A target is no dip in the direction opposite to its polarity, so a defect within it,
# whose neighbours differ, is told by less: 0.97 of black pixels put into targets are found at 1.5, 0.7 at 5.
_ALONG = 5.0
_AGAINST = 1.5

# Of the pixels; noise of single pixels (salt and pepper, rain of particles) is not what is sought.
_MOST = 0.02
_LOOKED_AT = 4096  # pixels, roughly

_FINITE = 6  # neighbours of a lone pixel without a number

# A defect at most this many px from a click is what was clicked, if without it the surroundings are flat.
_CLICKED = 1
_AROUND = 3


@dataclass(frozen=True, slots=True, eq=False)
class Defects:
    """
    Defective pixels of one frame, in raster order.

    Attributes
    ----------
    places : (k, 2) int64
        Rows and columns.
    values : (k,) float
        What to replace them by.
    floor : float
        Least distance from the neighbours that counts in this frame, in grey values.
    """

    places: Places
    values: Field
    floor: float

    def __len__(self) -> int:
        return len(self.places)


_NONE = Defects(np.empty((0, 2), np.int64), np.empty(0), np.inf)


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
        others = np.stack([padded[rows + 1 + i, cols + 1 + j] for i, j in _OTHERS])
        top, bottom = np.maximum(others.max(axis=0), high), np.minimum(others.min(axis=0), low)
        hot = here - top > np.maximum(floor, above * (high - low))
        dead = bottom - here > np.maximum(floor, below * (high - low))
        middle = 0.5 * (((means[0] + means[1]) + (means[2] + means[3])) - (high + low))
    found = np.flatnonzero(hot | dead)[:most]
    return np.stack([rows[found], cols[found]], axis=1), middle[found]


_OTHERS = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j]


def _around(image: Field, rows: Places, cols: Places) -> tuple[Field, ...]:
    """Return pixels, and the sums of their opposite neighbours: along rows, columns and both diagonals."""
    pairs = [
        image[rows - i, cols - j] + image[rows + i, cols + j] for i, j in ((0, 1), (1, 0), (1, 1), (1, -1))
    ]
    return image[rows, cols], *pairs


class Search(NamedTuple):
    """Both steps of the search, in one implementation or another."""

    roughness: Callable[[Field, Places, Places], tuple[float, float]]
    search: Callable[[Field, float, float, float, int], tuple[Places, Field]]


PLAIN = Search(roughness, search)


def find_defects(image: NDArray[Any], polarity: Polarity = "auto", by: Search = PLAIN) -> Defects:
    """
    Find dead, hot and stuck pixels.

    Parameters
    ----------
    image : (H, W) array of any real dtype
    polarity : {"bright", "dark", "auto"}
        Of the targets: towards the other side, less is needed to be a defect. ``auto`` treats both alike.
    by : Search

    Returns
    -------
    Defects
        None in frames with a side of less than 3 pixels, without any noise, or where more than 2 % of the
        pixels would be defective.
    """
    if min(image.shape) < 3:
        return _NONE
    exact = image.dtype in (np.uint8, np.int8, np.uint16, np.int16, np.float32)
    values = np.ascontiguousarray(image, np.float32 if exact else np.float64)
    stride = max(int((image.size / _LOOKED_AT) ** 0.5), 1)
    deviation, step = by.roughness(values, *(_looked_at(side, stride) for side in image.shape))
    floor = max(_ROUGHNESSES * deviation, 0.0 if image.dtype.kind == "f" else _LEVELS * step)
    if not 0 < floor < np.inf:
        return _NONE
    above = _AGAINST if polarity == "dark" else _ALONG
    below = _AGAINST if polarity == "bright" else _ALONG
    most = int(_MOST * image.size) + 1
    places, instead = by.search(values, floor, above, below, most)
    return Defects(places, instead, floor) if 0 < len(places) < most else _NONE


@lru_cache(maxsize=64)
def _looked_at(side: int, stride: int) -> Places:
    """Return inner rows or columns, counted from both ends, for a flipped frame to have the same."""
    inner = np.arange(1, side - 1)
    looked: Places = inner[(inner % (2 * stride) == 1) | ((side - 1 - inner) % (2 * stride) == 1)]
    return looked


@dataclass(frozen=True, slots=True, eq=False)
class Mending:
    """
    A frame whose defective pixels are replaced, as long as nobody has clicked on one of them.

    Attributes
    ----------
    image : (H, W) array
        As it was given.
    result : (H, W) array of the same dtype
        The same object if nothing was replaced.
    found : Defects
    """

    image: NDArray[Any]
    result: NDArray[Any]
    found: Defects

    def around(self, points: Sequence[tuple[int, int]]) -> tuple[NDArray[Any], Places]:
        """Return frame and places as `mended` does for these points; neither of the frames is changed."""
        found = self.found
        if not len(found):
            return self.result, found.places
        kept = _clicked(self.result, found, points)
        if not kept.any():
            return self.result, found.places
        result, stays = self.result.copy(), tuple(found.places[kept].T)
        result[stays] = self.image[stays]
        return result, found.places[~kept]


def mend(image: NDArray[Any], polarity: Polarity = "auto", by: Search = PLAIN) -> Mending:
    """
    Find the defective pixels of a frame and replace them all; see `mended`.

    For those who get the points of a frame one after the other.
    """
    found = find_defects(image, polarity, by)
    if not len(found):
        return Mending(image, image, found)
    result = image.copy()
    values = found.values if image.dtype.kind == "f" else np.rint(found.values)
    result[tuple(found.places.T)] = values.astype(image.dtype)
    return Mending(image, result, found)


def mended(
    image: NDArray[Any],
    polarity: Polarity = "auto",
    points: Sequence[tuple[int, int]] = (),
    by: Search = PLAIN,
) -> tuple[NDArray[Any], Places]:
    """
    Replace the defective pixels of a frame.

    Parameters
    ----------
    image : (H, W) array of any real dtype
        Stays as it is.
    polarity : {"bright", "dark", "auto"}
        As for `find_defects`.
    points : sequence of (row, col)
        Clicks. A defect in or beside a clicked pixel with nothing around it but background is a target of one
        pixel, and stays.
    by : Search

    Returns
    -------
    image : (H, W) array of the same dtype
        The same object if nothing was replaced.
    places : (k, 2) int64
        Rows and columns of the pixels that were replaced.
    """
    return mend(image, polarity, by).around(points)


def fill_gaps(image: Field) -> Field:
    """
    Give lone pixels that are no finite number the median of their neighbours.

    Parameters
    ----------
    image : (H, W) float array

    Returns
    -------
    (H, W) float array
        The same object if there is no such pixel. Pixels with fewer than six finite neighbours, as in larger
        gaps, stay as they are.
    """
    finite = np.isfinite(image)
    places = np.argwhere(~finite)
    if not len(places):
        return image
    padded = np.pad(np.where(finite, image, np.nan), 1, constant_values=np.nan)
    around = np.stack([padded[places[:, 0] + 1 + i, places[:, 1] + 1 + j] for i, j in _OTHERS])
    lone = np.isfinite(around).sum(axis=0) >= _FINITE
    result = image.copy()
    result[tuple(places[lone].T)] = np.nanmedian(around[:, lone], axis=0)
    return result


def _clicked(result: NDArray[Any], found: Defects, points: Sequence[tuple[int, int]]) -> NDArray[np.bool_]:
    """Say which defects are targets of one pixel: clicked, and without them the surroundings are flat."""
    clicked = np.zeros(len(found), np.bool_)
    for row, col in points:
        near = np.abs(found.places - (row, col)).max(axis=1) <= _CLICKED
        for k in np.flatnonzero(near):
            y, x = found.places[k]
            around = result[max(y - _AROUND, 0) : y + _AROUND + 1, max(x - _AROUND, 0) : x + _AROUND + 1]
            clicked[k] = float(around.max()) - float(around.min()) < found.floor
    return clicked
