"""Fit of theta to a few dozen masks of the user, judged on held-out images."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pointmask.annotator.image import annotate
from pointmask.annotator.proof import proved
from pointmask.calibrate.knobs import LIMIT, Knob, knobs_of, turn
from pointmask.calibrate.search import PITCH, Counters, Position, Trials, choose, figures, gain_draws
from pointmask.errors import ImageError, PointsError
from pointmask.metrics.counters import binarise
from pointmask.metrics.targets import true_targets
from pointmask.theta import Polarity, Theta

Pair = tuple[ArrayLike, Sequence[tuple[int, int]], ArrayLike]
"""An image, its points (row, col), and its true mask."""

MIN_IMAGES = 8
MIN_TARGETS = 10
BUDGET = 1000
_COVER = (2.5, 97.5)  # percentiles of the interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """Gain of one theta over another on a set of images.

    Attributes
    ----------
    images, targets : int
    pooled, mean : (float, float)
        Pooled IoU, and mean IoU of targets, before and after; in [0, 1].
    pooled_interval, mean_interval : (float, float)
        95 % bootstrap interval over images of the gain in each.
    error : float
        Standard error of the mean of both gains, from the same bootstrap.
    """

    images: int
    targets: int
    pooled: tuple[float, float]
    mean: tuple[float, float]
    pooled_interval: tuple[float, float]
    mean_interval: tuple[float, float]
    error: float

    @property
    def is_gain(self) -> bool:
        """Whether neither figure fell, and their mean rose by more than one standard error."""
        steps = [after - before for before, after in (self.pooled, self.mean)]
        return min(steps) >= 0 and sum(steps) / 2 > self.error


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Outcome of `calibrate`.

    Attributes
    ----------
    theta : Theta
        The fitted theta, or `start` itself if the fit did not hold on the held-out images.
    start : Theta
    settings : Mapping of str to float
        Knobs of `pointmask.calibrate.knobs` that the fit moved, even if the fit was not kept.
    fitted, held_out : Gain
        Gain of the fit on the images it was fitted to, and on those held out.
    tried : int
        Thetas that were measured.
    """

    theta: Theta
    start: Theta
    settings: Mapping[str, float]
    fitted: Gain
    held_out: Gain
    tried: int

    @property
    def kept(self) -> bool:
        """Whether the fit was kept."""
        return self.theta is not self.start

    @property
    def lines(self) -> list[str]:
        """The outcome as lines of text."""
        return [
            f"Tried {self.tried:,} thetas on {self.fitted.images} images; {self.held_out.images} held out.",
            *(_line(name, gain) for name, gain in (("fitted", self.fitted), ("held out", self.held_out))),
            f"knobs moved: {', '.join(f'{k} {v:+g}' for k, v in self.settings.items()) or 'none'}",
            self._verdict(),
        ]

    def _verdict(self) -> str:
        if not self.settings:
            return "No change promised a gain on unseen images; the theta is the start, unchanged."
        if not self.kept:
            return "The fit does not clearly gain on the held-out images; the theta is the start, unchanged."
        if min(self.held_out.pooled_interval[0], self.held_out.mean_interval[0]) < 0:
            return "The fit gains on the held-out images too and is kept; so few could show this by chance."
        return "The fit gains on the held-out images too and is kept."


