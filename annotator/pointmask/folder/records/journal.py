"""Journal of a job, one line of JSON per frame: appended while it runs, read back merged with earlier jobs.

A killed job leaves its journal behind, complete except for a torn last line. Lines stay on disk and are read
back as a stream, so memory does not grow with the number of images.
"""

import errno
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Literal

from pointmask.errors import OutputError
from pointmask.folder.records.sorted_lines import Key, Stretch, StretchFinder, merged
from pointmask.io.files import check_no_link, sync_folder
from pointmask.io.lines import end_of_lines, whole_lines
from pointmask.regular import check_regular, open_regular

Accept = Callable[[Path, int, bytes], Key | None]
"""Takes a file, an offset and the line there; returns the frame of the line, or None to ignore it."""


Origin = Literal["new", "earlier", "replaced"]
"""Whose line it is: this job's, that of an earlier one, or of one whose results this job replaces."""

_BEGINNINGS = (b'{"image": ', b'{"shard": ')  # of the lines of a journal, and of a part's manifest


class FrameJournal:
    """
    The journal of a running job, and the files of earlier ones.

    Always close it (`contextlib.closing`); the file remains unless it is empty. The caller must hold the
    folder lock; see `pointmask.io.lock.only_job`.

    Parameters
    ----------
    path : Path
        File of this job; a journal left by an earlier job is continued.
    earlier : iterable of Path
        Files of earlier jobs, newest first; they may disappear in the meantime.
    replaced : Path, optional
        File of what this job replaces, older than all others.

    Raises
    ------
    OutputError
        If the journal cannot be written, or is a link or a file of somebody else.
    """

    def __init__(self, path: Path, earlier: Iterable[Path], replaced: Path | None = None) -> None:
        self.path = path
        for link in (path, *((replaced,) if replaced else ())):
            check_no_link(link)
            check_head(link)
        is_new = not path.exists()
        # Unbuffered, so that a line that does not fit on the disk is not written again on closing.
        try:
            if not is_new:
                check_regular(path)
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            raise OutputError(
                f"{path} cannot be written ({error.strerror or error}); choose another --out"
            ) from None
        self._files: list[tuple[Path, BinaryIO]] = []
        self._earlier: list[Stretch] = []
        self._replaced, self._replaced_path = 0, replaced
        try:
            for file in (*earlier, *((replaced,) if replaced else ())):
                if file != path:
                    with suppress(FileNotFoundError):
                        self._files.insert(0, (file, open_regular(file)))
            own = open_regular(path)
            self._files.append((path, own))
            self._end = end_of_lines(own)
            if is_new:  # or a power failure might take it, and with it the sign that a job was broken off
                sync_folder(path.parent)
        except BaseException:
            self._close_files()
            raise
        self._new = StretchFinder(own)

    @property
    def earlier_files(self) -> list[Path]:
        """Files of earlier jobs, oldest first."""
        return [path for path, _ in self._files[:-1]]

    def close(self) -> None:
        """Close all files."""
        if not self._file.closed and self._end == 0:
            self.path.unlink(missing_ok=True)
        self._close_files()

    def finish(self) -> None:
        """Close all files, and remove the journal once its content is stored elsewhere."""
        self._close_files()
        self.path.unlink(missing_ok=True)

    def recall(self, accept: Accept) -> None:
        """Read the lines of earlier jobs, and cut off half a line; exceptions of `accept` propagate."""
        for path, file in self._files:
            finder = StretchFinder(file)
            for offset, line in whole_lines(file):
                key = accept(path, offset, line)
                if key is not None:
                    finder.add(key, offset, len(line))
            self._earlier += finder.stretches
            if path == self._replaced_path:
                self._replaced = len(self._earlier)
        self._file.truncate(self._end)

    def earlier(self) -> Iterator[tuple[Key, bytes, bool]]:
        """Yield the newest line of every frame of earlier jobs, sorted, and whether this job replaces it."""
        for key, line, which in merged(self._earlier):
            yield key, line, which < self._replaced

    def lines(self) -> Iterator[tuple[Key, bytes, Origin]]:
        """Yield the newest line of every frame, sorted, and where it comes from."""
        for key, line, which in merged([*self._earlier, *self._new.stretches]):
            if which >= len(self._earlier):
                yield key, line, "new"
            else:
                yield key, line, "replaced" if which < self._replaced else "earlier"

    def add(self, key: Key, line: bytes) -> None:
        """
        Append a line.

        Parameters
        ----------
        key : (str, int)
            Image and frame of the line.
        line : bytes
            Including its newline.

        Raises
        ------
        OSError
            As the system reports it, such as a full disk.
        """
        self.check_there()
        if self._file.write(line) != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
        self._new.add(key, self._end, len(line))
        self._end += len(line)

    def check_there(self) -> None:
        """
        Detect that the output folder was moved, or its drive unmounted, while the job runs.

        Raises
        ------
        OSError
            If the folder is no longer the same.
        """
        if not os.path.samestat(self.path.stat(), os.fstat(self._file.fileno())):
            raise OSError(errno.ESTALE, "the output folder is no longer the same", str(self.path))

    def sync(self) -> None:
        """Wait until the disk holds the journal."""
        os.fsync(self._file.fileno())

    def _close_files(self) -> None:
        for file in (*(file for _, file in self._files), self._file):
            file.close()


def check_head(path: Path) -> None:
    """
    Refuse a file that does not begin as a manifest or journal does; one that is missing is none.

    Raises
    ------
    OutputError
        If it begins otherwise. What a power failure leaves is its own: a part of a line, NUL bytes, or both.
    """
    try:
        with open_regular(path) as file:
            head = file.read(len(_BEGINNINGS[0])).rstrip(b"\0")
    except OSError:
        return
    if not any(beginning.startswith(head) for beginning in _BEGINNINGS):
        raise OutputError(
            f"{path} was not written by pointmask (it begins with {head!r}); move it away, or choose another "
            "--out"
        )
