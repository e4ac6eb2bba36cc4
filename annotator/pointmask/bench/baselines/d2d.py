"""D2D's reference annotator: heat simulated by random particles, then a dense CRF.

Written from a description of the program that its authors published; no code was taken over. The
particles are the published simulation of the diffusion that `pointmask.annotate` solves as an equation.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage as ndi
from skimage.filters.rank import entropy
from skimage.segmentation import slic

from pointmask.annotator.target import Annotation
from pointmask.bench.baselines.base import Baseline
from pointmask.bench.baselines.parts.clahe import clahe
from pointmask.bench.baselines.parts.crf import PairKernel, dense_crf
from pointmask.bench.baselines.parts.frame import (
    TargetPatch,
    as_rgb8,
    checked_points,
    checked_priors,
    compose,
    empty_patch,
    is_workable,
    luma8,
)
from pointmask.bench.baselines.sizes import Box, SizePrior, TargetClass

F64 = NDArray[np.float64]

_CLIP_LIMIT = 1.0
_TILES = 4
_MARGIN = 4
_CONDUCTANCE = 3.2
_DECAY = 6.0
_GRADIENT_SHARE = 0.6
_HEAT_SHARE = 0.84
_SEGMENTS = 16
_COMPACTNESS = 0.32
_MAX_PEAKS = 5
_CRF = (PairKernel(compat=110, sigma_xy=8, sigma_rgb=10),)
_CRF_ITERATIONS = 5
# Typed here, as scikit-image's own function is not.
_entropy: Callable[..., F64] = entropy
_FOOTPRINT = np.ones((5, 5), np.uint8)
_BLUR = np.array([0.25, 0.5, 0.25])


@dataclass(frozen=True, slots=True)
class _Walk:
    """How the particles of one class of targets walk."""

    particles: int
    steps: int
    dt: float


_WALKS: dict[TargetClass, _Walk] = {
    "point": _Walk(20, 3, 0.18),
    "spot": _Walk(260, 40, 0.2),
    "extended": _Walk(400, 120, 0.4),
}


class D2DMonteCarlo(Baseline):
    """The published particle version of D2D.

    The heat sees the equalised grey image, the CRF the colours. Of a size prior both box and class are used.
    One threshold serves all targets of the image, so a bright target can hide a dim one, as published.
    """

    label = "D2D Monte-Carlo"

    def annotate(
        self,
        image: ArrayLike,
        points: Sequence[tuple[int, int]],
        *,
        size_prior: Sequence[SizePrior] | None = None,
        seed: int = 0,
    ) -> Annotation:
        """Annotate one image.

        The seed is that of the boxes, where none are given, and of the particles. The published program seeds
        once for a whole folder, so that its masks depend on the order of the images.

        Returns
        -------
        Annotation
            Over each box: ``soft`` is the fused map of heat and cluster, ``mask`` the CRF's decision.
        """
        rgb = as_rgb8(image)
        shape = rgb.shape[:2]
        clicks = checked_points(points, shape)
        rng = np.random.default_rng(seed)
        priors = checked_priors(size_prior, clicks, rng)
        gray = clahe(luma8(rgb), clip_limit=_CLIP_LIMIT, tiles=_TILES)
        fused = np.zeros(shape, np.float32)
        for prior, click in zip(priors, clicks, strict=True):
            crop = _padded(prior.box(click, shape), shape)
            if is_workable(crop):
                origin = (click[0] - crop[0].start, click[1] - crop[1].start)
                np.maximum(
                    fused[crop], _fused_map(gray[crop], origin, prior.target_class, rng), out=fused[crop]
                )
        binary = _binarised(fused)
        patches = [
            _patch(rgb, click, prior.box(click, shape), fused, binary)
            for prior, click in zip(priors, clicks, strict=True)
        ]
        return compose(shape, patches)


def _fused_map(
    crop: NDArray[np.uint8], click: tuple[int, int], target_class: TargetClass, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Heat and cluster of one target over its padded crop, (h, w) float32 in [0, 1]."""
    unit = crop.astype(np.float32) / np.float32(255.0)
    gradient = np.stack(np.gradient(unit)).astype(np.float64)
    labels = slic(unit, n_segments=_SEGMENTS, compactness=_COMPACTNESS, channel_axis=None)
    cluster = labels == labels[click]
    sources = np.array([click, *_peaks(crop, cluster)], np.float64)
    heat = _heat(gradient, _conductance(crop, gradient), sources, _WALKS[target_class], rng)
    fused = _HEAT_SHARE * heat + (1 - _HEAT_SHARE) * cluster
    if target_class == "point":
        fused *= _centre_weight(crop.shape, click)
    clipped: NDArray[np.float32] = np.clip(fused, 0, 1).astype(np.float32)
    return clipped


