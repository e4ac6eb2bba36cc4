"""Slow, obvious twin of the search for defective pixels."""

import numpy as np


def search(image, floor, above, below):
    n, m = image.shape
    mirrored = np.pad(image, 1, "reflect")
    places, values = [], []
    for i, j in np.ndindex(n, m):
        around = mirrored[i : i + 3, j : j + 3]
        v, others = around[1, 1], np.delete(around.ravel(), 4)
        means = sorted((others[k] + others[7 - k]) / 2 for k in range(4))
        spread = means[3] - means[0]
        hot = v - max(others) > floor and v - max(others) > above * spread
        dead = min(others) - v > floor and min(others) - v > below * spread
        if hot or dead:
            places.append((i, j))
            values.append((means[1] + means[2]) / 2)
    return places, values


def roughness(image, rows, cols):
    distances, steps = [], []
    for i in rows:
        for j in cols:
            around = image[i - 1 : i + 2, j - 1 : j + 2]
            distances.append(abs(image[i, j] - (around.sum() - image[i, j]) / 8))
            steps += [abs(image[i, j] - image[i, j + side]) for side in (-1, 1)]
    return sorted(distances)[9 * len(distances) // 10], min(s for s in steps if s > 0)
