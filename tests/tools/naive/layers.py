"""Slow, obvious twins of the layers that the networks' files cannot take from torch."""

from itertools import product
from math import floor

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

HAAR = {
    "smooth": ((0.5, 0.5), (0.5, 0.5)),
    "down": ((0.5, 0.5), (-0.5, -0.5)),
    "right": ((0.5, -0.5), (0.5, -0.5)),
    "diagonal": ((0.5, -0.5), (-0.5, 0.5)),
}


def pixel(plane: Array, row: int, col: int) -> float:
    """Read a pixel, or 0 outside."""
    height, width = plane.shape
    return float(plane[row, col]) if 0 <= row < height and 0 <= col < width else 0.0


def between(plane: Array, row: float, col: float) -> float:
    """Read a plane between its pixels, bilinearly."""
    top, left = floor(row), floor(col)
    return sum(
        pixel(plane, r, c) * (1 - abs(row - r)) * (1 - abs(col - c))
        for r, c in product((top, top + 1), (left, left + 1))
    )


def deform_conv2d(x: Array, offsets: Array, tap_weights: Array, weight: Array, bias: Array) -> Array:
    """Modulated deformable convolution, pixel by pixel and tap by tap."""
    images, channels, height, width = x.shape
    out_channels, _, tall, wide = weight.shape
    out = np.zeros((images, out_channels, height, width))
    for n, d, i, j in np.ndindex(out.shape):
        out[n, d, i, j] = bias[d]
        for k, (r, c) in enumerate(product(range(tall), range(wide))):
            row = i + r - tall // 2 + offsets[n, k, 0, i, j]
            col = j + c - wide // 2 + offsets[n, k, 1, i, j]
            for channel in range(channels):
                seen = between(x[n, channel], row, col)
                out[n, d, i, j] += weight[d, channel, r, c] * tap_weights[n, k, i, j] * seen
    return out


def haar(plane: Array, band: str, row: int, col: int) -> float:
    """One coefficient: the 2×2 pixels whose upper left one is at (row, col), times the band's filter."""
    return sum(HAAR[band][r][c] * pixel(plane, row + r, col + c) for r, c in product(range(2), range(2)))