def _conductance(crop: NDArray[np.uint8], gradient: F64) -> F64:
    """Diffusion coefficient of each pixel: low where the image changes or is rich in grey levels."""
    disorder = _entropy(crop, _FOOTPRINT) / 8.0
    slope = np.hypot(gradient[0], gradient[1])
    conductance: F64 = _CONDUCTANCE * np.exp(
        -_DECAY * (_GRADIENT_SHARE * slope + (1 - _GRADIENT_SHARE) * disorder)
    )
    return conductance


def _peaks(crop: NDArray[np.uint8], cluster: NDArray[np.bool_]) -> NDArray[np.intp]:
    """First few bright local maxima of the cluster, in raster order, (k, 2)."""
    is_peak = (crop == ndi.maximum_filter(crop, size=7, mode="nearest")) & cluster
    is_peak &= crop > crop.mean() + 1.5 * crop.std()
    return np.argwhere(is_peak)[:_MAX_PEAKS]


def _heat(gradient: F64, conductance: F64, sources: F64, walk: _Walk, rng: np.random.Generator) -> F64:
    """Count where particles end that drift up the gradient and diffuse; blurred, maximum 1.

    All particles of all sources move together, one array operation per step. Positions may leave the crop;
    only the look-ups and the final count are clamped, and truncation is towards zero, as published.

    Parameters
    ----------
    gradient : (2, h, w) float64
    conductance : (h, w) float64
    sources : (k, 2) float64
        Starting pixels (row, col); every source gets ``walk.particles`` particles.
    walk : _Walk
    rng : numpy.random.Generator

    Returns
    -------
    (h, w) float64 in [0, 1]
    """
    height, width = conductance.shape
    drift = gradient.reshape(2, -1) * walk.dt
    spread = np.sqrt(2.0 * conductance.ravel() * walk.dt)
    position = np.repeat(sources.T, walk.particles, axis=1)
    last = np.array([[height - 1], [width - 1]])

    def pixels() -> NDArray[np.int64]:
        row, col = np.clip(position.astype(np.int64), 0, last)
        flat: NDArray[np.int64] = row * width + col
        return flat

    for _ in range(walk.steps):
        here = pixels()
        position += drift[:, here] + spread[here] * rng.standard_normal(position.shape)
    count = np.bincount(pixels(), minlength=height * width).reshape(height, width).astype(np.float64)
    for axis in (0, 1):
        count = ndi.correlate1d(count, _BLUR, axis=axis, mode="mirror")
    heat: F64 = count / count.max()
    return heat


def _centre_weight(shape: tuple[int, ...], click: tuple[int, int]) -> F64:
    """Mild preference for the click, given to targets of class ``point`` only."""
    rows, cols = np.ogrid[: shape[0], : shape[1]]
    sigma = max(1.0, 0.25 * max(shape))
    squared = (rows - click[0]) ** 2 + (cols - click[1]) ** 2
    weight: F64 = 0.75 + 0.25 * np.exp(-squared / (2 * sigma**2))
    return weight


def _binarised(fused: NDArray[np.float32]) -> NDArray[np.bool_]:
    """One Otsu threshold for the whole image, zeros included."""
    levels = (fused * 255).astype(np.uint8)
    histogram = np.bincount(levels[levels > 0], minlength=256)
    histogram[0] = levels.size - histogram.sum()
    enough = levels.size - histogram[0] > 10
    return levels > (_otsu(histogram) if enough else 127)


def _otsu(histogram: NDArray[np.intp]) -> int:
    """Level that separates a histogram of 256 bins best; the first of equals."""
    levels = np.arange(256)
    below = np.cumsum(histogram).astype(np.float64)
    mass_below = np.cumsum(histogram * levels).astype(np.float64)
    above = below[-1] - below
    with np.errstate(divide="ignore", invalid="ignore"):
        gap = mass_below / below - (mass_below[-1] - mass_below) / above
        separation = np.nan_to_num(below * above * gap**2)
    return int(np.argmax(separation))


def _patch(
    rgb: NDArray[np.uint8],
    click: tuple[int, int],
    box: Box,
    fused: NDArray[np.float32],
    binary: NDArray[np.bool_],
) -> TargetPatch:
    if not is_workable(box):
        return empty_patch(click)
    posterior = dense_crf(binary[box].astype(np.float32), rgb[box], _CRF, _CRF_ITERATIONS)
    return TargetPatch(click, box, fused[box].copy(), posterior > 0.5)


def _padded(box: Box, shape: tuple[int, int]) -> Box:
    rows, cols = (
        slice(max(side.start - _MARGIN, 0), min(side.stop + _MARGIN, size))
        for side, size in zip(box, shape, strict=True)
    )
    return rows, cols
