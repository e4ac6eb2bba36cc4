"""Figures per target: the fit of each point's mask to its true target."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from math import nan
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pointmask.components import components
from pointmask.metrics.assignment import AssignmentRule
from pointmask.metrics.counters import binarise, matched_targets

if TYPE_CHECKING:
    from pointmask.annotator.target import Annotation

# True area in pixels: largest of the class, and its name.
_SIZE_CLASSES = ((9, "<=9"), (25, "10-25"), (81, "26-81"))
SIZE_CLASSES = (*(name for _, name in _SIZE_CLASSES), ">81")

_COLLAPSED = 0.2  # IoU below which a mask is useless
_OVERGROWN = 4  # times the true area
_NEAR = 3.0  # px; a point farther from all true pixels, and outside all boxes, has no true target


@dataclass(frozen=True, slots=True)
class TargetScore:
    """One point's mask against the true target it belongs to.

    Attributes
    ----------
    truth_area, area : int
        Pixels of the true target, and of the mask, without those on other true targets.
    intersection : int
        Pixels in common.
    """

    truth_area: int
    area: int
    intersection: int

    @property
    def iou(self) -> float:
        """Intersection over union, in [0, 1]."""
        return self.intersection / (self.truth_area + self.area - self.intersection)

    @property
    def collapsed(self) -> bool:
        """Whether the IoU is under 0.2."""
        return self.iou < _COLLAPSED

    @property
    def overgrown(self) -> bool:
        """Whether the mask has more than 4 times the true area."""
        return self.area > _OVERGROWN * self.truth_area

    @property
    def size_class(self) -> str:
        """Class of the true area in pixels, one of `SIZE_CLASSES`."""
        return next((name for limit, name in _SIZE_CLASSES if self.truth_area <= limit), SIZE_CLASSES[-1])


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetTally:
    """Sums over targets, which can be added.

    Attributes
    ----------
    count : int
        Targets.
    iou_sum : float
        Sum of their IoU.
    collapsed, overgrown : int
        Targets with an IoU under 0.2; with more than 4 times the true area.
    """

    count: int = 0
    iou_sum: float = 0.0
    collapsed: int = 0
    overgrown: int = 0

    @classmethod
    def of(cls, scores: Sequence[TargetScore]) -> "TargetTally":
        """Sum up single targets."""
        return cls(
            count=len(scores),
            iou_sum=sum(s.iou for s in scores),
            collapsed=sum(s.collapsed for s in scores),
            overgrown=sum(s.overgrown for s in scores),
        )

    def __add__(self, other: "TargetTally") -> "TargetTally":
        if not isinstance(other, TargetTally):
            return NotImplemented
        return TargetTally(**{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)})

    @property
    def mean_iou(self) -> float:
        """Mean over targets, in [0, 1]; nan without targets."""
        return self.iou_sum / self.count if self.count else nan

    @property
    def collapsed_share(self) -> float:
        """Share of targets with an IoU under 0.2; nan without targets."""
        return self.collapsed / self.count if self.count else nan

    @property
    def overgrown_share(self) -> float:
        """Share of targets with a mask of more than 4 times the true area; nan without targets."""
        return self.overgrown / self.count if self.count else nan


def true_targets(truth: ArrayLike, points: Sequence[tuple[int, int]]) -> tuple[NDArray[np.int32], list[int]]:
    """Find the true target of each point.

    A point belongs to the 8-connected component under it. A centroid may fall beside a concave target;
    it then belongs to the nearest component, if one of its pixels is less than 3 px away or its bounding
    box contains the point.

    Parameters
    ----------
    truth : array_like
        ``(H, W)`` mask, bool or uint8 (above 127 is target).
    points : sequence of (int, int)
        (row, col) in pixels.

    Returns
    -------
    labels : ndarray
        ``(H, W)`` int32 components, 0 background.
    ids : list of int
        Label of each point's component, 0 if there is no true target.
    """
    labels, _ = components(binarise(truth))
    pixels = np.argwhere(labels)
    return labels, [_component_at(labels, pixels, point) for point in points]


def score_targets(
    annotation: "Annotation", labels: NDArray[np.int32], ids: Sequence[int]
) -> list[TargetScore | None]:
    """Score the mask of each target; pixels on other true targets are ignored.

    Parameters
    ----------
    annotation : Annotation
        One target per point, in the points' order.
    labels, ids
        From `true_targets` for the same points.

    Returns
    -------
    list of TargetScore or None
        None for a point without a true target.
    """
    areas = np.bincount(labels.ravel())
    scores: list[TargetScore | None] = []
    for target, label in zip(annotation.targets, ids, strict=True):
        top, left, bottom, right = target.window
        under = labels[top:bottom, left:right][target.mask]
        hits = int(np.count_nonzero(under == label))
        outside = int(np.count_nonzero(under == 0))
        scores.append(TargetScore(int(areas[label]), hits + outside, hits) if label else None)
    return scores


@dataclass(frozen=True, slots=True)
class Detection:
    """One true target and its detection.

    Attributes
    ----------
    score : TargetScore
        The predicted component that was matched to it, against the target; empty if it was missed.
    found : bool
        Whether it counts in Pd.
    """

    score: TargetScore
    found: bool


def score_detections(
    mask: ArrayLike, truth: ArrayLike, *, match: AssignmentRule = "first"
) -> list[Detection]:
    """Score every true target against the predicted component that `score` matches to it.

    Parameters
    ----------
    mask, truth : array_like
        ``(H, W)`` of one shape, bool or uint8 (above 127 is target).
    match : {"first", "nearest", "hungarian"}
        As for `pointmask.metrics.counters.score`.

    Returns
    -------
    list of Detection
        One per 8-connected true component, in raster order. Pixels of a component on other true targets
        are ignored.
    """
    labels, count = components(binarise(truth))
    found, _ = components(binarise(mask))
    areas = np.bincount(labels.ravel(), minlength=count + 1)
    pairs = matched_targets(mask, truth, match=match)
    detections = []
    for target in range(count):
        under = labels[found == pairs[target] + 1] if target in pairs else labels[:0]
        hits = int(np.count_nonzero(under == target + 1))
        outside = int(np.count_nonzero(under == 0))
        scored = TargetScore(int(areas[target + 1]), hits + outside, hits)
        detections.append(Detection(scored, target in pairs))
    return detections


def _component_at(labels: NDArray[np.int32], pixels: NDArray[np.intp], point: tuple[int, int]) -> int:
    if labels[point] or not len(pixels):
        return int(labels[point])
    distance = np.hypot(*(pixels - point).T)
    label = int(labels[tuple(pixels[distance.argmin()])])
    own = pixels[labels[labels > 0] == label]
    inside = bool(np.all((own.min(axis=0) <= point) & (point <= own.max(axis=0))))
    return label if distance.min() < _NEAR or inside else 0
