"""Slow, obvious twins of the annotator's kernels: scale_space, rank, resemblance, diffuse, regions ..."""

import numpy as np


def smooth(source, spacing):
    n, m = source.shape
    out = np.zeros((n, m))
    for i in range(n):
        for j in range(m):
            for dy, wy in ((-1, 0.25), (0, 0.5), (1, 0.25)):
                for dx, wx in ((-1, 0.25), (0, 0.5), (1, 0.25)):
                    y = min(max(i + dy * spacing, 0), n - 1)
                    x = min(max(j + dx * spacing, 0), m - 1)
                    out[i, j] += wy * wx * source[y, x]
    return out


def enlarge(source):
    n, m = source.shape
    out = np.zeros((2 * n - 1, 2 * m - 1))
    for i in range(2 * n - 1):
        for j in range(2 * m - 1):
            y, x = i // 2, j // 2
            corners = [source[a, b] for a in {y, y + i % 2} for b in {x, x + j % 2}]
            out[i, j] = sum(corners) / len(corners)
    return out


def texture(fine, coarse):
    return smooth(smooth(np.abs(fine - coarse), 1), 2)


def resemblance_network(maps, weights, bias, gain, offset):
    out = np.zeros(maps.shape[1:])
    for i, j in np.ndindex(*out.shape):
        z = offset
        for h in range(len(gain)):
            z += gain[h] * max(bias[h] + sum(weights[h, f] * maps[f, i, j] for f in range(len(maps))), 0)
        out[i, j] = z / (1 + abs(z))
    return out


def local_entropy(window, radius):
    out = np.zeros(window.shape)
    levels = np.clip(np.floor(window * 255 + 0.5), 0, 255).astype(int)
    for i, j in np.ndindex(*window.shape):
        square = levels[max(i - radius, 0) : i + radius + 1, max(j - radius, 0) : j + radius + 1]
        p = np.unique(square, return_counts=True)[1] / square.size
        out[i, j] = -(p * np.log2(p)).sum() / 8
    return out


def laplacian(window, entropy, spacing, D0, beta, alpha, rational):
    """Dense matrix of ``-div(D grad .)`` with zero flux through the border."""
    n, m = window.shape
    L = np.zeros((n * m, n * m))
    for i, j in np.ndindex(n, m):
        for y, x in ((i + spacing, j), (i, j + spacing)):
            if y < n and x < m:
                q = (
                    alpha * abs(window[y, x] - window[i, j])
                    + (1 - alpha) * (entropy[y, x] + entropy[i, j]) / 2
                )
                D = D0 / (1 + (beta * q) ** 2) if rational else D0 * np.exp(-beta * q)
                a, b = i * m + j, y * m + x
                L[a, a] += D
                L[b, b] += D
                L[a, b] -= D
                L[b, a] -= D
    return L


def evolve(field, scales, entropy, resemblance, stages, tau, alpha, rational):
    """``stages`` are (spacing, steps, D0, beta, growth, decay)."""
    u = field.ravel().copy()
    for spacing, steps, D0, beta, growth, decay in stages:
        values = scales[{1: 0, 2: 1, 4: 2, 8: 3}[spacing]]
        L = laplacian(values, entropy, spacing, D0, beta, alpha, rational)
        rate = np.where(resemblance > 0, growth * resemblance, decay * resemblance).ravel()
        for _ in range(steps):
            u = np.clip(u - tau * (L @ u - rate * u), 0, 1)
    return u.reshape(field.shape)


def label(binary, eight):
    """Pieces as a set of frozensets of pixels."""
    todo = set(zip(*np.nonzero(binary), strict=True))
    pieces = set()
    while todo:
        piece, front = set(), [todo.pop()]
        while front:
            i, j = front.pop()
            piece.add((i, j))
            for y, x in list(todo):
                near = max(abs(y - i), abs(x - j)) <= 1 if eight else abs(y - i) + abs(x - j) <= 1
                if near:
                    todo.remove((y, x))
                    front.append((y, x))
        pieces.add(frozenset(piece))
    return pieces


def keep_at_point(binary, eight, row, col, reach):
    out = np.zeros(binary.shape, bool)
    distance = {p: min((i - row) ** 2 + (j - col) ** 2 for i, j in p) for p in label(binary, eight)}
    best = min((d for d in distance.values() if d <= reach**2), default=None)
    for piece, d in distance.items():
        if d == best:
            for pixel in piece:
                out[pixel] = True
    return out


def slic(window, centres, step, compactness, iterations, first_wins):
    n, m = window.shape
    centres = [list(map(float, c)) for c in centres]
    labels = np.full((n, m), -1)
    for _ in range(iterations):
        for i, j in np.ndindex(n, m):
            best, owner = np.inf, -1
            for c, (cy, cx, cv) in enumerate(centres):
                inside = int(max(cy - 2 * step, 0)) <= i < int(min(cy + 2 * step + 1, n)) and int(
                    max(cx - 2 * step, 0)
                ) <= j < int(min(cx + 2 * step + 1, m))
                if not inside:
                    continue
                space, grey = 1.0 / (step * step), 1.0 / (compactness * compactness)
                dv = window[i, j] - cv
                d = ((cy - i) * (cy - i) + (cx - j) * (cx - j)) * space + dv * dv * grey
                if d < best:
                    best, owner = d, c
                elif d == best and not first_wins:
                    owner = -1
            labels[i, j] = owner
        for c in range(len(centres)):
            ys, xs = np.nonzero(labels == c)
            if len(ys):
                centres[c] = [ys.mean(), xs.mean(), window[ys, xs].mean()]
    return labels


