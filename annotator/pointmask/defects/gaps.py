"""Pixels that are no finite numbers: lone ones take the median of what is around them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointmask.defects.search import OTHERS

Field = NDArray[Any]

_FINITE = 6  # neighbours of a lone pixel without a number


def fill_gaps(image: Field) -> Field:
    """
    Give lone pixels that are no finite number the median of their neighbours.

    Parameters
    ----------
    image : (H, W) float array

    Returns
    -------
    (H, W) float array
        The same object if there is no such pixel. Pixels with fewer than six finite neighbours, as in larger
        gaps, stay as they are.
    """
    finite = np.isfinite(image)
    places = np.argwhere(~finite)
    if not len(places):
        return image
    padded = np.pad(np.where(finite, image, np.nan), 1, constant_values=np.nan)
    around = np.stack([padded[places[:, 0] + 1 + i, places[:, 1] + 1 + j] for i, j in OTHERS])
    lone = np.isfinite(around).sum(axis=0) >= _FINITE
    result = image.copy()
    result[tuple(places[lone].T)] = np.nanmedian(around[:, lone], axis=0)
    return result
