"""Dense CRF on a window, as the published annotators use it: two labels, Potts model, mean field.

The programs call pydensecrf, which filters with a permutohedral lattice. A window is small enough for the
exact matrix of all pairs, which gives the same quality.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pointmask.bench.baselines.kernels.crf import add_pair_kernel, mean_field

_SMALLEST_PROBABILITY = 1e-5
_NEGLIGIBLE_WEIGHT = 1e-12


@dataclass(frozen=True, slots=True)
class PairKernel:
    """One pair term of the CRF.

    Attributes
    ----------
    compat : float
        Weight of the Potts penalty.
    sigma_xy : float
        Standard deviation of the distance, in pixels.
    sigma_rgb : float or None
        Standard deviation of the colour difference, in 8-bit grey levels; None: blind to colour.
    """

    compat: float
    sigma_xy: float
    sigma_rgb: float | None = None


def dense_crf(
    probability: NDArray[np.floating],
    rgb: NDArray[np.uint8],
    kernels: Sequence[PairKernel],
    iterations: int,
) -> NDArray[np.float32]:
    """Probability of the target label after mean-field updates.

    Parameters
    ----------
    probability : (h, w) floating, in [0, 1]
        Probability of the target by the unary term; clipped below at 1e-5 for either label.
    rgb : (h, w, 3) uint8
        The window's colours.
    kernels : sequence of PairKernel
    iterations : int
        Number of updates.

    Returns
    -------
    (h, w) float32 in [0, 1]
        A pixel is target where the value exceeds 0.5. Memory is two matrices of (h w)^2 float32.
    """
    p = np.asarray(probability, np.float32).ravel()
    n = p.size
    floor = np.float32(_SMALLEST_PROBABILITY)
    unary = np.log(np.maximum(p, floor)) - np.log(np.maximum(1 - p, floor))
    total = np.zeros((n, n), np.float32)
    raw = np.empty((n, n), np.float32)
    scratch = np.empty(n, np.float32)
    for kernel in kernels:
        spatial = _spatial_weights(kernel.sigma_xy, max(rgb.shape[:2]))
        colour = _colour_weights(kernel.sigma_rgb)
        add_pair_kernel(rgb, spatial, colour, kernel.compat, raw, scratch, total)
    logit = np.empty(n, np.float32)
    mean_field(unary, total, iterations, scratch, logit)
    half = np.float32(0.5)
    posterior: NDArray[np.float32] = half + half * np.tanh(half * logit)
    return posterior.reshape(rgb.shape[:2])


@lru_cache(maxsize=64)
def _spatial_weights(sigma: float, size: int) -> NDArray[np.float32]:
    return np.exp(-0.5 * (np.arange(size) / sigma) ** 2).astype(np.float32)


@lru_cache(maxsize=16)
def _colour_weights(sigma: float | None) -> NDArray[np.float32]:
    """Weight by squared colour distance, cut where it no longer counts."""
    if sigma is None:
        return np.ones(1, np.float32)
    end = int(-2 * sigma**2 * np.log(_NEGLIGIBLE_WEIGHT)) + 2
    weights: NDArray[np.float32] = np.exp(-0.5 * np.arange(end) / sigma**2).astype(np.float32)
    return weights
