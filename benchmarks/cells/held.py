"""A lock on a folder, which goes with the process that has it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pointmask.errors import LockedError
from pointmask.io.lock import locked

_NAME = ".cells.lock"  # not the lock of a run, which the training itself takes


@contextmanager
def held(folder: Path, *, wait: bool = False) -> Iterator[bool]:
    """Hold a folder, so that no other process works in it; a killed process holds nothing.

    Parameters
    ----------
    folder : Path
        Made if it does not exist.
    wait : bool
        For the other process, if there is one.

    Yields
    ------
    bool
        False if another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(folder / _NAME, patience=-1 if wait else 0))
        except LockedError:
            mine = False
        else:
            mine = True
        yield mine
