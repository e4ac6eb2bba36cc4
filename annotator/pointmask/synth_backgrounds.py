"""Backgrounds of built-in scenes, as apparent temperature in kelvin around an arbitrary level."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy import ndimage as ndi

Floats = NDArray[np.float64]
Shape = tuple[int, int]


@lru_cache(maxsize=8)
def _frequencies(shape: Shape) -> tuple[Floats, Floats]:
    """Row and column frequencies in cycles per pixel, ready to broadcast over a real FFT."""
    return fft.fftfreq(shape[0])[:, None], fft.rfftfreq(shape[1])[None, :]


def power_law(
    rng: np.random.Generator, shape: Shape, beta: float, *, stretch: float = 1.0, largest: float = 0.5
) -> Floats:
    """Gaussian field whose power falls as 1 / f**beta, mean 0 and standard deviation 1.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of the phases.
    shape : (int, int)
        Rows and columns.
    beta : float
        Spectral exponent: about 3.3 for clouds, 2.2 for vegetation, 0 for white noise.
    stretch : float
        Structures are this many times longer along rows (horizontally) than across.
    largest : float
        Size of the largest structures as a share of the frame's longer side.
    """
    fast = (fft.next_fast_len(shape[0], real=True), fft.next_fast_len(shape[1], real=True))
    fy, fx = _frequencies(fast)
    floor = 1.0 / (largest * max(shape))
    power = (fy**2 + (fx * stretch) ** 2 + floor**2) ** (-beta / 4)
    field = fft.irfft2(fft.rfft2(rng.standard_normal(fast)) * power, fast)[: shape[0], : shape[1]]
    return _standardised(field)


def _standardised(field: Floats) -> Floats:
    return np.asarray((field - field.mean()) / max(float(field.std()), 1e-12))


def _rows(shape: Shape) -> Floats:
    """(H, 1) height in the frame: 0 at the top, 1 at the bottom."""
    return np.linspace(0, 1, shape[0])[:, None]


def sky(rng: np.random.Generator, shape: Shape) -> Floats:
    """Clear sky: warmer towards the horizon, with a breath of haze and sometimes a thin veil."""
    tilt = rng.normal(0, 0.3) * np.linspace(-1, 1, shape[1])
    field = rng.uniform(0.5, 4) * _rows(shape) ** rng.uniform(1, 2) + tilt
    field = field + rng.uniform(0.03, 0.3) * power_law(rng, shape, 3.2, stretch=rng.uniform(1, 3))
    if rng.random() < 0.4:
        veil = power_law(rng, shape, 3.5, stretch=rng.uniform(1.5, 5), largest=1.0)
        field = field + rng.uniform(0.3, 1.2) * np.maximum(veil - 0.7, 0)
    return np.asarray(field)


def clouds(rng: np.random.Generator, shape: Shape) -> Floats:
    """Broken clouds: optical depth from a fractal, and an edge lit by the sun."""
    depth = power_law(rng, shape, rng.uniform(3.0, 3.7), stretch=rng.uniform(0.8, 2.2))
    depth = depth + rng.uniform(0, 1.5) * (_rows(shape) - 0.5)
    thickness = np.maximum(depth + rng.uniform(-0.8, 0.7), 0)
    cover = 1 - np.exp(-rng.uniform(1.0, 4.0) * thickness)
    soft = ndi.gaussian_filter(depth, max(shape) / 128)
    sun = rng.uniform(0, 2 * np.pi)
    slope = np.sin(sun) * np.gradient(soft, axis=0) + np.cos(sun) * np.gradient(soft, axis=1)
    lit = np.maximum(slope / max(float(slope.std()), 1e-12), 0) * cover * np.exp(-1.5 * thickness)
    body = cover * (1 + 0.25 * power_law(rng, shape, 2.6))
    return np.asarray(0.5 * sky(rng, shape) + rng.uniform(2, 9) * body + rng.uniform(0.3, 2.0) * lit)


def sea(rng: np.random.Generator, shape: Shape) -> Floats:
    """Sea at a grazing angle: wind waves shrinking towards the horizon, and glint in a lane."""
    swell = power_law(rng, shape, 2.4, stretch=rng.uniform(0.15, 0.35), largest=rng.uniform(0.06, 0.2))
    ripple = power_law(rng, shape, 1.0, stretch=rng.uniform(0.25, 0.5), largest=0.04)
    near = 0.35 + _rows(shape)  # waves far away are averaged within a pixel
    slope = (swell + rng.uniform(0.3, 0.7) * ripple) * near
    lane = np.exp(
        -0.5 * ((np.linspace(0, 1, shape[1]) - rng.uniform(-0.2, 1.2)) / rng.uniform(0.1, 0.4)) ** 2
    )
    glint = np.maximum(slope - rng.uniform(1.3, 2.2), 0) ** 1.5 * (0.3 + lane)
    field = 0.6 * slope + rng.uniform(0.3, 2.0) * glint + rng.uniform(-1.5, 2.0) * _rows(shape) ** 0.5
    return np.asarray(field * rng.uniform(0.4, 1.4))


def vegetation(rng: np.random.Generator, shape: Shape) -> Floats:
    """Land from above or aslant: mottled ground, darker crowns in clumps, and now and then a warm track."""
    ground = power_law(rng, shape, 2.0, stretch=rng.uniform(0.4, 1.0))
    crowns = power_law(rng, shape, 3.0, largest=rng.uniform(0.03, 0.1))
    where = power_law(rng, shape, 3.4) + crowns
    clumps = 1 / (1 + np.exp(-6 * (where - rng.uniform(0.2, 1.2))))
    field = rng.uniform(0.5, 1.2) * ground - clumps * rng.uniform(0.8, 2.5) * (1 + 0.4 * crowns)
    if rng.random() < 0.4:
        row, col = np.ogrid[: shape[0], : shape[1]]
        turn, width = rng.uniform(-0.6, 0.6), rng.uniform(1.0, 3.0)
        bend = np.sin(col / shape[1] * rng.uniform(2, 6) + rng.uniform(0, 6)) * shape[0] * 0.05
        away = row - shape[0] * rng.uniform(0.2, 0.8) - np.tan(turn) * (col - shape[1] / 2) + bend
        field = field + rng.uniform(1, 3) * np.exp(-((away / width) ** 4))
    return np.asarray(field * rng.uniform(0.7, 1.5))


def horizon(rng: np.random.Generator, shape: Shape) -> Floats:
    """Sky over a ridge with a tree line; land warmer or colder than the sky behind it."""
    above = sky(rng, shape) if rng.random() < 0.6 else 0.6 * clouds(rng, shape)
    line = _skyline(rng, shape[1], 3.0) * rng.uniform(0.02, 0.08) + rng.uniform(0, 0.03) * np.maximum(
        _skyline(rng, shape[1], 1.2), 0
    )
    level = (rng.uniform(0.6, 0.9) - line) * shape[0]
    land = _below(level, shape)
    warm = rng.uniform(3, 9) * (1 if rng.random() < 0.8 else -0.6)
    below = warm + vegetation(rng, shape) - rng.uniform(0, 3) * _rows(shape)
    return np.asarray(above * (1 - land) + below * land)


def buildings(rng: np.random.Generator, shape: Shape) -> Floats:
    """Sky over blocks with rows of windows, roof structures, poles and a few hot outlets."""
    field = sky(rng, shape)
    height, width = shape
    column = 0
    left = int(-0.1 * width)
    wall_noise = 0.25 * power_law(rng, shape, 2.0)
    while left < width:
        breadth = int(width * rng.uniform(0.1, 0.3))
        top = int(height * rng.uniform(0.45, 0.92))
        _block(rng, field, wall_noise, (top, max(left, 0)), (height, min(left + breadth, width)))
        left += int(breadth * rng.uniform(0.8, 1.5))
        column += 1
    for _ in range(rng.integers(0, 3)):
        at, top = int(rng.integers(width)), int(height * rng.uniform(0.3, 0.7))
        field[top:, at : at + 1 + width // 300] = rng.uniform(1, 6)
    return field


def _block(
    rng: np.random.Generator, field: Floats, noise: Floats, start: tuple[int, int], stop: tuple[int, int]
) -> None:
    """Draw one building over ``field`` between two corners (row, col)."""
    (top, left), (bottom, right) = start, stop
    if right - left < 4 or bottom - top < 4:
        return
    warm = rng.uniform(4, 14)
    here = np.s_[top:bottom, left:right]
    field[here] = warm + noise[here] - rng.uniform(0, 2) * np.linspace(0, 1, bottom - top)[:, None]
    field[top : top + 2, left:right] += rng.uniform(-2, 3)  # parapet
    if rng.random() < 0.6:  # lift house or tank
        inner = left + int((right - left) * rng.uniform(0.1, 0.6))
        field[max(top - (bottom - top) // 6, 0) : top, inner : inner + (right - left) // 4] = (
            warm + rng.normal()
        )
    if rng.random() < 0.7:
        _windows(rng, field[top + 4 : bottom, left + 2 : right - 2])


def _windows(rng: np.random.Generator, wall: Floats) -> None:
    pitch_row, pitch_col = int(rng.integers(5, 13)), int(rng.integers(4, 11))
    rows, cols = wall.shape
    lit = rng.normal(rng.uniform(-3, 2), 1.0, (rows // pitch_row + 1, cols // pitch_col + 1))
    pane = np.zeros((pitch_row, pitch_col))
    pane[1 : 1 + max(pitch_row // 2, 1), 1 : 1 + max(pitch_col // 2, 1)] = 1
    wall += np.kron(lit, pane)[:rows, :cols]


def _skyline(rng: np.random.Generator, width: int, beta: float) -> Floats:
    return power_law(rng, (1, width), beta).ravel()


def _below(level: Floats, shape: Shape) -> Floats:
    """Cover of each pixel by the half-plane under a line of row coordinates, one per column."""
    return np.clip(np.arange(shape[0])[:, None] + 1 - level[None, :], 0, 1)


BACKGROUNDS: dict[str, Callable[[np.random.Generator, Shape], Floats]] = {
    "sky": sky,
    "clouds": clouds,
    "sea": sea,
    "horizon": horizon,
    "buildings": buildings,
    "vegetation": vegetation,
}
