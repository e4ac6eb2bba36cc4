"""Base class of image sources: list the names of images, and open an image by name."""

import io
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from pointmask.errors import ImageError
from pointmask.io.images.file import ImageFile
from pointmask.io.images.kinds import PLAIN, TEXT_SUFFIXES, Reading, may_hold_frames
from pointmask.io.images.recognise import unread_by_name

_SHOWN = 3  # kinds of files in a message
_MATRICES = (
    "if they are matrices of numbers, such as temperatures, have them read with --raw text, or save each as "
    ".npy: numpy.save('a.npy', numpy.loadtxt('a.csv', delimiter=','))"
)


@dataclass(frozen=True)
class ImageSource(ABC):
    """
    Images by name.

    A source holds no open file, so it can be pickled and used from any thread.

    Attributes
    ----------
    root : Path
        Folder or archive.
    reading : Reading
        How to read files that do not describe themselves.
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
            Folder to skip, such as an output folder among the images.

        Raises
        ------
        ImageError
            If the source is missing or cannot be read.
        """

    def by_folder(
        self, order: Callable[[str], Any], *, exclude: Path | None = None
    ) -> Iterator[tuple[str, list[str]]]:
        """
        Yield the images folder by folder: every folder before those in it, also if it holds no image itself.

        Parameters
        ----------
        order : callable
            Sort key of the names of folders that lie in one.
        exclude : Path, optional
            As for `names`.

        Yields
        ------
        folder : str
            Path with a slash at its end; empty for the root.
        names : list of str
            Of the images in it, without the folder, in any order.

        Raises
        ------
        ImageError
            As `names`; a folder may raise it when others have been yielded.
        """
        by_path: dict[str, list[str]] = {"": []}
        for name in self.names(exclude=exclude):
            folder, slash, base = name.rpartition("/")
            by_path.setdefault(folder + slash, []).append(base)
        parts = [path.split("/")[:-1] for path in by_path]
        paths = {tuple(part[:depth]) for part in parts for depth in range(len(part) + 1)}
        for path in sorted(paths, key=lambda path: [order(part) for part in path]):
            prefix = "".join(f"{part}/" for part in path)
            yield prefix, sorted(by_path.get(prefix, ()))

    def refused(self) -> Mapping[str, str]:
        """Return reasons by name, for images that cannot or must not be read."""
        return {}

    def others(self) -> list[str]:
        """
        Return the sorted names of all other files, except hidden ones.

        Raises
        ------
        ImageError
            As `names`.
        """
        return []

    def why_no_image(self) -> str:
        """Say which kinds of files are here instead of images, and what to do; starts with the place."""
        others, refused = self.others(), self.refused()
        if refused:
            more = f", and {len(refused) - 1:,} more such" if len(refused) > 1 else ""
            return f"{self.root} holds no image that can be read: {next(iter(refused.values()))}{more}"
        if not others:
            return f"{self.root} holds no image and no other file; check the path"
        kinds = Counter(PurePosixPath(name).suffix.lower() or "no suffix" for name in others)
        seen = ", ".join(f"{count:,} {suffix}" for suffix, count in kinds.most_common(_SHOWN))
        more = f" and {len(kinds) - _SHOWN} kinds more" if len(kinds) > _SHOWN else ""
        ways = dict.fromkeys(str(unread) for name in others if (unread := unread_by_name(name)) is not None)
        advice = "; ".join(list(ways)[:_SHOWN]) or "convert them to PNG or TIFF, or give another folder"
        if not ways and set(TEXT_SUFFIXES).intersection(kinds):
            advice = f"{_MATRICES}; or {advice}"
        return f"{self.root} holds no image that is read here, but {seen}{more}: {advice}"

    def unread(self, keys: Iterable[str]) -> dict[str, str]:
        """
        Say of names that fit no image which of them are files that are not read, and what to do.

        Parameters
        ----------
        keys : iterable of str
            Names with or without suffix.
        """
        by_name: dict[str, str] = {}
        for name in self.others():
            unread = unread_by_name(name)
            if unread is not None:
                reason = f"{name} is there, but {unread}"
                path = PurePosixPath(name)
                for key in (name, str(path.with_suffix("")), path.name, path.stem):
                    by_name.setdefault(key, reason)
        paths = ((key, PurePosixPath(key)) for key in keys)
        found = ((key, by_name.get(key) or by_name.get(str(path.parent / path.stem))) for key, path in paths)
        return {key: reason for key, reason in found if reason}

    @abstractmethod
    def _read(self, name: str) -> bytes:
        """Return the whole file; raise OSError on failure."""

    @abstractmethod
    def _open(self, name: str) -> BinaryIO:
        """Open the file for random access; raise OSError on failure."""

    def read(self, name: str) -> bytes:
        """
        Return the raw bytes of one image file.

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
            To be closed by the caller. Formats with several frames are read on demand, other files at once.

        Raises
        ------
        ImageError
            If it cannot be read or is not an image.
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
