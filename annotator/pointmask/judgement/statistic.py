"""How much a place stands out from its image: the rank of its local contrast among all places of the image.

The contrast of a pixel is the mean of a small square round it, less the mean of a ring farther out, in
standard deviations of that ring; the larger of two sizes, so that targets of 4 to 300 pixels count. Ranks
make it a test: at places chosen by chance they are uniform, whatever the clutter, gain, offset or bit depth.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

Floats = NDArray[np.float64]

SLACK = 2
"""Pixels along an axis by which a click may lie beside its target."""

STRONGEST = 3.0
"""Largest surprise that counts: one place in a thousand. More would let one hot pixel outvote many clicks."""

_SQUARE, _HOLE, _RING = 3, 9, 21  # sides in pixels; of the second size, in pixels of half the resolution
_LEAST_SPREAD = 0.2  # of the usual ring of the image: still parts of an image have no contrast
_REFERENCE = 8192  # places against which a rank is taken


class Standout:
    """
    How much the places of one image stand out.

    Parameters
    ----------
    pixels : (H, W) real
        NaN and infinity count as background.

    Attributes
    ----------
    shape : (int, int)
        Rows and columns of the image.
    """

    def __init__(self, pixels: NDArray[Any]) -> None:
        exact = contrast(pixels).astype(np.float32)
        near = ndimage.maximum_filter(exact, 2 * SLACK + 1, mode="nearest")
        self.shape: tuple[int, int] = (exact.shape[0], exact.shape[1])
        self._maps = {0: (exact, _sorted_sample(exact)), SLACK: (near, _sorted_sample(near))}

    def at(self, rows: ArrayLike, cols: ArrayLike, slack: int = SLACK) -> Floats:
        """
        Say how rarely a place of this image stands out as much as these do.

        Parameters
        ----------
        rows, cols : array of numbers
            Of equal shape; the nearest pixel counts.
        slack : {0, 2}
            0: the pixel itself. 2: the strongest pixel at most so far from it along an axis.

        Returns
        -------
        array of float64
            ``-log10`` of the share of the image's places that stand out as much or more, from 0 to
            `STRONGEST`. At a place chosen by chance it exceeds s with a probability of about 10 ** -s. 0 for
            places outside the image.
        """
        row = np.floor(np.asarray(rows, np.float64) + 0.5)
        col = np.floor(np.asarray(cols, np.float64) + 0.5)
        height, width = self.shape
        inside = (row >= 0) & (row < height) & (col >= 0) & (col < width)
        shown, reference = self._maps[slack]
        values = shown[np.where(inside, row, 0).astype(np.intp), np.where(inside, col, 0).astype(np.intp)]
        as_strong = reference.size - np.searchsorted(reference, values, side="left")
        ranks = np.minimum(-np.log10(np.maximum(as_strong, 0.5) / reference.size), STRONGEST)
        return np.where(inside, ranks, 0.0)

    def profile(self, rows: ArrayLike, cols: ArrayLike) -> Floats:
        """
        Compare the contrast of places with each other.

        Parameters
        ----------
        rows, cols : (K, N) array of int
            K groups of N places; of those outside the image, the nearest inside counts.

        Returns
        -------
        (K, N) float64
            Contrast as a share of the largest of each group.
        """
        height, width = self.shape
        exact = self._maps[0][0]
        row = np.clip(np.asarray(rows, np.intp), 0, height - 1)
        col = np.clip(np.asarray(cols, np.intp), 0, width - 1)
        shown = exact[row, col].astype(np.float64)
        return np.asarray(shown / np.maximum(shown.max(axis=1, keepdims=True), 1e-12))


def contrast(pixels: NDArray[Any]) -> Floats:
    """
    Measure the local contrast of every pixel; dark and bright count alike.

    Parameters
    ----------
    pixels : (H, W) real
        NaN and infinity count as background.

    Returns
    -------
    (H, W) float64
        In standard deviations of the surroundings, 0 or more; all 0 if the image is constant.
    """
    values = _centred(pixels)
    height, width = values.shape
    coarse = _contrast(_halved(values)).repeat(2, axis=0).repeat(2, axis=1)[:height, :width]
    return np.maximum(_contrast(values), coarse)


def _contrast(values: Floats) -> Floats:
    (mean,) = _box_means(values, _SQUARE)
    hole, ring = _box_means(mean, _HOLE, _RING)
    hole_square, ring_square = _box_means(mean * mean, _HOLE, _RING)
    inner, outer = _HOLE**2 / (_RING**2 - _HOLE**2), _RING**2 / (_RING**2 - _HOLE**2)
    level = outer * ring - inner * hole
    spread = np.sqrt(np.maximum(outer * ring_square - inner * hole_square - level * level, 1e-14))
    usual = max(float(np.median(spread)), 0.1 * float(spread.mean()))
    return np.asarray(np.abs(mean - level) / np.maximum(spread, _LEAST_SPREAD * usual))


def _box_means(values: Floats, *sides: int) -> list[Floats]:
    """Means over centred squares of odd sides; the image goes on beyond its border as in a mirror."""
    reach = max(sides) // 2
    sums = np.pad(values, reach, mode="symmetric").cumsum(axis=0).cumsum(axis=1)
    sums = np.pad(sums, ((1, 0), (1, 0)))
    height, width = values.shape
    means = []
    for side in sides:
        low = reach - side // 2
        high = low + side
        top, bottom = sums[low : low + height], sums[high : high + height]
        total = bottom[:, high : high + width] - bottom[:, low : low + width]
        total -= top[:, high : high + width] - top[:, low : low + width]
        means.append(total / side**2)
    return means


def _halved(values: Floats) -> Floats:
    """Means of 2 x 2 pixels; an odd last row or column counts twice."""
    height, width = values.shape
    even = np.pad(values, ((0, height % 2), (0, width % 2)), mode="edge")
    return np.asarray(0.25 * (even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]))


def _centred(pixels: NDArray[Any]) -> Floats:
    """Numbers about 0 and of order 1, so that running sums lose nothing."""
    values = pixels.astype(np.float64)
    if pixels.dtype.kind == "f":
        good = np.isfinite(values)
        values[~good] = np.median(values[good]) if good.any() else 0.0
    exponent = int(np.frexp(np.abs(values).max(initial=0.0))[1])
    if abs(exponent) > 400:  # differences and squares would leave the range of floats
        values = np.ldexp(values, -exponent)
    values -= np.median(values)
    largest = float(np.abs(values).max(initial=0.0))
    return values / largest if largest > 0 else values


def _sorted_sample(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Values of places spread evenly over an image, sorted."""
    step = max(1, values.size // _REFERENCE)
    step += 1 - step % 2  # odd: with an even one and even rows, some columns would never be seen
    return np.sort(values.ravel()[::step])
