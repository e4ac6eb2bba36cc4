"""Evaluation of a detector on a list of images: one pass, all thresholds, by data set and target size."""

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from pointmask.components import blobs
from pointmask.metrics.counters import Score, score
from pointmask.metrics.data_sets import data_set_of
from pointmask.metrics.points import WITHIN, PointScore, score_points
from pointmask.metrics.targets import SIZE_CLASSES, Detection, TargetTally, score_detections
from pointmask_trainer.data.normalisation import Normalisation
from pointmask_trainer.data.split import Mask, Split
from pointmask_trainer.detectors.base import ImageNetwork
from pointmask_trainer.inference.operator_masks import OperatorMasks
from pointmask_trainer.inference.tasks.base import Drawn, Task
from pointmask_trainer.inference.tasks.choice import task_of

Probabilities = NDArray[np.float32]

THRESHOLDS = tuple(1 / (1 + math.exp(-logit / 2)) for logit in range(-20, 21))
"""Thresholds in steps of 0.5 in the logit, from 0.00005 to 0.99995, since most probabilities are near 0 or 1.
The middle one is exactly 0.5."""

HALF = len(THRESHOLDS) // 2
"""Index of 0.5, the threshold of all single-threshold metrics."""

AUC_CUTS = (0.5e-4, 1e-4)
"""False-alarm rates up to which the area under the curve is computed."""


@dataclass(frozen=True, slots=True)
class SizeTally:
    """Counters of the true targets of one size class, summed over images.

    Attributes
    ----------
    found : int
        Number of detected targets, the numerator of Pd.
    fits : TargetTally
        Overlap of each target with its matched component; a missed target has IoU 0.
    """

    found: int = 0
    fits: TargetTally = field(default_factory=TargetTally)

    def __add__(self, other: "SizeTally") -> "SizeTally":
        return SizeTally(self.found + other.found, self.fits + other.fits)

    @classmethod
    def of(cls, detections: Sequence[Detection]) -> "SizeTally":
        """Accumulate individual targets."""
        fits = TargetTally.of([detection.score for detection in detections])
        return cls(sum(detection.found for detection in detections), fits)

    @property
    def pd(self) -> float:
        """Share of targets that are detected, in [0, 1]; nan without targets."""
        return self.found / self.fits.count if self.fits.count else math.nan


@dataclass(slots=True)
class EvaluationTally:
    """Counters of a set of images at every threshold.

    Attributes
    ----------
    curve : list of Score
        One per entry of `THRESHOLDS`.
    sizes : dict of str to SizeTally
        At threshold 0.5, by the true target's size class.
    images : int
    points : PointScore
        At threshold 0.5, centroids of targets against those of the true masks' components.
    point_curve : list of PointScore
        One per entry of `THRESHOLDS`, of a network that finds points; else empty.
    """

    curve: list[Score] = field(default_factory=lambda: [Score()] * len(THRESHOLDS))
    sizes: dict[str, SizeTally] = field(default_factory=lambda: {name: SizeTally() for name in SIZE_CLASSES})
    images: int = 0
    points: PointScore = field(default_factory=PointScore)
    point_curve: list[PointScore] = field(default_factory=list)

    @property
    def score(self) -> Score:
        """Counters at threshold 0.5."""
        return self.curve[HALF]

    def add(
        self,
        curve: Sequence[Score],
        detections: Sequence[Detection],
        points: PointScore,
        point_curve: Sequence[PointScore] = (),
    ) -> None:
        """Add one image."""
        self.points += points
        before = self.point_curve or [PointScore()] * len(point_curve)
        self.point_curve = [total + added for total, added in zip(before, point_curve, strict=True)]
        self.curve = [total + added for total, added in zip(self.curve, curve, strict=True)]
        for name in SIZE_CLASSES:
            own = [detection for detection in detections if detection.score.size_class == name]
            self.sizes[name] += SizeTally.of(own)
        self.images += 1


@dataclass(slots=True)
class Evaluation:
    """Result of `evaluate`.

    Attributes
    ----------
    whole : EvaluationTally
        All images.
    data_sets : dict of str to EvaluationTally
        By `pointmask.metrics.data_sets.data_set_of`, sorted by name.
    unseen : EvaluationTally or None
        Images that the run was neither trained nor validated on; None if these are all images, or none.
    network : Evaluation or None
        The same images by the network's own masks, if the masks are the operator's.
    within : float
        Largest distance in px at which a predicted point is right.
    """

    whole: EvaluationTally
    data_sets: dict[str, EvaluationTally]
    unseen: EvaluationTally | None = None
    network: "Evaluation | None" = None
    within: float = WITHIN


