"""File formats of images, one module per family.

Each has a class that is given an open binary file, positioned anywhere, and its length in bytes, and is a
`Codec`. It returns the stored numbers whatever their type; `pointmask.io.images.file` turns them into one
band, and every exception into an `ImageError` that names the file. Only that module uses these classes.
May import: errors. Open first: ``raster.py``.
"""

from typing import Any, Protocol

from numpy.typing import NDArray

from pointmask.errors import ImageError


class Codec(Protocol):
    """What is asked of an open image file, by one thread at a time."""

    @property
    def frames(self) -> int:
        """How many frames there are, at least 1, from headers alone."""
        ...

    def decode(self, frame: int) -> NDArray[Any]:
        """Return frame ``frame`` (0-based): (H, W) or (H, W, bands)."""
        ...


def check_frame(frame: int, frames: int) -> None:
    """Raise ImageError if a file of so many frames has no frame of that number."""
    if not 0 <= frame < frames:
        raise ImageError(f"frame {frame} was asked for, but it holds frames 0 to {frames - 1}")
