"""Slow, obvious twins of the search for defective pixels and lines."""

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


def strays(image, limit, down, across):
    return _strays(0, image, limit, across) + _strays(1, image.T, limit, down)


def _strays(axis, field, limit, ranges):
    n, m = field.shape
    halves = range(m // 2), range(m - m // 2, m)
    found = []
    for i in range(1, n - 1):
        for half, parts in zip(halves, ranges, strict=True):
            looked = [j for start, stop in parts for j in range(start, stop)]

            def count(k, looked=looked):
                return sum(abs(field[k, j] - (field[k - 1, j] + field[k + 1, j]) / 2) > limit for j in looked)

            sides = [range(i - 4, i), range(i + 1, i + 5)]
            whole = [side for side in sides if side[0] >= 1 and side[-1] <= n - 2]
            stands_out = all(any(3 * count(k) < count(i) for k in side) for side in whole)
            likely = 2 * count(i) > len(looked) and (stands_out if whole else count(i) > 0)
            if likely and _is_clear(field, i, half):
                found.append([axis, i])
                break
    return found


def _is_clear(field, i, half):
    for first, width in [(i, 1), (i, 2), (i - 1, 2), (i, 3), (i - 2, 3)]:
        if first >= 1 and first + width < len(field):
            before, after = field[first - 1], field[first + width]
            off = sum(abs(field[i, j] - (before[j] + after[j]) / 2) for j in half)
            apart = sum(abs(before[j] - after[j]) for j in half)
            if off > 1.5 * apart:
                return True
    return False
