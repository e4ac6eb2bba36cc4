"""COM: a level set that shrinks on a fixed crop round the click.

Written from a description of the program that its authors published; no code was taken over. The
defects of that program are part of its figures and are kept: all bright blobs of the crop start as target,
the mask comes from the first contour found and not from the one at the click, and an open contour gives
an empty or an inverted mask. The evolution is chaotic, so that figures agree with the original's
over many targets, never mask by mask.

The program searches pixels near the target in interpreted loops over lists and takes about half a second
per target; here the search is a few array operations, so that the time compared is the method's.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage as ndi
from skimage.measure import find_contours

from pointmask.annotator import Annotation
from pointmask.baselines._frame import Patch, as_rgb8, checked_points, checked_priors, compose, empty_patch
from pointmask.baselines._levelset import evolve
from pointmask.baselines._sizes import SizePrior

# Typed here, as scikit-image's own function is not.
_contours: Callable[..., list[NDArray[np.float64]]] = find_contours

_HALF_SIZE = 20
_INITIAL_LEVEL = 50
_ROUNDS = 10


def com(
    image: ArrayLike,
    points: Sequence[tuple[int, int]],
    *,
    size_prior: Sequence[SizePrior] | None = None,
    seed: int = 0,
    piece_at_click: bool = False,
) -> Annotation:
    """Annotate one image with COM as its program runs unattended.

    Parameters
    ----------
    image : array_like of shape (H, W) or (H, W, 3)
        Bright targets on a darker background. uint8 is used as it is, other types are stretched to 8 bit.
        Of a colour image the blue channel is used, which is what the program reads.
    points : sequence of tuple of int
        Clicks (row, col), 0-based.
    size_prior : sequence of SizePrior, optional
        Checked and then left alone, so that all baselines are called alike: COM works in a fixed crop of
        20 px each side.
    seed : int
        Likewise: nothing here is random.
    piece_at_click : bool, optional
        False takes the first contour piece, as published. True takes the first that encloses the click.

    Returns
    -------
    Annotation
        Over each crop: ``soft`` is the mask as 0 and 1.

    Raises
    ------
    ImageError, PointsError
        If the image's shape or values, a point, or the number of priors does not fit.
    """
    blue = as_rgb8(image)[..., 2]
    clicks = checked_points(points, blue.shape)
    checked_priors(size_prior, clicks, np.random.default_rng(seed))
    return compose(blue.shape, [_patch(blue, click, piece_at_click) for click in clicks])


def _patch(blue: NDArray[np.uint8], click: tuple[int, int], piece_at_click: bool) -> Patch:
    rows, cols = (
        slice(max(at - _HALF_SIZE, 0), min(at + _HALF_SIZE, size))
        for at, size in zip(click, blue.shape, strict=True)
    )
    crop = blue[rows, cols].astype(np.float64)
    if min(crop.shape) < 3:
        return empty_patch(click)
    origin = (click[0] - rows.start, click[1] - cols.start)
    mask = _crop_mask(crop, origin, piece_at_click)
    return Patch(click, (rows, cols), mask.astype(np.float32), mask)


def _crop_mask(crop: NDArray[np.float64], click: tuple[int, int], piece_at_click: bool) -> NDArray[np.bool_]:
    """Evolve a level set on one crop and fill its first contour.

    The program asks matplotlib for the contour, which meets pieces mostly in the same order as scikit-image
    (both begin at row 0); scikit-image is always there. Where the target has vanished, about 1 time in 60,
    matplotlib picks a level of its own; here the mask is empty.
    """
    low, high = crop.min(), crop.max()
    if high == low:
        return np.zeros(crop.shape, np.bool_)
    stretched = (crop - low) * (255.0 / (high - low))
    phi = np.where(stretched > _INITIAL_LEVEL, -1.0, 1.0)
    phi = evolve(phi, stretched, rounds=_ROUNDS)
    masks = (_enclosed(piece, crop.shape) for piece in _contours(phi, 0.0))
    if piece_at_click:
        masks = (mask for mask in masks if mask[click])
    return next(masks, np.zeros(crop.shape, np.bool_))


def _enclosed(piece: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Pixels that a flood from the crop's corner does not reach across the contour's vertices.

    The vertices alone are set, truncated and not joined by lines, and do not belong to the mask. A flood
    that starts on a vertex runs along the contour and leaves everything else as target.
    """
    rim = np.zeros(shape, np.bool_)
    rim[tuple(piece.astype(np.int64).T)] = True
    labels, _ = ndi.label(rim == rim[0, 0])
    enclosed: NDArray[np.bool_] = ~rim & (labels != labels[0, 0])
    return enclosed
