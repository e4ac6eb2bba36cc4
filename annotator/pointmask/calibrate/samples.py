"""Pairs of images and true masks, cut to what the annotator looks at, and how well a theta does on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pointmask.annotator.image import annotate
from pointmask.calibrate.search import Counters
from pointmask.errors import ImageError
from pointmask.metrics.counters import binarise
from pointmask.metrics.targets import true_targets
from pointmask.theta import Polarity, Theta

Pair = tuple[ArrayLike, Sequence[tuple[int, int]], ArrayLike]
"""An image, its points (row, col), and its true mask."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Crop of an image that contains all its windows, with the truth."""

    image: NDArray[Any]
    points: list[tuple[int, int]]
    labels: NDArray[np.int32]
    ids: list[int]
    areas: NDArray[np.intp]  # true pixels by label; entry 0 has those outside the part


@dataclass(frozen=True, slots=True)
class Judged:
    """One target: what was predicted of it, and what is true."""

    confidence: float
    iou: float
    is_beside: bool


def check_pair(image: ArrayLike, points: Sequence[tuple[int, int]], truth: ArrayLike) -> None:
    """Raise an error for a pair that `calibrate` cannot use.

    Raises
    ------
    ImageError
        If the image or the mask is not usable, or they differ in size.
    PointsError
        If a point is not a pixel of the image.
    """
    annotate(image, points)
    shapes = np.shape(image), binarise(truth).shape
    if shapes[0] != shapes[1]:
        raise ImageError(
            f"the image has shape {shapes[0]}, its true mask {shapes[1]}; both must have the same size"
        )


def cut(image: ArrayLike, points: Sequence[tuple[int, int]], truth: ArrayLike, theta: Theta) -> Sample:
    """Check a pair and keep the part of it that `theta` reads; raises as `check_pair`."""
    check_pair(image, points, truth)
    array, mask = np.asarray(image), binarise(truth)
    labels, ids = true_targets(mask, points)
    # Nothing is read beyond this distance from a point, so the crop changes no mask.
    margin = (theta.half_size + 1) * 2**theta.octaves
    top, left = np.maximum(np.min(points, axis=0) - margin, 0)
    bottom, right = np.max(points, axis=0) + margin + 1
    areas = np.bincount(labels.ravel())
    areas[0] = 0
    return Sample(
        array[top:bottom, left:right].copy(),
        [(int(row - top), int(col - left)) for row, col in points],
        labels[top:bottom, left:right].copy(),
        ids,
        areas,
    )


def measure(samples: Sequence[Sample], theta: Theta, polarity: Polarity) -> Counters:
    """Count pixels and targets of each sample, see `pointmask.calibrate.search.Counters`."""
    return np.array([_counters(sample, theta, polarity)[0] for sample in samples], np.float64)


def judged_targets(samples: Sequence[Sample], theta: Theta, polarity: Polarity) -> list[Judged]:
    """Return predicted and true IoU of every target that the truth knows."""
    return [one for sample in samples for one in _counters(sample, theta, polarity)[1]]


def _counters(
    sample: Sample, theta: Theta, polarity: Polarity
) -> tuple[tuple[float, float, float, float], list[Judged]]:
    """Count as `pointmask.metrics` and `pointmask.metrics.targets` do, without full frames."""
    found = annotate(sample.image, sample.points, theta=theta, polarity=polarity)
    intersection = area = 0
    judged = []
    for target, label in zip(found.targets, sample.ids, strict=True):
        top, left, bottom, right = target.window
        under = sample.labels[top:bottom, left:right][target.mask]
        hits = int(np.count_nonzero(under == label)) if label else 0
        intersection += int(np.count_nonzero(under))
        area += under.size
        if label:
            iou = hits / (int(sample.areas[label]) + int(np.count_nonzero(under == 0)))
            judged.append(Judged(target.confidence, iou, "beside" in target.flags))
    union = int(sample.areas.sum()) + area - intersection
    return (intersection, union, sum(one.iou for one in judged), len(judged)), judged
