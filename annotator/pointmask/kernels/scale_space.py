"""Scale space of a window: a trous binomial smoothing, and bilinear upsampling."""

import numpy as np
from numpy.typing import NDArray

from pointmask.compiled import kernel

Field = NDArray[np.floating]


@kernel()
def smooth(source: Field, spacing: int, out: Field) -> None:
    """Smooth with the separable [1 2 1]/4 kernel, dilated by ``spacing`` (a trous).

    Parameters
    ----------
    source : (n, m) float
    spacing : int
        Distance between the taps in px, at least 1. Taps beyond the border read the border's value.
    out : (n, m) float
        Overwritten. Must not be ``source``.

    Notes
    -----
    Adds ``spacing**2 / 2`` px^2 of variance per axis. Opposite taps are added pairwise first, so that a
    flipped or transposed window gives exactly the flipped or transposed result; two separable
    passes would take two thirds of the time but round differently along rows and columns.
    """
    n, m = source.shape
    for i in range(n):
        up = max(i - spacing, 0)
        down = min(i + spacing, n - 1)
        for j in range(m):
            left = max(j - spacing, 0)
            right = min(j + spacing, m - 1)
            sides = (source[up, j] + source[down, j]) + (source[i, left] + source[i, right])
            corners = (source[up, left] + source[down, right]) + (source[up, right] + source[down, left])
            out[i, j] = 0.25 * source[i, j] + 0.125 * sides + 0.0625 * corners


@kernel()
def fill_scales(values: Field, scales: Field) -> None:
    """Compute the scale space of a window: each scale smooths the previous one with twice the spacing.

    Parameters
    ----------
    values : (n, m) float
    scales : (d, n, m) float
        Overwritten; ``scales[k]`` has a variance of ``(4**k - 1) / 6`` px^2 per axis.
    """
    scales[0] = values
    for k in range(1, scales.shape[0]):
        smooth(scales[k - 1], 2 ** (k - 1), scales[k])


@kernel()
def enlarge(source: Field, out: Field) -> None:
    """Bilinear upsampling by a factor of 2.

    Parameters
    ----------
    source : (n, m) float
    out : (2n - 1, 2m - 1) float
        Overwritten; ``out[::2, ::2]`` equals ``source``.
    """
    n, m = source.shape
    for i in range(n):
        for j in range(m):
            out[2 * i, 2 * j] = source[i, j]
            if j + 1 < m:
                out[2 * i, 2 * j + 1] = 0.5 * (source[i, j] + source[i, j + 1])
            if i + 1 < n:
                out[2 * i + 1, 2 * j] = 0.5 * (source[i, j] + source[i + 1, j])
            if i + 1 < n and j + 1 < m:
                out[2 * i + 1, 2 * j + 1] = 0.25 * (
                    (source[i, j] + source[i + 1, j + 1]) + (source[i, j + 1] + source[i + 1, j])
                )
