"""Slow, obvious twins of the baselines: CRF, CLAHE, COM's pixel search."""

import numpy as np


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
