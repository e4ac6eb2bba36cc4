"""Frames in MATLAB files up to version 7."""

from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from pointmask.errors import ImageError
from pointmask.io.images.codecs import Codec, check_frame
from pointmask.io.images.codecs.limits import check_samples, most_samples
from pointmask.io.mat5 import variables

_MOST_TIMES, _WIDEST = 8, 8  # images of the largest size in a file, and bytes of a number
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
        If it holds no array of images, or several, or too large a one.
    ValueError
        If it is damaged.
    """

    def __init__(self, file: BinaryIO, size: int) -> None:
        file.seek(0)
        found = variables(file.read(), _MOST_TIMES * most_samples() * _WIDEST)
        arrays = {
            name: value
            for name, value in found.items()
            if isinstance(value, np.ndarray)
            and value.ndim in (2, 3)
            and min(value.shape[:2]) >= _LEAST_SIDE
            and value.size
            and value.dtype not in (np.int64, np.uint64)
        }
        if len(arrays) != 1:
            names = ", ".join(arrays)[:200] or "none"
            raise ImageError(
                f"it must hold one array of images, (H, W) or (H, W, N), but holds {names}; save one alone: "
                "save('a.mat', 'X', '-v7')"
            )
        ((name, self._array),) = arrays.items()
        check_samples(self._array.shape[:2])
        if self._array.size > _MOST_TIMES * most_samples():
            raise ImageError(
                f"its array {name[:40]} has shape {self._array.shape}, too large; save fewer frames"
            )

    @property
    def frames(self) -> int:
        """Length of the last axis; 1 for a single image."""
        return self._array.shape[2] if self._array.ndim == 3 else 1

    def shape(self, frame: int) -> tuple[int, int]:
        """Return height and width."""
        return self._array.shape[0], self._array.shape[1]

    def decode(self, frame: int) -> NDArray[Any]:
        """Return one frame, (H, W).

        Raises
        ------
        ImageError
            If there is no such frame.
        """
        check_frame(frame, self.frames)
        return np.array(self._array[..., frame] if self._array.ndim == 3 else self._array)
