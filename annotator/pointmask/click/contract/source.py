"""What a session needs of images: a protocol that the server's cache fulfils, and tests do with arrays."""

from dataclasses import dataclass
from typing import Any, Protocol

from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class DecodedFrame:
    """
    One frame as it was read.

    Attributes
    ----------
    pixels : (H, W) array of any real dtype
    content : str
        Hash of the file, as `pointmask.io.images.file.ImageFile.content`.
    frames : int
        Frames of the file.
    raster : str or None
        ``thermal`` for the temperatures of a FLIR file.
    """

    pixels: NDArray[Any]
    content: str
    frames: int = 1
    raster: str | None = None


class FrameSource(Protocol):
    """Frames by name."""

    def load(self, image: str, frame: int) -> DecodedFrame:
        """
        Return a decoded frame, from a cache or from the file.

        Raises
        ------
        NotFoundError
            If there is no such image or frame.
        GoneError
            If the file is gone.
        ImageError
            If it cannot be read.
        """