def evaluate(
    model: ImageNetwork,
    normalisation: Normalisation,
    split: Split,
    truths: Sequence[Mask],
    *,
    operator: OperatorMasks | None = None,
    known: Collection[str] = (),
    within: float = WITHIN,
    on_prediction: Callable[[int, Probabilities], None] | None = None,
    on_mask: Callable[[int, Mask], None] | None = None,
) -> Evaluation:
    """Score a detector's predictions of whole images at native resolution.

    Parameters
    ----------
    model : ImageNetwork
    normalisation : Normalisation
        The one stored with the weights.
    split : Split
        On the model's device.
    truths : sequence of (H, W) bool arrays
        In the order of the split.
    operator : OperatorMasks, optional
        Draws the masks that are scored; the network's own are scored beside them, if it draws some.
    known : collection of str
        Ids of images used for training the model or choosing its weights.
    within : float
        Largest distance in px at which a predicted point is right.
    on_prediction : callable, optional
        Called with each image's index and the network's (H, W) float32 probabilities, in arbitrary order.
    on_mask : callable, optional
        Called with each image's index and the (H, W) bool mask that is scored at threshold 0.5.

    Returns
    -------
    Evaluation
    """
    task = task_of(model, operator)
    tallies = _Tallies(split.ids, known, task, within)
    has_own = operator is not None and task.finds == "masks"
    by_network = _Tallies(split.ids, known, task, within) if has_own else None
    for index, reading in task.read_pool(model, split.images, normalisation):
        drawn = task.draw(split.images.stored(index), reading)
        tallies.add(index, drawn, truths[index])
        if by_network is not None:
            by_network.add(index, Drawn(reading.probabilities), truths[index])
        if on_prediction:
            on_prediction(index, np.pad(reading.probabilities, split.margins_of(index)))
        if on_mask:
            on_mask(index, drawn.probabilities > THRESHOLDS[HALF])
    network = None if by_network is None else by_network.evaluation()
    return replace(tallies.evaluation(), network=network)


class _Tallies:
    """Counters of all images, of each data set, and of the images unknown to a run."""

    def __init__(self, ids: Sequence[str], known: Collection[str], task: Task, within: float) -> None:
        self._ids, self._known, self._task, self._within = ids, known, task, within
        self._whole, self._unseen = EvaluationTally(), EvaluationTally()
        self._data_sets = {name: EvaluationTally() for name in sorted({data_set_of(key) for key in ids})}

    def add(self, index: int, drawn: Drawn, truth: Mask) -> None:
        probabilities = drawn.probabilities
        curve = curve_of(probabilities, truth)
        truths, (height, width) = blobs(truth)[0], truth.shape

        def points_at(threshold: float) -> PointScore:
            places = [(target.y, target.x) for target in self._task.targets(drawn, threshold)]
            return score_points(places, truths, (height, width), within=self._within)

        has_curve = self._task.finds == "points"
        point_curve = [points_at(threshold) for threshold in THRESHOLDS] if has_curve else []
        points = point_curve[HALF] if has_curve else points_at(THRESHOLDS[HALF])
        detections = score_detections(probabilities > THRESHOLDS[HALF], truth)
        tallies = [self._whole, self._data_sets[data_set_of(self._ids[index])]]
        if self._ids[index] not in self._known:
            tallies.append(self._unseen)
        for tally in tallies:
            tally.add(curve, detections, points, point_curve)

    def evaluation(self) -> Evaluation:
        whole, unseen = self._whole, self._unseen
        others = unseen if 0 < unseen.images < whole.images else None
        return Evaluation(whole, self._data_sets, others, within=self._within)


def curve_of(probabilities: Probabilities, truth: Mask) -> list[Score]:
    """Score one image at each of `THRESHOLDS`.

    Parameters
    ----------
    probabilities : (H, W) float32 array in [0, 1]
    truth : (H, W) bool array

    Returns
    -------
    list of Score
        Scores of ``probabilities > threshold``.
    """
    passed = np.searchsorted(THRESHOLDS, probabilities.astype(np.float64))  # number of lower thresholds
    present = np.bincount(passed.ravel(), minlength=len(THRESHOLDS) + 1)
    scores: list[Score] = []
    for k in range(len(THRESHOLDS)):
        # If no probability lies between two thresholds, their masks are identical.
        scores.append(scores[-1] if k and not present[k] else score(passed > k, truth))
    return scores


def false_pixel_rate(score: Score) -> float:
    """Return the share of pixels that are falsely predicted; unlike Fa, non-increasing in the threshold."""
    return (score.union - score.truth_pixels) / score.pixels if score.pixels else math.nan


def area_under(
    curve: Sequence[Score], cut: float, rate: Callable[[Score], float] = lambda score: score.fa
) -> float:
    """Compute the mean Pd over false-alarm rates from 0 to a cut, ``(1 / cut) * integral of Pd``.

    Parameters
    ----------
    curve : sequence of Score
        Scores at any thresholds.
    cut : float
        Largest rate, above 0.
    rate : callable
        False-alarm rate of a score: Fa by default, or `false_pixel_rate`.

    Returns
    -------
    float
        In [0, 1]; nan without true targets. The Pd of a rate is the best that any threshold reaches without
        exceeding the rate, or 0 if none does, so that Fa need not be monotonic in the threshold.
    """
    if not curve or not curve[0].truth_targets:
        return math.nan
    points = sorted((rate(score), score.pd) for score in curve)
    area = best = last = 0.0
    for at, pd in points:
        if at >= cut:
            break
        area += best * (at - last)
        best, last = max(best, pd), at
    return (area + best * (cut - last)) / cut
