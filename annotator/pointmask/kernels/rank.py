"""Order statistics of lists of pixels: exact and independent of the order of the pixels."""

import numpy as np
from numpy.typing import NDArray

from pointmask.compiled import kernel


@kernel()
def select(values: NDArray[np.floating], k: int) -> float:
    """Return the ``k``-th smallest value (0-based); ``values`` is reordered (Hoare's quickselect)."""
    low, high = 0, values.size - 1
    while low < high:
        pivot = values[(low + high) // 2]
        i, j = low, high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if k <= j:
            high = j
        elif k >= i:
            low = i
        else:
            break
    return float(values[k])


@kernel()
def median(values: NDArray[np.floating]) -> float:
    """Median; of an even number the mean of the middle two, so that ``median(-x)`` is ``-median(x)``."""
    half = values.size // 2
    upper = select(values, half)
    if values.size % 2 == 1:
        return float(upper)
    lower = values[0]
    for k in range(1, half):
        lower = max(lower, values[k])
    return float(0.5 * (lower + upper))


@kernel()
def median_of(window: NDArray[np.floating], places: NDArray[np.int64], buffer: NDArray[np.floating]) -> float:
    """Median of the pixels at the flat indices ``places``; ``buffer`` is at least as long."""
    flat = window.ravel()
    for k in range(places.size):
        buffer[k] = flat[places[k]]
    return median(buffer[: places.size])


@kernel()
def deviation_of(
    window: NDArray[np.floating], places: NDArray[np.int64], centre: float, buffer: NDArray[np.floating]
) -> float:
    """Median absolute deviation from ``centre``, scaled to a normal distribution's standard deviation."""
    flat = window.ravel()
    for k in range(places.size):
        buffer[k] = abs(flat[places[k]] - centre)
    return 1.4826 * median(buffer[: places.size])
