"""What all baselines share around their method: input as 8-bit RGB, output as an `Annotation`."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pointmask.annotator.target import Annotation, Target
from pointmask.bench.baselines.kernels.luma import luma
from pointmask.bench.baselines.sizes import Box, SizePrior, from_masks
from pointmask.errors import ImageError, PointsError


@dataclass(frozen=True, slots=True, eq=False)
class TargetPatch:
    """One target's result, before neighbours have written over it.

    Attributes
    ----------
    point : tuple of int
        Click (row, col).
    box : tuple of slice
        Rows and columns that the result covers; never empty.
    soft : (h, w) float32 in [0, 1]
    mask : (h, w) bool
    """

    point: tuple[int, int]
    box: Box
    soft: NDArray[np.float32]
    mask: NDArray[np.bool_]


def as_rgb8(image: ArrayLike) -> NDArray[np.uint8]:
    """Bring an image to what the published programs read: 8-bit RGB.

    Parameters
    ----------
    image : array_like of shape (H, W), (H, W, 3) or (H, W, 4)
        uint8 is taken as it is; any other type is stretched so that its minimum becomes 0 and its maximum
        255. A fourth channel is dropped, one band is repeated.

    Returns
    -------
    (H, W, 3) uint8

    Raises
    ------
    ImageError
        If the shape is another one, or a value is NaN or infinite.
    """
    array = np.asarray(image)
    if array.ndim == 3 and array.shape[2] in (3, 4):
        array = array[..., :3]
    elif array.ndim != 2:
        raise ImageError(f"image has shape {array.shape}; pass (H, W), (H, W, 3) or (H, W, 4)")
    if array.size == 0:
        raise ImageError(f"image has shape {array.shape}; it must have at least one pixel")
    if array.dtype != np.uint8:
        array = _stretched(array)
    if array.ndim == 3:
        return np.ascontiguousarray(array, dtype=np.uint8)
    rgb = np.empty((*array.shape, 3), np.uint8)
    for channel in range(3):  # half the time of np.repeat
        rgb[..., channel] = array
    return rgb


def _stretched(array: NDArray[np.generic]) -> NDArray[np.uint8]:
    values = array.astype(np.float64)
    if not np.isfinite(values).all():
        raise ImageError(
            "image holds NaN or infinite values; the published methods cannot read them; fill them"
        )
    low, high = values.min(), values.max()
    scaled = (values - low) * (255.0 / (high - low) if high > low else 0.0)
    levels: NDArray[np.uint8] = np.rint(scaled).astype(np.uint8)
    return levels


def luma8(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Make an RGB image grey as OpenCV does; equal channels come back unchanged.

    Parameters
    ----------
    rgb : (H, W, 3) uint8

    Returns
    -------
    (H, W) uint8
    """
    out = np.empty(rgb.shape[:2], np.uint8)
    luma(rgb, out)
    return out


def checked_points(points: Sequence[tuple[int, int]], shape: tuple[int, int]) -> list[tuple[int, int]]:
    """Return the points as integers, all of them inside an image of the given size.

    Parameters
    ----------
    points : sequence of tuple of int
        Clicks (row, col).
    shape : tuple of int
        Image size (H, W).

    Returns
    -------
    list of tuple of int

    Raises
    ------
    PointsError
        If a point lies outside the image.
    """
    height, width = shape
    checked = [(int(row), int(col)) for row, col in points]
    for row, col in checked:
        if not (0 <= row < height and 0 <= col < width):
            raise PointsError(
                f"point (row {row}, col {col}) lies outside the image of {height} x {width} pixels; "
                "pass (row, col), counted from 0"
            )
    return checked


def checked_priors(
    size_prior: Sequence[SizePrior] | None, points: Sequence[tuple[int, int]], rng: np.random.Generator
) -> Sequence[SizePrior]:
    """Return one size prior per point: the caller's, or fixed Spot boxes drawn from `rng`.

    Parameters
    ----------
    size_prior : sequence of SizePrior or None
    points : sequence of tuple of int
    rng : numpy.random.Generator
        Used only without a caller's prior.

    Returns
    -------
    sequence of SizePrior

    Raises
    ------
    PointsError
        If the numbers of priors and points differ.
    """
    if size_prior is None:
        return from_masks(None, points, rng, "none")
    if len(size_prior) != len(points):
        raise PointsError(
            f"{len(size_prior)} size priors were passed for {len(points)} points; pass one per point"
        )
    return size_prior


def is_workable(box: Box) -> bool:
    """Whether a box has at least two rows and columns, the least that can be clustered."""
    return all(side.stop - side.start >= 2 for side in box)


def empty_patch(point: tuple[int, int]) -> TargetPatch:
    """Return the result for a box too small to work in: the click's own pixel, not set."""
    (row, col) = point
    blank = np.zeros((1, 1), np.float32)
    return TargetPatch(point, (slice(row, row + 1), slice(col, col + 1)), blank, blank > 0)


def compose(shape: tuple[int, int], patches: Sequence[TargetPatch], *, erases: bool = True) -> Annotation:
    """Write the targets' boxes over one another, in order, and read each target back from its box.

    This is how the published programs make an image's mask: where boxes overlap, a later target erases
    what an earlier one had set, and a target's own cut-out may hold its neighbour's pixels.

    Parameters
    ----------
    shape : tuple of int
        Image size (H, W).
    patches : sequence of TargetPatch
        One per target, in the order in which they were clicked.
    erases : bool
        False keeps what earlier targets had set, as some programs do.

    Returns
    -------
    Annotation
        ``confidence`` is the mean soft label over the mask (0 for an empty one): the methods have no
        estimate of their own. The flag ``empty`` marks targets without any pixel.
    """
    canvas = np.zeros(shape, np.bool_)
    for patch in patches:
        canvas[patch.box] = patch.mask if erases else canvas[patch.box] | patch.mask
    return Annotation(shape, tuple(_target(patch, canvas[patch.box].copy()) for patch in patches))


def _target(patch: TargetPatch, mask: NDArray[np.bool_]) -> Target:
    rows, cols = patch.box
    window = (rows.start, cols.start, rows.stop, cols.stop)
    ys, xs = np.nonzero(mask)
    if ys.size == 0:
        row, col = patch.point
        nothing = (row, col, row, col)
        return Target(patch.point, window, patch.soft, mask, 0, nothing, 0.0, ("empty",), patch.point, 0)
    top, left = rows.start + int(ys.min()), cols.start + int(xs.min())
    bottom, right = rows.start + int(ys.max()) + 1, cols.start + int(xs.max()) + 1
    confidence = float(patch.soft[mask].mean())
    box = (top, left, bottom, right)
    return Target(patch.point, window, patch.soft, mask, ys.size, box, confidence, (), patch.point, 0)
