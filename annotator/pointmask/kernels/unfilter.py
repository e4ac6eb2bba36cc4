"""The filters of PNG's rows undone: bytes are stored as differences from what their neighbours suggest."""

import numpy as np
from numpy.typing import NDArray

from pointmask.compiled import kernel

Bytes = NDArray[np.uint8]

NONE, LEFT, UP, MEAN, PAETH = range(5)


@kernel(inline="always")
def _nearest(left: np.int32, up: np.int32, corner: np.int32) -> np.int32:
    """Return whichever is nearest to left + up - corner; the first of equals."""
    from_left, from_up, from_corner = abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)
    best = up if from_up <= from_corner else corner
    return left if from_left <= from_up and from_left <= from_corner else best


@kernel()
def unfilter(rows: Bytes, step: int, pixels: Bytes) -> bool:
    """Undo the filters of all rows, as the PNG specification says in its section 9.

    Parameters
    ----------
    rows : (H, 1 + N) uint8
        The number of each row's filter, and the filtered bytes.
    step : int
        Bytes of a pixel.
    pixels : (H, N) uint8
        Receives the bytes; they count as 0 left of the first pixel and above the first row.

    Returns
    -------
    bool
        False if the number of a filter is none of the five.
    """
    height, width = pixels.shape
    above = np.zeros(width, np.uint8)
    for i in range(height):
        kind, stored, row = rows[i, 0], rows[i, 1:], pixels[i]
        if kind == NONE:
            for j in range(width):
                row[j] = stored[j]
        elif kind == UP:
            for j in range(width):
                row[j] = stored[j] + above[j]
        elif kind <= PAETH:
            for first in range(step):  # a band of colour after the other, with what is near in registers
                left, corner = np.int32(0), np.int32(0)
                for j in range(first, width, step):
                    up = np.int32(above[j])
                    best = left
                    if kind == PAETH:
                        best = _nearest(left, up, corner)
                    elif kind == MEAN:
                        best = (left + up) >> 1
                    left, corner = (stored[j] + best) & 255, up
                    row[j] = left
        else:
            return False
        above = row
    return True
