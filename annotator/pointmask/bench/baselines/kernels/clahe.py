"""Contrast-limited adaptive histogram equalisation of 8-bit images, with OpenCV's arithmetic."""

import numpy as np
from numpy.typing import NDArray

from pointmask.compiled import kernel


@kernel()
def tile_tables(
    padded: NDArray[np.uint8],
    tile_h: int,
    tile_w: int,
    limit: int,
    hist: NDArray[np.int64],
    out: NDArray[np.uint8],
) -> None:
    """Grey-level table of each tile: its clipped, cumulated histogram.

    Parameters
    ----------
    padded : (tiles_y * tile_h, tiles_x * tile_w) uint8
    tile_h, tile_w : int
        Size of a tile in pixels.
    limit : int
        Largest count of a bin; the excess is spread over all bins.
    hist : (256,) int64
        Scratch.
    out : (tiles_y, tiles_x, 256) uint8
        Written.
    """
    scale = np.float32(255.0) / np.float32(tile_h * tile_w)
    for ty in range(out.shape[0]):
        for tx in range(out.shape[1]):
            hist[:] = 0
            for y in range(ty * tile_h, (ty + 1) * tile_h):
                for x in range(tx * tile_w, (tx + 1) * tile_w):
                    hist[padded[y, x]] += 1
            excess = 0
            for level in range(256):
                if hist[level] > limit:
                    excess += hist[level] - limit
                    hist[level] = limit
            share, rest = excess // 256, excess % 256
            step = max(256 // rest, 1) if rest else 256
            total = 0
            for level in range(256):
                total += hist[level] + share
                if level % step == 0 and level // step < rest:
                    total += 1
                out[ty, tx, level] = min(np.rint(np.float32(total) * scale), 255)


@kernel()
def blend_tables(
    image: NDArray[np.uint8], tile_h: int, tile_w: int, tables: NDArray[np.uint8], out: NDArray[np.uint8]
) -> None:
    """Map each pixel by the tables of the four tiles round it, mixed bilinearly.

    Parameters
    ----------
    image : (H, W) uint8
    tile_h, tile_w : int
        Size of a tile in pixels.
    tables : (tiles_y, tiles_x, 256) uint8
    out : (H, W) uint8
        Written.
    """
    one, half = np.float32(1.0), np.float32(0.5)
    inverse_h, inverse_w = one / np.float32(tile_h), one / np.float32(tile_w)
    last_y, last_x = tables.shape[0] - 1, tables.shape[1] - 1
    for y in range(image.shape[0]):
        ty = np.float32(y) * inverse_h - half
        upper = int(np.floor(ty))
        to_lower = ty - np.float32(upper)
        to_upper = one - to_lower
        above, below = max(upper, 0), min(upper + 1, last_y)
        for x in range(image.shape[1]):
            tx = np.float32(x) * inverse_w - half
            lefter = int(np.floor(tx))
            to_right = tx - np.float32(lefter)
            to_left = one - to_right
            left, right = max(lefter, 0), min(lefter + 1, last_x)
            level = image[y, x]
            top = (
                np.float32(tables[above, left, level]) * to_left
                + np.float32(tables[above, right, level]) * to_right
            )
            bottom = (
                np.float32(tables[below, left, level]) * to_left
                + np.float32(tables[below, right, level]) * to_right
            )
            out[y, x] = min(np.rint(top * to_upper + bottom * to_lower), 255)
