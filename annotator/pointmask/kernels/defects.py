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


@kernel()
def strays(
    image: Field,
    limit: float,
    down: NDArray[np.int64],
    across: NDArray[np.int64],
    of_rows: NDArray[np.int32],
    of_columns: NDArray[np.int32],
    lines: NDArray[np.int64],
    near: int,
    widest: int,
    clear: float,
) -> int:
    """Find rows and columns that may be bad; see `pointmask.defects.search`.

    Parameters
    ----------
    image : (H, W) float, H and W at least 3
    limit : float
        Least distance of a stray pixel from the mean of its two neighbours across the line.
    down, across : (2, k, 2) int64
        Rows of which columns are looked at, and columns of which rows are, as half-open ranges: first those
        of the first half, then those of the second.
    of_rows, of_columns : (2, H), (2, W) int32
        Overwritten.
    lines : (H + W, 2) int64
        Receives axis (0 for rows) and index of the lines found, rows first.
    near, widest, clear
        ``NEAR``, ``WIDEST`` and ``CLEAR`` of that module, which is no kernel: what is compiled must not
        depend on a source that its key does not know.

    Returns
    -------
    int
        How many were found.

    Notes
    -----
    Whole numbers are counted, which makes vector code of the inner loops without any change of the result;
    columns are counted along rows, as the pixels lie in memory.
    """
    n, m = image.shape
    twice = image.dtype.type(2 * limit)
    of_rows[:] = 0
    of_columns[:] = 0
    for half in range(2):
        for k in range(across.shape[1]):
            start, stop = across[half, k]
            for i in range(1, n - 1):
                here, up, below = image[i, start:stop], image[i - 1, start:stop], image[i + 1, start:stop]
                count = 0
                for j in range(here.size):
                    count += abs((here[j] + here[j]) - (up[j] + below[j])) > twice
                of_rows[half, i] += count
        own = of_columns[half]
        for k in range(down.shape[1]):
            for i in range(down[half, k, 0], down[half, k, 1]):
                here = image[i]
                for j in range(1, m - 1):
                    own[j] += abs((here[j] + here[j]) - (here[j - 1] + here[j + 1])) > twice
    looked = (across[0, :, 1] - across[0, :, 0]).sum(), (down[0, :, 1] - down[0, :, 0]).sum()
    found = _strays_of(image, of_rows, looked[0], 0, lines, 0, near, widest, clear)
    return _strays_of(image.T, of_columns, looked[1], 1, lines, found, near, widest, clear)


@kernel()
def _strays_of(
    field: Field,
    counts: NDArray[np.int32],
    looked: int,
    axis: int,
    lines: NDArray[np.int64],
    found: int,
    near: int,
    widest: int,
    clear: float,
) -> int:
    size = counts.shape[1]
    for i in range(1, size - 1):
        for half in range(2):
            if (
                2 * counts[half, i] > looked
                and _stands_out(counts[half], i, near)
                and _is_clear(field, i, half, widest, clear)
            ):
                lines[found, 0], lines[found, 1] = axis, i
                found += 1
                break
    return found


@kernel()
def _stands_out(counts: NDArray[np.int32], i: int, near: int) -> bool:
    """Whether there is a row with much fewer stray pixels near on both sides, or on the one within."""
    last = counts.size - 2
    before, after = (counts[i] if i > near else 0), (counts[i] if i <= last - near else 0)
    for k in range(1, near + 1):
        before = min(before, counts[max(i - k, 1)])
        after = min(after, counts[min(i + k, last)])
    return bool(3 * max(before, after) < counts[i])


@kernel()
def _is_clear(field: Field, i: int, half: int, widest: int, clear: float) -> bool:
    """Whether half of a row lies farther off the rows on its sides than they are from one another."""
    n, m = field.shape
    begin, end = (0, m // 2) if half == 0 else (m - m // 2, m)
    for width in range(1, widest + 1):
        for first in range(i - width + 1, i + 1, max(width - 1, 1)):
            if first < 1 or first + width > n - 1:
                continue
            off = apart = 0.0
            for j in range(begin, end):
                before, after = field[first - 1, j], field[first + width, j]
                off += abs((field[i, j] + field[i, j]) - (before + after))
                apart += abs(before - after)
            if off > 2 * clear * apart:
                return True
    return False
