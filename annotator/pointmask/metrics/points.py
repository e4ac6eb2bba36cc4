"""Precision, recall and F1 of points, as counters that can be summed; no masks are needed.

A prediction is right if a true point lies within a distance of it, 5 px by default and that included. True
points choose in raster order the nearest prediction that is still free, so that each prediction counts once.
Frames without targets count: every prediction there is false. Published evaluations of point networks leave
such frames out, or drop predictions at pixel (0, 0); figures are then not comparable.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from math import nan

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pointmask.metrics.assignment import assign
from pointmask.metrics.counters import ratio

WITHIN = 5.0
"""Largest distance of a right prediction in px of the image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PointScore:
    """Counters of one or many images, which can be added.

    Attributes
    ----------
    hits, false, missed : int
        Right predictions, false ones, and true points without a prediction.
    distance : float
        Sum of the distances of the right predictions, in px.
    images, pixels : int
    """

    hits: int = 0
    false: int = 0
    missed: int = 0
    distance: float = 0.0
    images: int = 0
    pixels: int = 0

    def __add__(self, other: "PointScore") -> "PointScore":
        return PointScore(
            **{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(PointScore)}
        )

    @property
    def precision(self) -> float:
        """Share of predictions that are right, in [0, 1]; nan without predictions."""
        return ratio(self.hits, self.hits + self.false)

    @property
    def recall(self) -> float:
        """Share of true points that are found, in [0, 1]; nan without true points."""
        return ratio(self.hits, self.hits + self.missed)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, in [0, 1]; nan without points of either kind."""
        return ratio(2 * self.hits, 2 * self.hits + self.false + self.missed)

    @property
    def fa(self) -> float:
        """False predictions over all pixels (tables print it times 1e8)."""
        return ratio(self.false, self.pixels)

    @property
    def false_per_image(self) -> float:
        """Mean number of false predictions in an image."""
        return ratio(self.false, self.images)

    @property
    def error(self) -> float:
        """Mean distance of the right predictions from their points, in px; nan without any."""
        return ratio(self.distance, self.hits)

    def figures(self) -> dict[str, float | None]:
        """Return all figures by name; None where one is undefined, since JSON has no NaN."""
        values = {
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f1,
            "fa_points": self.fa,
            "false_per_image": self.false_per_image,
            "error": self.error,
        }
        return {name: None if np.isnan(value) else float(value) for name, value in values.items()}


def score_points(
    predicted: ArrayLike, truth: ArrayLike, shape: tuple[int, int], *, within: float = WITHIN
) -> PointScore:
    """Compare predicted with true points of one image.

    Parameters
    ----------
    predicted, truth : array_like of shape (K, 2)
        Rows and columns in px; may be empty.
    shape : (int, int)
        Of the image.
    within : float
        Largest distance of a right prediction in px, which still counts.
    """
    found, wanted = _points(predicted), _points(truth)
    wanted = wanted[np.lexsort((wanted[:, 1], wanted[:, 0]))]
    distance = np.hypot(*(wanted[:, None] - found[None]).transpose(2, 0, 1))
    pairs = assign(np.where(distance <= within, distance, np.inf), "nearest")
    hits = len(pairs)
    return PointScore(
        hits=hits,
        false=len(found) - hits,
        missed=len(wanted) - hits,
        distance=float(sum(distance[row, col] for row, col in pairs.items())),
        images=1,
        pixels=shape[0] * shape[1],
    )


def average_precision(curve: Sequence[PointScore]) -> float:
    """Compute the area under precision over recall.

    Parameters
    ----------
    curve : sequence of PointScore
        One per threshold, each matched anew: with one matching for all, a dim prediction can stand in the
        way of a bright one.

    Returns
    -------
    float
        In [0, 1]; nan without true points. Precision at a recall is the best at that recall or above.
    """
    known = [score for score in curve if score.hits + score.false]
    if not curve or not curve[0].hits + curve[0].missed:
        return nan
    area = best = 0.0
    points = sorted(((score.recall, score.precision) for score in known), reverse=True)
    if not points:
        return 0.0
    for (recall, precision), (lower, _) in zip(points, [*points[1:], (0.0, 0.0)], strict=True):
        best = max(best, precision)
        area += best * (recall - lower)
    return area


def _points(values: ArrayLike) -> NDArray[np.float64]:
    return np.asarray(values, np.float64).reshape(-1, 2)
