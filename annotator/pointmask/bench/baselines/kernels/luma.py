"""Grey version of an 8-bit RGB image, with OpenCV's arithmetic."""

import numpy as np
from numpy.typing import NDArray

from pointmask.compiled import kernel


@kernel()
def luma(rgb: NDArray[np.uint8], out: NDArray[np.uint8]) -> None:
    """Weigh the three channels in 15-bit fixed point, rounded; equal channels come out unchanged.

    Parameters
    ----------
    rgb : (H, W, 3) uint8
    out : (H, W) uint8
        Written.
    """
    for y in range(rgb.shape[0]):
        for x in range(rgb.shape[1]):
            weighted = 9798 * np.int32(rgb[y, x, 0]) + 19235 * np.int32(rgb[y, x, 1])
            out[y, x] = (weighted + 3735 * np.int32(rgb[y, x, 2]) + (1 << 14)) >> 15
