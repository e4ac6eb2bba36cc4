"""File formats of images, one module per family.

Each has a class that is given an open binary file, positioned anywhere, and its length in bytes, and is a
`Codec`. It returns the stored numbers whatever their type; `pointmask.io.images.file` turns them into one
band, and every exception into an `ImageError` that names the file. Only that room uses these classes.
May import: errors. Open first: ``raster.py``.
"""

from abc import ABC, abstractmethod
from typing import Any, BinaryIO

from numpy.typing import NDArray

from pointmask.errors import ImageError


class Codec(ABC):
    """What is asked of an open image file, by one thread at a time."""

    @property
    @abstractmethod
    def frames(self) -> int:
        """How many frames there are, at least 1, from headers alone."""

    @abstractmethod
    def decode(self, frame: int) -> NDArray[Any]:
        """Return frame ``frame`` (0-based), as it is stored: (H, W) or (H, W, bands)."""

    def orientation(self, frame: int) -> int:
        """Return how a frame is to be turned, 1 to 8, as EXIF and TIFF number it; 1 is upright."""
        return 1

    def no_data(self, frame: int) -> float | None:
        """Return the number that stands for "no data" in a frame, if the file says so."""
        return None

    def shape(self, frame: int) -> tuple[int, int]:
        """Return stored height and width of a frame; from headers alone where the format allows it."""
        height, width = self.decode(frame).shape[:2]
        return height, width

    @property
    def second_file(self) -> BinaryIO | None:
        """A file beside this one that holds the numbers, if the format is two files."""
        return None

    def close(self) -> None:  # noqa: B027 - most have nothing else open
        """Let go of what is open beside the file itself."""


def check_frame(frame: int, frames: int) -> None:
    """Raise ImageError if a file of so many frames has no frame of that number."""
    if not 0 <= frame < frames:
        raise ImageError(f"frame {frame} was asked for, but it holds frames 0 to {frames - 1}")


def upright(stored: NDArray[Any], orientation: int) -> NDArray[Any]:
    """
    Turn stored pixels as their orientation says.

    Parameters
    ----------
    stored : (H, W) or (H, W, bands)
    orientation : int
        1 to 8, as EXIF (0x112) and TIFF (274) number it: where the first row and the first column lie.

    Returns
    -------
    NDArray
        A view; height and width are exchanged from 5 on.
    """
    turned = stored.swapaxes(0, 1) if orientation >= 5 else stored
    rows = -1 if orientation in (3, 4, 7, 8) else 1
    cols = -1 if orientation in (2, 3, 6, 7) else 1
    return turned[::rows, ::cols]


def orientation_of(value: object) -> int:
    """Return a stored orientation, or 1 if it is none: damaged metadata must not cost the image."""
    return int(value) if isinstance(value, int) and 1 <= value <= 8 else 1
