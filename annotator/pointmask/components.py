"""8-connected components of a mask."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi


def components(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int32], int]:
    """Label 8-connected components in raster order.

    Parameters
    ----------
    mask : ndarray
        ``(H, W)`` bool.

    Returns
    -------
    labels : ndarray
        ``(H, W)`` int32, 0 background, 1 to `count`.
    count : int
        Number of components.
    """
    labels, count = ndi.label(mask, np.ones((3, 3), np.bool_))
    return labels, int(count)


def blobs(mask: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Measure the 8-connected components, in raster order.

    Parameters
    ----------
    mask : ndarray
        ``(H, W)`` bool.

    Returns
    -------
    centroids : ndarray
        ``(n, 2)`` float64, (row, col) in pixels, not rounded.
    areas : ndarray
        ``(n,)`` int64, pixels.
    """
    labels, count = components(mask)
    rows, cols = np.nonzero(labels)
    ids = labels[rows, cols] - 1
    areas = np.bincount(ids, minlength=count)
    sums = [np.bincount(ids, weights=axis, minlength=count) for axis in (rows, cols)]
    return np.stack(sums, axis=1) / areas[:, None], areas


def middles(mask: NDArray[np.bool_], most: int = 16) -> NDArray[np.int64]:
    """Return the pixels nearest to the centroids of the components, ``(n, 2)`` int64, as clicks would be.

    Parameters
    ----------
    mask : ndarray
        ``(H, W)`` bool.
    most : int
        Return only the first, in raster order.
    """
    centroids, _ = blobs(mask)
    return np.floor(centroids[:most] + 0.5).astype(np.int64)
