"""Annotate many frames and count: per image, per target, per size class."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from masks.data import Frame, PointList
from pointmask.annotator.image import annotate
from pointmask.annotator.target import Annotation
from pointmask.metrics.counters import Score
from pointmask.metrics.targets import SIZE_CLASSES, TargetScore, TargetTally, score_targets
from pointmask.theta import Theta


@dataclass(frozen=True, slots=True, eq=False)
class FrameResult:
    """What one frame's masks are worth.

    Attributes
    ----------
    frame : Frame
    image : Score
        Pixels of the whole frame; nothing of detection is counted.
    targets : list of TargetScore
        One per point that has a true target.
    confidences : list of float
        In the same order.
    ms : float
        Processor time of `annotate` per point.
    """

    frame: Frame
    image: Score
    targets: list[TargetScore]
    confidences: list[float]
    ms: float


class Figures(TypedDict):
    """Quality over some targets; None where there is nothing to measure."""

    images: int
    targets: int
    iou: float | None
    niou: float | None
    target_iou: float | None
    collapsed: float | None
    overgrown: float | None


class SizeFigures(TypedDict):
    """Quality over the targets of one size class, each mask against its own target."""

    targets: int
    iou: float | None
    target_iou: float | None
    collapsed: float | None
    overgrown: float | None


def run(
    frames: Sequence[Frame],
    theta: Theta,
    protocol: str = "centroid",
    points: Sequence[PointList] | None = None,
) -> list[FrameResult]:
    """Annotate every frame and compare it with the truth.

    Parameters
    ----------
    frames : sequence of Frame
    theta : Theta
    protocol : {"centroid", "coarse"}
        Whose points are used, and which true targets they stand for.
    points : sequence of point lists, optional
        One list per frame: other points than the protocol's for the same targets, in the same order.
    """
    found = []
    for frame, own in zip(frames, points or [f.points[protocol] for f in frames], strict=True):
        start = time.thread_time()
        annotation = annotate(frame.image, own, theta=theta)
        ms = (time.thread_time() - start) * 1e3 / max(len(own), 1)
        found.append(_compare(frame, annotation, frame.ids[protocol], ms))
    return found


def _compare(frame: Frame, annotation: Annotation, ids: Sequence[int], ms: float) -> FrameResult:
    mask = annotation.mask
    hits = int(np.count_nonzero(frame.labels[mask]))
    truth = int(np.count_nonzero(frame.labels))
    union = int(np.count_nonzero(mask)) + truth - hits
    image = Score(
        intersection=hits,
        union=union,
        truth_pixels=truth,
        iou_sum=hits / union if union else 0.0,
        scored_images=1,
        pixels=mask.size,
    )
    scored = score_targets(annotation, frame.labels, ids)
    pairs = [(s, t.confidence) for s, t in zip(scored, annotation.targets, strict=True) if s is not None]
    return FrameResult(frame, image, [s for s, _ in pairs], [c for _, c in pairs], ms)


def figures(found: Sequence[FrameResult]) -> Figures:
    """Sum up frames."""
    image = sum((f.image for f in found), Score())
    tally = TargetTally.of([t for f in found for t in f.targets])
    return {
        "images": len(found),
        "targets": tally.count,
        "iou": number(image.iou),
        "niou": number(image.niou),
        "target_iou": number(tally.mean_iou),
        "collapsed": number(tally.collapsed_share),
        "overgrown": number(tally.overgrown_share),
    }


def by_size(found: Sequence[FrameResult]) -> dict[str, SizeFigures]:
    """Sum up targets by the class of their true area."""
    targets = [t for f in found for t in f.targets]
    result: dict[str, SizeFigures] = {}
    for name in SIZE_CLASSES:
        own = [t for t in targets if t.size_class == name]
        tally = TargetTally.of(own)
        result[name] = {
            "targets": tally.count,
            "iou": pooled(own),
            "target_iou": number(tally.mean_iou),
            "collapsed": number(tally.collapsed_share),
            "overgrown": number(tally.overgrown_share),
        }
    return result


def by_group(found: Sequence[FrameResult]) -> dict[str, list[FrameResult]]:
    """Frames of all data sets together, then of each."""
    groups = sorted({f.frame.group for f in found}, key=_group_order)
    return {"all": list(found), **{g: [f for f in found if f.frame.group == g] for g in groups}}


def pooled(targets: Sequence[TargetScore]) -> float | None:
    """Sum of intersections over sum of unions, over targets; None without any."""
    hits = sum(t.intersection for t in targets)
    union = sum(t.truth_area + t.area - t.intersection for t in targets)
    return hits / union if union else None


def number(value: float) -> float | None:
    """Round for a file; NaN becomes None, which JSON can hold."""
    return None if value != value else round(value, 6)


def _group_order(name: str) -> tuple[int, str]:
    known = ("SIRST-v1", "NUDT-SIRST", "IRSTD-1k")
    return (known.index(name) if name in known else len(known), name)
