"""Files: written in one piece, found in a fixed order."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from pointmask.errors import OutputError


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