def ring_map(mask):
    """-1 core, 0 rim, 1 to 3 rings, 4 beyond: by the nearest pixel on the other side, in moves of a king."""
    h, w = mask.shape
    padded = np.pad(mask, 1)  # beyond the window is outside
    out = np.full(mask.shape, 4)
    for y in range(h):
        for x in range(w):
            if mask[y, x]:
                out[y, x] = -1 if padded[y : y + 3, x : x + 3].all() else 0
            else:
                away = [max(abs(a - y), abs(b - x)) for a, b in np.argwhere(mask)]
                out[y, x] = min([*away, 4])
    return out


def agreement(values, fine, coarse, rings):
    def mean(pixels):
        return pixels.mean() if pixels.size else 0

    mask, rim, fringe = values[rings <= 0], values[rings == 0], values[(rings == 1) | (rings == 2)]
    top = fine[rings <= 0].max(initial=0)
    weight = np.where(rings < 4, np.maximum(values, 0), 0)
    places, moment = np.indices(values.shape), 0
    if weight.sum() > 0:
        centre = [(weight * axis).sum() / weight.sum() for axis in places]
        distance = sum((axis - c) ** 2 for axis, c in zip(places, centre, strict=True))
        moment = (weight * distance).sum() / weight.sum()
    return [
        mask.size,
        rim.size,
        mean(mask),
        mean(rim),
        mean(values[rings == 1]),
        mean(values[rings == 3]),
        mean(fringe),
        mask.std() if mask.size else 0,
        fringe.std() if fringe.size else 0,
        min(coarse[rings <= 0].max(initial=0) / top, 1.5) if top > 0 else 0,
        moment,
        mean(abs(values - fine)[rings == 4]),
    ]


def climb(field, row, col, moves):
    for _ in range(moves):
        around = {
            (y, x): field[y, x]
            for y in range(row - 1, row + 2)
            for x in range(col - 1, col + 2)
            if 0 <= y < field.shape[0] and 0 <= x < field.shape[1]
        }
        best = [place for place, value in around.items() if value == max(around.values())]
        if len(best) > 1 or best == [(row, col)]:
            break
        row, col = best[0]
    return row, col


def normalise(samples, inner, ring, outer, near, polarity, grain):
    background = np.median(samples.ravel()[ring])
    deviation = 1.4826 * np.median(abs(samples.ravel()[ring] - background))
    around = smooth(samples, 1).ravel()[near]
    above, below = around.max() - background, background - around.min()
    dark = {"bright": False, "dark": True, "auto": below > above}[polarity]
    sign, height = (-1, below) if dark else (1, above)
    contrast = max(height, deviation)
    if contrast <= 0:
        return np.zeros_like(samples), (0, 0, 0, 0, dark)
    peak = background + sign * height
    steps = [sign * (peak - np.median(samples.ravel()[r])) / contrast for r in (inner, outer)]
    facts = [np.round(np.clip(v, -2, 2) / grain) * grain for v in (deviation / contrast, *steps)]
    values = np.clip(np.round(sign * (samples - background) / contrast / grain) * grain, -3, 3)
    return values, (contrast, *facts, dark)


def pixel_noise(values, places):
    padded = np.pad(values, 1, "edge")
    mask = [[1, -2, 1], [-2, 4, -2], [1, -2, 1]]
    found = []
    for i, j in zip(*np.unravel_index(places, values.shape), strict=True):
        found.append(abs((padded[i : i + 3, j : j + 3] * mask).sum()))
    return 1.4826 / 6 * np.median(found)


def wiener(samples, noise):
    mean = smooth(smooth(samples, 1), 1)
    variance = smooth(smooth((samples - mean) ** 2, 1), 1)
    out = mean.copy()
    for place in zip(*np.nonzero(variance), strict=True):
        signal = max(variance[place] - 2 * noise**2, 0)
        out[place] += signal / variance[place] * (samples - mean)[place]
    return out


def move_outline(soft, contrast, style):
    """Grow ``soft``, or shrink it by growing what is around it."""
    if style < 0:
        return 1 - move_outline(1 - soft, 1 - contrast, -style)
    out = soft.copy()
    for i, j in np.ndindex(*soft.shape):
        margin = np.clip(style + 1.5 * (min(contrast[i, j], 1) - 0.2), 0, 3 * style)
        for y, x in np.ndindex(*soft.shape):
            out[i, j] = max(out[i, j], soft[y, x] * np.clip(margin + 1 - np.hypot(y - i, x - j), 0, 1))
    return out
