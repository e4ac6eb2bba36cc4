"""Writing a file in one piece."""

import os
from pathlib import Path

from pointmask.errors import OutputError


def write_atomically(data: bytes | str, path: Path) -> None:
    """Write a file that is never seen half-written; text becomes UTF-8.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(data.encode() if isinstance(data, str) else data)
        temporary.replace(path)
    except (OSError, UnicodeEncodeError) as error:
        temporary.unlink(missing_ok=True)
        raise OutputError(f"{path}: cannot be written ({error}); check the folder and the names") from error
