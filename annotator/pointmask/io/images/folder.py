"""Images in a folder and its subfolders."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

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
    if not root.exists():
        raise ImageError(
            f"image folder {root} does not exist; check the path, for example with: ls {root.parent}"
        )
    if not root.is_dir():
        raise ImageError(f"{root} is a file; give the folder that holds it: {root.parent}")
    excluded = exclude.resolve() if exclude is not None and exclude.exists() else None
    return listed(name for name in _walk(root, "", excluded, set()) if accepts(name))


def _walk(folder: Path, prefix: str, excluded: Path | None, visited: set[tuple[int, int]]) -> Iterator[str]:
    """Yield files below ``folder``; ``visited`` holds (device, inode), which ends link loops."""
    try:
        status = folder.stat()
        if (status.st_dev, status.st_ino) in visited:
            return
        visited.add((status.st_dev, status.st_ino))
        with os.scandir(folder) as entries:
            items = [(entry.name, entry.is_dir()) for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        raise ImageError(
            f"folder {folder} cannot be read ({error.strerror or error}); "
            f"give yourself the right to read it: chmod u+rx {folder}"
        ) from None
    for name, is_folder in items:
        if is_folder:
            below = folder / name
            if excluded is None or below.resolve() != excluded:
                yield from _walk(below, f"{prefix}{name}/", excluded, visited)
        else:
            yield prefix + name


class FolderSource(ImageSource):
    """Image files in a folder and its subfolders."""

    def names(self, *, exclude: Path | None = None) -> list[str]:
        """Return the image files; see `pointmask.io.images.folder.list_images`."""
        return list_images(self.root, exclude=exclude, accepts=self.reading.accepts)

    def others(self) -> list[str]:
        """Return files whose names are not those of images."""
        if not self.root.is_dir():
            return []
        images = set(self.names())
        return sorted(name for name in _walk(self.root, "", None, set()) if name not in images)

    def _read(self, name: str) -> bytes:
        return (self.root / name).read_bytes()

    def _open(self, name: str) -> BinaryIO:
        return (self.root / name).open("rb")
