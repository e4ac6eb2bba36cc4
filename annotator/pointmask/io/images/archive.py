"""Base of zip and tar archives: images are read in place, nothing is unpacked to disk."""

import io
import threading
from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, BinaryIO, Generic, TypeVar

from pointmask.errors import ImageError
from pointmask.io.images.codecs.limits import VARIABLE, most_samples
from pointmask.io.images.kinds import listed
from pointmask.io.images.source import ImageSource

ReadAt = Callable[[int, int], bytes]
"""Takes offset and size and returns the bytes there; fewer only at the end."""

P = TypeVar("P")


@dataclass(slots=True)
class Index(Generic[P]):
    """
    Index of the images in an archive.

    Attributes
    ----------
    read_at : callable
        Reads the archive (decompressed, if it is a gzip file); safe to call from any thread.
    accepts : callable
        Decides by its name whether a member is an image.
    places : dict
        Location of each image.
    refused : dict
        Reasons by image, for images that are not read.
    others : set
        Members whose names are not those of images.
    """

    read_at: ReadAt
    accepts: Callable[[str], bool]
    places: dict[str, P] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    others: set[str] = field(default_factory=set)

    def add(self, path: str, place: P | None, reason: str = "") -> None:
        """
        Add a member other than a folder; it replaces an earlier one of the same name, as unpacking would.

        Parameters
        ----------
        path : str
            Path in the archive.
        place : P or None
            None if it cannot be read; `reason` then continues the sentence "<name> ...".
        """
        name = str(PurePosixPath(path))
        parts = name.split("/")
        if any(part.startswith(".") and part != ".." for part in parts):
            return  # hidden files are ignored, as in folders
        if not self.accepts(name):
            self.others.add(name)
            return
        windows = PureWindowsPath(path)
        if name.startswith("/") or windows.drive or windows.root or ".." in windows.parts:
            place, reason = None, "points outside the archive; pack it again with relative paths"
        self.places.pop(name, None)
        self.refused.pop(name, None)
        if place is None:
            self.refused[name] = f"{name} {reason}"
        else:
            self.places[name] = place


class ArchiveSource(ImageSource, Generic[P]):
    """Images in an archive file, indexed once per process and again when the file changes."""

    @staticmethod
    @abstractmethod
    def _make_index(root: Path, accepts: Callable[[str], bool]) -> Index[P]:
        """Index the members whose names are accepted."""

    def names(self, *, exclude: Path | None = None) -> list[str]:
        """Return the members that are images; `exclude` has no effect in an archive."""
        return listed(self._checked_index().places)

    def others(self) -> list[str]:
        """Return members whose names are not those of images."""
        index = self._checked_index()
        return sorted(index.others.union(index.places).difference(self.names()))

    def refused(self) -> Mapping[str, str]:
        """Return members that are not read: encrypted ones, links, devices and paths outside the archive."""
        return self._checked_index().refused

    def _checked_index(self) -> Index[P]:
        try:
            return self._index()
        except OSError as error:
            raise ImageError(f"{self.root} cannot be read ({error.strerror}); check the file") from error

    def _index(self) -> Index[P]:
        status = self.root.stat()
        stamp = status.st_mtime_ns, status.st_size
        with _INDEXING:
            return _index_of(type(self)._make_index, self.root, self.reading.accepts, stamp)

    def _place(self, index: Index[P], name: str) -> P:
        if name not in index.places:
            raise ImageError(f"{self.root} does not hold {name} any more; run the job again from its start")
        return index.places[name]


_INDEXING = threading.Lock()  # otherwise several threads would index a new archive at once


@lru_cache(maxsize=4)
def _index_of(
    make: Callable[[Path, Callable[[str], bool]], Index[Any]],
    root: Path,
    accepts: Callable[[str], bool],
    stamp: tuple[int, int],
) -> Index[Any]:
    return make(root, accepts)


def check_unpacked(name: str, size: int) -> None:
    """
    Refuse to decompress more than two bytes per pixel of the largest allowed image.

    Raises
    ------
    ImageError
        If ``size`` (bytes) exceeds that limit.
    """
    limit = 2 * most_samples()
    if size > limit:
        raise ImageError(
            f"{name} unpacks to {size:,} bytes, more than the limit of {limit:,}; unpack the archive, "
            f"or raise the limit: export {VARIABLE}={-(-size // 2)}"
        )


def read_file_at(path: Path, offset: int, size: int) -> bytes:
    """Read part of a file through a new handle, so that threads share no file position."""
    with path.open("rb", buffering=0) as file:
        file.seek(offset)
        parts = []
        while size and (piece := file.read(size)):
            parts.append(piece)
            size -= len(piece)
    return b"".join(parts)


def window(read_at: ReadAt, start: int, size: int) -> BinaryIO:
    """Return a range of an archive's bytes as a file."""
    return io.BufferedReader(_Window(read_at, start, size), 2**16)


class _Window(io.RawIOBase):
    def __init__(self, read_at: ReadAt, start: int, size: int) -> None:
        self._read_at, self._start, self._size = read_at, start, size
        self._offset = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._offset, io.SEEK_END: self._size}[whence]
        self._offset = max(0, base + offset)
        return self._offset

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - whatever has the buffer protocol
        size = max(0, min(len(buffer), self._size - self._offset))
        piece = self._read_at(self._start + self._offset, size) if size else b""
        buffer[: len(piece)] = piece
        self._offset += len(piece)
        return len(piece)
