"""CLAHE as OpenCV computes it, which differs from scikit-image's; D2D's annotator starts with it."""

import numpy as np
from numpy.typing import NDArray

from pointmask.bench.baselines.kernels.clahe import blend_tables, tile_tables


def clahe(image: NDArray[np.uint8], *, clip_limit: float, tiles: int) -> NDArray[np.uint8]:
    """Equalise an image tile by tile, with limited contrast.

    Parameters
    ----------
    image : (H, W) uint8
    clip_limit : float
        Largest histogram bin, in multiples of the mean bin; rounded down to whole pixels, at least one.
    tiles : int
        Number of tiles along each axis. If either side is not a multiple of it, both are extended by
        mirrored pixels, a side that already fits by one whole further pixel per tile, as OpenCV does.

    Returns
    -------
    (H, W) uint8
    """
    height, width = image.shape
    padded = image
    if height % tiles or width % tiles:
        padded = np.pad(image, ((0, tiles - height % tiles), (0, tiles - width % tiles)), mode="reflect")
    tile_h, tile_w = padded.shape[0] // tiles, padded.shape[1] // tiles
    limit = max(int(clip_limit * tile_h * tile_w / 256), 1)
    tables = np.empty((tiles, tiles, 256), np.uint8)
    tile_tables(padded, tile_h, tile_w, limit, np.empty(256, np.int64), tables)
    out = np.empty_like(image)
    blend_tables(image, tile_h, tile_w, tables, out)
    return out
