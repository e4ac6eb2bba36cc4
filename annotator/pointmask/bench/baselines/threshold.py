"""The simplest annotator worth naming: a fraction of the local contrast, connected to the click."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage as ndi

from pointmask.annotator.target import Annotation
from pointmask.bench.baselines.base import Baseline
from pointmask.bench.baselines.parts.frame import (
    TargetPatch,
    as_rgb8,
    checked_points,
    checked_priors,
    compose,
    empty_patch,
    luma8,
)
from pointmask.bench.baselines.sizes import Box, SizePrior

_EIGHT_NEIGHBOURS = np.ones((3, 3), np.bool_)


class Threshold(Baseline):
    """A threshold between each target's peak and its background.

    The background is the median of the box, the peak the largest value in the 3x3 pixels round the click,
    where the mask also starts. Of a size prior the box alone is used.

    Parameters
    ----------
    fraction : float
        Position of the threshold between background (0) and peak (1).

    Raises
    ------
    ValueError
        If `fraction` is not between 0 and 1.
    """

    label = "threshold"

    def __init__(self, *, fraction: float = 0.5) -> None:
        if not 0 < fraction < 1:
            raise ValueError(f"fraction is {fraction}; it must lie between 0 and 1, both excluded")
        self._fraction = fraction

    def annotate(
        self,
        image: ArrayLike,
        points: Sequence[tuple[int, int]],
        *,
        size_prior: Sequence[SizePrior] | None = None,
        seed: int = 0,
    ) -> Annotation:
        """Annotate one image.

        Returns
        -------
        Annotation
            Over each box: ``soft`` is the contrast relative to the peak's, clipped to [0, 1]; ``mask`` the
            8-connected pixels above the threshold that hold the peak.
        """
        gray = luma8(as_rgb8(image))
        clicks = checked_points(points, gray.shape)
        priors = checked_priors(size_prior, clicks, np.random.default_rng(seed))
        patches = [
            _patch(gray, click, prior.box(click, gray.shape), self._fraction)
            for prior, click in zip(priors, clicks, strict=True)
        ]
        return compose(gray.shape, patches)


def _patch(gray: NDArray[np.uint8], click: tuple[int, int], box: Box, fraction: float) -> TargetPatch:
    window = gray[box].astype(np.float32)
    if window.size == 0:
        return empty_patch(click)
    row = min(click[0] - box[0].start, window.shape[0] - 1)
    col = min(click[1] - box[1].start, window.shape[1] - 1)
    top, left = max(row - 1, 0), max(col - 1, 0)
    around = window[top : row + 2, left : col + 2]
    peak = np.unravel_index(np.argmax(around), around.shape)
    base = np.median(window)
    contrast = around[peak] - base
    if contrast <= 0:
        return TargetPatch(click, box, np.zeros_like(window), np.zeros(window.shape, np.bool_))
    soft = np.clip((window - base) / contrast, 0, 1)
    labels, _ = ndi.label(soft > fraction, _EIGHT_NEIGHBOURS)
    return TargetPatch(click, box, soft, labels == labels[top + peak[0], left + peak[1]])
