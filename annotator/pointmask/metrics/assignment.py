"""Which predicted component is assigned to which true target of one image."""

from itertools import islice
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

AssignmentRule = Literal["first", "nearest", "hungarian"]
"""How true targets choose among predicted components; see `pointmask.metrics.counters.score`."""


def assign(distance: NDArray[np.float64], rule: AssignmentRule) -> dict[int, int]:
    """Assign predicted components to true targets, each at most once.

    Parameters
    ----------
    distance : ndarray
        ``(true targets, components)`` float64, both in raster order; inf where a pair is not allowed.
    rule : {"first", "nearest", "hungarian"}
        See `pointmask.metrics.counters.score`.

    Returns
    -------
    dict of int to int
        Row and column of each pair; their number is the number of targets found.

    Raises
    ------
    ValueError
        If the rule is unknown.
    """
    if rule == "first":
        return _greedy(np.tile(np.arange(distance.shape[1]), (len(distance), 1)), distance)
    if rule == "nearest":
        return _greedy(np.argsort(distance, axis=1, kind="stable"), distance)
    if rule == "hungarian":
        return _hungarian(distance)
    raise ValueError(f"match={rule!r} is unknown; choose one of 'first', 'nearest', 'hungarian'")


def _greedy(order: NDArray[np.intp], distance: NDArray[np.float64]) -> dict[int, int]:
    """Give each true target in turn the first free component, in its own order, at a finite distance."""
    pairs: dict[int, int] = {}
    used: set[int] = set()
    for target, (choices, row) in enumerate(zip(order, distance, strict=True)):
        free = (int(k) for k in choices if np.isfinite(row[k]) and int(k) not in used)
        for component in islice(free, 1):
            pairs[target] = component
            used.add(component)
    return pairs


def _hungarian(distance: NDArray[np.float64]) -> dict[int, int]:
    # One forbidden pair must cost more than any set of allowed ones, so that the number of pairs comes first.
    finite = np.isfinite(distance)
    forbidden = 1.0 + float(distance[finite].sum())
    rows, cols = linear_sum_assignment(np.where(finite, distance, forbidden))
    return {int(r): int(c) for r, c in zip(rows, cols, strict=True) if finite[r, c]}
