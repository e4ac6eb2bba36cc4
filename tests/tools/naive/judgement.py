"""The judgement's statistic as its definition reads: one pixel at a time."""

import math

import numpy as np


def contrast_at(values, row, col):
    """Contrast of one pixel of an array that is about 0: square of 3, ring from 9 to 21."""
    padded = np.pad(values, 30, mode="symmetric")
    height, width = values.shape

    def mean(r, c):
        # The mean's own mirror is that of the smoothed image, not of the pixels beyond the border.
        r, c = mirrored(r, height), mirrored(c, width)
        return padded[r + 29 : r + 32, c + 29 : c + 32].mean()

    ring = [
        mean(row + dr, col + dc)
        for dr in range(-10, 11)
        for dc in range(-10, 11)
        if max(abs(dr), abs(dc)) > 4
    ]
    return mean(row, col) - np.mean(ring), np.std(ring)


def mirrored(k, size):
    k %= 2 * size
    return k if k < size else 2 * size - 1 - k


def contrast_map(values):
    """Contrast of all pixels at full resolution alone, with its sign."""
    found = np.array(
        [[contrast_at(values, r, c) for c in range(values.shape[1])] for r in range(values.shape[0])]
    )
    level, spread = found[..., 0], found[..., 1]
    usual = max(np.median(spread), 0.1 * spread.mean())
    return level / np.maximum(spread, 0.2 * usual)


def surprise(shown, row, col, slack):
    """Surprise at one place of a contrast map, by counting places."""
    height, width = shown.shape
    if not (0 <= row < height and 0 <= col < width):
        return 0.0

    def near(r, c):
        return shown[max(r - slack, 0) : r + slack + 1, max(c - slack, 0) : c + slack + 1].max()

    own = near(row, col)
    as_much = sum(near(r, c) >= own for r in range(height) for c in range(width))
    return min(-math.log10(as_much / shown.size), 3.0)
