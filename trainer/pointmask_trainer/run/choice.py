"""Which weights are kept: the last that are as good as the best, as far as validation images can tell."""

from collections.abc import Callable, Iterable, Mapping
from math import sqrt
from typing import Any

Metrics = Mapping[str, Any]

_DEVIATION = 0.15
"""Of the difference between two epochs' IoU on one image: 0.25 for each, correlated.

The largest figure of few images is a matter of luck: chosen by it, four detectors of 40 images with 10 to
choose by had 0.506 to 0.536 on 110 others, and 0.535 to 0.550 at their last epochs, where the learning rate
is near 0 and the weights are an average. What collapses falls by more, and an earlier epoch is kept.
"""


def margin(images: int) -> float:
    """Return by how much a mean figure of so many images may be larger by luck."""
    return _DEVIATION / sqrt(max(images, 1))


class Choice:
    """The choice of the best epoch, told of one validation after the other.

    Parameters
    ----------
    rank : callable
        Returns the figure of an epoch's metrics, up to 1; None if it is undefined.
    images : int
        Of the validation list.
    best : Mapping, optional
        Metrics of the best epoch so far; empty before the first.
    top : float, optional
        Largest figure so far; that of `best` by default.
    stale : int
        Validations since the largest figure.
    """

    def __init__(
        self,
        rank: Callable[[Metrics], float | None],
        images: int,
        best: Metrics | None = None,
        top: float | None = None,
        stale: int = 0,
    ) -> None:
        self._rank, self._margin = rank, margin(images)
        self.best: dict[str, Any] = dict(best or {})
        self.top = self._figure(self.best) if top is None else top
        self.stale = stale

    def take(self, metrics: Metrics) -> bool:
        """Take in the metrics of a validated epoch, and say whether it is the best by now."""
        figure = self._figure(metrics)
        self.stale = 0 if figure > self.top else self.stale + 1
        self.top = max(self.top, figure)
        is_best = figure >= self.top - self._margin
        if is_best:
            self.best = dict(metrics)
        return is_best

    def _figure(self, metrics: Metrics) -> float:
        if not metrics:
            return -2.0
        figure = self._rank(metrics)
        return -1.0 if figure is None else figure


def best_of(
    validated: Iterable[Metrics], rank: Callable[[Metrics], float | None], images: int
) -> dict[str, Any]:
    """Return the metrics of the epoch that a run with these validations has kept; empty if there is none."""
    choice = Choice(rank, images)
    for metrics in validated:
        choice.take(metrics)
    return choice.best
