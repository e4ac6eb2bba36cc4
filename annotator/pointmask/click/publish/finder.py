"""Entries of a manifest by image and frame: found in the sorted file, which is not read as a whole."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from pointmask.click.journal.index import FrameKey
from pointmask.folder.records.manifest import Entry, parse_or_raise
from pointmask.io.layout import MANIFEST
from pointmask.io.lines import end_of_lines
from pointmask.regular import open_regular


class Finder:
    """
    The manifest that a folder has now, also after it was replaced; close it (`contextlib.closing`).

    Not for several threads at once.

    Parameters
    ----------
    out : Path
        Output folder.

    Raises
    ------
    OSError
        If the manifest cannot be opened.
    """

    def __init__(self, out: Path) -> None:
        self.path = out / MANIFEST
        self._file: BinaryIO = open_regular(self.path)
        self._size = end_of_lines(self._file)  # what a copy that broke off left behind it is no entry

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def find(self, key: FrameKey) -> Entry | None:
        """Return the entry of a frame, None if there is none; raise OutputError at a line of another kind."""
        found = next(self.from_on(key), None)
        return found if found is not None and (found["image"], found["frame"]) == key else None

    def from_on(self, key: FrameKey) -> Iterator[Entry]:
        """Yield the entries that are not before a key, in order; see `find`."""
        low, high = 0, self._size
        while low < high:
            middle = (low + high) // 2
            start, line = self._line_at(middle, low)
            if not line:
                high = middle
                continue
            entry = parse_or_raise(self.path, start, line)
            if (entry["image"], entry["frame"]) < key:
                low = start + len(line)
            else:
                high = middle
        start, line = self._line_at(low, low)
        while line:
            yield parse_or_raise(self.path, start, line)
            start, line = self._line_at(start + len(line), start + len(line))

    def _line_at(self, middle: int, low: int) -> tuple[int, bytes]:
        """Return the first line that begins at or after a place."""
        self._file.seek(middle)
        if middle > low:
            self._file.seek(middle - 1)
            self._file.readline()
        start = self._file.tell()
        return start, self._file.readline() if start < self._size else b""
