"""Lines sorted by image and frame, merged from any number of files in one pass without holding them.

A job processes its images in order, so its journal is sorted except for a few breaks: after the images that
are skipped immediately, and where the job was killed and resumed. Between two breaks lies a sorted stretch.
Merging stretches takes one buffer per stretch, whatever its length, whereas a table of all images would grow
with their number.
"""

import errno
import heapq
import json
from collections.abc import Iterator, Sequence
from typing import BinaryIO, Generic, NamedTuple, TypeVar

T = TypeVar("T")

Key = tuple[str, int]  # (image, frame)

_BUFFERED = 1 << 22  # bytes buffered over all stretches of a merge
_LEAST = 1 << 12  # bytes buffered per stretch at least


class Stretch(NamedTuple):
    """Part of a file whose lines are sorted by key, with unique keys."""

    handle: BinaryIO
    start: int
    end: int


class StretchFinder:
    """
    Divides a file into sorted stretches, line by line.

    Parameters
    ----------
    handle : BinaryIO
        The file, from which `merged` reads the lines back.

    Attributes
    ----------
    stretches : list of Stretch
        Stretches so far, in file order.
    """

    def __init__(self, handle: BinaryIO) -> None:
        self.stretches: list[Stretch] = []
        self._handle = handle
        self._last: Key | None = None

    def add(self, key: Key, offset: int, length: int) -> None:
        """Add the key and position of the next line; an ignored line ends a stretch."""
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
        Oldest first. Lines may be appended to their files in the meantime.

    Yields
    ------
    key : (str, int)
    line : bytes
    stretch : int
        Index of the stretch that holds the line.

    Raises
    ------
    OSError
        If a file is truncated in the meantime.
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
    Looks up images in a stream that is sorted by image; lookups must be in the same order.

    Parameters
    ----------
    items : iterator of ((str, int), object)
        Read lazily.
    """

    def __init__(self, items: Iterator[tuple[Key, T]]) -> None:
        self._items = items
        self._next = next(items, None)

    def of(self, image: str) -> Iterator[tuple[int, T]]:
        """Yield (frame, item) of one image."""
        while self._next is not None and self._next[0][0] <= image:
            (name, frame), item = self._next
            if name == image:
                yield frame, item
            self._next = next(self._items, None)


def key_of(line: bytes) -> Key:
    """Return image and frame of a manifest line."""
    entry = json.loads(line)
    return entry["image"], entry["frame"]


def _keyed(stretch: Stretch, age: int, size: int) -> Iterator[tuple[Key, int, bytes]]:
    for line in _lines(stretch, size):
        yield key_of(line), age, line


def _lines(stretch: Stretch, size: int) -> Iterator[bytes]:
    """Read a stretch in blocks of lines, so that stretches of one file do not seek for each line."""
    position = stretch.start
    while position < stretch.end:
        stretch.handle.seek(position)
        # Some files stop at the hint, others after it: with one byte less, none reads into the next stretch.
        block = stretch.handle.readlines(min(size, stretch.end - position) - 1)
        if not block:
            raise OSError(errno.EIO, "a file became shorter while it was read", str(stretch.handle.name))
        position += sum(map(len, block))
        yield from block
