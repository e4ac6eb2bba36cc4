"""Targets of synthetic scenes: outlines at sub-pixel positions, blurred by the optics."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi
from scipy.special import ndtr

Floats = NDArray[np.float64]

SUBSAMPLES = 4  # cells per pixel and axis; the outline's area is exact along rows and sampled across them
SKIRT_WEIGHT, SKIRT_WIDTH = 0.12, 2.4  # Airy rings and scatter, as a second and wider Gaussian


@dataclass(frozen=True, kw_only=True, slots=True)
class TargetSpec:
    """Specification of one target; attributes that are None are drawn at random.

    Attributes
    ----------
    area : float or None
        Pixels of the exact mask, within ``AREAS[shape]``. A point source is no smaller than the optics' spot.
    shape : str or None
        One of ``SHAPES``.
    contrast : float or None
        Signal-to-clutter ratio (see `pointmask.synth.scenes`); negative for a target colder than its
        surroundings.
    center : (float, float) or None
        Sub-pixel (row, col) of the middle of the shape; (0.0, 0.0) is the centre of the first pixel.
    touches : bool
        Place the target so that its mask touches, without overlapping, that of the target before it.
    """

    area: float | None = None
    shape: str | None = None
    contrast: float | None = None
    center: tuple[float, float] | None = None
    touches: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Stamp:
    """A rendered target in a square patch of (n, n) pixels, n odd, centred in the middle pixel."""

    profile: Floats  # response to unit contrast, texture included
    cover: Floats  # fraction of each pixel's background that the target occludes, in [0, 1]
    mask: NDArray[np.bool_]  # exact truth

    @property
    def reach(self) -> int:
        """Half size of the patch in pixels."""
        return len(self.mask) // 2

    def padded(self, by: int) -> "Stamp":
        """Return the same target in a patch padded by this many pixels on each side."""
        return Stamp(np.pad(self.profile, by), np.pad(self.cover, by), np.pad(self.mask, by))


def _ellipse(rng: np.random.Generator) -> Floats:
    angle = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    return np.stack([np.sin(angle), np.cos(angle) * rng.uniform(1.0, 2.6)], axis=1)


def _blob(rng: np.random.Generator) -> Floats:
    angle = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    order = np.arange(1, 5)
    wave = np.cos(order * angle[:, None] + rng.uniform(0, 2 * np.pi, 4))
    radius = 1 + wave @ (rng.uniform(0.0, 0.45, 4) / order**0.8)
    radius = np.maximum(radius, 0.4)
    return np.stack([radius * np.sin(angle), radius * np.cos(angle) * rng.uniform(1.0, 1.8)], axis=1)


def _mirrored(half: list[tuple[float, float]]) -> Floats:
    """Outline from its points on one side of the axis, nose to tail, as (across, along)."""
    side = np.array(half)
    return np.concatenate([side, (side * [-1, 1])[::-1]])


def _aeroplane(rng: np.random.Generator) -> Floats:
    body, sweep, span = rng.uniform(0.13, 0.18), rng.uniform(0.1, 0.45), rng.uniform(0.75, 1.0)
    tail = span * rng.uniform(0.38, 0.5)
    return _mirrored(
        [
            (0.03, 1.0),
            (body, 0.75),
            (body, 0.3),
            (span, 0.3 - sweep),
            (span, 0.02 - sweep),
            (body, -0.2),
            (body * 0.9, -0.68),
            (tail, -0.8),
            (tail, -1.02),
            (0.03, -0.95),
        ]
    )


def _drone(rng: np.random.Generator) -> Floats:
    arm, waist = rng.uniform(0.8, 1.0), rng.uniform(0.34, 0.42)
    turn = np.arange(4) * np.pi / 2 + np.pi / 4
    corners = [(arm, -0.2), (arm, 0.2), (waist, np.pi / 4)]
    angle = np.concatenate([[t + da for _, da in corners] for t in turn])
    radius = np.tile([r for r, _ in corners], 4)
    return np.stack([radius * np.sin(angle) * rng.uniform(0.7, 1.0), radius * np.cos(angle)], axis=1)


def _bird(rng: np.random.Generator) -> Floats:
    dihedral, chord = rng.uniform(-0.5, 0.6), rng.uniform(0.3, 0.42)
    wing = np.array([(0.0, 0.05), (0.55, dihedral * 0.7), (1.0, dihedral)])
    top = np.concatenate([(wing * [-1, 1])[:0:-1], wing])
    lower = top[::-1].copy()
    lower[:, 1] -= np.array([0.08, chord * 0.8, chord * 1.5, chord * 0.8, 0.08])
    return np.concatenate([top, lower])[:, ::-1]


def _ship(rng: np.random.Generator) -> Floats:
    bridge, height, mast = rng.uniform(-0.7, -0.2), rng.uniform(0.22, 0.4), rng.uniform(0.15, 0.4)
    deck = -0.08
    roof = deck - height
    outline = [
        (0.32, -0.85),
        (0.32, 0.78),
        (deck - 0.06, 1.0),
        (deck, 0.6),
        (deck, bridge + 0.75),
        (roof, bridge + 0.65),
        (roof, bridge + 0.5),
        (roof - mast, bridge + 0.46),
        (roof - mast, bridge + 0.24),
        (roof, bridge + 0.2),
        (roof, bridge),
        (deck, bridge - 0.04),
        (deck, -0.98),
    ]
    return np.array(outline)


def _vehicle(rng: np.random.Generator) -> Floats:
    long, cab = rng.uniform(1.4, 2.4), rng.uniform(0.55, 0.85)
    return _mirrored([(cab, long), (1.0, long * 0.6), (1.0, -long * 0.95), (0.9, -long)])


# Name -> outline of arbitrary scale as (row, col) vertices, and the least area in pixels at which it is still
# one connected, recognisable piece. A "point" has no outline: its spot is the optics' own.
_OUTLINES: dict[str, tuple[Callable[[np.random.Generator], Floats], float]] = {
    "ellipse": (_ellipse, 6),
    "blob": (_blob, 12),
    "vehicle": (_vehicle, 12),
    "ship": (_ship, 24),
    "bird": (_bird, 30),
    "drone": (_drone, 40),
    "aeroplane": (_aeroplane, 55),
}
SHAPES = ("point", *_OUTLINES)
AREAS: dict[str, tuple[float, float]] = {
    "point": (4, 25),  # larger spots would need an implausible defocus
    **{name: (least, 300) for name, (_, least) in _OUTLINES.items()},
}
"""Least and most pixels of the mask, by shape."""
_UPRIGHT = ("ship", "bird")  # side views, which are only slightly rotated


def render(
    rng: np.random.Generator, shape: str, area: float, *, sigma: float, offset: tuple[float, float]
) -> Stamp:
    """Render one target.

    Parameters
    ----------
    rng : numpy.random.Generator
        Draws proportions, orientation and texture.
    shape : str
        One of ``SHAPES``.
    area : float
        Required pixels of the mask.
    sigma : float
        Standard deviation of the optics' core in pixels.
    offset : (float, float)
        Sub-pixel position (row, col) of the centre relative to the middle pixel, in [-0.5, 0.5].
    """
    if shape == "point":
        return _render_point(area, sigma, offset)
    outline = _orient(rng, _OUTLINES[shape][0](rng), shape)
    outline *= math.sqrt(area / _polygon_area(outline))
    reach = math.ceil(np.abs(outline).max() * 1.3 + 4 * sigma * SKIRT_WIDTH**0.5 + 1)
    fine = _fitted(outline, area, offset, reach)
    mask = _pool(fine) >= 0.5
    if ndi.label(mask, np.ones((3, 3)))[1] != 1:  # rare enough to draw again
        return render(rng, shape, area, sigma=sigma, offset=offset)
    texture = _texture(rng, fine)
    return Stamp(_pool(_optics(fine * texture, sigma)), _pool(_optics(fine, sigma)), mask)


def _fitted(outline: Floats, area: float, offset: tuple[float, float], reach: int) -> Floats:
    """Coverage of the outline, scaled so that the mask has the required area as nearly as possible.

    Parts thinner than a pixel cover no pixel by half, so the area of the outline alone is not sufficient.
    """
    best, best_miss = np.empty(0), math.inf
    low, high = 0.7, 1 / 0.7
    for _ in range(8):
        scale = math.sqrt(low * high)
        fine = _rasterise(outline * scale + offset, reach)
        got = int((_pool(fine) >= 0.5).sum())
        miss = abs(got - area)
        if miss < best_miss:
            best, best_miss = fine, miss
        if miss <= max(0.5, 0.03 * area):
            break
        low, high = (scale, high) if got < area else (low, scale)
    return best


def _render_point(area: float, sigma: float, offset: tuple[float, float]) -> Stamp:
    """Spot of a point source, widened by jitter and defocus if a larger area is required."""
    # The half-response disc of a Gaussian has an area of 2 pi ln(2) sigma^2; the skirt adds 8 %, and the
    # pixel's own width a variance of 1/12.
    sigma = max(sigma, math.sqrt(area / (1.08 * 2 * math.pi * math.log(2)) - 1 / 12))
    reach = math.ceil(4 * sigma * SKIRT_WIDTH**0.5 + 1)
    edges = np.arange(-reach - 0.5, reach + 1)

    def spot(width: float) -> Floats:
        rows, cols = (np.diff(ndtr((edges - middle) / width)) for middle in offset)
        return np.outer(rows, cols)

    profile = (1 - SKIRT_WEIGHT) * spot(sigma) + SKIRT_WEIGHT * spot(sigma * SKIRT_WIDTH)
    profile /= profile.max()
    return Stamp(profile, np.zeros_like(profile), profile > 0.5)


def _orient(rng: np.random.Generator, outline: Floats, shape: str) -> Floats:
    """Centre the outline on its vertices' box and turn it."""
    turn = rng.normal(0, 0.08) if shape in _UPRIGHT else rng.uniform(0, 2 * np.pi)
    if shape in _UPRIGHT and rng.random() < 0.5:
        outline = outline * [1, -1]
    outline = outline - (outline.min(0) + outline.max(0)) / 2
    c, s = math.cos(turn), math.sin(turn)
    turned: Floats = outline @ np.array([[c, s], [-s, c]])
    return turned


