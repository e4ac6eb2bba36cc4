"""FITS through astropy: the first image, or each plane of a cube, in the order in which rows are stored."""

import warnings
from importlib import import_module
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from pointmask.advice import install
from pointmask.errors import ImageError
from pointmask.io.images.codecs import Codec, check_frame
from pointmask.io.images.codecs.limits import check_samples


class FitsFile(Codec):
    """The first HDU of a FITS file that holds an image, (H, W), or a cube, (N, H, W).

    BSCALE and BZERO are applied; pixels that equal BLANK are NaN. Row 0 is the first one in the file, which
    DS9 and other viewers show at the bottom.

    Parameters
    ----------
    file : BinaryIO
        Open binary file.
    size : int
        Its length in bytes.

    Raises
    ------
    ImageError
        If astropy is not installed, or there is no image. What astropy raises passes through.
    """

    def __init__(self, file: BinaryIO, size: int) -> None:
        try:
            fits = import_module("astropy.io.fits")
            ignored = import_module("astropy.utils.exceptions").AstropyWarning
        except ImportError:
            raise ImageError(f"it is a FITS file; to read those: {install('fits')}") from None
        self._size = size
        file.seek(0)
        # Of headers that are read all the same. For good, as catch_warnings is not made for threads.
        warnings.filterwarnings("ignore", category=ignored)
        units = fits.open(file, memmap=False, lazy_load_hdus=True, cache=False)
        self._unit = next((unit for unit in units if _is_image(unit)), None)
        if self._unit is None:
            raise ImageError("it holds no image of two or three axes; save one (H, W), or a cube (N, H, W)")
        self._shape: tuple[int, ...] = tuple(self._unit.shape)
        check_samples(self._shape[-2:])
        bits = abs(int(self._unit.header.get("BITPIX", 8)))
        is_packed = type(self._unit).__name__ == "CompImageHDU"
        needed = int(np.prod(self._shape, dtype=object)) * bits // 8
        if not is_packed and needed > size:
            raise ImageError(
                f"its header promises {needed:,} bytes of pixels, but it has {size:,}; it is truncated: copy "
                "or export it again"
            )

    @property
    def frames(self) -> int:
        """Number of planes of a cube; 1 for a single image."""
        return self._shape[0] if len(self._shape) == 3 else 1

    def shape(self, frame: int) -> tuple[int, int]:
        """Return height and width, from the header."""
        return self._shape[-2], self._shape[-1]

    def decode(self, frame: int) -> NDArray[Any]:
        """Return one plane, (H, W), scaled; only its bytes are read.

        Raises
        ------
        ImageError
            If there is no such frame.
        """
        check_frame(frame, self.frames)
        assert self._unit is not None
        with np.errstate(all="ignore"):
            section = self._unit.section
            plane = section[frame, :, :] if len(self._shape) == 3 else section[:, :]
        return np.array(plane)


def _is_image(unit: Any) -> bool:  # noqa: ANN401 - astropy has no types
    shape = getattr(unit, "shape", ())
    return hasattr(unit, "section") and len(shape) in (2, 3) and min(shape) >= 1
