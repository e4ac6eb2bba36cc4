"""Scale space of a window: a trous binomial smoothing, and bilinear upsampling."""

import numpy as np
from numpy.typing import NDArray

from pointmask.compiled import kernel

Field = NDArray[np.floating]


@kernel()
def copy_field(source: Field, out: Field) -> None:
    """Copy a field of the same shape; assigning it would compile the words of an error message for 3 s."""
    for i in range(source.shape[0]):
        for j in range(source.shape[1]):
            out[i, j] = source[i, j]


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

    Loop order: pixels whose neighbours all lie inside are one run of the flat window, which becomes vector
    code; what it writes at the ends of rows is overwritten, as the rest is, pixel by pixel.
    """
    n, m = source.shape
    s = spacing
    wide = n > 2 * s and m > 2 * s and source.flags.c_contiguous and out.flags.c_contiguous
    if wide:
        first, size = s * m + s, (n - 2 * s) * m - 2 * s
        values, result = source.ravel(), out.ravel()
        here, target = values[first : first + size], result[first : first + size]
        up, down = values[first - s * m :], values[first + s * m :]
        left, right = values[first - s :], values[first + s :]
        up_left, down_right = values[first - s * m - s :], values[first + s * m + s :]
        up_right, down_left = values[first - s * m + s :], values[first + s * m - s :]
        for k in range(size):
            sides = (up[k] + down[k]) + (left[k] + right[k])
            corners = (up_left[k] + down_right[k]) + (up_right[k] + down_left[k])
            target[k] = 0.25 * here[k] + 0.125 * sides + 0.0625 * corners
    for i in range(n):
        if wide and s <= i < n - s:
            for j in range(s):
                out[i, j] = _smooth_at(source, s, i, j)
                out[i, m - 1 - j] = _smooth_at(source, s, i, m - 1 - j)
        else:
            for j in range(m):
                out[i, j] = _smooth_at(source, s, i, j)


@kernel(inline="always")
def _smooth_at(source: Field, spacing: int, i: int, j: int) -> float:
    up, down = max(i - spacing, 0), min(i + spacing, source.shape[0] - 1)
    left, right = max(j - spacing, 0), min(j + spacing, source.shape[1] - 1)
    sides = (source[up, j] + source[down, j]) + (source[i, left] + source[i, right])
    corners = (source[up, left] + source[down, right]) + (source[up, right] + source[down, left])
    return float(0.25 * source[i, j] + 0.125 * sides + 0.0625 * corners)


@kernel()
def fill_scales(values: Field, scales: Field) -> None:
    """Compute the scale space of a window: each scale smooths the previous one with twice the spacing.

    Parameters
    ----------
    values : (n, m) float
    scales : (d, n, m) float
        Overwritten; ``scales[k]`` has a variance of ``(4**k - 1) / 6`` px^2 per axis.
    """
    copy_field(values, scales[0])
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
