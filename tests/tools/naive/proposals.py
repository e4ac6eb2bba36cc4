"""Slow twins of the kernels of the proposals."""

import numpy as np


def prominence(frame, reach):
    """Each pixel minus the largest of 16 samples on the square around it, the edge repeated."""
    half = -(-reach // 2)
    steps = sorted({-reach, -half, 0, half, reach})
    around = [(y, x) for y in steps for x in steps if max(abs(y), abs(x)) == reach]
    assert len(around) == (16 if half < reach else 8)
    height, width = frame.shape
    out = np.empty_like(frame)
    for row in range(height):
        for col in range(width):
            samples = [
                frame[min(max(row + y, 0), height - 1), min(max(col + x, 0), width - 1)] for y, x in around
            ]
            out[row, col] = frame[row, col] - max(samples)
    return out


def peaks(field, radius):
    """Positive pixels that are the largest of the square around them."""
    out = np.zeros(field.shape, bool)
    for row, col in np.ndindex(field.shape):
        part = field[max(row - radius, 0) : row + radius + 1, max(col - radius, 0) : col + radius + 1]
        out[row, col] = field[row, col] > 0 and field[row, col] == part.max()
    return out


def contrast_of(part, mask):
    """Mean inside; median and standard deviation outside."""
    inside, others = part[mask], part[~mask]
    if not others.size:
        return inside.mean(), inside.mean(), 0.0
    return inside.mean(), np.median(others), others.std()
