"""How good a detector is on a list of images: one pass, every threshold, by data set and by target size."""

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pointmask.metrics.counters import Score, score
from pointmask.metrics.data_sets import data_set_of
from pointmask.metrics.targets import SIZE_CLASSES, Detection, TargetTally, score_detections
from pointmask_trainer.data.normalisation import Normalisation
from pointmask_trainer.data.split import Mask, Split
from pointmask_trainer.detectors.base import Detector
from pointmask_trainer.inference.tiles import predict_pool

Probabilities = NDArray[np.float32]

THRESHOLDS = tuple(1 / (1 + math.exp(-logit / 2)) for logit in range(-20, 21))
"""Even steps of a half in the logit, from 0.00005 to 0.99995: detectors are seldom unsure, so most of a
curve lies near 0 and 1. The one in the middle is 0.5 exactly."""

HALF = len(THRESHOLDS) // 2
"""Index of 0.5, the threshold of all plain figures."""

AUC_CUTS = (0.5e-4, 1e-4)
"""Rates of false alarms up to which the area under the curve is taken."""


@dataclass(frozen=True, slots=True)
class SizeTally:
    """True targets of one size class; sum over images.

    Attributes
    ----------
    found : int
        Targets that count in Pd.
    fits : TargetTally
        How well the matched component fits each target; a missed one counts with IoU 0.
    """

    found: int = 0
    fits: TargetTally = field(default_factory=TargetTally)

    def __add__(self, other: "SizeTally") -> "SizeTally":
        return SizeTally(self.found + other.found, self.fits + other.fits)

    @classmethod
    def of(cls, detections: Sequence[Detection]) -> "SizeTally":
        """Sum up single targets."""
        fits = TargetTally.of([detection.score for detection in detections])
        return cls(sum(detection.found for detection in detections), fits)

    @property
    def pd(self) -> float:
        """Share of targets found, in [0, 1]; nan without targets."""
        return self.found / self.fits.count if self.fits.count else math.nan


@dataclass(slots=True)
class EvaluationTally:
    """Counters of some images at every threshold.

    Attributes
    ----------
    curve : list of Score
        One per entry of `THRESHOLDS`.
    sizes : dict of str to SizeTally
        At threshold 0.5, by the true target's size class.
    images : int
    """

    curve: list[Score] = field(default_factory=lambda: [Score()] * len(THRESHOLDS))
    sizes: dict[str, SizeTally] = field(default_factory=lambda: {name: SizeTally() for name in SIZE_CLASSES})
    images: int = 0

    @property
    def score(self) -> Score:
        """Counters at threshold 0.5."""
        return self.curve[HALF]

    def add(self, curve: Sequence[Score], detections: Sequence[Detection]) -> None:
        """Add one image."""
        self.curve = [total + one for total, one in zip(self.curve, curve, strict=True)]
        for name in SIZE_CLASSES:
            own = [found for found in detections if found.score.size_class == name]
            self.sizes[name] += SizeTally.of(own)
        self.images += 1


@dataclass(slots=True)
class Evaluation:
    """What `evaluate` found.

    Attributes
    ----------
    whole : EvaluationTally
        All images.
    data_sets : dict of str to EvaluationTally
        By `pointmask.metrics.data_sets.data_set_of`, sorted by name.
    unseen : EvaluationTally or None
        Images that the run has neither trained nor validated on; None if it knows none of them, or all.
    """

    whole: EvaluationTally
    data_sets: dict[str, EvaluationTally]
    unseen: EvaluationTally | None = None


def evaluate(
    model: Detector,
    normalisation: Normalisation,
    split: Split,
    truths: Sequence[Mask],
    *,
    known: Collection[str] = (),
    seen: Callable[[int, Probabilities], None] | None = None,
) -> Evaluation:
    """Score a detector's predictions of whole images at native resolution.

    Parameters
    ----------
    model : Detector
    normalisation : Normalisation
        Of the weights.
    split : Split
        On the model's device.
    truths : sequence of (H, W) bool arrays
        In the order of the split.
    known : collection of str
        Ids of images that the model was trained or chosen by.
    seen : callable, optional
        Called with each image's index and its (H, W) float32 probabilities, not in order.

    Returns
    -------
    Evaluation
    """
    whole, unseen = EvaluationTally(), EvaluationTally()
    data_sets = {name: EvaluationTally() for name in sorted({data_set_of(key) for key in split.ids})}
    for index, tensor in predict_pool(model, split.images, normalisation):
        probabilities = tensor.cpu().numpy()
        curve = curve_of(probabilities, truths[index])
        detections = score_detections(probabilities > THRESHOLDS[HALF], truths[index])
        for tally in (whole, data_sets[data_set_of(split.ids[index])]):
            tally.add(curve, detections)
        if split.ids[index] not in known:
            unseen.add(curve, detections)
        if seen:
            seen(index, probabilities)
    return Evaluation(whole, data_sets, unseen if 0 < unseen.images < whole.images else None)


def curve_of(probabilities: Probabilities, truth: Mask) -> list[Score]:
    """Score one image at each of `THRESHOLDS`.

    Parameters
    ----------
    probabilities : (H, W) float32 array in [0, 1]
    truth : (H, W) bool array

    Returns
    -------
    list of Score
        Of ``probabilities > threshold``.
    """
    passed = np.searchsorted(THRESHOLDS, probabilities.astype(np.float64))  # how many thresholds lie below
    present = np.bincount(passed.ravel(), minlength=len(THRESHOLDS) + 1)
    scores: list[Score] = []
    for k in range(len(THRESHOLDS)):
        # Where no pixel lies between two thresholds, their masks are the same.
        scores.append(scores[-1] if k and not present[k] else score(passed > k, truth))
    return scores


def false_pixel_rate(counted: Score) -> float:
    """Predicted pixels off every true target over all pixels; never grows with the threshold, as Fa may."""
    return (counted.union - counted.truth_pixels) / counted.pixels if counted.pixels else math.nan


def area_under(
    curve: Sequence[Score], cut: float, rate: Callable[[Score], float] = lambda one: one.fa
) -> float:
    """Mean Pd over rates of false alarms from 0 to a cut: ``(1 / cut) * integral of Pd``.

    Parameters
    ----------
    curve : sequence of Score
        At any thresholds.
    cut : float
        Largest rate, above 0.
    rate : callable
        Rate of false alarms of a score: Fa by default, or `false_pixel_rate`.

    Returns
    -------
    float
        In [0, 1]. At each rate the best Pd counts that some threshold reaches without exceeding the rate, 0
        where none does; so it does not matter that Fa may grow with the threshold. nan without true targets.
    """
    if not curve or not curve[0].truth_targets:
        return math.nan
    points = sorted((rate(one), one.pd) for one in curve)
    area = best = last = 0.0
    for at, pd in points:
        if at >= cut:
            break
        area += best * (at - last)
        best, last = max(best, pd), at
    return (area + best * (cut - last)) / cut
