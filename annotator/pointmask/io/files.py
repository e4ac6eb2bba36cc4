"""Which images there are, where results go, and writes that are either whole or absent."""

import os
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from pointmask.errors import OutputError
from pointmask.io.layout import RESULTS

_PREFIX = ".pointmask-"
_SUFFIX = ".tmp"


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


def write_lines(path: Path, lines: Iterable[bytes], tag: str) -> None:
    """Write a file of lines atomically, without holding them in memory."""
    temporary = path.with_name(f".pointmask-{tag}-lines.tmp")
    try:
        with temporary.open("wb") as handle:
            handle.writelines(lines)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def staged(path: Path) -> Iterator[Path]:
    """Give a place beside ``path`` to make something; whatever is left there in the end is removed.

    Raises
    ------
    OutputError
        If the folder of ``path`` cannot be written to.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    _remove(aside)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield aside
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(
            f"{path}: cannot be written ({error.strerror or error}); check the folder and the space left"
        ) from error
    finally:
        _remove(aside)


def clean_aside(path: Path) -> None:
    """Remove what a killed process left beside ``path``; nobody else may be making it now."""
    for aside in path.parent.glob(f".{path.name}.*.tmp*"):
        _remove(aside)


def put_whole(made: Path, path: Path) -> None:
    """Put what was made in the place of whatever is there; a folder is away for a moment.

    Raises
    ------
    OSError
        As the system reports it.
    """
    if path.is_dir() and not path.is_symlink():
        old = made.with_name(f"{made.name}.old")
        _remove(old)
        path.rename(old)
        made.rename(path)
        _remove(old)
    else:
        made.replace(path)


def put_into(made: Path, path: Path) -> None:
    """Put each file of what was made in its place, and leave all other files there alone.

    Raises
    ------
    OutputError
        If a folder is in the place of a file, or a file in that of a folder.
    OSError
        As the system reports it.
    """
    if not path.exists():
        made.replace(path)
    elif made.is_dir() != path.is_dir():
        kinds = ("file", "folder") if made.is_dir() else ("folder", "file")
        raise OutputError(f"{path} is a {kinds[0]}, but the result is a {kinds[1]}; choose another name")
    elif made.is_dir():
        for child in sorted(made.iterdir()):
            put_into(child, path / child.name)
    else:
        made.replace(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def write_atomically(data: bytes | str, path: Path) -> None:
    """Write a file that is never seen half-written; text becomes UTF-8.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    with _replacing(path) as temporary:
        temporary.write_bytes(data.encode() if isinstance(data, str) else data)


def files_below(folder: Path, wanted: Callable[[str], bool]) -> Iterator[Path]:
    """Yield files below a folder in a fixed order, without hidden ones; ``wanted`` sees their names.

    Raises
    ------
    OSError
        If the folder or one below it cannot be listed.
    """
    for parent, subfolders, names in os.walk(folder, onerror=_raise):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        yield from (Path(parent, name) for name in sorted(names) if wanted(name) and not name.startswith("."))


def _raise(error: OSError) -> None:
    raise error


@contextmanager
def text_written_atomically(path: Path) -> Iterator[TextIO]:
    """Give a UTF-8 text file to write to; it takes its place when the block ends without an error.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    with _replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        yield file


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        temporary.replace(path)
    except OutputError:
        raise
    except (OSError, UnicodeEncodeError) as error:
        raise OutputError(f"{path}: cannot be written ({error}); check the folder and the names") from error
    finally:
        temporary.unlink(missing_ok=True)
