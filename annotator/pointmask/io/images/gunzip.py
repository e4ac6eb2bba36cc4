"""Random access to the content of a gzip file, without unpacking it to disk."""

import threading
import zlib
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any, BinaryIO

from pointmask.errors import ImageError
from pointmask.regular import open_regular

_GZIP = 31  # window bits of zlib for a gzip header, the largest window and a verified checksum
_PIECE = 2**16  # bytes read at once
_MOST_CHECKPOINTS = 512  # each takes 40 kB
_MOST_RECENT = 32


@dataclass(slots=True)
class _Cursor:
    """State of a decompressor at some offset."""

    offset: int  # in the decompressed bytes
    source: int  # in the file: number of bytes read
    waiting: bytes  # read but not yet decompressed
    decoder: Any  # zlib's type has no public name

    def copy(self) -> "_Cursor":
        return _Cursor(self.offset, self.source, self.waiting, self.decoder.copy())


_offset = attrgetter("offset")


class Gunzip:
    """
    Decompressed bytes of a gzip file, readable at any offset by any number of threads.

    Decompressor states are saved at intervals, and reading starts at the nearest one. Sequential reading
    decompresses nothing twice. The states take at most 23 MB for any file size.

    Parameters
    ----------
    path : Path
        Gzip file, of one or several members.
    span : int
        Distance between saved states, in decompressed bytes; it doubles when there are too many.
    """

    def __init__(self, path: Path, span: int = 2**24) -> None:
        self._path, self._span = path, span
        self._lock = threading.Lock()
        self._checkpoints = [_Cursor(0, 0, b"", zlib.decompressobj(_GZIP))]
        self._recent: list[_Cursor] = []  # final states of recent reads

    def read_at(self, offset: int, size: int) -> bytes:
        """
        Return bytes from the decompressed file, fewer only at its end.

        Parameters
        ----------
        offset, size : int
            At least 0.

        Raises
        ------
        ImageError
            If the file is damaged or cut short before the last of these bytes.
        OSError
            If it cannot be read.
        """
        cursor = self._nearest(offset)
        parts = []
        with open_regular(self._path) as file:
            file.seek(cursor.source)
            for start, piece in self._pieces(cursor, file, offset + size):
                parts.append(piece[max(0, offset - start) :])
        with self._lock:
            self._recent = [*self._recent[1 - _MOST_RECENT :], cursor]
        return b"".join(parts)

    def _nearest(self, offset: int) -> _Cursor:
        """Return the closest state before an offset."""
        with self._lock:
            saved = self._checkpoints[bisect_right(self._checkpoints, offset, key=_offset) - 1]
            recent = max((c for c in self._recent if c.offset <= offset), key=_offset, default=saved)
            if recent.offset <= saved.offset:
                return saved.copy()
            self._recent.remove(recent)
            return recent

    def _pieces(self, cursor: _Cursor, file: BinaryIO, end: int) -> Iterator[tuple[int, bytes]]:
        """Yield (offset, bytes) from the cursor on, up to ``end`` or the end of the file."""
        while cursor.offset < end:
            self._save(cursor)
            if cursor.decoder.eof and not self._next_member(cursor, file):
                return
            if not cursor.waiting:
                cursor.waiting = file.read(_PIECE)
                cursor.source += len(cursor.waiting)
                if not cursor.waiting:
                    raise ImageError(f"{self._path} is cut short; copy it again")
            start = cursor.offset
            try:
                piece = cursor.decoder.decompress(cursor.waiting, min(_PIECE, end - start))
            except zlib.error as error:
                raise ImageError(f"{self._path} is damaged ({error}); copy it again") from None
            cursor.waiting = cursor.decoder.unconsumed_tail or cursor.decoder.unused_data
            cursor.offset += len(piece)
            yield start, piece

    @staticmethod
    def _next_member(cursor: _Cursor, file: BinaryIO) -> bool:
        """Continue after the end of a member, skipping zero padding; return False at the end of the file."""
        while not (rest := cursor.waiting.lstrip(b"\0")):
            cursor.waiting = file.read(_PIECE)
            cursor.source += len(cursor.waiting)
            if not cursor.waiting:
                return False
        cursor.waiting, cursor.decoder = rest, zlib.decompressobj(_GZIP)
        return True

    def _save(self, cursor: _Cursor) -> None:
        if cursor.offset < self._checkpoints[-1].offset + self._span:
            return
        with self._lock:
            if cursor.offset >= self._checkpoints[-1].offset + self._span:
                self._checkpoints.append(cursor.copy())
            if len(self._checkpoints) > _MOST_CHECKPOINTS:
                self._checkpoints, self._span = self._checkpoints[::2], 2 * self._span
