"""What every place that images come from can do: list their names, and open one of them."""

import io
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pointmask.errors import ImageError
from pointmask.io.images.file import ImageFile
from pointmask.io.images.kinds import PLAIN, Reading, may_hold_frames


@dataclass(frozen=True)
class ImageSource(ABC):
    """
    Images by name.

    It holds no open file: it can be pickled, and any thread may use it.

    Attributes
    ----------
    root : Path
        Where they lie.
    reading : Reading
        How files are read that do not say it themselves.
    """

    root: Path
    reading: Reading = PLAIN

    @abstractmethod
    def names(self, *, exclude: Path | None = None) -> list[str]:
        """
        Return the names of all images: relative paths with forward slashes, sorted.

        Parameters
        ----------
        exclude : Path, optional
            Folder to leave out: an output folder that lies among the images.

        Raises
        ------
        ImageError
            If the place is missing or cannot be read.
        """

    def refused(self) -> Mapping[str, str]:
        """Return what looks like an image but must not or cannot be read, by name, with the reason."""
        return {}

    def not_read(self, key: str) -> str:
        """Say that a file of that name is there but is not read as an image; else ``""``."""
        return ""

    @abstractmethod
    def others(self) -> list[str]:
        """
        Return the names of files that are no images by their names, sorted; hidden ones are passed over.

        Raises
        ------
        ImageError
            As `names`.
        """

    @abstractmethod
    def _read(self, name: str) -> bytes:
        """Return the whole file; an OSError says why not."""

    @abstractmethod
    def _open(self, name: str) -> BinaryIO:
        """Open the file for random access; an OSError says why not."""

    def read(self, name: str) -> bytes:
        """
        Return the bytes of one image file, as they are.

        Raises
        ------
        ImageError
            If it cannot be read.
        """
        try:
            return self._read(name)
        except OSError as error:
            raise ImageError(
                f"{name} cannot be read ({error.strerror or error}); check the file and its rights"
            ) from error

    def open(self, name: str) -> ImageFile:
        """
        Open one image.

        Parameters
        ----------
        name : str
            One of `names`.

        Returns
        -------
        ImageFile
            To be closed by the caller. What may hold frames is read piece by piece, other files at once.

        Raises
        ------
        ImageError
            If it cannot be read, or is no image.
        """
        if not may_hold_frames(name):
            return ImageFile(io.BytesIO(self.read(name)), name, self.reading)
        try:
            file = self._open(name)
        except OSError as error:
            raise ImageError(
                f"{name} cannot be read ({error.strerror or error}); check the file and its rights"
            ) from error
        try:
            return ImageFile(file, name, self.reading, self._open)
        except BaseException:
            file.close()
            raise

    def frame_count(self, name: str) -> int:
        """
        Return the number of frames of an image.

        Raises
        ------
        ImageError
            As `open`, for an image that may hold several frames.
        """
        if not may_hold_frames(name):
            return 1
        with self.open(name) as file:
            return file.frames
