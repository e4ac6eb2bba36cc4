"""The judgement of a whole list of clicks: do they lie on targets, and if not, what would mend them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, gammaincc

from pointmask.judgement.statistic import SLACK, Floats, Standout
from pointmask.judgement.transformations import (
    FRACTIONS,
    NEXT,
    PREVIOUS,
    SCALES,
    Cause,
    Change,
    named,
    scaled,
    shifted,
)

Places = NDArray[np.int64]
Kind = Literal["few", "fits", "displaced", "elsewhere", "nowhere"]

CHANCE = 0.1
"""Share of an image's places at which a click counts as on a target."""

_ON = -np.log10(CHANCE)
_FEWEST = 4  # distinct clicks that tell something
_DIM = 0.45  # share of clicks on targets that lists of barely visible targets reach (SNR 2: 0.5 to 0.7)
_SURE = 0.005  # probability at which such a list would do as badly
_FITS = 1e-5  # probability that chance would make any of the transformations fit as well
_BETTER = 4.0  # standard errors by which it must be better than the clicks as they are
_BAD = 0.5  # share of clicks on targets above which a list is not said to lie elsewhere
_SAMENESS = 4  # px: clicks at one place of several images, of a target that stays, tell but once
_REACH = 32  # px: constant shifts that are tried
_NEAR = 3  # px: shifts by which clicks still touch their targets
_WIDE = 6  # px: shifts of clicks that still do so now and then
_CLEAR = 5.0  # standard errors, for such shifts
_GAIN = 0.1  # of the contrast, for such shifts
_ROUNDING = 0.5  # px: published points are rounded down, so that targets lie half a pixel below and right
_CORNER = 0.8  # px along both axes from which a shift down and right is that of corners
_FROM_ONE = 0.35  # px along both axes from which a shift up and left is that of counting from 1
_SURELY = 4.0  # standard errors, for both
_SEARCH_COST = 0.1  # by which the mean surprise of a searched cause must beat that of one with a name


