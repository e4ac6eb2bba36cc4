"""How far each pixel stands above everything around it, at one scale."""

import numpy as np
from numpy.typing import NDArray

from pointmask.compiled import kernel

Field = NDArray[np.float64]


@kernel()
def prominence(padded: Field, reach: int, out: Field) -> None:
    """Subtract from each pixel the brightest of 16 samples on the square around it.

    Parameters
    ----------
    padded : (n + 2 reach, m + 2 reach) float64
        A smoothed frame whose edge is repeated `reach` times, so that the loop below has no branches.
    reach : int
        Half the side of the square in px, at least 1. The samples are its corners, the middles of its sides
        and the places half way between, rounded up.
    out : (n, m) float64
        Overwritten. Positive only where a pixel exceeds all 16 samples, as no pixel of an edge or of a
        straight line does.
    """
    n, m = out.shape
    half = (reach + 1) // 2
    for i in range(n):
        top, upper, middle = padded[i], padded[i + reach - half], padded[i + reach]
        lower, bottom = padded[i + reach + half], padded[i + 2 * reach]
        for j in range(m):
            left, right = j, j + 2 * reach
            a, b, c = j + reach - half, j + reach, j + reach + half
            above = max(max(max(top[left], top[a]), max(top[b], top[c])), top[right])
            below = max(max(max(bottom[left], bottom[a]), max(bottom[b], bottom[c])), bottom[right])
            sides = max(
                max(max(upper[left], upper[right]), max(lower[left], lower[right])),
                max(middle[left], middle[right]),
            )
            out[i, j] = middle[b] - max(max(above, below), sides)


@kernel()
def raise_to(values: Field, unit: float, best: Field) -> None:
    """Set ``best`` to the larger of itself and ``values / unit``, pixel by pixel; all (n, m) float64."""
    n, m = values.shape
    for i in range(n):
        for j in range(m):
            best[i, j] = max(best[i, j], values[i, j] / unit)
