"""How sure figures are: bootstrap over images, of one set of masks and of the difference between two."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pointmask.metrics.counters import Score

FIGURES: dict[str, Callable[[Score], float]] = {
    "IoU": lambda total: total.iou,
    "nIoU": lambda total: total.niou,
    "Pd": lambda total: total.pd,
    "Fa": lambda total: total.fa,
}
"""Figures of tables by name, all from one sum of counters."""

_RESAMPLES = 1000
_LEVELS = (2.5, 97.5)


class Interval(NamedTuple):
    """
    A figure with its 95 % bootstrap interval.

    Attributes
    ----------
    value, low, high : float
        nan where the figure is undefined.
    """

    value: float
    low: float
    high: float


class Difference(NamedTuple):
    """
    A second set of masks less the first, on the same images.

    Attributes
    ----------
    figures : dict of str to Interval
        By name, as in `FIGURES`.
    better, equal, worse : int
        Images by their IoU in the second against the first; one that is undefined in both is equal.
    """

    figures: dict[str, Interval]
    better: int
    equal: int
    worse: int


def intervals(counters: NDArray[np.float64], seed: int = 0) -> dict[str, Interval]:
    """
    Compute all figures of a set of masks.

    Parameters
    ----------
    counters : (n, 10) float64
        `Score.vector` of each image.
    seed : int
        Of the 1000 resamples of images.
    """
    draws = [_figures(total) for total in _resampled(counters, seed)]
    total = _figures(counters.sum(axis=0))
    return {name: _interval(total[name], [draw[name] for draw in draws]) for name in FIGURES}


def difference(first: NDArray[np.float64], second: NDArray[np.float64], seed: int = 0) -> Difference:
    """
    Compare two sets of masks, image by image.

    Parameters
    ----------
    first, second : (n, 10) float64
        `Score.vector` of the same images in the same order.
    seed : int
        Of the 1000 resamples, which draw each image for both.

    Returns
    -------
    Difference
        Second less first.
    """
    pairs = zip(_resampled(first, seed), _resampled(second, seed), strict=True)
    draws = [_less(_figures(b), _figures(a)) for a, b in pairs]
    total = _less(_figures(second.sum(axis=0)), _figures(first.sum(axis=0)))
    figures = {name: _interval(total[name], [draw[name] for draw in draws]) for name in FIGURES}
    gain = _ious(second) - _ious(first)
    return Difference(figures, int((gain > 0).sum()), int((gain == 0).sum()), int((gain < 0).sum()))


def _resampled(counters: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """Sum the counters of resampled images, (resamples, 10); the same seed draws the same images."""
    rng = np.random.default_rng(seed)
    count = len(counters)
    sums = np.empty((_RESAMPLES, counters.shape[1]))
    for k in range(_RESAMPLES):
        drawn = np.bincount(rng.integers(0, count, count), minlength=count)
        sums[k] = drawn @ counters
    return sums


def _figures(total: NDArray[np.float64]) -> dict[str, float]:
    score = Score.from_vector(total)
    return {name: figure(score) for name, figure in FIGURES.items()}


def _less(one: dict[str, float], other: dict[str, float]) -> dict[str, float]:
    return {name: one[name] - other[name] for name in FIGURES}


def _interval(value: float, draws: Sequence[float]) -> Interval:
    known = [draw for draw in draws if np.isfinite(draw)]
    if not known or not np.isfinite(value):
        return Interval(value, np.nan, np.nan)
    low, high = np.percentile(known, _LEVELS)
    return Interval(value, float(low), float(high))


def _ious(counters: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the IoU of each image; 1 where there is nothing to find and nothing found."""
    intersection, union = counters[:, 0], counters[:, 1]
    return np.where(union > 0, intersection / np.maximum(union, 1), 1.0)
