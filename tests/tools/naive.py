"""Slow, obvious twins of the kernels. Nothing here is clever; everything is float64 and plain loops."""

import numpy as np

# --- baselines: kernels/crf.py, kernels/clahe.py, COM's pixel search ---------------------------------


def dense_crf(probability, rgb, kernels, iterations):
    """Mean field with two labels written out: ``kernels`` are (compat, sigma_xy, sigma_rgb or None)."""
    h, w = probability.shape
    pixels = [(y, x) for y in range(h) for x in range(w)]
    n = len(pixels)
    matrices = []
    for compat, sigma_xy, sigma_rgb in kernels:
        k = np.zeros((n, n))
        for i, (yi, xi) in enumerate(pixels):
            for j, (yj, xj) in enumerate(pixels):
                e = ((yi - yj) ** 2 + (xi - xj) ** 2) / sigma_xy**2
                if sigma_rgb is not None:
                    e += ((rgb[yi, xi].astype(float) - rgb[yj, xj].astype(float)) ** 2).sum() / sigma_rgb**2
                k[i, j] = np.exp(-e / 2)
        scale = 1 / np.sqrt(k.sum(axis=1))
        matrices.append(compat * scale[:, None] * k * scale[None, :])
    p = probability.astype(float).ravel()
    unary = -np.log(np.clip(np.stack([1 - p, p]), 1e-5, 1))
    energy = -unary
    for _ in range(iterations):
        q = np.exp(energy - energy.max(axis=0))
        q /= q.sum(axis=0)
        energy = -unary + sum(q @ m for m in matrices)
    q = np.exp(energy - energy.max(axis=0))
    return (q / q.sum(axis=0))[1].reshape(h, w)


def clahe(image, clip_limit, tiles):
    """Tile tables by definition; pixels blended from the four nearest tile centres."""
    h, w = image.shape
    pad_y, pad_x = (tiles - h % tiles, tiles - w % tiles) if h % tiles or w % tiles else (0, 0)
    padded = np.pad(image, ((0, pad_y), (0, pad_x)), mode="reflect")
    th, tw = padded.shape[0] // tiles, padded.shape[1] // tiles
    limit = max(int(clip_limit * th * tw / 256), 1)
    tables = {}
    for i in range(tiles):
        for j in range(tiles):
            counts = [
                int((padded[i * th : (i + 1) * th, j * tw : (j + 1) * tw] == v).sum()) for v in range(256)
            ]
            excess = sum(max(c - limit, 0) for c in counts)
            counts = [min(c, limit) + excess // 256 for c in counts]
            rest = excess % 256
            for k in range(rest):
                counts[k * max(256 // rest, 1)] += 1
            tables[i, j] = np.round(np.cumsum(counts) * 255 / (th * tw))
    out = np.zeros((h, w))
    for y in range(h):
        for x in range(w):
            fy, fx = y / th - 0.5, x / tw - 0.5
            for i, wy in ((int(np.floor(fy)), 1 - fy % 1), (int(np.floor(fy)) + 1, fy % 1)):
                for j, wx in ((int(np.floor(fx)), 1 - fx % 1), (int(np.floor(fx)) + 1, fx % 1)):
                    tile = min(max(i, 0), tiles - 1), min(max(j, 0), tiles - 1)
                    out[y, x] += wy * wx * tables[tile][image[y, x]]
    return np.round(out)


def near_background(outside):
    """COM's list of near-background pixels, pixel by pixel, as flat indices with repetitions."""
    h, w = outside.shape
    members = {y * w + x for y in range(h) for x in range(w) if outside[y, x]}
    found = []
    for p in sorted(members):
        if not 4 * w < p < w * (w - 4):
            continue
        turns = p - w in members and p + w not in members
        for away in (-1, 1):  # the neighbour on the other side is inside
            if p - away in members:
                continue
            rows = range(4) if turns else range(1)
            found += [p + away * (row * h + step) for row in rows for step in range(4)]
        if p - w not in members:
            found += [p + row * h for row in range(4)]
    return [p for p in found if p < h * w]


# --- end of baselines ---------------------------------------------------------------------------------


# --- the annotator: kernels/scale_space, rank, law, diffuse, operator, regions, slic, agreement -------


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


def resemblance(maps, weights, bias, gain, offset):
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


def evolve(field, scales, entropy, likeness, stages, tau, alpha, rational):
    """``stages`` are (spacing, steps, D0, beta, growth, decay)."""
    u = field.ravel().copy()
    for spacing, steps, D0, beta, growth, decay in stages:
        values = scales[{1: 0, 2: 1, 4: 2, 8: 3}[spacing]]
        L = laplacian(values, entropy, spacing, D0, beta, alpha, rational)
        rate = np.where(likeness > 0, growth * likeness, decay * likeness).ravel()
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


# --- tracking: kernels/seek.py, kernels/shift.py, kernels/beam.py -------------------------------------


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