def _polygon_area(outline: Floats) -> float:
    y, x = outline.T
    return float(abs(np.dot(y, np.roll(x, -1)) - np.dot(x, np.roll(y, -1))) / 2)


def _rasterise(outline: Floats, reach: int) -> Floats:
    """Cover of each cell of a (n * SUBSAMPLES)^2 grid, n = 2 * reach + 1, by a simple polygon.

    Each edge adds a step of +-1 from its crossing to the right end of the row, spread over the crossed cell;
    a running sum turns the steps into cover. Work grows with rows times edges, not with the grid.
    """
    n = (2 * reach + 1) * SUBSAMPLES
    y0, x0 = ((outline + reach + 0.5) * SUBSAMPLES).T
    y1, x1 = np.roll(y0, -1), np.roll(x0, -1)
    line = np.arange(n) + 0.5
    row, edge = np.nonzero((y0 <= line[:, None]) != (y1 <= line[:, None]))
    x = x0[edge] + (line[row] - y0[edge]) * ((x1 - x0)[edge] / (y1 - y0)[edge])
    x = np.clip(x, 0, n - 1e-9)
    sign = np.where(y1[edge] > y0[edge], 1.0, -1.0)
    cell = np.floor(x)
    at = row * (n + 1) + cell.astype(np.intp)
    steps = np.bincount(at, sign * (cell + 1 - x), n * (n + 1))
    steps += np.bincount(at + 1, sign * (x - cell), n * (n + 1))
    cover: Floats = np.abs(np.cumsum(steps.reshape(n, n + 1)[:, :n], axis=1))
    return np.minimum(cover, 1.0)


