"""Slow, obvious twins of the tracking kernels: seek, shift, beam."""

import numpy as np


def correlate(window, shape):
    h, w = shape.shape
    n, m = window.shape[0] - h + 1, window.shape[1] - w + 1
    return np.array([[(window[i : i + h, j : j + w] * shape).sum() for j in range(m)] for i in range(n)])


def outside(field, row, col, radius):
    return [abs(v) for (i, j), v in np.ndenumerate(field) if (i - row) ** 2 + (j - col) ** 2 > radius**2]


def peaks(field, least):
    """(height, row, col) of each maximum inside the border, highest first; of equal ones the first counts."""
    found = []
    for i in range(1, field.shape[0] - 1):
        for j in range(1, field.shape[1] - 1):
            around = field[i - 1 : i + 2, j - 1 : j + 2].ravel()
            if field[i, j] < least or around.argmax() != 4:
                continue
            height, place = field[i, j], []
            for before, after, at in ((around[1], around[7], i), (around[3], around[5], j)):
                a, b = (before + after) / 2 - field[i, j], (after - before) / 2
                offset = -b / (2 * a) if a < 0 else 0.0
                height += a * offset**2 + b * offset
                place.append(at + offset)
            found.append((height, *place))
    return sorted(found, key=lambda peak: -peak[0])


def shift_sums(before, after, ignored, row, col, scale, stride):
    """Sums over pixels at which ``after`` and its neighbours can be interpolated."""
    n, m = before.shape

    def value(y, x):
        i, j = int(np.floor(y)), int(np.floor(x))
        rows, cols = (i, min(i + 1, n - 1)), (j, min(j + 1, m - 1))
        a, b = y - i, x - j
        part = after[np.ix_(rows, cols)]
        return (1 - a) * ((1 - b) * part[0, 0] + b * part[0, 1]) + a * ((1 - b) * part[1, 0] + b * part[1, 1])

    low_row, low_col = int(np.floor(row)), int(np.floor(col))
    rows = range(max(-low_row, 0) + 1, min(n, n - low_row - 1) - 1, stride)
    cols = range(max(-low_col, 0) + 1, min(m, m - low_col - 1) - 1, stride)
    total = np.zeros(10)
    for i in rows:
        for j in cols:
            if not ignored[i, j]:
                y, x = i + row, j + col
                sy, sx = (value(y + 1, x) - value(y - 1, x)) / 2, (value(y, x + 1) - value(y, x - 1)) / 2
                e = before[i, j] - value(y, x)
                weight = 1 / (1 + (e / scale) ** 2) ** 2
                total += weight * np.array([sy * sy, sy * sx, sx * sx, sy, sx, 1, sy * e, sx * e, e, e * e])
    return total


def predict(state, row_shift, col_shift, model):
    """Kalman prediction with matrices."""
    out = state.copy()
    step = np.array([[1.0, 1.0], [0.0, 1.0]])
    for one in out:
        one[0], one[1] = one[0] + one[2] + row_shift, one[1] + one[3] + col_shift
        P = step @ np.array([[one[4], one[5]], [one[5], one[6]]]) @ step.T + np.diag(model[:2])
        one[4], one[5], one[6] = P[0, 0], P[0, 1], P[1, 1]
        one[8] += model[2] * one[7] ** 2
    return out


def extend(state, places, heights, before, noise, density, spread, model, room):
    """All children, at most three per peak, best first; each as (parent, source, state)."""
    _, _, _, flicker, gate, found, missed, most = model

    def normal(x, variance):
        return -0.5 * x * x / variance - 0.5 * np.log(2 * np.pi * variance)

    children = []
    for k, one in enumerate(state):
        if one[9] < most:
            child = one.copy()
            child[9] += 1
            child[10] += missed
            children.append((k, -1, child))
        for p, (place, height) in enumerate(zip(places, heights, strict=True)):
            variance = one[4] + (spread * noise / max(height, noise)) ** 2
            miss = place - one[:2]
            if miss @ miss / variance > gate**2:
                continue
            ratio = height / noise
            chance = 0.9 * ratio * np.exp(-0.5 * ratio**2) + 0.1 * np.exp(-ratio / 4) / 4
            child = one.copy()
            child[10] += found + normal(miss[0], variance) + normal(miss[1], variance)
            spreads = one[8] + noise**2 + (flicker * one[7]) ** 2
            child[10] += normal(height - one[7], spreads)
            other = density * chance / noise
            if before[p] > 0.5 * height:
                other += np.exp(normal(height - before[p], 2 * noise**2))
            child[10] -= np.log(other)
            error = (spread * noise / max(min(height, one[7]), noise)) ** 2
            P = np.array([[one[4], one[5]], [one[5], one[6]]])
            K = P[:, 0] / (P[0, 0] + error)
            child[:2] += K[0] * miss
            child[2:4] += K[1] * miss
            P = P - np.outer(K, P[0])
            child[4], child[5], child[6] = P[0, 0], P[0, 1], P[1, 1]
            gain = one[8] / spreads
            child[7] += gain * (height - one[7])
            child[8] *= 1 - gain
            child[9] = 0
            children.append((k, p, child))
    children.sort(key=lambda c: -c[2][10])
    kept = [c for n, c in enumerate(children) if c[1] < 0 or sum(b[1] == c[1] for b in children[:n]) < 3]
    return kept[:room]
