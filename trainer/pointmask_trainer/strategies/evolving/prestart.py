"""Which images are easy to label from their points alone, by the edges round each, and their first labels.

The easy-sample pseudo-label generation of PAL, without OpenCV. Of the 1,652 train and 550 val images of
SIRST3 it gives the published program's counts of easy images, with centroids and with coarse points.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from pointmask.components import components
from pointmask.io.images.array import open_image
from pointmask_trainer.data.split import Split
from pointmask_trainer.strategies.evolving.canny import blurred, edges

Mask = NDArray[np.bool_]

_FRAME_PERCENTILES = (0.1, 99.9)
_EIGHT_BIT = {"1", "L", "LA", "P", "RGB", "RGBA"}  # colour modes of files
_ROUNDING = 1e-3  # luminance of three equal bands may lie this far below them


class EdgeOptions(Protocol):
    """Settings of `from_edges`; see `pointmask_trainer.strategies.evolving.options.PALOptions`."""

    @property
    def canny_low(self) -> int: ...  # noqa: D102 - see the class
    @property
    def canny_high(self) -> int: ...  # noqa: D102
    @property
    def half(self) -> int: ...  # noqa: D102
    @property
    def area(self) -> float: ...  # noqa: D102
    @property
    def pass_ratio(self) -> float: ...  # noqa: D102
    @property
    def polarity(self) -> Literal["bright", "both"]: ...  # noqa: D102


@dataclass(frozen=True, slots=True, eq=False)
class FirstLabel:
    """What the edges say of an image.

    Attributes
    ----------
    mask : (H, W) bool array
        Filled outlines of the targets that have one, and all points.
    succeeded : tuple of bool
        Whether each point lies in an outline that is small enough.
    is_easy : bool
        Whether enough points do; an image without points is easy.
    """

    mask: Mask
    succeeded: tuple[bool, ...]
    is_easy: bool


def from_edges(grey: NDArray[np.uint8], points: NDArray[np.int64], options: EdgeOptions) -> FirstLabel:
    """Label an image from the edges round its points.

    Parameters
    ----------
    grey : (H, W) uint8 array
        See `to_eight_bits`.
    points : (K, 2) int array
        Row and column, within the image.
    options : EdgeOptions

    Returns
    -------
    FirstLabel
    """
    mask = np.zeros(grey.shape, np.bool_)
    succeeded = []
    for row, col in points:
        top, left = max(row - options.half, 0), max(col - options.half, 0)
        window = np.s_[top : row + options.half, left : col + options.half]
        outline = filled_outline(grey[window], (row - top, col - left), options)
        succeeded.append(outline is not None)
        if outline is not None:
            mask[window] |= outline
        mask[row, col] = True
    share = sum(succeeded) / len(succeeded) if succeeded else 1.0
    return FirstLabel(mask, tuple(succeeded), share >= options.pass_ratio)


def filled_outline(window: NDArray[np.uint8], point: tuple[int, int], options: EdgeOptions) -> Mask | None:
    """Return the filled outline round a point of a window, (h, w); None if there is none of its size."""
    difference = window.astype(np.int64) - blurred(window)
    high = np.abs(difference) if options.polarity == "both" else np.maximum(difference, 0)
    found = edges(high, options.canny_low, options.canny_high)
    square = np.ones((3, 3), np.bool_)
    closed = ndi.binary_erosion(ndi.binary_dilation(found, square), square, border_value=1)
    outlines, count = components(closed)
    for number in range(1, count + 1):
        own = ndi.binary_fill_holes(outlines == number)
        if own[point] and polygon_area(own) <= options.area:
            return np.asarray(own)
    return None


def to_eight_bits(image: NDArray[np.generic], *, has_eight: bool) -> NDArray[np.uint8]:
    """Return an image with 8 bits.

    Parameters
    ----------
    image : (H, W) array
        As read: one band, or the unrounded luminance of three.
    has_eight : bool
        Whether its file has 8 bits a band. Luminance is then truncated, as libpng does for OpenCV; rounded,
        919 of SIRST3's 1,652 train images would be easy instead of 917. Other depths are stretched from the
        frame's 0.1 to its 99.9 percentile, linearly.
    """
    if image.dtype == np.uint8:
        return np.asarray(image, np.uint8)
    if has_eight:
        return np.floor(image.astype(np.float64) + _ROUNDING).astype(np.uint8)
    values = image.astype(np.float64)
    low, high = np.percentile(values, _FRAME_PERCENTILES)
    scaled = (values - low) * (255 / max(high - low, 1e-12))
    return np.rint(np.clip(scaled, 0, 255)).astype(np.uint8)


def eight_bit_frame(split: Split, index: int) -> NDArray[np.uint8]:
    """Return an image of a split with 8 bits; see `to_eight_bits`."""
    image = split.images.stored(index)
    if image.dtype == np.uint8:
        return np.asarray(image, np.uint8)
    with open_image(split.files[index]) as file:
        has_eight = file.colour_mode in _EIGHT_BIT
    return to_eight_bits(image, has_eight=has_eight)


def polygon_area(region: Mask) -> float:
    """Area within the outer border of a region without holes, through the centres of its pixels.

    Whole and half squares between pixels, counted. Pick's theorem with each border pixel counted once takes
    lines of one pixel for area, at which up to four of SIRST3's 2,422 train points fail.
    """
    corners = region.astype(np.int64)
    filled = corners[:-1, :-1] + corners[1:, :-1] + corners[:-1, 1:] + corners[1:, 1:]
    return float(np.count_nonzero(filled == 4) + np.count_nonzero(filled == 3) / 2)
