"""Files and folders written as a whole: made under a temporary name, put in their place when they are done.

Nobody sees half a file under its final name, whenever the process is killed or the power fails. An error
leaves nothing behind; a kill leaves temporary files, which `clean_temporaries` removes when the job is run
again. A link is never replaced. Whether a file may be replaced is decided in `own`.
"""

import os
import secrets
import shutil
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, BinaryIO, TextIO, cast

from pointmask.errors import PointmaskError, WriteError

_PREFIX, _SUFFIX = ".pointmask-", ".tmp"


@contextmanager
def staged(path: Path, tag: str = "file") -> Iterator[Path]:
    """
    Give a temporary name beside a path, to make a file or a folder under.

    What is made there is put in its place by `put_whole` or `pointmask.io.listed.put_own`; what is left is
    removed.

    Parameters
    ----------
    path : Path
        Final name; the folder that it lies in is made as needed.
    tag : str
        Names the running job in the temporary name; see `clean_temporaries`.

    Yields
    ------
    Path
        Nothing is there yet.

    Raises
    ------
    WriteError
        If the system refuses to write, within the block or before.
    """
    with _temporary(path, tag) as made:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield made
        remove(made)


@contextmanager
def whole_file(
    path: Path, tag: str = "file", *, durable: bool = True, below: Path | None = None
) -> Iterator[BinaryIO]:
    """
    Open a binary file that takes its place when the block ends without an error.

    Parameters
    ----------
    path : Path
        Final name; an existing file is replaced. Its folder is made as needed.
    tag : str
        As in `staged`.
    durable : bool
        Wait until the disk holds the content before the file takes its place, and then the name, so that a
        power failure leaves the old file or the new one. Where a file is one of thousands, it is not worth
        the wait: 4 ms per mask of SIRST3 on a virtual disk, which doubled a folder job (2026-11-29). Such
        files are flushed together (`flush`) before anything says that they are done.
    below : Path, optional
        Folder that is not made anew: if it is gone, the drive that it lay on may be, too.

    Raises
    ------
    WriteError
        If the system refuses to write; nothing but the old file, if any, is left.
    """
    with _opened(path, tag, "wb", durable, below) as file:
        yield cast(BinaryIO, file)


@contextmanager
def whole_text(path: Path, tag: str = "file") -> Iterator[TextIO]:
    """
    Open a UTF-8 text file as `whole_file` opens a binary one; lines end in a newline alone.

    Raises
    ------
    WriteError
        As `whole_file`, and if a name in the text cannot be encoded.
    """
    with _opened(path, tag, "w", True, None) as file:
        yield cast(TextIO, file)


def write_whole(
    path: Path, data: bytes | str, tag: str = "file", *, durable: bool = True, below: Path | None = None
) -> None:
    """Write a whole file; see `whole_file`. Text becomes UTF-8."""
    with whole_file(path, tag, durable=durable, below=below) as file:
        file.write(data.encode() if isinstance(data, str) else data)


def copy_whole(source: Path, path: Path, tag: str = "file", *, durable: bool = True) -> None:
    """Copy a whole file; `durable` as in `whole_file`."""
    with staged(path, tag) as made:
        shutil.copyfile(source, made)
        if durable:
            sync(made)
        put_whole(made, path)


def write_lines(path: Path, lines: Iterable[bytes], tag: str = "file") -> None:
    """Write a whole file of lines without holding them in memory; see `whole_file`."""
    with whole_file(path, tag) as file:
        file.writelines(lines)


def sync(path: Path) -> None:
    """
    Wait until the disk holds a file that another library wrote.

    Raises
    ------
    OSError
        As the system reports it.
    """
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def put_whole(made: Path, path: Path, *, is_synced: bool = False, own: Collection[str] | None = None) -> None:
    """
    Put what was made in the place of what is there, which the caller knows for its own.

    A file is replaced at once. A folder is away for a moment: it is then called `former`. At any moment the
    disk holds the old one or the new one whole, under one of the two names.

    Parameters
    ----------
    made : Path
        File or folder.
    path : Path
        Its place.
    is_synced : bool
        The disk holds every file of a folder already.
    own : collection of str, optional
        What the caller may have put into a folder; all else there is moved over. By default nothing else is
        there.

    Raises
    ------
    WriteError
        If a link is there.
    OSError
        As the system reports it.
    """
    check_no_link(path)
    old, is_folder = former(path), made.is_dir()
    if is_folder and is_synced:
        sync_folder(made)
    elif is_folder:
        flush(made)
    if path.is_dir():
        remove_former(path, own)
        path.rename(old)
        made.rename(path)
    else:
        made.replace(path)
    sync_folder(path.parent)
    if is_folder:  # also what a kill between the two renames left
        remove_former(path, own)


