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
from skimage.measure import find_contours, points_in_poly

from pointmask.annotator.target import Annotation
from pointmask.bench.baselines.base import Baseline
from pointmask.bench.baselines.parts.frame import (
    TargetPatch,
    as_rgb8,
    checked_points,
    checked_priors,
    compose,
    empty_patch,
)
from pointmask.bench.baselines.parts.levelset import evolve
from pointmask.bench.baselines.sizes import SizePrior

F64 = NDArray[np.float64]

# Typed here, as scikit-image's own functions are not.
_contours: Callable[..., list[F64]] = find_contours
_in_polygon: Callable[..., NDArray[np.bool_]] = points_in_poly

_HALF_SIZE = 20
_INITIAL_LEVEL = 50
_ROUNDS = 10


class COM(Baseline):
    """COM as its program runs unattended.

    Of a colour image the blue channel is used, which is what the program reads. The crop is fixed, 20 px
    each side, whatever the size prior; nothing is random.

    Parameters
    ----------
    as_released : bool
        True keeps the program's handling of contours: the first piece, open ones before closed ones, with
        the rounding errors that let the flood into it. False takes the closed piece round the click and
        its exact vertices, which is what the authors must have meant and is much better.
    """

    label = "COM"
    reads_size = False

    def __init__(self, *, as_released: bool = True) -> None:
        self._as_released = as_released

    def annotate(
        self,
        image: ArrayLike,
        points: Sequence[tuple[int, int]],
        *,
        size_prior: Sequence[SizePrior] | None = None,
        seed: int = 0,
    ) -> Annotation:
        """Annotate one image; size priors are checked and not used.

        Returns
        -------
        Annotation
            Over each crop: ``soft`` is the mask as 0 and 1.
        """
        blue = as_rgb8(image)[..., 2]
        clicks = checked_points(points, blue.shape)
        checked_priors(size_prior, clicks, np.random.default_rng(seed))
        return compose(blue.shape, [_patch(blue, click, self._as_released) for click in clicks])


def _patch(blue: NDArray[np.uint8], click: tuple[int, int], as_released: bool) -> TargetPatch:
    rows, cols = (
        slice(max(at - _HALF_SIZE, 0), min(at + _HALF_SIZE, size))
        for at, size in zip(click, blue.shape, strict=True)
    )
    crop = blue[rows, cols].astype(np.float64)
    if min(crop.shape) < 3:
        return empty_patch(click)
    origin = (click[0] - rows.start, click[1] - cols.start)
    mask = _crop_mask(crop, origin, as_released)
    return TargetPatch(click, (rows, cols), mask.astype(np.float32), mask)


def _crop_mask(crop: F64, click: tuple[int, int], as_released: bool) -> NDArray[np.bool_]:
    """Evolve a level set on one crop and fill one of its contours.

    The program lets matplotlib choose the level. That is 0 unless the target has vanished, about 1 time
    in 60; the mask is then empty here, while the program takes the contour of some other level.
    """
    low, high = crop.min(), crop.max()
    if high == low:
        return np.zeros(crop.shape, np.bool_)
    stretched = (crop - low) * (255.0 / (high - low))
    phi = evolve(np.where(stretched > _INITIAL_LEVEL, -1.0, 1.0), stretched, rounds=_ROUNDS)
    pieces = _contours(phi, 0.0)
    if as_released:
        first = sorted(pieces, key=_is_closed)[:1]  # matplotlib lists open pieces before closed ones
        chosen = [_rounded(piece, phi) for piece in first]
    else:
        chosen = [piece for piece in pieces if _is_closed(piece) and _holds(piece, click)][:1]
    return _enclosed(chosen[0], crop.shape) if chosen else np.zeros(crop.shape, np.bool_)


def _is_closed(piece: F64) -> bool:
    return np.array_equal(piece[0], piece[-1])


def _rounded(piece: F64, phi: F64) -> F64:
    """Recompute a contour's vertices with matplotlib's rounding errors.

    A vertex lies on a grid line, so that one coordinate is whole. matplotlib interpolates both coordinates,
    and the whole one can come out a rounding error too small. Truncation then makes it the pixel before,
    the rim has a hole, and the flood gets in. More than 1 mask in 5 is decided by this, which is why any
    change of the arithmetic changes the program's masks.

    Parameters
    ----------
    piece : (k, 2) float64
        Vertices (row, col), exact.
    phi : (h, w) float64
        Level set whose zero level the piece follows.

    Returns
    -------
    (k, 2) float64
    """
    before = np.floor(piece).astype(np.int64)
    after = np.ceil(piece).astype(np.int64)
    value_before, value_after = phi[tuple(before.T)], phi[tuple(after.T)]
    span = value_after - value_before
    share = np.divide(value_after, span, out=np.ones_like(span), where=span != 0)[:, None]
    rounded: F64 = before * share + after * (1 - share)
    return rounded


def _holds(piece: F64, click: tuple[int, int]) -> bool:
    return bool(_in_polygon([click], piece)[0])


def _enclosed(piece: F64, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Pixels that a flood from the crop's corner does not reach across the contour's vertices.

    The vertices alone are set, truncated and not joined by lines, and do not belong to the mask. A flood
    that starts on a vertex runs along the contour and leaves everything else as target.
    """
    rim = np.zeros(shape, np.bool_)
    rim[tuple(piece.astype(np.int64).T)] = True
    labels, _ = ndi.label(rim == rim[0, 0])
    enclosed: NDArray[np.bool_] = ~rim & (labels != labels[0, 0])
    return enclosed
