"""Results that are made aside and put in their place when they are whole: one file, or a folder of them."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pointmask.errors import OutputError


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
