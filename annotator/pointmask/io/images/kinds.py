"""Which files are images, and how those are read that do not say it themselves or hold two images."""

from collections.abc import Callable
from dataclasses import dataclass

from pointmask.io.images.codecs.raw import RawFormat

SUFFIXES = (".png", ".bmp", ".jpg", ".jpeg", ".tif", ".tiff", ".npy")
"""Suffixes, in lower case, by which images are listed. What a file is, its first bytes say."""

RAW_SUFFIXES = (".bin", ".raw", ".dat", ".img")
"""Suffixes, in lower case, of files that are images if a raw format is given."""

_MULTI_FRAME = (".tif", ".tiff", ".npy", *RAW_SUFFIXES)


def is_image(name: str) -> bool:
    """Say whether a file name has one of `SUFFIXES`, in any case."""
    return name.lower().endswith(SUFFIXES)


def is_raw(name: str) -> bool:
    """Say whether a file name has one of `RAW_SUFFIXES`, in any case."""
    return name.lower().endswith(RAW_SUFFIXES)


def is_image_or_raw(name: str) -> bool:
    """Say whether a file name has one of `SUFFIXES` or `RAW_SUFFIXES`, in any case."""
    return is_image(name) or is_raw(name)


def may_hold_frames(name: str) -> bool:
    """Say by its name whether a file may hold several frames; others are never opened to count them."""
    return name.lower().endswith(_MULTI_FRAME)


@dataclass(frozen=True, slots=True)
class Reading:
    """
    What the user says about the files.

    Attributes
    ----------
    raw : RawFormat or None
        How files with one of `RAW_SUFFIXES` are to be read; None if they are not images.
    radiometric : bool
        Take the thermal raster of a FLIR radiometric JPEG, not its coloured picture.
    """

    raw: RawFormat | None = None
    radiometric: bool = True

    @property
    def accepts(self) -> Callable[[str], bool]:
        """Function that says whether a file of some name is an image."""
        return is_image if self.raw is None else is_image_or_raw

    def __str__(self) -> str:
        words = [f"raw {self.raw}"] if self.raw else []
        return ", ".join(words if self.radiometric else [*words, "no radiometric"])


PLAIN = Reading()
"""Nothing was said."""
