"""Fit of theta to a few masks: the drawing style first and alone, then, with 30 images, the other knobs."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pointmask.annotator.proof import proved
from pointmask.calibrate.certainty import CertaintyFit, recalibrated
from pointmask.calibrate.gain import Gain, gain_of
from pointmask.calibrate.knobs import LIMIT, Knob, knobs_of, turn
from pointmask.calibrate.samples import Judged, Pair, Sample, cut, judged_targets, measure
from pointmask.calibrate.search import PITCH, Counters, Position, Trials, choose
from pointmask.calibrate.style import StyleFit, fit_style, tried_styles
from pointmask.errors import PointsError
from pointmask.theta import Polarity, Theta

MIN_IMAGES = 5
MIN_TARGETS = 5
KNOB_IMAGES = 30
"""Images from which on other knobs than the style are tried."""

LEAST_IOU = 0.3
"""Median IoU after the fit below which masks are taken for those of other images. On every 40th train image
of SIRST3 it is 0.82 with its own masks, 0.67 with boxes and 0.35 with 6 px of margin, but 0.21 to 0.23 with
masks that are shifted by 3 to 6 px, and 0.13 with masks of one pixel."""

BUDGET = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class KnobFit:
    """Outcome of the fit of the other knobs.

    Attributes
    ----------
    settings : Mapping of str to float
        Knobs of `pointmask.calibrate.knobs` that the fit moved, even if it was not kept.
    fitted, held_out : Gain
        Over the style alone, on the images it was fitted to, and on those held out.
    tried : int
        Thetas that were measured.
    kept : bool
    """

    settings: Mapping[str, float]
    fitted: Gain
    held_out: Gain
    tried: int
    kept: bool

    @property
    def lines(self) -> list[str]:
        """The outcome as lines of text."""
        return [
            f"Tried {self.tried:,} thetas on {self.fitted.images} images; {self.held_out.images} held out.",
            self.fitted.line("fitted"),
            self.held_out.line("held out"),
            f"knobs moved: {', '.join(f'{k} {v:+g}' for k, v in self.settings.items()) or 'none'}"
            f"{self._verdict()}",
        ]

    def _verdict(self) -> str:
        if not self.settings:
            return "; no change promised a gain on unseen images"
        if not self.kept:
            return "; not kept, since the held-out images do not clearly gain"
        chance = min(self.held_out.pooled_interval[0], self.held_out.mean_interval[0]) < 0
        return "; kept, but so few held-out images could gain by chance" if chance else "; kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Outcome of `calibrate`.

    Attributes
    ----------
    theta : Theta
        The start with the style and the knobs that were kept, and a recalibrated confidence.
    start : Theta
    style : StyleFit
    knobs : KnobFit or None
        None with fewer than `KNOB_IMAGES` images.
    confidence : CertaintyFit or None
        None if all masks lie beside their clicks.
    """

    theta: Theta
    start: Theta
    style: StyleFit
    knobs: KnobFit | None
    confidence: CertaintyFit | None

    @property
    def kept(self) -> bool:
        """Whether masks change."""
        return self.theta.with_(confidence=self.start.confidence) != self.start

    @property
    def lines(self) -> list[str]:
        """The outcome as lines of text."""
        few = f"Fewer than {KNOB_IMAGES} images: no other knob was tried."
        return [
            self.style.gain.line("style, each image judged with the others' choice"),
            self.style.line,
            *(self.knobs.lines if self.knobs else [few]),
            *([self.confidence.line] if self.confidence else []),
            "The masks of this theta are drawn as yours." if self.kept else "Masks stay as they were.",
        ]


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
    theta : Theta, "default", "synthetic", "paper" or path of a TOML file
        The start.
    polarity : {"bright", "dark", "auto"}
    seed : int
        Seed of the split, the folds and the bootstrap: same input, same outcome.
    held_out : float
        Fraction of the images that are not used for the fit of the other knobs, in (0, 1).
    budget : int
        Maximum number of thetas to try for the other knobs, at least 2. Each annotates all fitted images.
    tick : callable, optional
        Called with the number of those thetas tried so far.

    Returns
    -------
    Calibration

    Raises
    ------
    PointsError
        With fewer than 5 images or 5 targets that have both a point and a true mask, or if what the fitted
        theta draws hardly overlaps the true masks, as if they were those of other images.
    ValueError
        If ``held_out`` or ``budget`` is out of its range.
    ImageError, ThetaError
        As `annotate`, and if a mask does not have its image's size.

    Notes
    -----
    The drawing style is fitted first and alone, to all images: see `pointmask.calibrate.style.fit_style`.
    With 30 images or more, theta then moves along a few named directions (`pointmask.calibrate.knobs`) with a
    penalty on the distance, whose weight is chosen by cross-validation, see
    `pointmask.calibrate.search.choose`. The held-out images are used once, at the end: unless they gain
    (`Gain.is_gain`), the knobs stay. Last, the confidence is recalibrated to all images.
    """
    if not 0 < held_out < 1:
        raise ValueError(
            f"held_out = {held_out} must lie between 0 and 1, exclusive; choose, for example, 0.3"
        )
    if budget < 2:
        raise ValueError(f"budget = {budget} allows no trial besides the start; give at least 2")
    start = proved(theta)
    samples = [cut(image, points, truth, start) for image, points, truth in pairs if len(points)]
    _check_enough(samples)
    styles = tried_styles(start.style)
    counters = np.stack([measure(samples, start.with_(style=one), polarity) for one in styles], axis=1)
    style = fit_style(counters, styles, start.style, seed)
    found, knobs = start.with_(style=style.style), None
    if len(samples) >= KNOB_IMAGES:
        found, knobs = _fit_knobs(found, samples, polarity, seed, held_out, budget, tick)
    judged = judged_targets(samples, found, polarity)
    _check_overlap(judged)
    found, confidence = recalibrated(found, judged)
    return Calibration(theta=found, start=start, style=style, knobs=knobs, confidence=confidence)


def _fit_knobs(
    start: Theta,
    samples: Sequence[Sample],
    polarity: Polarity,
    seed: int,
    held_out: float,
    budget: int,
    tick: Callable[[int], None] | None,
) -> tuple[Theta, KnobFit]:
    order = np.random.default_rng((seed, 0)).permutation(len(samples))
    unseen = min(max(round(held_out * len(samples)), 2), len(samples) - 2)
    held, seen = ([samples[k] for k in part] for part in (order[:unseen], order[unseen:]))
    knobs = knobs_of(start)

    def trial(position: Position) -> Counters:
        counters = measure(seen, turn(start, _settings(knobs, position)), polarity)
        if tick is not None:
            tick(trials.tried + 1)
        return counters

    trials = Trials(trial, len(knobs), round(LIMIT / PITCH), budget)
    position = choose(trials, seed)
    settings = _settings(knobs, position)
    fitted = turn(start, settings)
    check = gain_of(measure(held, start, polarity), measure(held, fitted, polarity), seed)
    outcome = KnobFit(
        settings={knob.name: setting for knob, setting in settings.items()},
        fitted=gain_of(trials.counters(trials.start), trials.counters(position), seed),
        held_out=check,
        tried=trials.tried,
        kept=check.is_gain,
    )
    return fitted if check.is_gain else start, outcome


def _settings(knobs: Sequence[Knob], position: Position) -> dict[Knob, float]:
    return {knob: PITCH * whole for knob, whole in zip(knobs, position, strict=True) if whole}


def _check_enough(samples: Sequence[Sample]) -> None:
    targets = sum(label > 0 for sample in samples for label in sample.ids)
    if len(samples) < MIN_IMAGES or targets < MIN_TARGETS:
        raise PointsError(
            f"{targets} targets in {len(samples)} images have a point and a true mask; a fit needs at least "
            f"{MIN_TARGETS} targets in {MIN_IMAGES} images; outline a few more, or annotate with a named "
            "style, such as --style halo"
        )


def _check_overlap(judged: Sequence[Judged]) -> None:
    overlap = float(np.median([one.iou for one in judged]))
    if overlap < LEAST_IOU:
        raise PointsError(
            f"after the fit too, masks at these points overlap the given ones by {overlap:.2f} (median IoU "
            f"of {len(judged)} targets), as if these were of other images, of single pixels, or of targets "
            "of another polarity; compare them with: pointmask check IMAGES --masks MASKS"
        )
