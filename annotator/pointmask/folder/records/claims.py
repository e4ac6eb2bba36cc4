"""Which result files in an output folder are pointmask's: those that its entries name, and those it claimed.

A worker claims a file before it writes it, in the list of `pointmask.io.listed`: a job that is killed before
it noted the frame has proof of the file all the same. What the manifest names needs no claim any more.
"""

import os
from collections.abc import Container, Iterable, Iterator, Mapping
from pathlib import Path

from pointmask.folder.records.journal import check_head
from pointmask.folder.records.manifest import Entry
from pointmask.io.files import check_no_link, sync_folder
from pointmask.io.layout import REPLACED, RESULTS
from pointmask.io.lines import append_lines, whole_lines
from pointmask.io.listed import OwnFiles, remove_listed
from pointmask.io.own import check_free

_FOLDERS = frozenset(RESULTS.values())


class Claims:
    """
    The claims that jobs which were killed left in an output folder.

    Parameters
    ----------
    out : Path
        Output folder.
    """

    def __init__(self, out: Path) -> None:
        self._out, self._list = out, OwnFiles(out)
        names = self._list.names()
        self._open = {name for name in names if name.partition("/")[0] in _FOLDERS}
        self._others = names - self._open

    def settle(self, entry: Entry) -> None:
        """Take note of an entry, which names its files better than a claim."""
        if self._open and entry["status"] == "done":
            self.settle_files(result_files(self._out, entry["mask"]))

    def settle_files(self, names: Iterable[str]) -> None:
        """Take note that result files are named elsewhere."""
        if self._open:
            self._open.difference_update(names)

    def keep(self) -> None:
        """Forget what was settled."""
        if self._open or self._others:
            self._list.keep(self._others | self._open)

    def names(self) -> frozenset[str]:
        """Return what was not settled."""
        return frozenset(self._open)

    def close(self) -> None:
        """Remove claimed files that no entry names in the end, and forget all claims."""
        for name in self._open:
            remove_listed(self._out, name)
        self._open.clear()
        self._list.keep(self._others)


def result_files(out: Path, mask: str | None) -> list[str]:
    """
    Return the names of all result files that a frame may have beside its mask image; none without one.

    An entry names the mask alone. A folder of other results that is a link may be full of somebody's files.
    """
    rest = mask.partition("/")[2] if mask is not None else ""
    names = (f"{folder}/{rest}" for folder in RESULTS.values() if not (out / folder).is_symlink())
    return list(dict.fromkeys((mask, *names))) if mask is not None and rest else []


def check_results(out: Path, files: Mapping[str, bytes], ours: set[str]) -> None:
    """
    Refuse to write results over files that pointmask did not write.

    Parameters
    ----------
    out : Path
        Output folder.
    files : Mapping of str to bytes
        Results by name. One that is there already, with the very same bytes or what a power failure left of
        them, is in nobody's way.
    ours : set of str
        Names of pointmask's files.

    Raises
    ------
    OutputError
        If another file, a link or a folder is in the place of one.
    """
    named = [name for name in files if not _is_free(out / name)]
    if named:
        check_free(out, [name for name in named if not _holds(out / name, files[name])], ours, linked=True)


def _is_free(path: Path) -> bool:
    """Say of a place in a folder that nothing is there, in two questions to the system instead of nine."""
    return path.parent.is_dir() and not os.path.lexists(path)


def _holds(path: Path, data: bytes) -> bool:
    """Say whether a file begins as the same bytes do, and holds NUL bytes where the rest never came."""
    return path.is_file() and not path.is_symlink() and data.startswith(path.read_bytes().rstrip(b"\0"))


def remove_results(out: Path, mask: str | None, keep: Container[str] = ()) -> int:
    """Remove the result files of a frame, except those to keep; return 1 if there were some."""
    files = [name for name in result_files(out, mask) if name not in keep and os.path.lexists(out / name)]
    for name in files:
        remove_listed(out, name)
    return int(bool(files))


def replace(out: Path, files: Iterable[Path]) -> None:
    """
    Move the entries of earlier jobs to where they show which files are pointmask's, and vouch for none.

    The file is there from now on, even without an entry, until the job that replaces them is over.

    Parameters
    ----------
    out : Path
        Output folder.
    files : iterable of Path
        Manifests and journals, oldest first; those that are missing are passed over.

    Raises
    ------
    OutputError
        If one is not pointmask's.
    """
    there = [path for path in files if os.path.lexists(path)]
    for path in there:
        check_no_link(path)
        check_head(path)
    place = out / REPLACED
    check_no_link(place)
    check_head(place)
    for path in there:
        if place.exists():
            append_lines(place, _entries(path))
            path.unlink()
        else:
            path.rename(place)
    place.touch()
    sync_folder(out)


def _entries(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from (line for _, line in whole_lines(file))
