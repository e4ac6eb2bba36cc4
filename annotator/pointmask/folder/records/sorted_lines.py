"""Lines sorted by image and frame, merged from any number of files in one pass without holding them.

A job takes its images in order, so what it appends to a journal is sorted but for a few breaks: one
where it turns from the images that it skips at once to the others, one where it was killed and run
again. Between two breaks lies a sorted stretch. Merging stretches costs a buffer for each of them, whatever
their length, where a table of all images would grow with a million of them.
"""

import errno
import heapq
import json
from collections.abc import Iterator, Sequence
from typing import BinaryIO, Generic, NamedTuple, TypeVar

T = TypeVar("T")

Key = tuple[str, int]  # (image, frame)

_BUFFERED = 1 << 22  # bytes held at once, over all stretches of a merge
_LEAST = 1 << 12  # bytes held of one stretch


class Stretch(NamedTuple):
    """A stretch of a file whose lines are sorted by key, each key once."""

    handle: BinaryIO
    start: int
    end: int


class StretchFinder:
    """
    Cuts a file into sorted stretches while its lines go by.

    Parameters
    ----------
    handle : BinaryIO
        The file, from which `merged` will read the lines back.

    Attributes
    ----------
    stretches : list of Stretch
        Up to now, in the order of the file.
    """

    def __init__(self, handle: BinaryIO) -> None:
        self.stretches: list[Stretch] = []
        self._handle = handle
        self._last: Key | None = None

    def add(self, key: Key, offset: int, length: int) -> None:
        """Note the key of the next line and where it lies; a line that is passed over ends a stretch."""
        end = offset + length
        if self._last is None or key <= self._last or self.stretches[-1].end != offset:
            self.stretches.append(Stretch(self._handle, offset, end))
        else:
            self.stretches[-1] = self.stretches[-1]._replace(end=end)
        self._last = key


def merged(stretches: Sequence[Stretch]) -> Iterator[tuple[Key, bytes, int]]:
    """
    Yield each key once, sorted, with its newest line.

    Parameters
    ----------
    stretches : sequence of Stretch
        Oldest first. Lines may be appended to their files meanwhile.

    Yields
    ------
    key : (str, int)
    line : bytes
    stretch : int
        Index of the one that holds the line.

    Raises
    ------
    OSError
        If a file is cut meanwhile.
    """
    size = max(_LEAST, _BUFFERED // max(1, len(stretches)))
    last: Key | None = None
    for key, age, line in heapq.merge(
        *(_keyed(stretch, age, size) for age, stretch in enumerate(reversed(stretches)))
    ):
        if key != last:
            last = key
            yield key, line, len(stretches) - 1 - age


class SortedLookup(Generic[T]):
    """
    Looks images up in a stream that is sorted by image; the images asked for must be sorted too.

    Parameters
    ----------
    items : iterator of ((str, int), object)
        Read as images are asked for.
    """

    def __init__(self, items: Iterator[tuple[Key, T]]) -> None:
        self._items = items
        self._next = next(items, None)

    def of(self, image: str) -> Iterator[tuple[int, T]]:
        """Yield (frame, what is known) of one image."""
        while self._next is not None and self._next[0][0] <= image:
            (name, frame), known = self._next
            if name == image:
                yield frame, known
            self._next = next(self._items, None)


def key_of(line: bytes) -> Key:
    """Return image and frame of a manifest line."""
    entry = json.loads(line)
    return entry["image"], entry["frame"]


def _keyed(stretch: Stretch, age: int, size: int) -> Iterator[tuple[Key, int, bytes]]:
    for line in _lines(stretch, size):
        yield key_of(line), age, line


def _lines(stretch: Stretch, size: int) -> Iterator[bytes]:
    """Read a stretch in blocks of lines, so that those of one file do not move its position each line."""
    position = stretch.start
    while position < stretch.end:
        stretch.handle.seek(position)
        # Some files stop at the hint, others beyond it: one byte less, and none reads into the next stretch.
        block = stretch.handle.readlines(min(size, stretch.end - position) - 1)
        if not block:
            raise OSError(errno.EIO, "a file became shorter while it was read", str(stretch.handle.name))
        position += sum(map(len, block))
        yield from block
