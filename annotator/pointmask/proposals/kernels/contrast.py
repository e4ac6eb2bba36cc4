"""Grey values inside and around a mask."""

import numpy as np
from numpy.typing import NDArray

from pointmask.compiled import kernel
from pointmask.kernels.rank import median


@kernel()
def contrast_of(
    part: NDArray[np.float64], mask: NDArray[np.bool_], buffer: NDArray[np.float64]
) -> tuple[float, float, float]:
    """Compare the pixels of a mask with those around it.

    Parameters
    ----------
    part : (n, m) float64
        A piece of the frame.
    mask : (n, m) bool
        Not empty.
    buffer : (n * m,) float64
        Overwritten.

    Returns
    -------
    inside : float
        Mean over the mask.
    around, spread : float
        Median and standard deviation of the other pixels; ``inside`` and 0 if there are none.
    """
    n, m = part.shape
    inside, held, others, total = 0.0, 0, 0, 0.0
    for i in range(n):
        for j in range(m):
            if mask[i, j]:
                inside += part[i, j]
                held += 1
            else:
                buffer[others] = part[i, j]
                total += part[i, j]
                others += 1
    inside /= held
    if others == 0:
        return inside, inside, 0.0
    mean, squares = total / others, 0.0
    for k in range(others):
        squares += (buffer[k] - mean) ** 2
    return inside, median(buffer[:others]), np.sqrt(squares / others)
