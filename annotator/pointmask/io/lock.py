"""One job at a time in an output folder."""

import errno
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from pointmask.errors import LockedError, OutputError
from pointmask.io.layout import LOCKS, WHOLE, lock_name

_PATIENCE = 0.5  # seconds; whoever looks whether a lock is free has it for some microseconds
_POLL = 0.01
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}  # what a system says that has none


@contextmanager
def only_job(folder: Path, part: str = WHOLE) -> Iterator[bool]:
    """
    Hold an output folder, so that no other job writes to it.

    Parameters
    ----------
    folder : Path
        Made if it is missing; removed again if nothing is in it at the end.
    part : str
        Of a job that is shared out: parts of different names go together, but none with a job that does it
        all.

    Yields
    ------
    bool
        Whether the folder is held; False where the system has no locks.

    Raises
    ------
    LockedError
        If another job holds the folder, or the same part of it.
    OutputError
        If the folder cannot be made, or the lock not be written.

    Notes
    -----
    The lock is one of the operating system (``flock``; ``LockFileEx`` on Windows) on a file of this folder.
    It goes with the process, however that ends, so that what a killed job leaves of it stops nobody. The
    file is removed at the end. On network file systems it works between machines where the server passes
    locks on (NFS from version 4, SMB); one without locks lets every job through, as it always did.
    """
    made = _make(folder)
    try:
        with ExitStack() as stack:
            own = folder / lock_name(part)
            is_held = stack.enter_context(locked(own))
            others = folder.glob(LOCKS) if part == WHOLE else [folder / lock_name(WHOLE)]
            for other in [path for path in others if path != own and path.exists()]:
                with locked(other):
                    pass
            yield is_held
    finally:
        with suppress(OSError):
            if made is not None and os.path.samestat(made, folder.stat()):
                folder.rmdir()


def _make(folder: Path) -> os.stat_result | None:
    """Make a folder; return what it is if it was not there."""
    try:
        if folder.is_dir():
            return None
        folder.mkdir(parents=True)
        return folder.stat()
    except OSError as error:
        raise OutputError(
            f"output folder {folder} cannot be made ({error.strerror or error}); choose another --out"
        ) from None


@contextmanager
def locked(path: Path, patience: float = _PATIENCE) -> Iterator[bool]:
    """
    Hold one lock.

    Parameters
    ----------
    path : Path
        Empty file, which is made, and removed at the end.
    patience : float
        Seconds to wait for another process that has it; -1 for ever.

    Yields
    ------
    bool
        Whether there are locks here, so that it is held.

    Raises
    ------
    LockedError
        If another process has it still.
    OutputError
        If the file cannot be written.
    """
    lock = FileLock(path, thread_local=False)
    try:
        lock.acquire(timeout=patience, poll_interval=_POLL)
    except Timeout:
        raise LockedError(
            f"another pointmask job is writing to {path.parent} ({path.name} is in use); wait for it to end, "
            "or choose another --out"
        ) from None
    except NotImplementedError:
        mine = None
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise OutputError(
                f"{path} cannot be written ({error.strerror or error}); choose another --out"
            ) from None
        mine = None
    else:
        mine = path.stat()
    try:
        yield mine is not None
    finally:
        # Removed while it is held, so that whoever waits for this very file learns that it is gone. On
        # Windows, where no open file can be removed, filelock does it.
        if mine is not None and os.name == "posix":
            with suppress(OSError):
                if os.path.samestat(mine, path.stat()):
                    path.unlink()
        lock.release()
