"""Images in a folder and its subfolders."""

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from pointmask.errors import ImageError
from pointmask.io.images.kinds import is_image, listed
from pointmask.io.images.source import ImageSource


def list_images(
    root: Path, *, exclude: Path | None = None, accepts: Callable[[str], bool] = is_image
) -> list[str]:
    """
    Return the images below a folder, recognised by suffix.

    Hidden files and folders are ignored. Links to folders are followed; each real folder is visited once.

    Parameters
    ----------
    root : Path
        Folder to search, with all its subfolders.
    exclude : Path, optional
        Folder to skip, such as an output folder among the images.
    accepts : callable
        Decides by its name whether a file is an image.

    Returns
    -------
    list of str
        Paths relative to `root` with forward slashes, sorted.

    Raises
    ------
    ImageError
        If `root` or a folder below it is missing, is a file or cannot be read.
    """
    _check(root)
    excluded = exclude.resolve() if exclude is not None and exclude.exists() else None
    return listed(name for name in _walk(root, "", excluded, set()) if accepts(name))


def _check(root: Path) -> None:
    if not root.exists():
        raise ImageError(
            f"image folder {root} does not exist; check the path, for example with: ls {root.parent}"
        )
    if not root.is_dir():
        raise ImageError(f"{root} is a file; give the folder that holds it: {root.parent}")


def _walk(folder: Path, prefix: str, excluded: Path | None, visited: set[tuple[int, int]]) -> Iterator[str]:
    """Yield files below ``folder``."""
    for path, names in _walk_folders(folder, prefix, excluded, visited):
        yield from (path + name for name in names)


def _walk_folders(
    folder: Path,
    prefix: str,
    excluded: Path | None,
    visited: set[tuple[int, int]],
    order: Callable[[str], Any] | None = None,
) -> Iterator[tuple[str, list[str]]]:
    """Yield folders with their files; ``visited`` holds (device, inode), which ends link loops."""
    names: list[str] = []
    subfolders: list[str] = []
    try:
        status = folder.stat()
        if (status.st_dev, status.st_ino) in visited:
            return
        visited.add((status.st_dev, status.st_ino))
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.name.startswith("."):
                    (subfolders if entry.is_dir() else names).append(entry.name)
    except OSError as error:
        raise ImageError(
            f"folder {folder} cannot be read ({error.strerror or error}); "
            f"give yourself the right to read it: chmod u+rx {folder}"
        ) from None
    yield prefix, names
    del names  # of a million files, while those below are walked
    for name in subfolders if order is None else sorted(subfolders, key=order):
        below = folder / name
        if excluded is None or below.resolve() != excluded:
            yield from _walk_folders(below, f"{prefix}{name}/", excluded, visited, order)


class FolderSource(ImageSource):
    """Image files in a folder and its subfolders."""

    def names(self, *, exclude: Path | None = None) -> list[str]:
        """Return the image files; see `pointmask.io.images.folder.list_images`."""
        return list_images(self.root, exclude=exclude, accepts=self.reading.accepts)

    def by_folder(
        self, order: Callable[[str], Any], *, exclude: Path | None = None
    ) -> Iterator[tuple[str, list[str]]]:
        """Yield the images folder by folder, each as soon as it is read."""
        _check(self.root)
        excluded = exclude.resolve() if exclude is not None and exclude.exists() else None
        for prefix, names in _walk_folders(self.root, "", excluded, set(), order):
            yield prefix, listed(filter(self.reading.accepts, names))

    def others(self) -> list[str]:
        """Return files whose names are not those of images."""
        if not self.root.is_dir():
            return []
        images = set(self.names())
        return sorted(name for name in _walk(self.root, "", None, set()) if name not in images)

    def _read(self, name: str) -> bytes:
        with self._open(name) as file:
            return file.read()

    def _open(self, name: str) -> BinaryIO:
        path = self.root / name
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):  # a pipe would be waited for, for ever
            raise ImageError(f"{name} is {_kind(mode)}, not a file; give the file itself, or remove it")
        return path.open("rb")


def _kind(mode: int) -> str:
    tests = {
        "a folder": stat.S_ISDIR,
        "a pipe": stat.S_ISFIFO,
        "a socket": stat.S_ISSOCK,
    }
    return next((kind for kind, holds in tests.items() if holds(mode)), "a device")
