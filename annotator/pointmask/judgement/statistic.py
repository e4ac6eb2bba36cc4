"""How much a place stands out from its image: the rank of its local contrast among all places of the image.

The contrast of a pixel is the mean of a small square round it, less the mean of a ring farther out, in
standard deviations of that ring; the larger of two sizes, so that targets of 4 to 300 pixels count. Ranks
make it a test: at places chosen by chance they are uniform, whatever the clutter, gain, offset or bit depth.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Contrast = NDArray[np.float32]

SLACK = 2
"""Pixels along an axis by which a click may lie beside its target."""

STRONGEST = 3.0
"""Largest surprise that counts: one place in a thousand. More would let one hot pixel outvote many clicks."""

_SQUARE, _HOLE, _RING = 3, 9, 21  # sides in pixels; of the second size, in pixels of half the resolution
_LEAST_SPREAD = 0.2  # of the usual ring of the image: still parts of an image have no contrast
_REFERENCE = 8192  # places against which a rank is taken
_BAND = 2**14  # pixels measured at once: eight arrays of so many fit into a cache


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
        exact = _signed_contrast(pixels)
        self._is_dark = exact < 0
        np.abs(exact, out=exact)
        near = _maxima(exact)
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

    def is_dark(self, rows: Floats, cols: Floats) -> NDArray[np.bool_]:
        """
        Say whether what stands out near places is darker than its surroundings.

        Parameters
        ----------
        rows, cols : (N,) float64
            The nearest pixel counts; of places outside the image, the nearest one inside.

        Returns
        -------
        (N,) bool
            That of the strongest pixel at most `SLACK` away along an axis.
        """
        steps = np.arange(-SLACK, SLACK + 1)
        down, right = (grid.ravel() for grid in np.meshgrid(steps, steps, indexing="ij"))
        row = np.clip(np.floor(rows + 0.5).astype(np.intp)[:, None] + down, 0, self.shape[0] - 1)
        col = np.clip(np.floor(cols + 0.5).astype(np.intp)[:, None] + right, 0, self.shape[1] - 1)
        strongest = np.argmax(self._maps[0][0][row, col], axis=1)[:, None]
        dark: NDArray[np.bool_] = np.take_along_axis(self._is_dark[row, col], strongest, axis=1)[:, 0]
        return dark

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


def contrast(pixels: NDArray[Any]) -> Contrast:
    """
    Measure the local contrast of every pixel; dark and bright count alike.

    Parameters
    ----------
    pixels : (H, W) real
        NaN and infinity count as background.

    Returns
    -------
    (H, W) float32
        In standard deviations of the surroundings, 0 or more; all 0 if the image is constant.
    """
    return np.abs(_signed_contrast(pixels))


def _signed_contrast(pixels: NDArray[Any]) -> Contrast:
    """Measure the contrast of every pixel, below 0 where it is darker than its surroundings."""
    values = _centred(pixels)
    shown, coarse = _contrast(values), _contrast(_halved(values))
    for part in (shown[i::2, j::2] for i in (0, 1) for j in (0, 1)):
        other = coarse[: part.shape[0], : part.shape[1]]
        np.copyto(part, other, where=np.abs(other) > np.abs(part))
    return shown


def _contrast(values: Floats) -> Contrast:
    """Measure the contrast at one resolution, with its sign."""
    height, width = values.shape
    padded = np.pad(values, _SQUARE // 2, mode="symmetric")
    squares = _threes(_threes(padded.ravel(), padded.shape[1]), 1)
    mean = _rows(squares, padded.shape[1], (height, width)) / _SQUARE**2
    padded = np.pad(mean, _RING // 2, mode="symmetric")
    spread, stride = np.empty((height, width), np.float32), padded.shape[1]
    rows = max(_RING, _BAND // stride)
    # Memory that is asked for anew for each sum takes longer than the sums: half of the time.
    spare = np.empty((6, min(rows + _RING - 1, len(padded)) * stride))
    for top in range(0, height, rows):
        band = padded[top : top + rows + _RING - 1].ravel()
        level = _ring_mean(band, stride, spare[:3], spare[3])
        square = _ring_mean(np.square(band, out=spare[5][: band.size]), stride, spare[:3], spare[4])
        square -= np.multiply(level, level, out=spare[0][: level.size])
        np.maximum(square, 1e-14, out=square)
        inner = min(rows, height - top), width
        np.sqrt(_rows(square, stride, inner), out=spread[top : top + rows], casting="same_kind")
        mean[top : top + rows] -= _rows(level, stride, inner)
    usual = max(_median(spread), 0.1 * float(spread.mean(dtype=np.float64)))
    np.maximum(spread, _LEAST_SPREAD * usual, out=spread)
    found = mean.astype(np.float32)
    found /= spread
    return found


def _ring_mean(flat: Floats, stride: int, spare: Floats, out: Floats) -> Floats:
    """
    Return the means over rings.

    Parameters
    ----------
    flat : (N,) float64
        Rows one after the other, with a margin of half the ring on all sides. Sums of neighbours are so a few
        long additions each; those that run from the end of a row into the next one mean nothing. Integral
        images took five times as long: NumPy's running sums are slow.
    stride : int
        Length of a row.
    spare : (3, N or more) float64
        Overwritten.
    out : (N or more,) float64
        Holds the result.

    Returns
    -------
    (M,) float64
        That of the pixel in row i and column j is at ``i * stride + j``.
    """
    threes = _threes(flat, stride, spare[0])
    nines = _threes(threes, 3 * stride, spare[1])
    columns = _twenty_ones(threes, nines, stride, out)
    threes = _threes(columns, 1, spare[0])
    rings = _twenty_ones(threes, _threes(threes, 3, spare[2]), 1, out)
    start = (_RING - _HOLE) // 2
    holes = _threes(_threes(nines[start * stride :], 1, spare[0]), 3, spare[2])
    rings -= holes[start : start + rings.size]
    rings /= _RING**2 - _HOLE**2
    return rings


def _threes(flat: Floats, step: int, out: Floats | None = None) -> Floats:
    """Sum each element with the next two, so many places apart; of such sums, three times as far, nine."""
    count = flat.size - 2 * step
    sums = np.add(flat[:count], flat[step : step + count], out=None if out is None else out[:count])
    sums += flat[2 * step :]
    return sums


def _twenty_ones(threes: Floats, nines: Floats, step: int, out: Floats) -> Floats:
    """Sum each element with the next 20, from sums of three and of nine."""
    count = nines.size - 12 * step
    sums = np.add(nines[:count], threes[9 * step : 9 * step + count], out=out[:count])
    sums += nines[12 * step :]
    return sums


def _rows(flat: Floats, stride: int, shape: tuple[int, int]) -> Floats:
    """View rows without what lies between them; the last may end with its pixels."""
    return np.lib.stride_tricks.as_strided(flat, shape, (stride * flat.itemsize, flat.itemsize))


def _maxima(values: Contrast) -> Contrast:
    """Return the largest of the values at most `SLACK` rows and columns away."""
    for _ in range(2):  # along columns, then along rows
        found = values.copy()
        for step in range(1, min(SLACK, len(values) - 1) + 1):
            np.maximum(found[step:], values[:-step], out=found[step:])
            np.maximum(found[:-step], values[step:], out=found[:-step])
        values = np.ascontiguousarray(found.T)
    return values


def _median(values: NDArray[Any]) -> float:
    """Return what `numpy.median` does of finite floats, in a fifth of its time."""
    half = values.size // 2
    parted = np.partition(values, half, axis=None)
    middle = float(parted[half])
    return middle if values.size % 2 else 0.5 * (float(parted[:half].max()) + middle)


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
        values[~good] = _median(values[good]) if good.any() else 0.0
    exponent = int(np.frexp(np.abs(values).max(initial=0.0))[1])
    if abs(exponent) > 400:  # differences and squares would leave the range of floats
        values = np.ldexp(values, -exponent)
    values -= _median(values)
    largest = float(np.abs(values).max(initial=0.0))
    return values / largest if largest > 0 else values


def _sorted_sample(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Values of places spread evenly over an image, sorted."""
    step = max(1, values.size // _REFERENCE)
    step += 1 - step % 2  # odd: with an even one and even rows, some columns would never be seen
    return np.sort(values.ravel()[::step])
