"""Choose settings of theta's knobs from a few dozen masks without fitting their noise."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Counters = NDArray[np.float64]
"""(n, 4) per image: intersection, union, sum of the targets' IoU, number of targets."""

Place = tuple[int, ...]
"""Settings on a lattice, one whole number per knob, in units of `PITCH`; all 0 is the start."""

PITCH = 0.5
STRENGTHS = (0.02, 0.01, 0.005, 0.0025)
"""Loss of score per unit of setting that a fit must win back, strongest first."""

_STRIDES = (2, 1)
_FOLDS = 5
_DRAWS = 1000


class Exhausted(Exception):
    """The budget does not allow another theta."""


class Trials:
    """Counters of every theta that was tried, so that folds and strengths share them.

    Parameters
    ----------
    measure : callable
        Counters of a place. Expensive.
    knobs : int
        Entries of a place.
    limit : int
        Largest entry of a place, either way.
    budget : int
        How many places may be measured.
    """

    def __init__(self, measure: Callable[[Place], Counters], knobs: int, limit: int, budget: int) -> None:
        self._measure = measure
        self._knobs = knobs
        self._limit = limit
        self._budget = budget
        self._known: dict[Place, Counters] = {}

    @property
    def tried(self) -> int:
        """Places measured so far."""
        return len(self._known)

    @property
    def start(self) -> Place:
        """The place of the unchanged theta."""
        return (0,) * self._knobs

    def counters(self, place: Place) -> Counters:
        """Return what is known of a place, or measure it.

        Raises
        ------
        Exhausted
            If it would have to be measured and the budget is spent.
        """
        if place not in self._known:
            if self.tried >= self._budget:
                raise Exhausted
            self._known[place] = self._measure(place)
        return self._known[place]

    def neighbours(self, place: Place, stride: int) -> list[Place]:
        """Return the places one stride away along one knob, within the limit."""
        return [
            (*place[:k], place[k] + step, *place[k + 1 :])
            for k in range(self._knobs)
            for step in (-stride, stride)
            if abs(place[k] + step) <= self._limit
        ]


def score(counters: Counters) -> float:
    """Mean of the pooled IoU and the mean IoU of targets, in [0, 1].

    The pooled IoU alone would be decided by the few largest targets.
    """
    return float(_scores(counters.sum(axis=0)))


def choose(trials: Trials, seed: int) -> tuple[Place, float]:
    """Choose a place by cross-validation.

    Parameters
    ----------
    trials : Trials
    seed : int
        Of the folds and of the bootstrap.

    Returns
    -------
    place : Place
        Fitted to all images with the strongest pull towards the start whose cross-validated score is
        within one standard error of the best; the start itself counts as the strongest pull.
    strength : float
        Entry of `STRENGTHS`; infinite if the start was best.

    Notes
    -----
    The fit climbs from the start to the best neighbour on a lattice, coarse strides first, as long as
    a move gains more than its length costs; so most knobs stay where they are. A search that runs out of
    budget stops where it is.
    """
    start = trials.counters(trials.start)
    images = len(start)
    rng = np.random.default_rng((seed, 1))
    fold_of = rng.permutation(images) % min(_FOLDS, images)
    validated = [(np.inf, start)]
    for strength in STRENGTHS:
        unseen = np.empty_like(start)
        for fold in range(fold_of.max() + 1):
            place = fit(trials, strength, fold_of != fold)
            unseen[fold_of == fold] = trials.counters(place)[fold_of == fold]
        validated.append((strength, unseen))
    best = max((unseen for _, unseen in validated), key=score)
    for strength, unseen in validated:
        gains = gain_draws(unseen, best, seed)[0]
        if score(best) - score(unseen) <= gains.std():
            break
    if not np.isfinite(strength):
        return trials.start, strength
    return fit(trials, strength, np.ones(images, np.bool_)), strength


def fit(trials: Trials, strength: float, images: NDArray[np.bool_]) -> Place:
    """Climb from the start to a place that no single move improves.

    Parameters
    ----------
    trials : Trials
    strength : float
        Score that one unit of setting costs.
    images : (n,) bool
        Which images count.
    """

    def worth(place: Place) -> float:
        return score(trials.counters(place)[images]) - strength * PITCH * sum(map(abs, place))

    place = trials.start
    for stride in _STRIDES:
        while True:
            try:
                best = max((place, *trials.neighbours(place, stride)), key=worth)
            except Exhausted:
                return place
            if best == place:
                break
            place = best
    return place


def gain_draws(before: Counters, after: Counters, seed: int) -> tuple[NDArray[np.float64], ...]:
    """Bootstrap a gain over images.

    Parameters
    ----------
    before, after : (n, 4)
        Counters of the same images.
    seed : int

    Returns
    -------
    score, pooled, mean : (1000,) float64
        Gain in `score`, pooled IoU and mean IoU of targets, of each draw.
    """
    rng = np.random.default_rng((seed, 2))
    times = rng.multinomial(len(before), np.full(len(before), 1 / len(before)), _DRAWS)
    sums = times @ before, times @ after
    pooled, mean = (figures(sums[1])[k] - figures(sums[0])[k] for k in (0, 1))
    return (pooled + mean) / 2, pooled, mean


def figures(sums: Counters) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pooled IoU and mean IoU of targets of summed counters, shape (..., 4) to (...)."""
    return (
        sums[..., 0] / np.maximum(sums[..., 1], 1),
        sums[..., 2] / np.maximum(sums[..., 3], 1),
    )


def _scores(sums: Counters) -> NDArray[np.float64]:
    return np.add(*figures(sums)) / 2


