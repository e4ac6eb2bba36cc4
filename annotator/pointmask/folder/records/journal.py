"""Journal of a job, one line of JSON per frame: appended while it runs, read back merged with earlier jobs.

A killed job leaves its journal behind, complete except for a torn last line. Lines stay on disk and are read
back as a stream, so memory does not grow with the number of images.
"""

import errno
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from pointmask.errors import OutputError
from pointmask.folder.records.sorted_lines import Key, Stretch, StretchFinder, merged
from pointmask.io.lines import end_of_lines, whole_lines

Accept = Callable[[Path, int, bytes], Key | None]
"""Takes a file, an offset and the line there; returns the frame of the line, or None to ignore it."""


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

    Raises
    ------
    OutputError
        If the journal cannot be written.
    """

    def __init__(self, path: Path, earlier: Iterable[Path]) -> None:
        self.path = path
        # Unbuffered, so that a line that does not fit on the disk is not written again on closing.
        try:
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            raise OutputError(
                f"{path} cannot be written ({error.strerror or error}); choose another --out"
            ) from None
        self._files: list[tuple[Path, BinaryIO]] = []
        self._earlier: list[Stretch] = []
        try:
            for file in earlier:
                if file != path:
                    with suppress(FileNotFoundError):
                        self._files.insert(0, (file, file.open("rb")))
            own = path.open("rb")
            self._files.append((path, own))
            self._end = end_of_lines(own)
            self._file.truncate(self._end)
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
        """Read the lines of earlier jobs; exceptions of `accept` propagate."""
        for path, file in self._files:
            finder = StretchFinder(file)
            for offset, line in whole_lines(file):
                key = accept(path, offset, line)
                if key is not None:
                    finder.add(key, offset, len(line))
            self._earlier += finder.stretches

    def earlier(self) -> Iterator[tuple[Key, bytes]]:
        """Yield the newest line of every frame of earlier jobs, sorted by image and frame."""
        for key, line, _ in merged(self._earlier):
            yield key, line

    def lines(self) -> Iterator[tuple[Key, bytes, bool]]:
        """Yield the newest line of every frame, sorted, and whether this job wrote it."""
        for key, line, which in merged([*self._earlier, *self._new.stretches]):
            yield key, line, which >= len(self._earlier)

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

    def _close_files(self) -> None:
        for file in (*(file for _, file in self._files), self._file):
            file.close()
