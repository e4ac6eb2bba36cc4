"""What pointmask may replace or remove: its own files alone, and never a folder, a link, or what it reads.

Whatever a command writes passes one of four functions here before it is written:

* `check_apart`: no place that a command writes to is, or holds, something that it reads (`check_output` for
  a folder and the places in it);
* `check_file`: a file that the user names is new, or is of pointmask's making and may be replaced;
* `check_set`: the same for a few files of fixed names in a folder, known by one of them;
* `check_free`: files of any names, of which some are known for pointmask's: by a list in their folder (see
  `listed`), or by the manifest and journal of a folder job (see `pointmask.folder.records`).
"""

import json
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from pointmask.errors import OutputError

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
    check_output(folder, names, reads)
    places = [folder / name for name in names]
    for place in places:
        check_plain(place)
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
