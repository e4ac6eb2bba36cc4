"""Backgrounds full of what is mistaken for targets: edges, corners, poles, lit windows, specks and glare.

`backgrounds` has plausible landscapes; a detector that knows these alone fires on the first roof of a real
frame. Here structures of every size occlude each other over such a landscape. Whatever is small, compact,
brighter than its surroundings and alone is a target; so nothing here is all four: compact structures are
larger than targets, or elongated, or one of many alike.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from pointmask.synth.backgrounds import BACKGROUNDS, power_law

Floats = NDArray[np.float64]
Shape = tuple[int, int]

_COMPACT = 7.0  # px, least half-width of a compact structure: 150 px and more, beyond nearly all targets


def clutter(rng: np.random.Generator, shape: Shape) -> Floats:
    """Draw a background in kelvin, (H, W), before optics."""
    kinds = sorted(BACKGROUNDS)
    field = BACKGROUNDS[kinds[int(rng.integers(len(kinds)))]](rng, shape)
    field = field / max(float(field.std()), 0.1) * rng.uniform(0.3, 3.0)
    if rng.random() < 0.65:
        _structures(rng, field, int(rng.choice([2, 5, 15, 50], p=[0.35, 0.3, 0.2, 0.15])))
    if rng.random() < 0.35:
        _lattice(rng, field)
    if rng.random() < 0.4:
        _lines(rng, field, int(rng.integers(1, 9)))
    if rng.random() < 0.3:
        _specks(rng, field)
    if rng.random() < 0.3:
        _glare(rng, field)
    if rng.random() < 0.3:  # grass or waves, in a part of the frame
        where = np.clip(power_law(rng, shape, 4.0) + rng.uniform(-1, 1), 0, 1)
        rough = power_law(rng, shape, rng.uniform(0.3, 1.8), stretch=rng.uniform(1, 4), largest=0.1)
        field = field + rng.uniform(0.3, 1.5) * where * rough
    if rng.random() < 0.35:  # a frame that was enlarged, or out of focus; targets in it may be sharp
        field = ndi.gaussian_filter(field, rng.uniform(0.7, 2.5), mode="nearest")
    return np.asarray(field)


def _structures(rng: np.random.Generator, field: Floats, count: int) -> None:
    """Let many plates of all sizes occlude the field and each other, in place."""
    texture = power_law(rng, (field.shape[0], field.shape[1]), 2.2)
    least = _COMPACT if count > 10 else 3 * _COMPACT
    for _ in range(count):
        half = min(least * float(rng.random()) ** -0.7, max(field.shape))
        aspect = math.exp(rng.uniform(0, 1.5))
        level = rng.normal(0, 2.5) if rng.random() < 0.7 else rng.uniform(2, 8)
        middle = rng.uniform(0, 1, 2) * field.shape
        rows, cols, cover = _plate(rng, field.shape, middle, (half * aspect, half))
        surface = level + rng.uniform(0, 0.6) * texture[rows, cols]
        if rng.random() < 0.4:  # the outline of a roof or a lit cloud
            rim = np.clip(4 * cover * (1 - cover), 0, 1)
            surface = surface + rng.uniform(-3, 4) * rim
        field[rows, cols] += cover * (surface - field[rows, cols])


def _plate(
    rng: np.random.Generator, shape: tuple[int, ...], middle: Floats, half: tuple[float, float]
) -> tuple[slice, slice, Floats]:
    """Draw a turned rectangle or ellipse: its place, and the share of each pixel that it covers."""
    reach = math.ceil(math.hypot(*half)) + 2
    first = [max(int(m) - reach, 0) for m in middle]
    last = [min(int(m) + reach + 1, side) for m, side in zip(middle, shape, strict=True)]
    row, col = np.ogrid[first[0] : last[0], first[1] : last[1]]
    turn = rng.normal(0, 0.1) + math.pi / 2 * rng.integers(2) if rng.random() < 0.5 else rng.uniform(0, 7)
    c, s = math.cos(turn), math.sin(turn)
    y, x = row - middle[0], col - middle[1]
    along, across = np.abs(c * x + s * y), np.abs(c * y - s * x)
    if rng.random() < 0.65:
        outside = np.maximum(along - half[0], across - half[1])
    else:
        outside = (np.hypot(along / half[0], across / half[1]) - 1) * min(half)
    soft = 1.0 if rng.random() < 0.7 else rng.uniform(1.5, 6)
    cover: Floats = np.clip(0.5 - outside / soft, 0, 1)
    return slice(first[0], last[0]), slice(first[1], last[1]), cover


def _lattice(rng: np.random.Generator, field: Floats) -> None:
    """Draw rows of lit windows, posts or plants: small and bright, but one of many, in place."""
    height, width = (int(rng.uniform(0.15, 0.6) * side) for side in field.shape)
    top, left = (int(rng.integers(0, s - n)) for s, n in zip(field.shape, (height, width), strict=True))
    pitch = rng.integers(5, 22, 2)
    lit = rng.uniform(1, 5) * (
        rng.random((height // pitch[0] + 1, width // pitch[1] + 1)) < rng.uniform(0.5, 1)
    )
    pane = np.zeros(tuple(pitch))
    pane[: 1 + int(pitch[0] * rng.uniform(0.2, 0.7)), : 1 + int(pitch[1] * rng.uniform(0.2, 0.7))] = 1
    part = field[top : top + height, left : left + width]
    if rng.random() < 0.5:
        part[:] = part.mean() + rng.uniform(-2, 2)
    part += (1 if rng.random() < 0.7 else -1) * np.kron(lit, pane)[:height, :width]


def _lines(rng: np.random.Generator, field: Floats, count: int) -> None:
    """Draw poles, wires, branches and tracks: thin, bright or dark, and long, in place."""
    for _ in range(count):
        half = rng.uniform(12, 0.7 * max(field.shape)), rng.uniform(0.4, 3.0)
        rows, cols, cover = _plate(rng, field.shape, rng.uniform(0, 1, 2) * field.shape, half)
        field[rows, cols] += cover * rng.normal(0, 2.5)


def _specks(rng: np.random.Generator, field: Floats) -> None:
    """Add a swarm of specks, such as leaves, glints or lamps, in place."""
    count = int(rng.integers(15, 150))
    middle, spread = rng.uniform(0, 1, 2) * field.shape, rng.uniform(0.07, 0.3) * max(field.shape)
    places = np.rint(middle + spread * rng.standard_normal((count, 2))).astype(np.intp)
    inside = ((places >= 0) & (places < field.shape)).all(1)
    seeds = np.zeros(field.shape)
    seeds[places[inside, 0], places[inside, 1]] = rng.lognormal(0, 0.5, int(inside.sum()))
    sigma = rng.uniform(0.5, 1.8)
    sign = 1 if rng.random() < 0.8 else -1
    field += sign * rng.uniform(1, 5) * 2 * math.pi * sigma**2 * ndi.gaussian_filter(seeds, sigma)


def _glare(rng: np.random.Generator, field: Floats) -> None:
    """Add soft glows, larger than any target, in place."""
    row, col = np.ogrid[: field.shape[0], : field.shape[1]]
    for _ in range(rng.integers(1, 4)):
        middle = rng.uniform(0, 1, 2) * field.shape
        sigma = rng.uniform(9, 50, 2)
        shape = ((row - middle[0]) / sigma[0]) ** 2 + ((col - middle[1]) / sigma[1]) ** 2
        field += rng.uniform(1, 6) * np.exp(-0.5 * shape)
