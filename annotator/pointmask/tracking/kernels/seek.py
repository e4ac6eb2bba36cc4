"""Looking for a known shape in a small window: filter, samples away from it, peaks."""

import numpy as np
from numpy.typing import NDArray

from pointmask.compiled import kernel

Field = NDArray[np.floating]


@kernel()
def correlate(window: Field, shape: Field, out: Field) -> None:
    """Correlate a window with a shape, where the shape fits into it.

    Parameters
    ----------
    window : (n + h - 1, m + w - 1) float
    shape : (h, w) float
    out : (n, m) float
        Receives the sums of products.
    """
    n, m = out.shape
    for i in range(n):
        row = out[i]
        row[:] = 0.0
        # Shape outside, pixels inside: the inner loop is a plain multiply-add over a row.
        for y in range(shape.shape[0]):
            source = window[i + y]
            for x in range(shape.shape[1]):
                weight = shape[y, x]
                if weight != 0.0:
                    for j in range(m):
                        row[j] += weight * source[j + x]


@kernel()
def outside(field: Field, row: float, col: float, radius: float, out: Field) -> int:
    """Gather the sizes of the samples farther than ``radius`` from a place.

    Parameters
    ----------
    field : (n, m) float
    row, col, radius : float
        In samples.
    out : (n * m,) float
        Receives absolute values, row by row.

    Returns
    -------
    int
        How many there are.
    """
    count = 0
    for i in range(field.shape[0]):
        for j in range(field.shape[1]):
            if (i - row) ** 2 + (j - col) ** 2 > radius * radius:
                out[count] = abs(field[i, j])
                count += 1
    return count


@kernel()
def peaks(field: Field, least: float, places: Field, heights: Field) -> tuple[int, int]:
    """List the highest local maxima, each placed by a parabola along either axis.

    Parameters
    ----------
    field : (n, m) float
    least : float
        Lower peaks are passed over. So are those in the outermost row or column.
    places : (k, 2) float
        Receives (row, col), highest first, each within half a sample of its maximum.
    heights : (k,) float
        Receives the parabolas' heights.

    Returns
    -------
    returned, total : int
        How many are written, and how many there are.
    """
    n, m = field.shape
    room, returned, total = heights.size, 0, 0
    for i in range(1, n - 1):
        for j in range(1, m - 1):
            value = field[i, j]
            if value < least or not _is_peak(field, i, j):
                continue
            total += 1
            row, rise_row = _parabola(field[i - 1, j], value, field[i + 1, j])
            col, rise_col = _parabola(field[i, j - 1], value, field[i, j + 1])
            height = value + rise_row + rise_col
            k = returned
            while k > 0 and heights[k - 1] < height:
                k -= 1
            if k == room:
                continue
            returned = min(returned + 1, room)
            for later in range(returned - 1, k, -1):
                heights[later] = heights[later - 1]
                places[later] = places[later - 1]
            heights[k], places[k, 0], places[k, 1] = height, i + row, j + col
    return returned, total


@kernel()
def _is_peak(field: Field, i: int, j: int) -> bool:
    """Whether no neighbour is larger, and none before it in reading order as large."""
    value = field[i, j]
    for y in range(i - 1, i + 2):
        for x in range(j - 1, j + 2):
            is_before = y < i or (y == i and x < j)
            if field[y, x] > value or (is_before and field[y, x] == value):
                return False
    return True


@kernel()
def _parabola(before: float, middle: float, after: float) -> tuple[float, float]:
    """Offset and rise of the top of a parabola through three samples, the middle one the largest."""
    bend = before - 2 * middle + after
    if bend >= 0:
        return 0.0, 0.0
    return 0.5 * (before - after) / bend, -0.125 * (before - after) ** 2 / bend
