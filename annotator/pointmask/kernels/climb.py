"""Hill climbing from a click to the peak of its target."""

import numpy as np
from numpy.typing import NDArray

from pointmask.compiled import kernel


@kernel()
def climb(field: NDArray[np.floating], row: int, col: int, moves: int) -> tuple[int, int]:
    """Move to the largest of the eight neighbours as long as it is unique and larger.

    Parameters
    ----------
    field : (n, m) float
    row, col : int
    moves : int
        Maximum number of moves.

    Returns
    -------
    (row, col)
        Last pixel: a local maximum, or a pixel with two equally large neighbours, where choosing either
        would make the result depend on the orientation of the image.
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
