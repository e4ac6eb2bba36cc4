"""Which images there are, where results go, and writes that are either whole or absent."""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from pointmask.errors import ImageError, OutputError
from pointmask.io.images.kinds import is_image

RESULTS = {"mask": "masks", "soft": "soft", "instance": "instances", "overlay": "overlays"}
"""What can be saved, and the folder of the output in which it lies."""

_PREFIX = ".pointmask-"
_SUFFIX = ".tmp"


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
    return sorted(name for name in _walk(root, "", banned, set()) if accepts(name))


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


def stem_of(name: str) -> str:
    """Relative path without its suffix: ``seq/a.png`` gives ``seq/a``."""
    return name[: name.rfind(".")]


def result_path(kind: str, name: str, frame: int, frames: int) -> str:
    """
    Return where a result lies, relative to the output folder.

    Parameters
    ----------
    kind : str
        A key of `RESULTS`.
    name : str
        Image path relative to the image folder.
    frame, frames : int
        0-based frame and the number of frames of the file; only files of several frames carry a number.
    """
    number = f"_{frame:04d}" if frames > 1 else ""
    return f"{RESULTS[kind]}/{stem_of(name)}{number}.png"


def check_apart(images: Path, out: Path) -> None:
    """
    Refuse an output folder whose results would mix with the images.

    Raises
    ------
    OutputError
        If `out` is a file, is the image folder itself, or would put results into the image folder.
    """
    if out.exists() and not out.is_dir():
        raise OutputError(
            f"output {out} is a file; give a folder, for example: --out {out.with_suffix('')}-masks"
        )
    source, target = images.resolve(), out.resolve()
    if source == target:
        raise OutputError(
            f"output folder {out} is the image folder; results must not mix with images; "
            f"choose another, for example: --out {out.parent / (target.name + '-pointmask')}"
        )
    for folder in RESULTS.values():
        below = target / folder
        if source == below or below in source.parents:
            raise OutputError(
                f"images come from {images}, where this job would write its results; "
                f"choose another folder, for example: --out {out.parent / (target.name + '-pointmask')}"
            )


def write_atomic(path: Path, data: bytes, tag: str, *, below: Path | None = None) -> None:
    """
    Write a file under a temporary name, then rename it, making folders as needed.

    Parameters
    ----------
    path : Path
        Final name; an existing file is replaced.
    data : bytes
        The whole content.
    tag : str
        Names the running job (its shard) in the temporary name; see `clean_temporaries`.
    below : Path, optional
        Folder that is not made anew: if it is gone, a network drive may be, too.

    Raises
    ------
    OSError
        As the system reports it (disk full, no permission); nothing but the old file, if any, is left.
    """
    temporary = path.with_name(f"{_PREFIX}{tag}-{os.getpid()}-{threading.get_ident()}{_SUFFIX}")
    try:
        try:
            temporary.write_bytes(data)
        except FileNotFoundError:
            if below is not None and not below.is_dir():
                raise
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(data)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def clean_temporaries(out: Path, tag: str | None) -> int:
    """
    Remove temporary files that a killed job left behind.

    Parameters
    ----------
    out : Path
        Output folder.
    tag : str or None
        Only those of this shard (others may be at work now); None for all.

    Returns
    -------
    int
        How many files were removed.
    """
    start = _PREFIX if tag is None else f"{_PREFIX}{tag}-"
    removed = 0
    for folder in (out, *(out / name for name in RESULTS.values())):
        pattern = f"{start}*{_SUFFIX}"
        for path in folder.glob(pattern) if folder == out else folder.rglob(pattern):
            path.unlink(missing_ok=True)
            removed += 1
    return removed


def link_or_copy(file: Path, path: Path, *, copy: bool) -> None:
    """
    Link to a file, or copy it, at a new place; what cannot be linked is copied.

    Parameters
    ----------
    file : Path
        What is linked to, by a relative path.
    path : Path
        Where; its folders are made as needed.
    copy : bool
        Copy in any case.

    Raises
    ------
    OutputError
        If something is there, or it cannot be written.
    """
    if path.exists() or path.is_symlink():
        raise OutputError(f"{path} exists already; choose a new folder, or different names for the images")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not copy:
            try:
                path.symlink_to(os.path.relpath(file.resolve(), path.parent.resolve()))
            except OSError:  # some file systems, and Windows without the right to, have no links
                copy = True
        if copy:
            shutil.copyfile(file, path)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error}); check the folder") from error
