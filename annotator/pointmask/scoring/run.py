"""Masks against true masks: counters of every image, and what became of every target."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pointmask import executors
from pointmask.components import components
from pointmask.errors import ImageError
from pointmask.executors import Progress
from pointmask.io.images.masks import fitted
from pointmask.io.points.fit import fitted as fitted_points
from pointmask.io.points.names import ImageFrame
from pointmask.io.points.points import Point
from pointmask.metrics.assignment import AssignmentRule
from pointmask.metrics.counters import Empty, Score, matched_targets, score
from pointmask.metrics.rules import Compat
from pointmask.metrics.targets import TargetScore, true_targets
from pointmask.scoring.pairs import Pair
from pointmask.scoring.sources import Mask, MaskSet

Kind = Literal["found", "missed", "false alarm"]


@dataclass(frozen=True, slots=True)
class Target:
    """
    What became of one target.

    Attributes
    ----------
    kind : {"found", "missed", "false alarm"}
    box : (int, int, int, int)
        Top, left, bottom and right, half-open, of the true target, or of the false alarm.
    truth_area, area, intersection : int
        Pixels of the true target, of the mask that belongs to it without those on other targets, and of both.
    size_class : str
        Of the true target, one of `pointmask.metrics.targets.SIZE_CLASSES`; empty for a false alarm.
    """

    kind: Kind
    box: tuple[int, int, int, int]
    truth_area: int
    area: int
    intersection: int
    size_class: str

    @property
    def iou(self) -> float:
        """Intersection over union, in [0, 1]; 0 for a miss and a false alarm."""
        union = self.truth_area + self.area - self.intersection
        return self.intersection / union if union else 0.0


@dataclass(frozen=True, slots=True)
class ImageScore:
    """
    One frame, scored in every set of masks.

    Attributes
    ----------
    pair : Pair
    scores : tuple of Score
        By set; empty if `problem` is set.
    targets : tuple of (tuple of Target)
        By set.
    problem : str
        Why it could not be scored, or empty.
    """

    pair: Pair
    scores: tuple[Score, ...] = ()
    targets: tuple[tuple[Target, ...], ...] = ()
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class Scorer:
    """
    Scores one frame after the other, in any thread.

    Attributes
    ----------
    truth : MaskSet
    sets : sequence of MaskSet
    points : Mapping or None
        Clicks by image and frame: the figures of targets are then those of clicked targets, each against the
        component of the mask at its click.
    compat, match, empty
        As for `pointmask.metrics.counters.score`. Figures of single targets always follow our rule.
    """

    truth: MaskSet
    sets: Sequence[MaskSet]
    points: Mapping[ImageFrame, tuple[Point, ...]] | None = None
    compat: Compat | None = None
    match: AssignmentRule = "first"
    empty: Empty = "zero"

    def __call__(self, pair: Pair) -> ImageScore:
        """Read and score the masks of one frame."""
        try:
            truth = self.truth.read(*pair.truth)
            graded = truth if self.compat is None else self.truth.stored(*pair.truth)
            clicks = self._clicks(pair, truth)
            scores, targets = [], []
            for masks, place in zip(self.sets, pair.masks, strict=True):
                mask = np.zeros_like(truth) if place is None else masks.read(*place)
                mask = fitted(mask, (truth.shape[0], truth.shape[1]), pair.name)
                counted = score(mask, graded, match=self.match, empty=self.empty, compat=self.compat)
                scores.append(counted)
                if clicks is None:
                    targets.append(targets_of(mask, truth, match=self.match))
                else:
                    targets.append(targets_at(mask, truth, clicks))
        except ImageError as error:
            return ImageScore(pair, problem=str(error).removeprefix(f"{pair.name}: "))
        return ImageScore(pair, tuple(scores), tuple(targets))

    def _clicks(self, pair: Pair, truth: Mask) -> list[tuple[int, int]] | None:
        if self.points is None:
            return None
        height, width = truth.shape
        found = fitted_points(self.points.get(pair.truth, ()), truth.shape)
        return [(p.row, p.col) for p in found if 0 <= p.row < height and 0 <= p.col < width]


def targets_of(mask: Mask, truth: Mask, *, match: AssignmentRule = "first") -> tuple[Target, ...]:
    """
    Say what became of each true target, by the rule of Pd, and which components are false alarms.

    Parameters
    ----------
    mask, truth : (H, W) bool
    match : {"first", "nearest", "hungarian"}
        As for `pointmask.metrics.counters.score`.

    Returns
    -------
    tuple of Target
        True targets in raster order, then false alarms.
    """
    pairs = matched_targets(mask, truth, match=match)
    labels, _ = components(truth)
    found, _ = components(mask)
    areas = np.bincount(labels.ravel())
    targets = []
    for index, box in enumerate(ndimage.find_objects(labels)):
        under = labels[found == pairs[index] + 1] if index in pairs else labels[:0]
        targets.append(_target("found" if index in pairs else "missed", box, index + 1, under, areas))
    free = set(range(int(found.max()))) - set(pairs.values())
    for index, box in enumerate(ndimage.find_objects(found)):
        if index in free:
            area = int(np.count_nonzero(found[box] == index + 1))
            targets.append(Target("false alarm", _box(box), 0, area, 0, ""))
    return tuple(targets)


def targets_at(mask: Mask, truth: Mask, clicks: Sequence[tuple[int, int]]) -> tuple[Target, ...]:
    """
    Compare the component of a mask at each click with the true target of the click.

    Parameters
    ----------
    mask, truth : (H, W) bool
    clicks : sequence of (int, int)
        Row and column, inside the image. A click without a true target is passed over; what it means that
        a click belongs to a target, `pointmask.metrics.targets.true_targets` says.

    Returns
    -------
    tuple of Target
        In the order of the clicks; missed: there is no component at the click, or it does not overlap.
    """
    labels, ids = true_targets(truth, clicks)
    found, at = true_targets(mask, clicks)
    areas = np.bincount(labels.ravel())
    boxes = ndimage.find_objects(labels)
    targets = []
    for label, component in zip(ids, at, strict=True):
        if not label:
            continue
        under = labels[found == component] if component else labels[:0]
        kind: Kind = "found" if (under == label).any() else "missed"
        targets.append(_target(kind, boxes[label - 1], label, under, areas))
    return tuple(targets)


def score_all(
    scorer: Scorer,
    pairs: Sequence[Pair],
    take: Callable[[ImageScore], None],
    *,
    threads: int = 1,
    report: Callable[[Progress], None] | None = None,
) -> None:
    """
    Score all frames.

    Parameters
    ----------
    scorer : Scorer
    pairs : sequence of Pair
    take : callable
        Called with each result, in order.
    threads : int
        Does not affect the results.
    report : callable, optional
        Called after each frame with a `pointmask.executors.Progress`.
    """
    execute = executors.serial if threads == 1 else partial(executors.threads, count=threads)
    skipped = 0
    for number, found in enumerate(execute(scorer, pairs), 1):
        skipped += bool(found.problem)
        take(found)
        if report is not None:
            report(Progress(number, len(pairs), 0, skipped))


def _target(
    kind: Kind, box: tuple[slice, slice], label: int, under: NDArray[np.int32], areas: NDArray[np.int64]
) -> Target:
    hits = int(np.count_nonzero(under == label))
    fit = TargetScore(int(areas[label]), hits + int(np.count_nonzero(under == 0)), hits)
    return Target(kind, _box(box), fit.truth_area, fit.area, fit.intersection, fit.size_class)


def _box(box: tuple[slice, slice]) -> tuple[int, int, int, int]:
    return box[0].start, box[1].start, box[0].stop, box[1].stop
