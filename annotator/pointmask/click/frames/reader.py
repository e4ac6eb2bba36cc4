"""One frame of an image source: its numbers, what the file stores, and a hash of its content."""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from pointmask.errors import ImageError
from pointmask.io.images.source import ImageSource

Stamp = tuple[int, int, int, int]
"""Device, file number, size and time of a file; it is another after the file was changed or replaced."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """
    One decoded frame.

    Attributes
    ----------
    image : str
        Name in the source.
    frame : int
        0-based.
    frames : int
        Number of frames of the file.
    pixels : (H, W) array
        One band, as `pointmask.io.images.array.decode` gives it; read only.
    content : str
        Hash of the file, as in the manifest.
    is_luminance : bool
        Whether the file stores bands that differ, of which this is the luminance.
    """

    image: str
    frame: int
    frames: int
    pixels: NDArray[Any]
    content: str
    is_luminance: bool = False


def read_frame(images: ImageSource, image: str, frame: int, content: str | None = None) -> Frame:
    """
    Decode one frame.

    Parameters
    ----------
    images : ImageSource
        Where the image lies.
    image : str
        One of its names.
    frame : int
        0-based.
    content : str, optional
        Hash of the file, if it is known: that of a file of many frames takes longer than one frame.

    Raises
    ------
    ImageError
        If it cannot be read, is no image or has no such frame.
    """
    with images.open(image) as file:
        content = content or file.content
        pixels = file.decode(frame)
        is_luminance = pixels.dtype.kind == "f" and file.bands(frame).ndim == 3
        read = Frame(image, frame, file.frames, pixels, content, is_luminance)
    pixels.flags.writeable = False
    return read


def stamp_of(images: ImageSource, image: str) -> Stamp:
    """
    Look at the file that an image lies in, which is the archive for those of an archive.

    Raises
    ------
    ImageError
        If there is no such file any more.
    """
    path = images.root / image if images.root.is_dir() else images.root
    try:
        status = path.stat()
    except OSError as error:
        raise ImageError(
            f"{image} is gone ({error.strerror or error}); put it back, or start the page again without it"
        ) from None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