def calibrate(
    pairs: Iterable[Pair],
    *,
    theta: Theta | str | Path = "default",
    polarity: Polarity = "bright",
    seed: int = 0,
    held_out: float = 0.3,
    budget: int = BUDGET,
    tick: Callable[[int], None] | None = None,
) -> Calibration:
    """Fit theta to pairs of images and true masks.

    Parameters
    ----------
    pairs : iterable of (image, points, truth)
        As for `annotate`; ``truth`` is a ``(H, W)`` mask, bool or uint8 (above 127 is target). Images
        without points are skipped. Only the windows are kept in memory, so frames may be large.
    theta : Theta, "default", "paper" or path of a TOML file
        The start.
    polarity : {"bright", "dark", "auto"}
    seed : int
        Seed of the split, the folds and the bootstrap: same input, same outcome.
    held_out : float
        Fraction of the images that are not used for the fit, in (0, 1).
    budget : int
        Maximum number of thetas to try, at least 2. Each annotates all fitted images.
    tick : callable, optional
        Called with the number of thetas tried so far.

    Returns
    -------
    Calibration

    Raises
    ------
    PointsError
        With fewer than 8 images or 10 targets that have both a point and a true mask.
    ValueError
        If ``held_out`` or ``budget`` is out of its range.
    ImageError, ThetaError
        As `annotate`, and if a mask does not have its image's size.

    Notes
    -----
    Theta moves along a few named directions (`pointmask.calibrate.knobs`) with a penalty on the distance. Its
    weight is chosen by cross-validation on the fitted images, see `pointmask.calibrate.search.choose`. The
    held-out images are used once, at the end: unless they gain (`Gain.is_gain`), the start is returned. The
    weights of theta's confidence are not changed.
    """
    if not 0 < held_out < 1:
        raise ValueError(
            f"held_out = {held_out} must lie between 0 and 1, exclusive; choose, for example, 0.3"
        )
    if budget < 2:
        raise ValueError(f"budget = {budget} allows no trial besides the start; give at least 2")
    start = proved(theta)
    samples = [_cut(image, points, truth, start) for image, points, truth in pairs if len(points)]
    _check_enough(samples)
    order = np.random.default_rng((seed, 0)).permutation(len(samples))
    unseen = min(max(round(held_out * len(samples)), 2), len(samples) - 2)
    held, seen = ([samples[k] for k in part] for part in (order[:unseen], order[unseen:]))
    knobs = knobs_of(start)

    def measure(position: Position) -> Counters:
        counters = _measure(seen, turn(start, _settings(knobs, position)), polarity)
        if tick is not None:
            tick(trials.tried + 1)
        return counters

    trials = Trials(measure, len(knobs), round(LIMIT / PITCH), budget)
    position = choose(trials, seed)
    settings = _settings(knobs, position)
    fitted = turn(start, settings)
    check = _gain(_measure(held, start, polarity), _measure(held, fitted, polarity), seed)
    return Calibration(
        theta=fitted if check.is_gain else start,
        start=start,
        settings={knob.name: setting for knob, setting in settings.items()},
        fitted=_gain(trials.counters(trials.start), trials.counters(position), seed),
        held_out=check,
        tried=trials.tried,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Sample:
    """Crop of an image that contains all its windows, with the truth."""

    image: NDArray[Any]
    points: list[tuple[int, int]]
    labels: NDArray[np.int32]
    ids: list[int]
    areas: NDArray[np.intp]  # true pixels by label; entry 0 has those outside the part


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


def _cut(image: ArrayLike, points: Sequence[tuple[int, int]], truth: ArrayLike, theta: Theta) -> _Sample:
    check_pair(image, points, truth)
    array, mask = np.asarray(image), binarise(truth)
    labels, ids = true_targets(mask, points)
    # Nothing is read beyond this distance from a point, so the crop changes no mask.
    margin = (theta.half_size + 1) * 2**theta.octaves
    top, left = np.maximum(np.min(points, axis=0) - margin, 0)
    bottom, right = np.max(points, axis=0) + margin + 1
    areas = np.bincount(labels.ravel())
    areas[0] = 0
    return _Sample(
        array[top:bottom, left:right].copy(),
        [(int(row - top), int(col - left)) for row, col in points],
        labels[top:bottom, left:right].copy(),
        ids,
        areas,
    )


def _measure(samples: Sequence[_Sample], theta: Theta, polarity: Polarity) -> Counters:
    return np.array([_measure_one(sample, theta, polarity) for sample in samples], np.float64)


def _measure_one(sample: _Sample, theta: Theta, polarity: Polarity) -> tuple[float, float, float, float]:
    """Count as `pointmask.metrics` and `pointmask.metrics.targets` do, without full frames."""
    found = annotate(sample.image, sample.points, theta=theta, polarity=polarity)
    intersection = area = targets = 0
    iou_sum = 0.0
    for target, label in zip(found.targets, sample.ids, strict=True):
        top, left, bottom, right = target.window
        under = sample.labels[top:bottom, left:right][target.mask]
        hits = int(np.count_nonzero(under == label)) if label else 0
        intersection += int(np.count_nonzero(under))
        area += under.size
        if label:
            targets += 1
            iou_sum += hits / (int(sample.areas[label]) + int(np.count_nonzero(under == 0)))
    return intersection, int(sample.areas.sum()) + area - intersection, iou_sum, targets


def _settings(knobs: Sequence[Knob], position: Position) -> dict[Knob, float]:
    return {knob: PITCH * whole for knob, whole in zip(knobs, position, strict=True) if whole}


def _gain(before: Counters, after: Counters, seed: int) -> Gain:
    pooled_draws, mean_draws = gain_draws(before, after, seed)
    (pooled_before, mean_before), (pooled_after, mean_after) = (
        map(float, figures(counters.sum(axis=0))) for counters in (before, after)
    )
    low, high = np.percentile(pooled_draws, _COVER)
    mean_low, mean_high = np.percentile(mean_draws, _COVER)
    return Gain(
        images=len(before),
        targets=int(before[:, 3].sum()),
        pooled=(pooled_before, pooled_after),
        mean=(mean_before, mean_after),
        pooled_interval=(float(low), float(high)),
        mean_interval=(float(mean_low), float(mean_high)),
        error=float(np.std((pooled_draws + mean_draws) / 2)),
    )


def _check_enough(samples: Sequence[_Sample]) -> None:
    targets = sum(label > 0 for sample in samples for label in sample.ids)
    if len(samples) < MIN_IMAGES or targets < MIN_TARGETS:
        raise PointsError(
            f"{targets} targets in {len(samples)} images have a point and a true mask; a fit needs at least "
            f"{MIN_TARGETS} targets in {MIN_IMAGES} images, and 30 images or more to gain something; "
            "outline a few more, or annotate without --theta, with the default"
        )


def _line(name: str, gain: Gain) -> str:
    pooled, mean = (
        f"{before:.3f} -> {after:.3f} ({after - before:+.3f}, 95 % from {low:+.3f} to {high:+.3f})"
        for (before, after), (low, high) in (
            (gain.pooled, gain.pooled_interval),
            (gain.mean, gain.mean_interval),
        )
    )
    return (
        f"{name}, {gain.images} images, {gain.targets} targets: pooled IoU {pooled}; mean target IoU {mean}"
    )
