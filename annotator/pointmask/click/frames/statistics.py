"""What the page needs to know of a frame's values to choose a window: range, quantiles, noise, histogram."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 256

AUTO = (0.005, 0.998)
"""Quantiles of the window *auto*."""

ROBUST = (0.0001, 0.9999)
"""Quantiles of the range on which wide numbers are coded."""

_MAD = 1.4826  # standard deviations of a normal distribution per median absolute deviation
_SAMPLE = 2**20  # of the values of a large frame; quantiles of all would take 0.3 s for 4,096 x 4,096 floats


@dataclass(frozen=True, slots=True)
class Statistics:
    """
    Of the finite values of a frame.

    Attributes
    ----------
    low, high : float
        Least and greatest.
    auto : (float, float)
        The quantiles `AUTO`.
    robust : (float, float)
        The quantiles `ROBUST`.
    median, sigma : float
        Of the background: the median, and a robust standard deviation that targets hardly change.
    finite : bool
        Whether all values are.
    histogram : tuple of int
        `BINS` counts between `low` and `high`; of a sample for large frames.
    """

    low: float
    high: float
    auto: tuple[float, float]
    robust: tuple[float, float]
    median: float
    sigma: float
    finite: bool
    histogram: tuple[int, ...]


def statistics(pixels: NDArray[Any]) -> Statistics:
    """
    Describe the values of a frame.

    Parameters
    ----------
    pixels : (H, W) array of any real dtype
        With at least one finite value. Quantiles of frames above 2^20 samples are those of every n-th sample.
    """
    finite = bool(pixels.dtype.kind != "f" or np.isfinite(pixels).all())
    values = pixels.ravel() if finite else pixels[np.isfinite(pixels)]
    low, high = float(values.min()), float(values.max())
    # An odd step does not keep to a column whose number of rows is a power of two.
    sample = values[:: 2 * (values.size // (2 * _SAMPLE)) + 1].astype(np.float64)
    # Differences and squares of extreme floats overflow; a power of two changes no other digit.
    shift = max(int(np.frexp(max(abs(low), abs(high)))[1]) - 400, 0)
    scaled = np.ldexp(sample, -shift)
    quantiles = np.quantile(scaled, (*AUTO, *ROBUST, 0.5, 0.16, 0.84))
    sigma = _MAD * float(np.median(np.abs(scaled - quantiles[4])))
    if sigma == 0:  # more than half of the values are equal, as in frames of few grey levels
        sigma = float(quantiles[6] - quantiles[5]) / 2 or float(np.std(np.clip(scaled, *quantiles[2:4])))
    first, last, *robust, median = (float(value) for value in np.ldexp(quantiles[:5], shift))
    return Statistics(
        low=low,
        high=high,
        auto=(first, last),
        robust=(robust[0], robust[1]),
        median=median,
        sigma=float(np.ldexp(sigma, shift)),
        finite=finite,
        histogram=_histogram(sample, low, high),
    )


def _histogram(sample: NDArray[np.float64], low: float, high: float) -> tuple[int, ...]:
    """Count values in bins. `numpy.histogram` refuses the narrowest and the widest ranges of floats."""
    width = high / 2 - low / 2
    places = (sample / 2 - low / 2) / width * BINS if width > 0 else np.full(sample.size, BINS / 2)
    counts = np.bincount(np.clip(places.astype(np.intp), 0, BINS - 1), minlength=BINS)
    return tuple(int(count) for count in counts)
