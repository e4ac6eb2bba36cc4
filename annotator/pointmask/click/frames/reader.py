"""One frame of an image source: its numbers, what the file stores, and a hash of its content."""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from pointmask.io.images.source import ImageSource


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
    """

    image: str
    frame: int
    frames: int
    pixels: NDArray[Any]
    content: str


def read_frame(images: ImageSource, image: str, frame: int) -> Frame:
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

    Raises
    ------
    ImageError
        If it cannot be read, is no image or has no such frame.
    """
    with images.open(image) as file:
        content, frames = file.content, file.frames
        pixels = file.decode(frame)
    pixels.flags.writeable = False
    return Frame(image, frame, frames, pixels, content)
