"""Frames in MATLAB files up to version 7, through SciPy."""

import io
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from scipy import io as scipy_io

from pointmask.errors import ImageError
from pointmask.io.images.codecs import Codec, check_frame
from pointmask.io.images.codecs.limits import check_samples, most_samples

_NUMBERS = ("double", "single", "int8", "uint8", "int16", "uint16", "int32", "uint32", "logical")
_LEAST_SIDE = 4  # smaller arrays are settings and points, not images


class MatFile(Codec):
    """The one array of images in a MATLAB file: (H, W), or (H, W, N) with a frame per last index.

    Parameters
    ----------
    file : BinaryIO
        Open binary file.
    size : int
        Its length in bytes.

    Raises
    ------
    ImageError
        If it holds no array of images, or several. What SciPy raises passes through.
    """

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._size = file, size
        file.seek(0)
        arrays = [
            (name, shape)
            for name, shape, kind in scipy_io.whosmat(io.BytesIO(file.read()))
            if kind in _NUMBERS and len(shape) in (2, 3) and min(shape[:2]) >= _LEAST_SIDE
        ]
        if len(arrays) != 1:
            names = ", ".join(name for name, _ in arrays) or "none"
            raise ImageError(
                f"it must hold one array of images, (H, W) or (H, W, N), but holds {names}; save one alone: "
                "save('a.mat', 'X', '-v7')"
            )
        ((self._name, self._shape),) = arrays
        check_samples(self._shape[:2])
        if np.prod(self._shape, dtype=object) > 8 * most_samples():
            raise ImageError(f"its array {self._name} has shape {self._shape}, too large; save fewer frames")
        self._array: NDArray[Any] | None = None

    @property
    def frames(self) -> int:
        """Length of the last axis; 1 for a single image."""
        return self._shape[2] if len(self._shape) == 3 else 1

    def shape(self, frame: int) -> tuple[int, int]:
        """Return height and width, from the header."""
        return self._shape[0], self._shape[1]

    def decode(self, frame: int) -> NDArray[Any]:
        """Return one frame, (H, W).

        Raises
        ------
        ImageError
            If there is no such frame.
        """
        check_frame(frame, self.frames)
        if self._array is None:  # packed as a whole, so all of it is kept
            self._file.seek(0)
            read = scipy_io.loadmat(
                io.BytesIO(self._file.read()), variable_names=[self._name], mat_dtype=False
            )
            self._array = read[self._name]
        array = self._array
        if array.shape != self._shape or array.dtype.kind not in "biuf":
            raise ImageError(f"its array {self._name} is not what its header says; save it again")
        return np.array(array[..., frame] if array.ndim == 3 else array)
