"""Images in a tar archive, plain or gzipped. One pass over the headers locates each image."""

import tarfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO

from pointmask.errors import ImageError
from pointmask.io.images.archive import ArchiveSource, Index, ReadAt, check_unpacked, read_file_at, window
from pointmask.io.images.gunzip import Gunzip

_MOST_HEADER = 2**24  # bytes; a longer header is taken for an attack
_READ_AT_ONCE = 2**20
_GZIP_MAGIC = b"\x1f\x8b"

Place = tuple[int, int]
"""Offset and size of an image, in bytes of the tar archive."""


class TarSource(ArchiveSource[Place]):
    """Images in a tar archive, plain or gzipped."""

    @staticmethod
    def _make_index(root: Path, accepts: Callable[[str], bool]) -> Index[Place]:
        is_packed = read_file_at(root, 0, 2) == _GZIP_MAGIC
        read_at = Gunzip(root).read_at if is_packed else partial(read_file_at, root)
        index: Index[Place] = Index(read_at, accepts)
        try:
            for member in _members(read_at, root):
                reason = _reason(member)
                index.add(member.name, None if reason else (member.offset_data, member.size), reason)
        except tarfile.TarError as error:
            raise ImageError(f"{root} is damaged as a tar archive ({error}); copy it again") from None
        return index

    def _read(self, name: str) -> bytes:
        index = self._index()
        start, size = self._place(index, name)
        check_unpacked(name, size)
        data = index.read_at(start, size)
        if len(data) < size:
            raise ImageError(f"{name} is cut short in {self.root}; copy the archive again")
        return data

    def _open(self, name: str) -> BinaryIO:
        index = self._index()
        return window(index.read_at, *self._place(index, name))


def _members(read_at: ReadAt, root: Path) -> Iterator[tarfile.TarInfo]:
    """Yield all members except folders, without storing them."""
    with tarfile.TarFile(fileobj=_Headers(read_at)) as archive:  # type: ignore[arg-type]
        while (member := archive.next()) is not None:
            archive.members.clear()  # type: ignore[attr-defined]
            if not member.isdir():
                yield member
        _check_end(read_at, archive.offset, root)


def _check_end(read_at: ReadAt, offset: int, root: Path) -> None:
    """Read from the position where `tarfile` stopped to the end of the file.

    `tarfile` takes a damaged header for the end and accepts a missing end mark: both would lose images
    silently. The checksum of a gzip file follows all data, so reading to the end verifies it.
    """
    mark = read_at(offset, tarfile.BLOCKSIZE)
    if len(mark) < tarfile.BLOCKSIZE:
        raise ImageError(f"{root} is cut short: its tar archive has no end mark; copy it again")
    if mark.strip(b"\0"):
        raise ImageError(f"{root} is damaged at byte {offset} of its tar archive; copy it again")
    while piece := read_at(offset, _READ_AT_ONCE):
        offset += len(piece)


def _reason(member: tarfile.TarInfo) -> str:
    """Return the reason why a member is refused, or an empty string."""
    if member.issym() or member.islnk():
        return f"is a link to {member.linkname} in the archive; pack it again with the file itself"
    if not member.isreg():
        return "is a device in the archive; pack it again without"
    return "is stored as a sparse file; pack it again without --sparse" if member.issparse() else ""


class _Headers:
    """File object with the methods that `tarfile` uses to go from header to header."""

    def __init__(self, read_at: ReadAt) -> None:
        self._read_at = read_at
        self._offset = 0

    def seek(self, offset: int) -> None:
        self._offset = offset

    def tell(self) -> int:
        return self._offset

    def read(self, size: int) -> bytes:
        if not 0 <= size <= _MOST_HEADER:
            raise tarfile.ReadError(f"a header of {size:,} bytes")
        piece = self._read_at(self._offset, size)
        self._offset += len(piece)
        return piece
