"""Opening of regular files alone: a pipe would be waited for, for ever; a device may act when opened."""

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

_SPECIAL: dict[str, Callable[[int], bool]] = {
    "a pipe": stat.S_ISFIFO,
    "a socket": stat.S_ISSOCK,
    "a device": lambda mode: stat.S_ISCHR(mode) or stat.S_ISBLK(mode),
}


def check_regular(path: Path) -> None:
    """
    Refuse what is neither a file nor a folder.

    Raises
    ------
    OSError
        As the system reports it; and, in words to follow a path, for pipes, sockets and devices.
    """
    _check(path.stat().st_mode)


def open_regular(path: Path) -> BinaryIO:
    """
    Open a file for reading, as ``path.open("rb")`` does.

    Raises
    ------
    OSError
        As `check_regular`. Nothing that is not a regular file is opened, or stays open if it took the place
        of one in between.
    """
    check_regular(path)
    file = open(path, "rb", opener=_at_once)  # noqa: SIM115 - Path.open takes no opener; the caller closes
    try:
        _check(os.fstat(file.fileno()).st_mode)
    except OSError:
        file.close()
        raise
    return cast(BinaryIO, file)


def read_regular(path: Path) -> bytes:
    """Return the content of a file; raises as `open_regular`."""
    with open_regular(path) as file:
        return file.read()


def kind_of_special(mode: int) -> str | None:
    """Return what a mode of `os.stat` says that is neither a file nor a folder; None for these."""
    return next((kind for kind, holds in _SPECIAL.items() if holds(mode)), None)


def _check(mode: int) -> None:
    kind = kind_of_special(mode)
    if kind is not None:
        raise OSError(errno.EINVAL, f"it is {kind}, not a file; give the file itself, or remove it")


def _at_once(path: str, flags: int) -> int:
    """Open without waiting for the other end of a pipe."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
