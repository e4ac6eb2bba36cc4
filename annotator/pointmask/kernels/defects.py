"""Defective pixels: where one pixel alone stands off what its eight neighbours agree on."""

import numpy as np
from numpy.typing import NDArray

from pointmask.compiled import kernel
from pointmask.kernels.rank import select

Field = NDArray[np.floating]


@kernel()
def roughness(
    image: Field, rows: NDArray[np.int64], cols: NDArray[np.int64], buffer: Field
) -> tuple[float, float]:
    """Estimate the roughness of a frame, and the step of its grey levels; see `pointmask.defects`.

    Parameters
    ----------
    image : (H, W) float
    rows, cols : (k,), (l,) int64
        Looked at where they cross; none of them at the border.
    buffer : (k * l,) float
        Overwritten.

    Returns
    -------
    deviation : float
        90th percentile of the distance from the mean of the eight neighbours. Frames with defects in 0.5 % of
        the pixels have 4 % of neighbours of defects, hence hardly a higher one.
    step : float
        Least difference between neighbours along a row that is not 0; infinity if there is none.
    """
    count = 0
    step = np.inf
    for i in rows:
        here, up, down = image[i], image[i - 1], image[i + 1]
        for j in cols:
            v = here[j]
            cross = (here[j - 1] + here[j + 1]) + (up[j] + down[j])
            corners = (up[j - 1] + down[j + 1]) + (up[j + 1] + down[j - 1])
            distance = abs(v - (cross + corners) / 8)
            if distance < np.inf:
                buffer[count] = distance
                count += 1
                apart = abs(v - here[j - 1])
                if 0 < apart < step:
                    step = apart
                apart = abs(v - here[j + 1])
                if 0 < apart < step:
                    step = apart
    if count == 0:
        return 0.0, np.inf
    return select(buffer[:count], 9 * count // 10), step


@kernel()
def find(
    image: Field,
    floor: float,
    above: float,
    below: float,
    spare: Field,
    places: NDArray[np.int64],
    values: Field,
) -> int:
    """Find pixels that stand off all their neighbours, and what the neighbours suggest instead.

    Parameters
    ----------
    image : (H, W) float, H and W at least 3
        Beyond the border it is mirrored at the outermost pixels.
    floor : float
        Least distance from the nearest neighbour's grey value.
    above, below : float
        Least ratio of that distance to the range of the four means of opposite neighbours, for pixels above
        and below them.
    spare : (W,) float
        Overwritten.
    places : (k, 2) int64
        Receives row and column of the first k found, in raster order.
    values : (k,) float
        Receives the mean of the middle two of the four means.

    Returns
    -------
    int
        How many were found; the search ends with the k-th.

    Notes
    -----
    The first loop over a row has no branch but for its ends, so that it becomes vector code; few pixels reach
    the second.
    """
    n, m = image.shape
    limit, half = image.dtype.type(2 * floor), image.dtype.type(0.5)
    count = 0
    for i in range(n):
        here, up, down = image[i], image[abs(i - 1)], image[n - 1 - abs(n - 2 - i)]
        likely = 0
        for j in range(1, m - 1):
            across, along = here[j - 1] + here[j + 1], up[j] + down[j]
            first, second = up[j - 1] + down[j + 1], up[j + 1] + down[j - 1]
            high = max(max(across, along), max(first, second))
            low = min(min(across, along), min(first, second))
            twice = here[j] + here[j]
            spare[j] = max(twice - high, low - twice)
            likely += spare[j] > limit
        spare[0] = spare[m - 1] = np.inf
        for j in range(0, m, 1 if likely else m - 1):
            if not spare[j] > limit:
                continue
            left, right = abs(j - 1), m - 1 - abs(m - 2 - j)
            v = here[j]
            across, along = half * (here[left] + here[right]), half * (up[j] + down[j])
            first, second = half * (up[left] + down[right]), half * (up[right] + down[left])
            high = max(max(across, along), max(first, second))
            low = min(min(across, along), min(first, second))
            top = max(max(max(here[left], here[right]), max(up[j], down[j])), high)
            top = max(top, max(max(up[left], up[right]), max(down[left], down[right])))
            bottom = min(min(min(here[left], here[right]), min(up[j], down[j])), low)
            bottom = min(bottom, min(min(up[left], up[right]), min(down[left], down[right])))
            if v - top > max(floor, above * (high - low)) or bottom - v > max(floor, below * (high - low)):
                places[count, 0], places[count, 1] = i, j
                values[count] = half * (((across + along) + (first + second)) - (high + low))
                count += 1
                if count == values.size:
                    return count
    return count
