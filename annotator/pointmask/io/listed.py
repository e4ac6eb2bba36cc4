"""Files that pointmask wrote below a folder, by a list in the folder; all others there are left alone.

For folders whose files have no fixed names: conversions, documents, corrected copies, saved predictions. What
may be replaced is decided in `own`.
"""

import errno
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from pointmask.errors import WriteError
from pointmask.io.files import flush, put_whole, write_lines
from pointmask.io.layout import LISTED, is_inside
from pointmask.io.lines import append_lines, whole_lines
from pointmask.io.own import check_free, check_plain
from pointmask.settings import parse_json


class OwnFiles:
    """
    List of the files that pointmask wrote below a folder, kept in the folder.

    A name is listed before its file is put there, so that a kill leaves no file that is not listed.

    Parameters
    ----------
    folder : Path
        Folder, which need not exist.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / LISTED

    def names(self) -> set[str]:
        """Return the relative names, with forward slashes; none without a list."""
        if self._path.is_symlink() or not self._path.is_file():
            return set()
        try:
            with self._path.open("rb") as file:
                return {name for _, line in whole_lines(file) if (name := _name(line)) is not None}
        except FileNotFoundError:  # the job of another shard had no use for it any more
            return set()

    def add(self, names: Iterable[str], *, durable: bool = True) -> None:
        """
        List further names and, if `durable`, wait until the disk holds the list.

        Raises
        ------
        OutputError
            If something else than a list is in its place, or it cannot be written.
        """
        check_plain(self._path)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            append_lines(self._path, (_line(name) for name in names), durable=durable)
        except OSError as error:
            raise WriteError(f"{self._path} cannot be written ({error.strerror or error})") from error

    def claim(self, names: Iterable[str]) -> None:
        """
        List further names as fast as can be, from any thread or process: for one of a million small files.

        Raises
        ------
        OSError
            As the system reports it.
        """
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        handle = os.open(self._path, flags, 0o666)
        # On a line of their own, whatever a full disk or a power failure left of the one before.
        data = b"\n" + b"".join(map(_line, names))
        try:
            written = os.write(handle, data)
        finally:
            os.close(handle)
        if written < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))

    def keep(self, names: Iterable[str]) -> None:
        """List these names and no others, sorted; without any there is no list."""
        if kept := sorted(set(names)):
            write_lines(self._path, map(_line, kept))
        elif self._path.exists():
            check_plain(self._path)
            self._path.unlink()


def put_own(made: Path, out: Path, own: Path | None = None, *, drop: bool, is_all_ours: bool = False) -> None:
    """
    Put the files of a folder in their places, over files that pointmask wrote there, and over no others.

    Parameters
    ----------
    made : Path
        Folder that was made under a temporary name; see `pointmask.io.files.staged`.
    out : Path
        Its place.
    own : Path, optional
        Folder that keeps the list of files: `out`, or one that holds it.
    drop : bool
        Remove files of an earlier run that are not there any more.
    is_all_ours : bool
        The caller knows that all files in the place are pointmask's: they are exchanged for the new ones at
        once, so that nobody sees a mixture.

    Raises
    ------
    OutputError
        If a file would have to replace one that is not pointmask's, a link or a folder. Nothing has
        changed then.
    OSError
        As the system reports it.
    """
    keeper = out if own is None else own
    prefix = "" if keeper == out else out.relative_to(keeper).as_posix() + "/"
    listed = OwnFiles(keeper)
    earlier = listed.names()
    ours = {name for name in earlier if name.startswith(prefix)}
    names = [path.relative_to(made).as_posix() for path in files_in(made)]
    new = {prefix + name for name in names}
    if keeper == out and not out.exists():
        OwnFiles(made).keep(new)
        put_whole(made, out)
        return
    if not is_all_ours:
        check_free(keeper, new, ours)
    if fresh := sorted(new - earlier):
        listed.add(fresh)
    if is_all_ours or not out.exists():
        put_whole(made, out)
    else:
        flush(made)
        for name in names:
            place = out / name
            place.parent.mkdir(parents=True, exist_ok=True)
            (made / name).replace(place)
        gone = ours - new if drop else set()
        for name in gone:
            remove_listed(keeper, name)
        new |= ours - gone
        flush(out)
    listed.keep((earlier - ours) | new)


def remove_listed(folder: Path, name: str) -> None:
    """Remove a file that pointmask listed, and the folders below `folder` that it leaves empty."""
    path = folder / name
    parents = path.parents[: len(PurePosixPath(name).parents) - 1]  # those below the folder
    is_elsewhere = any(parent.is_symlink() for parent in parents)
    if is_elsewhere or (path.is_dir() and not path.is_symlink()):
        return
    path.unlink(missing_ok=True)
    for parent in parents:
        if not parent.is_dir() or any(parent.iterdir()):
            break
        parent.rmdir()


def files_in(folder: Path) -> Iterator[Path]:
    """Yield all files and links below a folder, hidden ones too, sorted; links are not followed."""
    for parent, folders, names in os.walk(folder):
        folders.sort()
        links = [name for name in folders if Path(parent, name).is_symlink()]
        yield from (Path(parent, name) for name in sorted([*names, *links]))


def _line(name: str) -> bytes:
    return json.dumps(name).encode() + b"\n"


def _name(line: bytes) -> str | None:
    """Return the name on a line; None for one that leads out of the folder, or is no name."""
    try:
        name = parse_json(line)
    except ValueError:
        return None
    return name if isinstance(name, str) and is_inside(name) else None
