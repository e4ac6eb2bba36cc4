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
    """Clear sky: warmer towards the horizon, with slight haze and sometimes thin cirrus."""
    tilt = rng.normal(0, 0.3) * np.linspace(-1, 1, shape[1])
    field = rng.uniform(0.5, 4) * _rows(shape) ** rng.uniform(1, 2) + tilt
    field = field + rng.uniform(0.03, 0.3) * power_law(rng, shape, 3.2, stretch=rng.uniform(1, 3))
    if rng.random() < 0.4:
        veil = power_law(rng, shape, 3.5, stretch=rng.uniform(1.5, 5), largest=1.0)
        field = field + rng.uniform(0.3, 1.2) * np.maximum(veil - 0.7, 0)
    return np.asarray(field)


def clouds(rng: np.random.Generator, shape: Shape) -> Floats:
    """Broken clouds: optical depth from a fractal, and an edge lit by the sun."""
    stretch = rng.uniform(0.8, 2.5)
    depth = power_law(rng, shape, rng.uniform(3.4, 4.2), stretch=stretch, largest=rng.uniform(0.4, 1.0))
    depth = depth + rng.uniform(0, 2) * (_rows(shape) - 0.5) + rng.uniform(-0.6, 0.8)
    thickness = np.logaddexp(0, 5 * depth) / 5  # wisps fade out instead of ending at an edge
    cover = 1 - np.exp(-rng.uniform(0.6, 2.0) * thickness)
    sun = rng.uniform(0, 2 * np.pi)
    soft = ndi.gaussian_filter(depth, max(shape) / 100)
    slope = np.sin(sun) * np.gradient(soft, axis=0) + np.cos(sun) * np.gradient(soft, axis=1)
    lit = np.clip(slope / max(float(slope.std()), 1e-12), 0, 3) * cover * np.exp(-thickness)
    body = cover * (1 + rng.uniform(0.1, 0.3) * power_law(rng, shape, 3.0, stretch=stretch))
    return np.asarray(0.5 * sky(rng, shape) + rng.uniform(2, 9) * body + rng.uniform(0.2, 2.0) * lit)


def sea(rng: np.random.Generator, shape: Shape) -> Floats:
    """Sea at a grazing angle: wind waves, fainter towards the horizon, and glint in a lane."""
    swell = power_law(rng, shape, 2.6, stretch=rng.uniform(2, 5), largest=rng.uniform(0.1, 0.5))
    ripple = power_law(rng, shape, 1.4, stretch=rng.uniform(1.5, 3), largest=0.05)
    near = 0.35 + _rows(shape)  # distant waves average out within a pixel
    slope = (swell + rng.uniform(0.2, 0.6) * ripple) * near
    across = (np.linspace(0, 1, shape[1]) - rng.uniform(-0.2, 1.2)) / rng.uniform(0.1, 0.4)
    glint = np.maximum(slope - rng.uniform(1.3, 2.2), 0) ** 1.5 * (0.3 + np.exp(-0.5 * across**2))
    field = 0.6 * slope + rng.uniform(0.3, 1.5) * glint + rng.uniform(-1.5, 2.0) * _rows(shape) ** 0.5
    return np.asarray(field * rng.uniform(0.4, 1.4))


def vegetation(rng: np.random.Generator, shape: Shape) -> Floats:
    """Land at an oblique angle: mottled ground, clumps of trees, warm specks, and sometimes a warm track."""
    ground = power_law(rng, shape, 2.6, stretch=rng.uniform(1.0, 2.5), largest=1.0)
    crowns = power_law(rng, shape, 3.4, largest=rng.uniform(0.04, 0.12))
    where = power_law(rng, shape, 3.6, stretch=1.5) + 0.6 * crowns
    clumps = 1 / (1 + np.exp(-4 * (where - rng.uniform(0.3, 1.5))))
    specks = np.maximum(power_law(rng, shape, 1.6, largest=0.03) - 2.2, 0)
    field = rng.uniform(0.4, 1.0) * ground + clumps * rng.uniform(-2.0, 1.0) * (1 + 0.3 * crowns)
    field = field + rng.uniform(0.0, 1.2) * specks + rng.normal(0, 1.5) * _rows(shape)
    if rng.random() < 0.35:
        field = field + rng.uniform(0.5, 2) * _track(rng, shape)
    return np.asarray(field * rng.uniform(0.7, 1.5))


