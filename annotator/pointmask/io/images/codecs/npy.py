"""NumPy's ``.npy``: one image, or a stack of frames along the first axis."""

from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from pointmask.errors import ImageError
from pointmask.io.images.codecs import Codec, check_frame
from pointmask.io.images.codecs.limits import check_samples

_BAND_COUNTS = (1, 3, 4)


class NpyFile(Codec):
    """An array file; only the bytes of the frame that is asked for are read.

    Parameters
    ----------
    file : BinaryIO
        Open binary file.
    size : int
        Its length in bytes.

    Raises
    ------
    ImageError
        If the array holds objects, has no image shape, or is cut short.
    """

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._shape, self._fortran, self._dtype = _header(file, size)
        self._start = file.tell()
        self._stacked = _is_stack(self._shape)
        self._whole: NDArray[Any] | None = None

    @property
    def frames(self) -> int:
        """Length of the first axis of a stack; 1 for a single image."""
        return self._shape[0] if self._stacked else 1

    def shape(self, frame: int) -> tuple[int, int]:
        """Return height and width, from the header."""
        height, width = self._shape[1:3] if self._stacked else self._shape[:2]
        return height, width

    def decode(self, frame: int) -> NDArray[Any]:
        """Return (H, W), or (H, W, bands) if the last axis is 1, 3 or 4 long.

        Raises
        ------
        ImageError
            If there is no such frame, or it has too many samples.
        """
        check_frame(frame, self.frames)
        if not self._stacked:
            return self._read(self._shape, 0)
        if not self._fortran:
            return self._read(self._shape[1:], frame)
        if self._whole is None:  # a frame is scattered over the whole file, so all of it is kept
            self._whole = self._read(self._shape, 0)
        return np.array(self._whole[frame])

    def _read(self, shape: tuple[int, ...], index: int) -> NDArray[Any]:
        check_samples(shape)
        size = int(np.prod(shape)) * self._dtype.itemsize
        self._file.seek(self._start + index * size)
        numbers = np.frombuffer(bytearray(self._file.read(size)), self._dtype)
        return numbers.reshape(shape, order="F" if self._fortran else "C")


def _is_stack(shape: tuple[int, ...]) -> bool:
    axes = len(shape) - (len(shape) > 2 and shape[-1] in _BAND_COUNTS)
    if axes not in (2, 3) or min(shape) < 1:
        raise ImageError(
            f"it holds an array of shape {shape}; an image is (H, W), (H, W, 1|3|4) or a stack (N, H, W) of "
            "frames, none of them empty: save one of these"
        )
    return axes == 3


def _header(file: BinaryIO, size: int) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    file.seek(0)
    version = npy_format.read_magic(file)
    if version == (1, 0):
        shape, fortran, dtype = npy_format.read_array_header_1_0(file)
    elif version == (2, 0):
        shape, fortran, dtype = npy_format.read_array_header_2_0(file)
    else:
        raise ImageError(f"its .npy version {version} is not 1.0 or 2.0; save it with numpy.save")
    if dtype.kind not in "biuf":
        raise ImageError(f"it holds {dtype}, not real numbers; save a plain bool, integer or float array")
    missing = file.tell() + int(np.prod(shape, dtype=object)) * dtype.itemsize - size
    if missing > 0:
        raise ImageError(f"it is truncated: {missing} bytes are missing; copy or save it again")
    return shape, fortran, dtype
