"""MCLC: Monte-Carlo linear clustering of a noisy window, then a dense CRF.

Written from a description of the program that its authors published; no code was taken over.
Reference: B. Li et al., "Monte Carlo Linear Clustering with Single-Point Supervision is Enough for
Infrared Small Target Detection", ICCV 2023.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from skimage.segmentation import slic

from pointmask.annotator.target import Annotation
from pointmask.bench.baselines.base import Baseline
from pointmask.bench.baselines.parts.crf import PairKernel, dense_crf
from pointmask.bench.baselines.parts.frame import (
    TargetPatch,
    as_rgb8,
    checked_points,
    checked_priors,
    compose,
    empty_patch,
    is_workable,
)
from pointmask.bench.baselines.sizes import Box, SizePrior

_SALT = 0.05
_SEGMENTS = 9
_COMPACTNESS = 20.0
_CRF = (PairKernel(compat=3, sigma_xy=3), PairKernel(compat=10, sigma_xy=32, sigma_rgb=13))
_CRF_ITERATIONS = 1
_SLIPPED_EXTENT = 3


class MCLC(Baseline):
    """Monte-Carlo linear clustering.

    Clustering and CRF see the colours. Of a size prior the box alone is used.

    Parameters
    ----------
    repetitions : int
        Number of noisy clusterings, 50 as published.
    symmetric_point_box : bool
        The published program always gives the smallest boxes a right half-extent of 3 px, by a slip. True
        takes the extent of the prior.
    """

    label = "MCLC"

    def __init__(self, *, repetitions: int = 50, symmetric_point_box: bool = False) -> None:
        self._repetitions, self._symmetric_point_box = repetitions, symmetric_point_box

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
            Over each box: ``soft`` is the share of the votes, ``mask`` the CRF's decision.
        """
        rgb = as_rgb8(image)
        shape = rgb.shape[:2]
        clicks = checked_points(points, shape)
        rng = np.random.default_rng(seed)
        priors = checked_priors(size_prior, clicks, rng)
        if not self._symmetric_point_box:
            priors = [_slipped(prior) for prior in priors]
        boxes = [prior.box(click, shape) for prior, click in zip(priors, clicks, strict=True)]
        votes = _votes(rgb, clicks, boxes, rng, self._repetitions)
        patches = [_patch(rgb, click, box, votes) for click, box in zip(clicks, boxes, strict=True)]
        return compose(shape, patches)


def _slipped(prior: SizePrior) -> SizePrior:
    if not prior.is_point_box:
        return prior
    return SizePrior(prior.up, prior.down, prior.left, _SLIPPED_EXTENT, prior.target_class)


def _votes(
    rgb: NDArray[np.uint8],
    clicks: list[tuple[int, int]],
    boxes: list[Box],
    rng: np.random.Generator,
    repetitions: int,
) -> NDArray[np.int32]:
    """Count, for each pixel of the image, the repetitions in which it shared a segment with a click.

    A pixel in two targets' segments of one repetition counts once.
    """
    votes = np.zeros(rgb.shape[:2], np.int32)
    last_vote = np.zeros(rgb.shape[:2], np.int32)
    workable = [(click, box) for click, box in zip(clicks, boxes, strict=True) if is_workable(box)]
    crops = [rgb[box] / 255.0 for _, box in workable]
    for repetition in range(1, repetitions + 1):
        for (click, box), crop in zip(workable, crops, strict=True):
            fresh = _segment(crop, click, box, rng) & (last_vote[box] != repetition)
            votes[box] += fresh
            last_vote[box][fresh] = repetition
    return votes


def _segment(
    crop: NDArray[np.float64], click: tuple[int, int], box: Box, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Segment under the click in one salted copy of the crop."""
    salted = np.where(rng.random(crop.shape) < _SALT, 1.0, crop)
    labels = slic(salted, n_segments=_SEGMENTS, compactness=_COMPACTNESS, channel_axis=-1)
    rows, cols = labels.shape
    row, col = min(click[0] - box[0].start, rows - 1), min(click[1] - box[1].start, cols - 1)
    segment: NDArray[np.bool_] = labels == labels[row, col]
    return segment


def _patch(rgb: NDArray[np.uint8], click: tuple[int, int], box: Box, votes: NDArray[np.int32]) -> TargetPatch:
    if not is_workable(box):
        return empty_patch(click)
    share = (votes[box] / max(votes[box].max(), 1)).astype(np.float32)
    posterior = dense_crf(share, rgb[box], _CRF, _CRF_ITERATIONS)
    return TargetPatch(click, box, share, posterior > 0.5)