def _track(rng: np.random.Generator, shape: Shape) -> Floats:
    """Cover of a gently winding road, 0 to 1."""
    row, col = np.ogrid[: shape[0], : shape[1]]
    bend = np.sin(col / shape[1] * rng.uniform(2, 6) + rng.uniform(0, 6)) * shape[0] * 0.05
    slope, middle = np.tan(rng.uniform(-0.6, 0.6)), shape[0] * rng.uniform(0.2, 0.8)
    away = row - middle - slope * (col - shape[1] / 2) + bend
    return np.asarray(np.exp(-((away / rng.uniform(1.0, 3.0)) ** 4)))


def horizon(rng: np.random.Generator, shape: Shape) -> Floats:
    """Sky over a ridge with a tree line; land warmer or colder than the sky behind it."""
    above = sky(rng, shape) if rng.random() < 0.6 else 0.6 * clouds(rng, shape)
    warm = rng.uniform(3, 9) * (1 if rng.random() < 0.8 else -0.6)
    land = warm + vegetation(rng, shape) - rng.uniform(0, 3) * _rows(shape)
    return _over(above, land, _tree_line(rng, shape, 0.6, 0.92))


def buildings(rng: np.random.Generator, shape: Shape) -> Floats:
    """Sky over blocks with sloping roof lines, rows of windows, roof structures, poles and trees."""
    field = sky(rng, shape) if rng.random() < 0.7 else 0.7 * clouds(rng, shape)
    height, width = shape
    dirt = 0.3 * power_law(rng, shape, 2.2)
    left = int(rng.uniform(-0.15, 0.3) * width)
    while left < width:
        breadth = int(width * rng.uniform(0.12, 0.45))
        top = height * rng.uniform(0.55, 0.95)
        columns = slice(max(left, 0), min(left + breadth, width))
        if columns.stop - columns.start >= 8:
            _block(rng, field[:, columns], dirt[:, columns], top)
        left += int(breadth * rng.uniform(0.8, 1.7))
    for _ in range(rng.integers(0, 3)):  # poles
        column, top = int(rng.integers(width)), int(height * rng.uniform(0.3, 0.7))
        field[top:, column : column + 1 + width // 200] += rng.uniform(1, 5)
    if rng.random() < 0.4:
        field = _over(field, rng.uniform(2, 8) + vegetation(rng, shape), _tree_line(rng, shape, 0.85, 1.0))
    return np.asarray(field)


def _block(rng: np.random.Generator, field: Floats, dirt: Floats, top: float) -> None:
    """Draw one building over a strip of the frame, in place; ``top`` is the row of its roof."""
    height, width = field.shape
    warm = rng.uniform(4, 14)
    column = np.arange(width)
    roof = top + rng.normal(0, 0.12) * (column - width / 2)
    if rng.random() < 0.6:  # lift house, tank or chimney
        start, size = rng.uniform(0.1, 0.7) * width, rng.uniform(0.08, 0.3) * width
        roof = np.where(
            (column >= start) & (column < start + size), roof - rng.uniform(0.3, 1.0) * size, roof
        )
    wall = warm + dirt - rng.uniform(0, 3) * _rows((height, width))
    first = int(np.clip(roof.max() + 4, 0, height))
    if rng.random() < 0.6:
        _windows(rng, wall[first:, 2:-2])
    parapet = _below(roof, (height, width)) - _below(roof + 2, (height, width))
    field[:] = _over(field, wall + rng.uniform(-2, 4) * parapet, _below(roof, (height, width)))


def _windows(rng: np.random.Generator, wall: Floats) -> None:
    pitch_row, pitch_col = int(rng.integers(5, 14)), int(rng.integers(5, 14))
    rows, cols = wall.shape
    lit = rng.normal(rng.uniform(-3, 1), 0.8, (rows // pitch_row + 1, cols // pitch_col + 1))
    pane = np.zeros((pitch_row, pitch_col))
    pane[1 : 1 + pitch_row // 2, 1 : 1 + pitch_col // 2] = 1
    wall += np.kron(lit, pane)[:rows, :cols]


def _over(back: Floats, front: Floats, cover: Floats) -> Floats:
    return np.asarray(back + cover * (front - back))


def _tree_line(rng: np.random.Generator, shape: Shape, highest: float, lowest: float) -> Floats:
    """Cover of the land under a line of hills and crowns at a height between two shares of the frame."""
    hills = rng.uniform(0.01, 0.04) * _skyline(rng, shape[1], 3.6)
    crowns = rng.uniform(0, 0.025) * np.abs(_skyline(rng, shape[1], 1.8))
    return _below((rng.uniform(highest, lowest) - hills - crowns) * shape[0], shape)


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
