"""The drawing style of a few masks: one number, chosen by cross-validation, kept only if it clearly gains."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pointmask.calibrate.gain import Gain, gain_of
from pointmask.calibrate.search import Counters

# Below 0.14 px no margin is large enough to change a mask; see `pointmask.kernels.outline`.
_OUTWARDS = (0.14, 0.16, 0.18, 0.2, 0.225, 0.25, 0.3, 0.35, 0.4, 0.5, 0.65, 0.8, 1.0, 1.3, 1.6, 2.0, 2.5)
_INWARDS = (-2.0, -1.6, -1.3, -1.0, -0.8, -0.65, -0.5, -0.4, -0.3, -0.25, -0.2, -0.16)
STYLES = (*_INWARDS, 0.0, *_OUTWARDS)
"""Styles that are tried, in px."""

# On the score per px away from the start, up to so many px, over the number of images: people who draw much
# larger or smaller are not rarer than those who do so a little, but a little is what chance suggests.
_PENALTY, _FAR = 1.0, 0.3
_LEAST = 0.02  # of gain in mean IoU of images; what is less is within what one person draws twice
_ERRORS = 0.5  # standard errors that the gain must exceed; with 1, five masks of true styles were refused


@dataclass(frozen=True, slots=True)
class StyleFit:
    """Outcome of a fit of the style.

    Attributes
    ----------
    start, style : float
        In px, before and after; equal if the fit was not kept.
    best : float
        The style that fits all given images best, kept or not.
    gain : Gain
        On the given images, each judged with the style that the others chose.
    """

    start: float
    style: float
    best: float
    gain: Gain

    @property
    def line(self) -> str:
        """The outcome as one line of text."""
        if self.style != self.start:
            return f"style: {self.start:g} -> {self.style:g} px of margin, kept"
        if self.best != self.start:
            return f"style: stays at {self.start:g} px; {self.best:g} does not clearly gain"
        return f"style: stays at {self.start:g} px, which fits best"


def tried_styles(start: float) -> tuple[float, ...]:
    """Return the styles to try, rising, with the start among them."""
    return tuple(sorted({*STYLES, start}))


def fit_style(counters: NDArray[np.float64], styles: tuple[float, ...], start: float, seed: int) -> StyleFit:
    """Choose a style.

    Parameters
    ----------
    counters : (images, styles, 4) float64
        See `pointmask.calibrate.search.Counters`.
    styles : tuple of float
        From `tried_styles`.
    start : float
        The style to beat.
    seed : int
        Of the bootstrap.

    Notes
    -----
    The score of a style is the mean of the pooled IoU and the mean IoU of images, less a penalty on the
    distance from the start that fades with the number of images. The best one is kept if images gain from a
    style that the others chose: by more than half a standard error and 0.02 of IoU in the mean, and without a
    loss of pooled IoU. ``benchmarks/calibration_draws.py`` measures what this keeps and refuses.
    """
    images = len(counters)
    here = styles.index(start)
    ious = counters[..., 0] / np.maximum(counters[..., 1], 1)
    sums, mean = counters.sum(axis=0), ious.sum(axis=0)
    fits_all = _best(sums, mean / images, styles, start, images)
    without = [
        _best(sums - counters[k], (mean - ious[k]) / max(images - 1, 1), styles, start, images - 1)
        for k in range(images)
    ]
    before, after = counters[:, here], counters[np.arange(images), without]
    gain = gain_of(before, after, seed)
    steps = ious[np.arange(images), without] - ious[:, here]
    error = float(np.std(steps, ddof=1)) / np.sqrt(images) if images > 1 else np.inf
    clear = steps.mean() > max(_ERRORS * error, _LEAST) and gain.pooled[1] >= gain.pooled[0]
    best = styles[fits_all]
    return StyleFit(start, best if clear else start, best, gain)


def _best(
    sums: Counters, mean: NDArray[np.float64], styles: tuple[float, ...], start: float, images: int
) -> int:
    pooled = sums[:, 0] / np.maximum(sums[:, 1], 1)
    away = np.abs(np.array(styles) - start)
    away = np.minimum(away, _FAR) + 1e-3 * away  # of styles that draw the same masks, the nearest
    return int(np.argmax((pooled + mean) / 2 - _PENALTY * away / max(images, 1)))