def _texture(rng: np.random.Generator, cover: Floats) -> Floats:
    """Relative emission over the target, mean 1: a gradient, one hot part and soft mottling."""
    n = cover.shape[0]
    grid = (np.arange(n) - n / 2) / n
    slope = rng.uniform(-1.2, 1.2, 2)
    texture = 1 + slope[0] * grid[:, None] + slope[1] * grid
    inside = np.argwhere(cover > 0.5)
    row, col = inside[rng.integers(len(inside))]
    width = rng.uniform(0.5, 1.0) * math.sqrt(len(inside)) / 2
    line = np.arange(n)
    hot = np.outer(np.exp(-0.5 * ((line - row) / width) ** 2), np.exp(-0.5 * ((line - col) / width) ** 2))
    coarse = rng.normal(0, 0.12, (n // SUBSAMPLES, n // SUBSAMPLES))
    texture = texture + rng.uniform(0, 0.6) * hot + np.kron(coarse, np.ones((SUBSAMPLES, SUBSAMPLES)))
    texture = np.maximum(texture, 0.3)
    return np.asarray(texture / (texture[cover > 0.5].mean()))


def _optics(fine: Floats, sigma: float) -> Floats:
    core = ndi.gaussian_filter(fine, sigma * SUBSAMPLES, mode="constant", truncate=3.5)
    skirt = ndi.gaussian_filter(fine, sigma * SKIRT_WIDTH * SUBSAMPLES, mode="constant", truncate=3.0)
    return np.asarray((1 - SKIRT_WEIGHT) * core + SKIRT_WEIGHT * skirt)


def _pool(fine: Floats) -> Floats:
    n = fine.shape[0] // SUBSAMPLES
    return np.asarray(fine.reshape(n, SUBSAMPLES, n, SUBSAMPLES).mean(axis=(1, 3)))
