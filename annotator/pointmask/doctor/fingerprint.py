"""Fingerprints of images, which are alike whatever gain, offset, noise and small shifts do."""

from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage
from scipy.spatial import cKDTree

from pointmask.doctor.pixels import moderate

SIDE = 64
"""Rows and columns of a fingerprint."""

SAME_SCENE = 0.8
"""Correlation from which two images show one scene. On SIRST3, all 89 pairs above it do; the best pair of
images from different sets reaches 0.65."""

_FINE, _COARSE = 1.0, 4.0  # deviations of the two smoothings whose difference is kept, in samples
_CLIP = 3.0  # deviations: a bright target must not outweigh the scene
_SCALE = 40.0  # int8 steps per deviation
_MODES = 4  # frequencies along each side that the first search compares; 6 take it several times as long
_NEIGHBOURS = 9  # that it gives per image, the image itself among them
_REACH = 0.75  # distance of unit vectors up to which it does; two unrelated scenes have 1.4
_SHIFT = 4  # samples by which two images may be moved
_AT_ONCE = 1024

Print = NDArray[np.int8]


def fingerprint(pixels: NDArray[Any]) -> Print | None:
    """
    Make a small picture of an image's structure.

    Parameters
    ----------
    pixels : (H, W) real

    Returns
    -------
    (64, 64) int8 or None
        Free of offset and gain; rows and columns have no mean, so that a horizon, a stripe or a vignette
        is no likeness. None if there is no structure, or the image is smaller than the picture's half.
    """
    if min(pixels.shape) < SIDE // 2:
        return None
    small = _shrunk(_finite(pixels))
    kept = ndimage.gaussian_filter(small, _FINE) - ndimage.gaussian_filter(small, _COARSE)
    kept -= kept.mean(axis=1, keepdims=True)
    kept -= kept.mean(axis=0, keepdims=True)
    deviation = 1.4826 * float(np.median(np.abs(kept)))
    if deviation <= 1e-5 * float(np.abs(small).max()):
        return None
    small_numbers: Print = np.rint(np.clip(kept / deviation, -_CLIP, _CLIP) * _SCALE).astype(np.int8)
    return small_numbers


class Fingerprints:
    """
    Fingerprints of any number of images, kept in a file; memory holds 64 bytes for each.

    Parameters
    ----------
    file : BinaryIO
        Empty, open for reading and writing in bytes.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._modes = bytearray()

    def add(self, small: Print) -> None:
        """Add the next image."""
        self._file.write(small.tobytes())
        waves = fft.dctn(small.astype(np.float32), norm="ortho")[1 : _MODES + 1, 1 : _MODES + 1].ravel()
        self._modes += (waves / np.float32(max(float(np.linalg.norm(waves)), 1e-12))).tobytes()

    def candidates(self, threads: int) -> NDArray[np.int64]:
        """Return pairs of images that may be alike, by number, sorted (p, 2); at most eight per image."""
        modes = np.frombuffer(bytes(self._modes), np.float32).reshape(-1, _MODES**2)
        if len(modes) < 2:
            return np.empty((0, 2), np.int64)
        tree = cKDTree(modes)
        pairs = []
        for start in range(0, len(modes), _AT_ONCE):
            part = modes[start : start + _AT_ONCE]
            _, near = tree.query(
                part, min(_NEIGHBOURS, len(modes)), distance_upper_bound=_REACH, workers=threads
            )
            number = np.broadcast_to(np.arange(start, start + len(part))[:, None], near.shape)
            given = (near < len(modes)) & (near != number)  # the number of images stands for none
            one, other = number[given], near[given]
            pairs.append(np.minimum(one, other) * len(modes) + np.maximum(one, other))
        return np.stack(np.divmod(np.unique(np.concatenate(pairs)), len(modes)), axis=1)

    def alike(self, first: int, second: int) -> float:
        """Largest correlation of two images over small shifts, up to 1."""
        one, two = self._read(first), self._read(second)
        product = np.conj(fft.rfft2(one)) * fft.rfft2(two)
        shifted = np.roll(fft.irfft2(product, s=one.shape), (_SHIFT, _SHIFT), (0, 1))
        best = float(shifted[: 2 * _SHIFT + 1, : 2 * _SHIFT + 1].max())
        return best / max(float(np.linalg.norm(one) * np.linalg.norm(two)), 1e-12)

    def _read(self, number: int) -> NDArray[np.float32]:
        self._file.seek(number * SIDE * SIDE)
        return np.frombuffer(self._file.read(SIDE * SIDE), np.int8).reshape(SIDE, SIDE).astype(np.float32)


def _shrunk(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean over the pixels of each sample; an image smaller than the picture is repeated into it."""
    if min(pixels.shape) < SIDE:
        pixels = pixels.repeat(2, axis=0).repeat(2, axis=1)
    rows, cols = (np.arange(SIDE) * side // SIDE for side in pixels.shape)
    total = np.add.reduceat(np.add.reduceat(pixels, rows, axis=0), cols, axis=1)
    heights, widths = (
        np.diff(np.append(at, side)) for at, side in zip((rows, cols), pixels.shape, strict=True)
    )
    return np.asarray(total / np.multiply.outer(heights, widths).astype(np.float32))


def _finite(pixels: NDArray[Any]) -> NDArray[np.float32]:
    values = moderate(pixels).astype(np.float32)
    if pixels.dtype.kind == "f":
        good = np.isfinite(values)
        if not good.all():
            values[~good] = values[good].mean()
    return values - values.flat[0]
