"""The heat map that a locator is to give for an image and its points; after SPIRE (Ni et al., 2026)."""

import math

import numpy as np
from numpy.typing import NDArray

from pointmask_trainer.strategies.points.options import SpireOptions

F64 = NDArray[np.float64]

_SEARCH = 5  # px from the click within which the brightest pixel is looked for, in "released"
_PEAK = 1  # cells from the click within which the peak is looked for, in "matched"
_INNER = 4.0  # cells from the click beyond which the background begins


def heat_target(image: F64, points: F64, options: SpireOptions, pitch: int = 4) -> NDArray[np.float32]:
    """Make the heat of one crop.

    Parameters
    ----------
    image : (H, W) array
        The network's enlarged input, of which only "released" and "matched" look at the values.
    points : (K, 2) array
        Row and column in px of `image`; points beside it count as far as their targets reach into it.
    options : SpireOptions
    pitch : int
        Sides of a cell in px of `image`.

    Returns
    -------
    (ceil(H / pitch), ceil(W / pitch)) float32 array
        Where targets overlap, the larger value stands; of "released" the mean, as published.
    """
    shape = (-(-image.shape[0] // pitch), -(-image.shape[1] // pitch))
    heat = np.zeros(shape)
    for point in points:
        if options.target == "released":
            _paste_released(heat, image, point, options, pitch)
            continue
        place = np.floor(point / pitch + 0.5) if options.rounded else point / pitch
        rows, cols = _around(place[0], options.radius, shape[0]), _around(place[1], options.radius, shape[1])
        if rows.start >= rows.stop or cols.start >= cols.stop:
            continue
        values = gaussian(rows, cols, place, options.sigma)
        if options.target == "matched":
            values = values * _matched(image, rows, cols, place, pitch)
        np.maximum(heat[rows, cols], values, out=heat[rows, cols])
    return heat.astype(np.float32)


def gaussian(rows: slice, cols: slice, place: F64, sigma: float) -> F64:
    """Gaussian of height 1 at a place, over some cells."""
    down = np.arange(rows.start, rows.stop)[:, None] - place[0]
    right = np.arange(cols.start, cols.stop)[None, :] - place[1]
    return np.asarray(np.exp(-(down**2 + right**2) / (2 * sigma**2)))


def _around(centre: float, radius: int, length: int) -> slice:
    """Cells within a radius along one axis, cut at the ends."""
    return slice(max(0, math.ceil(centre - radius)), min(length, math.floor(centre + radius) + 1))


def _matched(image: F64, rows: slice, cols: slice, place: F64, pitch: int) -> F64:
    """Factor of each cell: a half, and as much again by its contrast; 1 at the peak, and nowhere above."""
    cells = np.array(
        [
            [_mean_of_cell(image, row, col, pitch) for col in range(cols.start, cols.stop)]
            for row in range(rows.start, rows.stop)
        ]
    )
    down = np.arange(rows.start, rows.stop)[:, None] - place[0]
    right = np.arange(cols.start, cols.stop)[None, :] - place[1]
    ring = cells[np.hypot(down, right) > _INNER]
    near = cells[np.maximum(np.abs(down), np.abs(right)) <= _PEAK + 0.5]
    if not ring.size or not near.size or near.max() <= np.median(ring):
        return np.ones_like(cells)
    base = np.median(ring)
    share = 0.5 + 0.5 * np.clip((cells - base) / (near.max() - base), 0, 1)
    at_peak = share[np.unravel_index(np.argmin(np.hypot(down, right)), share.shape)]
    return np.asarray(np.minimum(share / at_peak, 1.0))


def _mean_of_cell(image: F64, row: int, col: int, pitch: int) -> float:
    """Mean of the pixels that are at least as near to a cell's centre as to others."""
    half = pitch // 2
    top, left = max(0, row * pitch - half), max(0, col * pitch - half)
    return float(image[top : row * pitch + half + 1, left : col * pitch + half + 1].mean())


def _paste_released(heat: F64, image: F64, point: F64, options: SpireOptions, pitch: int) -> None:
    """Write one target as the published program does, apart from its divisions by zero."""
    height, width = image.shape
    row, col = (int(value) for value in np.floor(point + 0.5))
    if not (0 <= row < height and 0 <= col < width):
        return
    centre = np.floor(point / pitch + 0.5).astype(int)
    top, left = max(0, row - _SEARCH), max(0, col - _SEARCH)
    near = image[top : row + _SEARCH + 1, left : col + _SEARCH + 1]
    down, right = np.unravel_index(np.argmax(near), near.shape)
    size = 2 * options.radius + 1
    if height < size or width < size:
        return
    first = np.clip(int(top + down) - options.radius, 0, height - size)
    second = np.clip(int(left + right) - options.radius, 0, width - size)
    patch = _stretched(image[first : first + size, second : second + size])
    whole = slice(0, size)
    middle = np.array([options.radius, options.radius], np.float64)
    patch = _stretched(patch * gaussian(whole, whole, middle, options.sigma))
    corner = centre - options.radius
    rows = slice(max(0, corner[0]), max(0, min(heat.shape[0], corner[0] + size)))
    cols = slice(max(0, corner[1]), max(0, min(heat.shape[1], corner[1] + size)))
    part = patch[
        rows.start - corner[0] : rows.stop - corner[0], cols.start - corner[1] : cols.stop - corner[1]
    ]
    there = heat[rows, cols]
    heat[rows, cols] = np.where(there > 0, (there + part) / 2, part)


def _stretched(values: F64) -> F64:
    """Stretch values to [0, 1]; a flat patch becomes 0."""
    low, high = values.min(), values.max()
    return (values - low) / (high - low) if high > low else np.zeros_like(values)
