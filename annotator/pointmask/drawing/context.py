"""The whole frame as a small picture, in which a target's surroundings can be recognised."""

from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pointmask.drawing.overlay import stretch
from pointmask.theta import Polarity

FRAME_SIDE = 132
"""Longest side of the picture, in px: four times the side of an enlarged target."""

_QUALITY = 60  # of JPEG: a frame of SIRST3 takes 1.8 kB, as PNG 6.9 kB


def pooling(shape: tuple[int, int]) -> int:
    """Return the side of the squares of the frame that become one pixel of the picture."""
    return -(-max(shape) // FRAME_SIDE)


def pool(image: NDArray[Any], side: int, polarity: Polarity) -> NDArray[Any]:
    """Shrink a frame without losing its targets.

    Parameters
    ----------
    image : (H, W) array of any real dtype
    side : int
        Of the squares, at least 1.
    polarity : {"bright", "dark", "auto"}
        Each square becomes its maximum, its minimum, or the value farther from the median of the frame.

    Returns
    -------
    (ceil(H / side), ceil(W / side)) array
        NaN where a square holds nothing else.
    """
    if side == 1:
        return image
    height, width = image.shape
    fill = ((0, -height % side), (0, -width % side))
    values = np.pad(image, fill, mode="edge")
    squares = values.reshape(values.shape[0] // side, side, values.shape[1] // side, side)
    if polarity == "bright":
        return np.asarray(np.fmax.reduce(squares, axis=(1, 3)))
    if polarity == "dark":
        return np.asarray(np.fmin.reduce(squares, axis=(1, 3)))
    high, low = np.fmax.reduce(squares, axis=(1, 3)), np.fmin.reduce(squares, axis=(1, 3))
    middle = np.nanmedian(high)
    is_high: NDArray[np.bool_] = high.astype(np.float64) - middle >= middle - low.astype(np.float64)
    low[is_high] = high[is_high]
    return np.asarray(low)


def frame_jpeg(image: NDArray[Any], polarity: Polarity) -> bytes:
    """Encode a whole frame as a small grey JPEG whose contrast shows dim targets.

    Parameters
    ----------
    image : (H, W) array of any real dtype
    polarity : {"bright", "dark", "auto"}
        As in `pool`.

    Returns
    -------
    bytes
        At most `FRAME_SIDE` px a side; the same input gives the same bytes.
    """
    buffer = BytesIO()
    grey = stretch(pool(image, pooling((image.shape[0], image.shape[1])), polarity))
    Image.fromarray(grey).save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()
