"""One frame of an image source: its numbers, what the file stores, and a hash of its content."""

from dataclasses import dataclass

from pointmask.click.contract.errors import GoneError, NotFoundError
from pointmask.click.contract.source import DecodedFrame
from pointmask.io.images.source import ImageSource

Stamp = tuple[int, int, int, int, int]
"""
Device, file number, size and times of a file; it is another after the file was changed or replaced.

The time of its last change of any kind tells of rights that were given, and of a copy that kept the other
time.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Frame(DecodedFrame):
    """
    One decoded frame, with its name; its pixels are read only.

    Attributes
    ----------
    image : str
        Name in the source.
    frame : int
        0-based.
    is_luminance : bool
        Whether the file stores bands that differ, of which this is the luminance.
    is_flat : bool
        Whether these are the numbers of the flat view; see `pointmask.click.frames.flat`.
    """

    image: str = ""
    frame: int = 0
    is_luminance: bool = False
    is_flat: bool = False


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
    NotFoundError
        If the file has no such frame.
    ImageError
        If it cannot be read or is no image.
    """
    with images.open(image) as file:
        if not 0 <= frame < file.frames:
            raise NotFoundError(f"{image} holds the frames 0 to {file.frames - 1}, and no frame {frame}")
        pixels = file.decode(frame)
        pixels.flags.writeable = False
        return Frame(
            pixels,
            content or file.content,
            file.frames,
            "thermal" if file.kind == "FLIR" else None,
            image,
            frame,
            is_luminance=pixels.dtype.kind == "f" and file.bands(frame).ndim == 3,
        )


def stamp_of(images: ImageSource, image: str) -> Stamp:
    """
    Look at the file that an image lies in, which is the archive for those of an archive.

    Raises
    ------
    GoneError
        If there is no such file any more.
    """
    path = images.root / image if images.root.is_dir() else images.root
    try:
        status = path.stat()
    except OSError as error:
        raise GoneError(
            f"{image} is gone ({error.strerror or error}); put it back, or start the page again without it"
        ) from None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
