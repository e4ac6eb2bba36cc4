"""The simplest annotator worth naming: a fraction of the local contrast, connected to the click."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage as ndi

from pointmask.annotator.target import Annotation
from pointmask.bench.baselines._frame import (
    Patch,
    as_rgb8,
    checked_points,
    checked_priors,
    compose,
    empty_patch,
    luma8,
)
from pointmask.bench.baselines._sizes import Box, SizePrior

_EIGHT_NEIGHBOURS = np.ones((3, 3), np.bool_)


def threshold(
    image: ArrayLike,
    points: Sequence[tuple[int, int]],
    *,
    size_prior: Sequence[SizePrior] | None = None,
    seed: int = 0,
    fraction: float = 0.5,
) -> Annotation:
    """Annotate one image by a threshold between each target's peak and its background.

    The background is the median of the box, the peak the largest value in the 3x3 pixels round the click,
    where the mask also starts.

    Parameters
    ----------
    image : array_like of shape (H, W) or (H, W, 3)
        Bright targets on a darker background. uint8 is used as it is, other types are stretched to 8 bit.
    points : sequence of tuple of int
        Clicks (row, col), 0-based.
    size_prior : sequence of SizePrior, optional
        One per point; the box alone is used. By default a fixed box of 10 to 11 px each side.
    seed : int
        Seed of the boxes, where none are given.
    fraction : float, optional
        Where the threshold lies between background (0) and peak (1).

    Returns
    -------
    Annotation
        Over each box: ``soft`` is the contrast relative to the peak's, clipped to [0, 1]; ``mask`` the
        8-connected pixels above the threshold that hold the peak.

    Raises
    ------
    ImageError, PointsError
        If the image's shape or values, a point, or the number of priors does not fit.
    ValueError
        If `fraction` is not between 0 and 1.
    """
    if not 0 < fraction < 1:
        raise ValueError(f"fraction is {fraction}; it must lie between 0 and 1, both excluded")
    gray = luma8(as_rgb8(image))
    clicks = checked_points(points, gray.shape)
    priors = checked_priors(size_prior, clicks, np.random.default_rng(seed))
    patches = [
        _patch(gray, click, prior.box(click, gray.shape), fraction)
        for prior, click in zip(priors, clicks, strict=True)
    ]
    return compose(gray.shape, patches)


def _patch(gray: NDArray[np.uint8], click: tuple[int, int], box: Box, fraction: float) -> Patch:
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
        return Patch(click, box, np.zeros_like(window), np.zeros(window.shape, np.bool_))
    soft = np.clip((window - base) / contrast, 0, 1)
    labels, _ = ndi.label(soft > fraction, _EIGHT_NEIGHBOURS)
    return Patch(click, box, soft, labels == labels[top + peak[0], left + peak[1]])
