"""Images in a folder and its folders."""

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
    Return the images below a folder, by suffix.

    Hidden files and folders are passed over. Linked folders are followed, each real folder once.

    Parameters
    ----------
    root : Path
        Folder to search, with all its subfolders.
    exclude : Path, optional
        Folder to leave out: an output folder that lies among the images.
    accepts : callable
        Says by its name whether a file is an image.

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
    banned = exclude.resolve() if exclude is not None and exclude.exists() else None
    return listed(name for name in _walk(root, "", banned, set()) if accepts(name))


def _walk(folder: Path, prefix: str, banned: Path | None, seen: set[tuple[int, int]]) -> Iterator[str]:
    """Yield files below ``folder``; ``seen`` holds (device, inode) so that a link loop ends."""
    try:
        status = folder.stat()
        if (status.st_dev, status.st_ino) in seen:
            return
        seen.add((status.st_dev, status.st_ino))
        with os.scandir(folder) as found:
            items = [(item.name, item.is_dir()) for item in found if not item.name.startswith(".")]
    except OSError as error:
        raise ImageError(
            f"folder {folder} cannot be read ({error.strerror or error}); "
            f"give yourself the right to read it: chmod u+rx {folder}"
        ) from None
    for name, is_folder in items:
        if is_folder:
            below = folder / name
            if banned is None or below.resolve() != banned:
                yield from _walk(below, f"{prefix}{name}/", banned, seen)
        else:
            yield prefix + name


class FolderSource(ImageSource):
    """Image files in a folder and its subfolders."""

    def names(self, *, exclude: Path | None = None) -> list[str]:
        """Return the image files; see `pointmask.io.images.folder.list_images`."""
        return list_images(self.root, exclude=exclude, accepts=self.reading.accepts)

    def others(self) -> list[str]:
        """Return files that are no images by their names."""
        if not self.root.is_dir():
            return []
        images = set(self.names())
        return sorted(name for name in _walk(self.root, "", None, set()) if name not in images)

    def _read(self, name: str) -> bytes:
        return (self.root / name).read_bytes()

    def _open(self, name: str) -> BinaryIO:
        return (self.root / name).open("rb")