@dataclass(frozen=True, slots=True, eq=False)
class Clicked:
    """
    One image and what is said of it.

    Attributes
    ----------
    pixels : (H, W) real, or Standout
        The image, or what was made of it before.
    clicks : (K, 2) int
        Rows and columns; they may lie outside.
    previous, following : (K, 2) int
        Clicks of the images before and after it, in natural order of names; empty if there is none.
    """

    pixels: NDArray[Any] | Standout
    clicks: Places
    previous: Places = field(default_factory=lambda: np.empty((0, 2), np.int64))
    following: Places = field(default_factory=lambda: np.empty((0, 2), np.int64))


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    What is to be thought of a list of clicks.

    Attributes
    ----------
    kind : {"few", "fits", "displaced", "elsewhere", "nowhere"}
        Too few distinct clicks to tell; nothing wrong; a few pixels beside the targets; where a systematic
        error put them; on no target for no known reason.
    clicks, images : int
        How many were judged.
    on_target : int
        Clicks at which the image stands out as it does at a tenth of its places.
    cause : Cause or None
        Systematic error that explains the clicks.
    mended : int
        Clicks on targets, were it undone.
    """

    kind: Kind
    clicks: int
    images: int
    on_target: int = 0
    cause: Cause | None = None
    mended: int = 0

    @property
    def is_wrong(self) -> bool:
        """Whether the list should be corrected."""
        return self.kind in ("displaced", "elsewhere", "nowhere")

    @property
    def makes_sense(self) -> bool:
        """Whether masks of these clicks are worth having: they touch targets, or too few are known."""
        return self.kind not in ("elsewhere", "nowhere")

    def __str__(self) -> str:
        said = f"{self.on_target:,} of {self.clicks:,} clicks in {self.images:,} images"
        figures = f"{said} show a target, where chance gives {CHANCE * self.clicks:,.0f}"
        if self.cause is None:
            return f"{figures}; no usual error explains it" if self.kind == "nowhere" else figures
        mended = f" (undone, {self.mended:,} would)" if self.mended > self.on_target else ""
        return f"{figures}; the clicks {self.cause.what}{mended}"

    @property
    def fix(self) -> str:
        """What to do; empty if nothing is wrong."""
        if self.cause is not None:
            return self.cause.fix
        if self.kind == "nowhere":
            return "look at some clicks on their images (annotate --save overlay): order and unit of x and y"
        return ""


@dataclass(frozen=True, slots=True, eq=False)
class _Image:
    """One image in the form in which it is asked again and again."""

    standout: Standout
    rows: Floats
    cols: Floats
    previous: Places
    following: Places

    def scores(self, change: Change | None, slack: int = SLACK) -> Floats:
        rows, cols = self.rows, self.cols
        if change is not None:
            rows, cols = change(rows, cols, self.standout.shape)
        return self.standout.at(rows, cols, slack)


def judge(frames: Iterable[Clicked]) -> Verdict:
    """
    Judge a list of clicks as a whole.

    Parameters
    ----------
    frames : iterable of Clicked
        Images with clicks, or a sample of them: some hundred clicks are plenty. Pixels are not kept.

    Returns
    -------
    Verdict
        The same for the same input.
    """
    images: list[_Image] = []
    places: set[tuple[int, int]] = set()
    at_origin: list[bool] = []
    for frame in frames:
        at_origin += [_is_at_origin(frame)] * (len(frame.clicks) > 0)
        images += _distinct(frame, places)
    count = sum(image.rows.size for image in images)
    if len(at_origin) > 1 and all(at_origin):
        return Verdict("elsewhere", len(at_origin), len(at_origin), 0, FRACTIONS)
    if count < _FEWEST:
        return Verdict("few", count, len(images))
    before = _joined(images, None)
    on = int((before > _ON).sum())
    if on < _BAD * count:
        found = _elsewhere(images, before)
        if found is not None:
            return Verdict("elsewhere", count, len(images), on, *found)
        if bdtr(on, count, _DIM) < _SURE:
            return Verdict("nowhere", count, len(images), on)
    cause = _displaced(images)
    if cause is not None:
        mended = int((_joined(images, cause.change) > _ON).sum())
        return Verdict("displaced", count, len(images), on, cause, mended)
    return Verdict("fits", count, len(images), on)


def _distinct(frame: Clicked, places: set[tuple[int, int]]) -> list[_Image]:
    """Drop clicks where an earlier image has one: a target or a lamp that stays tells but once."""
    own = [(int(row), int(col)) for row, col in frame.clicks]
    new = [(row, col) for row, col in own if (row // _SAMENESS, col // _SAMENESS) not in places]
    places.update((row // _SAMENESS, col // _SAMENESS) for row, col in new)
    if not new:
        return []
    rows, cols = np.array(new, np.float64).T
    standout = frame.pixels if isinstance(frame.pixels, Standout) else Standout(frame.pixels)
    return [_Image(standout, rows, cols, frame.previous, frame.following)]


def _is_at_origin(frame: Clicked) -> bool:
    """Whether all clicks lie in the four pixels at the origin, as rounded fractions do."""
    return bool(((frame.clicks == 0) | (frame.clicks == 1)).all()) and min(frame.pixels.shape) >= 16


def _joined(images: Sequence[_Image], change: Change | None, slack: int = SLACK) -> Floats:
    """Surprise at all clicks, each moved."""
    return np.concatenate([image.scores(change, slack) for image in images])


def _elsewhere(images: Sequence[_Image], before: Floats) -> tuple[Cause, int] | None:
    """Find the systematic error that explains clicks which show no targets, and how many it mends."""
    known = [(cause, _joined(images, cause.change)) for cause in named({i.standout.shape for i in images})]
    known += [(NEXT, _neighbours(images, "previous")), (PREVIOUS, _neighbours(images, "following"))]
    tries = len(known) + SCALES.size + (2 * _REACH + 1) ** 2
    likely = [(float(after.mean()), cause, after) for cause, after in known if after.size]
    likely.append(_best_scale(images))
    likely.append(_best_shift(images))
    best = max(likely, key=lambda one: one[0])
    after = best[2]
    error = np.hypot(_error(after), _error(before))
    if _by_chance(after) * tries > _FITS or after.mean() < before.mean() + _BETTER * error:
        return None
    return best[1], int((after > _ON).sum())


def _best_scale(images: Sequence[_Image]) -> tuple[float, Cause, Floats]:
    """Try all common factors."""
    scores = np.concatenate(
        [
            image.standout.at(
                (image.rows[:, None] + 0.5) * SCALES - 0.5, (image.cols[:, None] + 0.5) * SCALES - 0.5
            )
            for image in images
        ]
    )
    best = int(np.argmax(scores.mean(axis=0)))
    after = scores[:, best]
    return float(after.mean()) - _SEARCH_COST, scaled(float(SCALES[best])), after


def _best_shift(images: Sequence[_Image]) -> tuple[float, Cause, Floats]:
    """Try all shifts: coarsely with the slack of a click, then without it round the best."""
    steps = np.arange(-_REACH, _REACH + 1, SLACK)
    down, right = (axis.ravel() for axis in np.meshgrid(steps, steps, indexing="ij"))
    rough = _shift_scores(images, down, right, SLACK).mean(axis=0)
    at = int(np.argmax(rough))
    fine_down, fine_right = _square(_NEAR)
    fine_down, fine_right = fine_down + down[at], fine_right + right[at]
    exact = _shift_scores(images, fine_down, fine_right, 0).mean(axis=0)
    best = int(np.argmax(exact))
    cause = shifted(int(fine_down[best]), int(fine_right[best]))
    after = _joined(images, cause.change)
    return float(after.mean()) - _SEARCH_COST, cause, after


def _shift_scores(images: Sequence[_Image], down: Places, right: Places, slack: int) -> Floats:
    """Surprise at all clicks (rows) under all shifts (columns)."""
    return np.concatenate(
        [i.standout.at(i.rows[:, None] + down, i.cols[:, None] + right, slack) for i in images]
    )


def _neighbours(images: Sequence[_Image], which: Literal["previous", "following"]) -> Floats:
    """Surprise at the places that the clicks of the neighbouring image name."""
    scores = []
    for image in images:
        clicks = getattr(image, which)
        scores.append(image.standout.at(clicks[:, 0], clicks[:, 1]))
    return np.concatenate(scores)


def _by_chance(scores: Floats) -> float:
    """Probability that clicks set by chance surprise as much together, after Fisher."""
    return float(gammaincc(scores.size, scores.sum() * np.log(10)))


def _error(scores: Floats) -> float:
    """Give the standard error of a mean; never that of certainty, however few and equal the scores."""
    return float(max(scores.std(), 0.3) / np.sqrt(scores.size))


def _displaced(images: Sequence[_Image]) -> Cause | None:
    """Find a constant shift by a few pixels, at which clicks still touch their targets."""
    down, right = _square(_WIDE)
    shown = _profiles(images, down, right)
    gain = shown - shown[:, [down.size // 2]]
    best = int(np.argmax(gain.mean(axis=0)))
    error = max(float(gain[:, best].std()), 0.05) / np.sqrt(len(gain))
    far = max(abs(int(down[best])), abs(int(right[best])))
    clear = far > 1 and gain[:, best].mean() > max(_GAIN, _CLEAR * error)
    if clear and far > _NEAR:
        return shifted(int(down[best]), int(right[best]))
    by_rounding = _by_corner_or_one(images)
    if by_rounding is None and clear:
        return shifted(int(down[best]), int(right[best]))
    return by_rounding


def _by_corner_or_one(images: Sequence[_Image]) -> Cause | None:
    """Tell corners of boxes, and counting from 1, by where targets lie from the clicks on average."""
    down, right = _square(_NEAR)
    shown = _profiles(images, down, right)
    weights = (shown - shown.min(axis=1, keepdims=True)) ** 2
    total = np.maximum(weights.sum(axis=1), 1e-12)
    beside = np.stack([weights @ down / total, weights @ right / total])
    middle, both = beside.mean(axis=1), beside.sum(axis=0)
    error = max(float(both.std()), 0.5) / np.sqrt(both.size)
    if middle.min() > _CORNER and both.mean() > 2 * _ROUNDING + _SURELY * error:
        return shifted(*(max(2, int(beyond + 0.5)) for beyond in middle))
    if -2 < middle.min() <= middle.max() < -_FROM_ONE and both.mean() < -_SURELY * error:
        return shifted(-1, -1)
    return None


def _square(reach: int) -> tuple[Places, Places]:
    """Give the steps down and right to all places of a square, the middle of which is none."""
    steps = np.arange(-reach, reach + 1)
    down, right = np.meshgrid(steps, steps, indexing="ij")
    return down.ravel(), right.ravel()


def _profiles(images: Sequence[_Image], down: Places, right: Places) -> Floats:
    """Contrast round each click (rows), as a share of the largest."""
    return np.concatenate(
        [i.standout.profile(i.rows[:, None] + down, i.cols[:, None] + right) for i in images]
    )
