"""Writing a file in one piece."""

import os
from collections.abc import Iterator
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
