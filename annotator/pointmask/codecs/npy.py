"""NumPy's ``.npy``: one image, or a stack of frames along the first axis."""

from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from pointmask.errors import ImageError

_BAND_COUNTS = (1, 3, 4)


def decode(file: BinaryIO, size: int, frame: int) -> NDArray[Any]:
    """Read one frame; only its bytes are read.

    Parameters
    ----------
    file : BinaryIO
        Open binary file.
    size : int
        Its length in bytes.
    frame : int
        0-based index along the first axis; 0 for a single image.

    Returns
    -------
    NDArray
        (H, W), or (H, W, bands) if the last axis is 1, 3 or 4 long.

    Raises
    ------
    ImageError
        If the array holds objects, has no image shape, is cut short, or has no such frame.
    """
    shape, fortran, dtype = _header(file, size)
    stacked = _is_stack(shape)
    frames = shape[0] if stacked else 1
    if not 0 <= frame < frames:
        raise ImageError(f"frame {frame} was asked for, but it holds frames 0 to {frames - 1}")
    if not stacked:
        return _read(file, shape, fortran, dtype)
    if fortran:  # a frame is scattered over the whole file
        stack = _read(file, shape, fortran, dtype)
        return np.asarray(stack[frame])
    step = int(np.prod(shape[1:])) * dtype.itemsize
    file.seek(frame * step, 1)
    return _read(file, shape[1:], fortran, dtype)


def count(file: BinaryIO, size: int) -> int:
    """Return the number of frames, from the header alone."""
    shape, _, _ = _header(file, size)
    return shape[0] if _is_stack(shape) else 1


def _is_stack(shape: tuple[int, ...]) -> bool:
    axes = len(shape) - (len(shape) > 2 and shape[-1] in _BAND_COUNTS)
    if axes not in (2, 3) or 0 in shape:
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


def _read(file: BinaryIO, shape: tuple[int, ...], fortran: bool, dtype: np.dtype[Any]) -> NDArray[Any]:
    size = int(np.prod(shape)) * dtype.itemsize
    return np.ndarray(shape, dtype, bytearray(file.read(size)), order="F" if fortran else "C")