def remove_former(path: Path, own: Collection[str] | None = None) -> None:
    """Remove the folder that `put_whole` replaced, which a kill may have left; `own` as there."""
    old = former(path)
    if own is not None and old.is_dir() and path.is_dir():
        others = [left for left in old.iterdir() if left.name not in own]
        for left in others:
            if not os.path.lexists(path / left.name):
                left.rename(path / left.name)
        if others:
            sync_folder(path)
    remove(old)


def check_no_link(path: Path) -> None:
    """Raise WriteError if a link is in the place of a file to write: it is not ours, nor what it leads to."""
    if path.is_symlink():
        raise WriteError(f"{path} is a link, which is never replaced; remove it, or choose another place")


def sync_folder(folder: Path) -> None:
    """Wait until the disk holds the names in a folder; does nothing where folders cannot be synced."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows, or a folder that may be written but not listed
        return
    try:
        os.fsync(handle)
    except OSError:  # file systems without it
        pass
    finally:
        os.close(handle)


def flush(folder: Path) -> None:
    """
    Wait until the disk holds everything below a folder.

    Linux does so for a whole file system at once (``syncfs``), which takes about as long for a thousand files
    as for one. Elsewhere each file is waited for.

    Raises
    ------
    OSError
        As the system reports it.
    """
    import ctypes  # here, because most commands never come here

    syncfs = getattr(ctypes.CDLL(None), "syncfs", None) if os.name == "posix" else None
    if syncfs is None:
        _flush_each(folder)
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        if syncfs(handle) != 0:
            _flush_each(folder)
    finally:
        os.close(handle)


def _flush_each(folder: Path) -> None:
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            if path.is_file() and not path.is_symlink() and os.access(path, os.W_OK):
                sync(path)
        sync_folder(Path(parent))


def former(path: Path) -> Path:
    """Return what a folder is called while `put_whole` replaces it."""
    return path.with_name(f".{path.name}.old")


def clean_temporaries(folder: Path, tag: str | None = None, below: Iterable[str] = ()) -> int:
    """
    Remove temporary files that a killed job left behind.

    Parameters
    ----------
    folder : Path
        Where it wrote.
    tag : str, optional
        Only those of this job (others may be at work now); by default all.
    below : iterable of str
        Subfolders that are searched with all that lies below them.

    Returns
    -------
    int
        How many were removed.
    """
    pattern = f"{_PREFIX}{'' if tag is None else f'{tag}-'}*{_SUFFIX}"
    removed = 0
    for place in (folder, *(folder / name for name in below)):
        for path in place.glob(pattern) if place == folder else place.rglob(pattern):
            remove(path)
            removed += 1
    return removed


def is_temporary(path: Path) -> bool:
    """Say whether a path has a name of those that `staged` and `whole_file` make files under."""
    return path.name.startswith(_PREFIX) and path.name.endswith(_SUFFIX)


def remove(path: Path) -> None:
    """Remove a file, or a folder with all that is in it; nothing happens if there is none."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def _opened(path: Path, tag: str, mode: str, durable: bool, below: Path | None) -> Iterator[IO[Any]]:
    text = {} if "b" in mode else {"encoding": "utf-8", "newline": "\n"}
    with _temporary(path, tag) as made:
        check_no_link(path)
        try:
            file = made.open(mode, **text)  # type: ignore[call-overload]
        except FileNotFoundError:
            if below is not None and not below.is_dir():
                raise
            path.parent.mkdir(parents=True, exist_ok=True)
            file = made.open(mode, **text)  # type: ignore[call-overload]
        with file:
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
        made.replace(path)
        if durable:
            sync_folder(path.parent)


@contextmanager
def _temporary(path: Path, tag: str) -> Iterator[Path]:
    """Give a name; what bears it is removed on any error, and errors of the system are put into words."""
    if "\0" in str(path):
        raise WriteError(f"{str(path)!r} cannot be a file: names hold no NUL character; rename the image")
    made = path.with_name(f"{_PREFIX}{tag}-{secrets.token_hex(6)}{_SUFFIX}")
    try:
        yield made
    except BaseException as error:
        with suppress(OSError):  # of a drive that is gone: the first error says it
            remove(made)
        if isinstance(error, WriteError) and str(made) in str(error):  # of a file in what was being made
            raise WriteError(str(error).replace(str(made), str(path))) from error
        if isinstance(error, OSError | UnicodeEncodeError) and not isinstance(error, PointmaskError):
            reason = getattr(error, "strerror", None) or error
            raise WriteError(
                f"{path}: cannot be written ({reason}); check the folder, the names and the space left"
            ) from error
        raise
