"""Infrared frames as the grey values from 0 to 255 that networks of photographs were trained on."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pointmask.errors import ImageError

_LOW, _HIGH = 0.1, 99.9  # percentiles between which grey values of more than 8 bits are stretched


def grey8(image: ArrayLike) -> NDArray[np.float32]:
    """Bring an (H, W) image to 0 to 255: 8 bits as they are, others between two percentiles.

    Raises
    ------
    ImageError
        If the image has another number of axes, is empty, or holds NaN or infinite values.
    """
    array = np.asarray(image)
    if array.ndim != 2 or array.size == 0:
        raise ImageError(f"image has shape {array.shape}; pass (H, W), at least one pixel")
    values = array.astype(np.float32)
    if array.dtype == np.uint8:
        return values
    if not np.isfinite(values).all():
        raise ImageError("image holds NaN or infinite values, which the network cannot read; fill them")
    low, high = np.percentile(values, [_LOW, _HIGH])
    scaled = (values - low) * (255 / (high - low) if high > low else 0)
    return np.clip(scaled, 0, 255).astype(np.float32)
