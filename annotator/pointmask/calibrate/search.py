"""Choice of knob settings from a few dozen masks, by cross-validation against overfitting."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Counters = NDArray[np.float64]
"""(n, 4) per image: intersection, union, sum of the targets' IoU, number of targets."""

Position = tuple[int, ...]
"""Settings on a lattice, one whole number per knob, in units of `PITCH`; all 0 is the start."""

PITCH = 0.5
STRENGTHS = (0.02, 0.01, 0.005, 0.0025)
"""Penalty on the score per unit of setting, strongest first."""

_STRIDES = (2, 1)
_FOLDS = 5
_DRAWS = 1000


class Trials:
    """Cache of the counters of every theta that was tried, shared by all folds and strengths.

    Parameters
    ----------
    measure : callable
        Returns the counters of a position. Expensive.
    knobs : int
        Number of entries of a position.
    limit : int
        Largest absolute entry of a position.
    budget : int
        Maximum number of positions to measure.
    """

    def __init__(self, measure: Callable[[Position], Counters], knobs: int, limit: int, budget: int) -> None:
        self._measure = measure
        self._knobs = knobs
        self._limit = limit
        self._budget = budget
        self._known: dict[Position, Counters] = {}

    @property
    def tried(self) -> int:
        """Places measured so far."""
        return len(self._known)

    @property
    def start(self) -> Position:
        """The position of the unchanged theta."""
        return (0,) * self._knobs

    def counters(self, position: Position) -> Counters:
        """Return the counters of a position, measuring it if necessary, whatever the budget."""
        if position not in self._known:
            self._known[position] = self._measure(position)
        return self._known[position]

    def neighbours(self, position: Position, stride: int) -> list[Position]:
        """Measure the positions one stride away along each knob, and return those within limit and budget."""
        around = [
            (*position[:k], position[k] + step, *position[k + 1 :])
            for k in range(self._knobs)
            for step in (-stride, stride)
            if abs(position[k] + step) <= self._limit
        ]
        allowed = []
        for neighbour in around:
            if neighbour in self._known or self.tried < self._budget:
                self.counters(neighbour)
                allowed.append(neighbour)
        return allowed


def score(counters: Counters) -> float:
    """Mean of the pooled IoU and the mean IoU of targets, in [0, 1].

    The pooled IoU alone would be dominated by the few largest targets.
    """
    pooled, mean = figures(counters.sum(axis=0))
    return float(pooled + mean) / 2


def choose(trials: Trials, seed: int) -> Position:
    """Choose a position by cross-validation.

    Parameters
    ----------
    trials : Trials
    seed : int
        Of the folds and of the bootstrap.

    Returns
    -------
    Position
        Fitted to all images with the strongest penalty whose cross-validated score is within one standard
        error of the best; the start itself counts as the strongest penalty.

    Notes
    -----
    The fit moves from the start to the best neighbour on a lattice, coarse strides first, as long as the gain
    exceeds the penalty; most knobs therefore keep their settings. Once the budget is exhausted, it moves
    among the positions that were measured.
    """
    start = trials.counters(trials.start)
    validated = {strength: _validate(trials, strength, seed) for strength in STRENGTHS}
    best = max((start, *validated.values()), key=score)
    if _as_good(start, best, seed):
        return trials.start
    strength = next(strength for strength, unseen in validated.items() if _as_good(unseen, best, seed))
    return fit(trials, strength, np.ones(len(start), np.bool_))


def _validate(trials: Trials, strength: float, seed: int) -> Counters:
    """Counters of every image under a fit to the other folds."""
    unseen = np.empty_like(trials.counters(trials.start))
    fold_of = np.random.default_rng((seed, 1)).permutation(len(unseen)) % min(_FOLDS, len(unseen))
    for fold in np.unique(fold_of):
        here = fold_of == fold
        unseen[here] = trials.counters(fit(trials, strength, ~here))[here]
    return unseen


def _as_good(counters: Counters, best: Counters, seed: int) -> bool:
    """Whether a score is within one standard error of the best."""
    gain = score(best) - score(counters)
    return gain <= float(np.std(np.add(*gain_draws(counters, best, seed)) / 2))


def fit(trials: Trials, strength: float, images: NDArray[np.bool_]) -> Position:
    """Move from the start to a position that no single move improves.

    Parameters
    ----------
    trials : Trials
    strength : float
        Penalty per unit of setting.
    images : (n,) bool
        Images to use.
    """

    def worth(position: Position) -> float:
        return score(trials.counters(position)[images]) - strength * PITCH * sum(map(abs, position))

    position = trials.start
    for stride in _STRIDES:
        while True:
            best = max((position, *trials.neighbours(position, stride)), key=worth)
            if best == position:
                break
            position = best
    return position


def gain_draws(
    before: Counters, after: Counters, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bootstrap a gain over images.

    Parameters
    ----------
    before, after : (n, 4)
        Counters of the same images.
    seed : int

    Returns
    -------
    pooled, mean : (1000,) float64
        Gain in pooled IoU and in mean IoU of targets, of each draw.
    """
    rng = np.random.default_rng((seed, 2))
    times = rng.multinomial(len(before), np.full(len(before), 1 / len(before)), _DRAWS)
    then, now = figures(times @ before), figures(times @ after)
    return now[0] - then[0], now[1] - then[1]


def figures(sums: Counters) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pooled IoU and mean IoU of targets of summed counters, shape (..., 4) to (...)."""
    return (
        sums[..., 0] / np.maximum(sums[..., 1], 1),
        sums[..., 2] / np.maximum(sums[..., 3], 1),
    )
