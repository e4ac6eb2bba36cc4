"""What pointmask may replace or remove: its own files alone, and never a folder, a link, or what it reads.

Whatever a command writes passes one of four functions here before it is written:

* `check_apart`: no place that a command writes to is, or holds, something that it reads (`check_output` for
  a folder and the places in it);
* `check_file`: a file that the user names is new, or is of pointmask's making and may be replaced;
* `check_set`: the same for a few files of fixed names in a folder, known by one of them;
* `put_own`: a folder of any names, whose files are listed in it, so that all others are left alone.

The results of a folder job are known by its manifest and journal instead; see `pointmask.folder.records`.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from pointmask.errors import OutputError, WriteError
from pointmask.io.files import flush, put_whole, write_lines
from pointmask.io.layout import LISTED
from pointmask.io.lines import append_lines, whole_lines

Proof = Callable[[Path], bool]
"""Says whether a file that exists is what pointmask writes there; never raises for a file of another kind."""


def check_apart(places: Iterable[Path], reads: Iterable[Path | None]) -> None:
    """
    Refuse to write where a command reads.

    Parameters
    ----------
    places : iterable of Path
        Files and folders that may be written. Links are followed, as writing would follow them.
    reads : iterable of Path or None
        Files and folders that are read.

    Raises
    ------
    OutputError
        If a place is one of the inputs, or a folder that holds one.
    """
    inputs = [(path, path.resolve()) for path in reads if path is not None]
    for place in places:
        target = place.resolve()
        for path, read in inputs:
            if target == read or target in read.parents:
                does = "is" if target == read else "holds"
                raise OutputError(
                    f"output {place} {does} the input {path}, which must stay as it is; choose another "
                    f"place, for example: {read.parent / (read.stem + '-pointmask' + read.suffix)}"
                )


def check_output(out: Path, inside: Iterable[str], reads: Iterable[Path | None]) -> None:
    """
    Refuse an output folder that is no folder, is read, or would get files where something is read.

    Parameters
    ----------
    out : Path
        Folder, which need not exist.
    inside : iterable of str
        Names of the files and folders in it that may be written; what else is in it may be read.
    reads : iterable of Path or None
        Files and folders that are read.

    Raises
    ------
    OutputError
        As said.
    """
    check_folder(out)
    inputs = [path for path in reads if path is not None]
    target = out.resolve()
    check_apart([out], [path for path in inputs if path.resolve() == target])
    check_apart((out / name for name in inside), inputs)


def check_file(path: Path, reads: Iterable[Path | None], proof: Proof, *, overwrite: bool) -> None:
    """
    Refuse a file that the user names, unless it is new or may be replaced.

    Parameters
    ----------
    path : Path
        File to write.
    reads : iterable of Path or None
        Files and folders that the command reads.
    proof : callable
        See `Proof`.
    overwrite : bool
        Whether the user allowed to replace a file of pointmask's.

    Raises
    ------
    OutputError
        If it is a folder, a link, an input or a file that pointmask did not write, or if it exists and
        `overwrite` is not set.
    """
    check_plain(path)
    check_apart([path], reads)
    if not path.exists():
        return
    if not _holds(proof, path):
        raise OutputError(
            f"{path} exists, and is not what this command writes; nothing else is replaced: move it away, or "
            "choose another file"
        )
    if not overwrite:
        raise OutputError(f"{path} exists already; choose another file, or replace it with --overwrite")


def check_set(
    folder: Path,
    names: Sequence[str],
    reads: Iterable[Path | None],
    proof: Proof,
    *,
    overwrite: bool,
) -> None:
    """
    Refuse a folder for files of fixed names, unless they are new or may be replaced.

    Parameters
    ----------
    folder : Path
        Folder, which need not exist. What else lies there is left alone.
    names : sequence of str
        The files. The first is written first and shows by its content whose all of them are.
    reads : iterable of Path or None
        Files and folders that the command reads.
    proof : callable
        Judges the first file; see `Proof`.
    overwrite : bool
        Whether the user allowed to replace files of pointmask's.

    Raises
    ------
    OutputError
        As `check_file`, for each of the files.
    """
    check_folder(folder)
    places = [folder / name for name in names]
    for place in places:
        check_plain(place)
    check_apart(places, reads)
    existing = [place for place in places if place.exists()]
    if not existing:
        return
    if not (places[0].exists() and _holds(proof, places[0])):
        raise OutputError(
            f"{existing[0]} exists, and no {names[0]} beside it shows that pointmask wrote it; nothing else "
            "is replaced: move it away, or choose another folder"
        )
    if not overwrite:
        raise OutputError(
            f"{existing[0]} exists already; choose another folder, or replace it with --overwrite"
        )


def check_folder(folder: Path) -> None:
    """Raise OutputError if something else than a folder is in the place of an output folder."""
    if os.path.lexists(folder) and not folder.is_dir():
        raise OutputError(
            f"output {folder} is a file, not a folder; give a folder, for example: "
            f"{folder.with_suffix('')}-pointmask"
        )


def check_plain(path: Path) -> None:
    """Raise OutputError if something else than a plain file is in the place of a file to write."""
    if path.is_symlink():
        raise OutputError(
            f"{path} is a link, which is never replaced; remove it, or give the file that it links to"
        )
    if path.is_dir():
        raise OutputError(f"{path} is a folder, which is never replaced; give a file, such as {path}.out")
    if path.exists() and not path.is_file():
        raise OutputError(f"{path} is no plain file, and is never replaced; give another file")


def _holds(proof: Proof, path: Path) -> bool:
    try:
        return proof(path)
    except (OSError, ValueError, RecursionError):
        return False


def is_json_of(path: Path, keys: Iterable[str]) -> bool:
    """Say whether a file is a JSON object that has these keys; a `Proof` of what is written as JSON."""
    found = json.loads(path.read_bytes())
    return isinstance(found, dict) and set(keys) <= found.keys()


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
        with self._path.open("rb") as file:
            return {name for _, line in whole_lines(file) if (name := _name(line)) is not None}

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
        try:
            os.write(handle, b"".join(map(_line, names)))
        finally:
            os.close(handle)

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


def check_free(out: Path, names: Iterable[str], ours: set[str], *, linked: bool = False) -> None:
    """
    Refuse to put files where others are.

    Parameters
    ----------
    out : Path
        Folder.
    names : iterable of str
        Of the files to put, relative to it.
    ours : set of str
        Names of pointmask's files there.
    linked : bool
        Whether folders of it may be links, such as to a larger disk.

    Raises
    ------
    OutputError
        If one is there that is not pointmask's, or a folder is in the place of a file or the other way round.
    """
    check_folder(out)
    for name in names:
        path = out / name
        for folder in path.parents:
            if folder == out:
                break
            if folder.is_symlink() and not linked:
                raise OutputError(
                    f"{folder} is a link to another folder; move it away, or choose another place"
                )
            check_folder(folder)
        if path.is_dir() and not path.is_symlink():
            raise OutputError(f"{path} is a folder, but the result is a file; choose another name")
        if name not in ours and os.path.lexists(path):
            raise OutputError(
                f"{path} exists, and pointmask did not write it; nothing else is replaced: move it away, or "
                "choose another folder"
            )


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
        name = json.loads(line)
    except ValueError:
        return None
    if not isinstance(name, str) or not name or name.startswith("/") or ".." in name.split("/"):
        return None
    return name
