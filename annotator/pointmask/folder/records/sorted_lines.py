"""Lines sorted by image and frame, merged from any number of files in one pass without holding them.

A job takes its images in order, so what it appends to a journal is sorted but for a few breaks: one
where it turns from the images that it skips at once to the others, one where it was killed and run
again. Between two breaks lies a run. Merging runs costs a buffer for each of them, whatever their
length, where a table of all images would grow with a million of them.
"""

import errno
import heapq
import json
from collections.abc import Iterator, Sequence
from typing import BinaryIO, NamedTuple

Key = tuple[str, int]  # (image, frame)

_BUFFERED = 1 << 22  # bytes held at once, over all runs of a merge
_LEAST = 1 << 12  # bytes held of one run


class Run(NamedTuple):
    """A stretch of a file whose lines are sorted by key, each key once."""

    handle: BinaryIO
    start: int
    end: int


class RunFinder:
    """
    Cuts a file into runs while its lines go by.

    Parameters
    ----------
    handle : BinaryIO
        The file, from which `merged` will read the lines back.

    Attributes
    ----------
    runs : list of Run
        What has been found up to now, in the order of the file.
    """

    def __init__(self, handle: BinaryIO) -> None:
        self.runs: list[Run] = []
        self._handle = handle
        self._last: Key | None = None

    def add(self, key: Key, offset: int, length: int) -> None:
        """Note the key of the next line and where it lies; a line that is passed over ends a run."""
        end = offset + length
        if self._last is None or key <= self._last or self.runs[-1].end != offset:
            self.runs.append(Run(self._handle, offset, end))
        else:
            self.runs[-1] = self.runs[-1]._replace(end=end)
        self._last = key


def merged(runs: Sequence[Run]) -> Iterator[tuple[Key, bytes, int]]:
    """
    Yield each key once, sorted, with its newest line.

    Parameters
    ----------
    runs : sequence of Run
        Oldest first. Lines may be appended to their files meanwhile.

    Yields
    ------
    key : (str, int)
    line : bytes
    run : int
        Index of the run that holds the line.

    Raises
    ------
    OSError
        If a file is cut meanwhile.
    """
    size = max(_LEAST, _BUFFERED // max(1, len(runs)))
    last: Key | None = None
    for key, age, line in heapq.merge(*(_keyed(run, age, size) for age, run in enumerate(reversed(runs)))):
        if key != last:
            last = key
            yield key, line, len(runs) - 1 - age


def key_of(line: bytes) -> Key:
    """Return image and frame of a manifest line."""
    entry = json.loads(line)
    return entry["image"], entry["frame"]


def _keyed(run: Run, age: int, size: int) -> Iterator[tuple[Key, int, bytes]]:
    for line in _lines(run, size):
        yield key_of(line), age, line


def _lines(run: Run, size: int) -> Iterator[bytes]:
    """Read a run in blocks of whole lines, so that runs of one file do not move its position each line."""
    position = run.start
    while position < run.end:
        run.handle.seek(position)
        # Some files stop at the hint, others beyond it: one byte less, and none reads into the next run.
        block = run.handle.readlines(min(size, run.end - position) - 1)
        if not block:
            raise OSError(errno.EIO, "a file became shorter while it was read", str(run.handle.name))
        position += sum(map(len, block))
        yield from block
