"""From a click beside a target up to its peak."""

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def climb(field: NDArray[np.floating], row: int, col: int, moves: int) -> tuple[int, int]:
    """Walk to the largest of the eight neighbours while there is a single larger one.

    Parameters
    ----------
    field : (n, m) float
    row, col : int
    moves : int
        At most so many steps are taken.

    Returns
    -------
    (row, col)
        Where the walk ends: a local maximum, or a place with two equally good ways up, where taking
        either would make the result depend on the orientation of the image.
    """
    n, m = field.shape
    for _ in range(moves):
        top, ways, next_row, next_col = field[row, col], 0, row, col
        for y in range(max(row - 1, 0), min(row + 2, n)):
            for x in range(max(col - 1, 0), min(col + 2, m)):
                if field[y, x] > top:
                    top, ways, next_row, next_col = field[y, x], 1, y, x
                elif field[y, x] == top and (y != row or x != col):
                    ways += 1
        if ways != 1 or (next_row == row and next_col == col):
            break
        row, col = next_row, next_col
    return row, col
