"""Files below a folder, in an order that does not depend on the file system."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path


def files_below(folder: Path, accepts: Callable[[str], bool]) -> Iterator[Path]:
    """
    Yield files below a folder in a fixed order, without hidden ones.

    Parameters
    ----------
    folder : Path
        Searched with all its subfolders, except hidden ones.
    accepts : callable
        Says by its name whether a file is meant.

    Raises
    ------
    OSError
        If the folder or one below it cannot be listed.
    """
    for parent, subfolders, names in os.walk(folder, onerror=_raise):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        yield from (
            Path(parent, name) for name in sorted(names) if accepts(name) and not name.startswith(".")
        )


def _raise(error: OSError) -> None:
    raise error
