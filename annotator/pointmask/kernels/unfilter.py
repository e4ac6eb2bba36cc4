"""Undo the row filters of PNG."""

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def unfilter(rows: NDArray[np.uint8], step: int, out: NDArray[np.uint8]) -> int:
    """Turn filtered rows into the bytes of pixels.

    Parameters
    ----------
    rows : (H, 1 + n) uint8
        As in the file: the kind of filter, 0 to 4, then the filtered bytes.
    step : int
        Bytes per pixel.
    out : (H + 1, n) uint8
        Row 0 holds zeros; the others are filled.

    Returns
    -------
    int
        The first row whose kind is unknown; -1 if there is none.
    """
    height, count = out.shape[0] - 1, out.shape[1]
    for y in range(height):
        kind, row, above, here = rows[y, 0], rows[y, 1:], out[y], out[y + 1]
        if kind == 0:
            here[:] = row
        elif kind == 1:
            here[:step] = row[:step]
            for x in range(step, count):
                here[x] = row[x] + here[x - step]
        elif kind == 2:
            for x in range(count):
                here[x] = row[x] + above[x]
        elif kind == 3:
            for x in range(count):
                before = np.int64(here[x - step]) if x >= step else 0
                here[x] = row[x] + ((before + np.int64(above[x])) >> 1)
        elif kind == 4:
            # Band by band, so that the left pixel stays in a register; choosing without branches, since
            # noise makes every branch a bad guess.
            for band in range(step):
                left = corner = np.int32(0)
                for x in range(band, count, step):
                    up = np.int32(above[x])
                    across, down = np.int32(left - corner), np.int32(up - corner)
                    from_left, from_up = abs(down), abs(across)
                    second = up if from_up <= abs(across + down) else corner
                    nearest = left if from_left <= min(from_up, abs(across + down)) else second
                    left = np.int32((row[x] + nearest) & 255)
                    here[x] = left
                    corner = up
        else:
            return y
    return -1
