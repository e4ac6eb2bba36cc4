"""Relation between two quantities of the same images: rank correlation and bins."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

Floats = NDArray[np.float64]

_FEWEST = 3  # images: below, a rank correlation says nothing


@dataclass(frozen=True, slots=True)
class Relation:
    """Spearman's rank correlation.

    Attributes
    ----------
    rho, p : float
        The correlation, and the chance of one as strong (two-sided) if there were none. NaN where there
        are fewer than three images, or all have the same value.
    n : int
        Images that have both quantities.
    """

    rho: float
    p: float
    n: int


@dataclass(frozen=True, slots=True, eq=False)
class Bins:
    """Mean and spread of y over bins of x that hold about equally many images.

    Attributes
    ----------
    centre, mean, std : (B,) arrays
        Mean of x, and mean and standard deviation of y.
    count : (B,) int array
    """

    centre: Floats
    mean: Floats
    std: Floats
    count: NDArray[np.int64]


def relation(x: Floats, y: Floats) -> Relation:
    """Correlate the ranks of two quantities, (N,) each; images without either are left out."""
    both = np.isfinite(x) & np.isfinite(y)
    x, y, n = x[both], y[both], int(both.sum())
    if n < _FEWEST or np.ptp(x) == 0 or np.ptp(y) == 0:
        return Relation(np.nan, np.nan, n)
    found = spearmanr(x, y)
    return Relation(float(found.statistic), float(found.pvalue), n)


def bins(x: Floats, y: Floats, count: int = 6) -> Bins:
    """Bin y over x at x's quantiles; equal values of x stay together, so there may be fewer bins."""
    both = np.isfinite(x) & np.isfinite(y)
    x, y = x[both], y[both]
    if not len(x):
        none = np.zeros(0)
        return Bins(none, none, none, np.zeros(0, np.int64))
    inner = np.unique(np.quantile(x, np.arange(1, count) / count))
    place = np.searchsorted(inner, x, side="left")
    groups = [place == k for k in np.unique(place)]
    return Bins(
        centre=np.array([x[group].mean() for group in groups]),
        mean=np.array([y[group].mean() for group in groups]),
        std=np.array([y[group].std() for group in groups]),
        count=np.array([group.sum() for group in groups]),
    )
