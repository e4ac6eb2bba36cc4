"""Images in a zip archive, located by the central directory and read one by one.

`zipfile` lists the members but does not read them, because threads would share its file handle and count of
readers. A handle per image costs no more than opening an image in a folder.
"""

import io
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from pointmask.errors import ImageError
from pointmask.io.images.archive import ArchiveSource, Index, check_unpacked, read_file_at, window

_ENCRYPTED = 1
_UTF8 = 0x800  # flag of a name that is
_HEADER = 30  # bytes before the name in the local header of a member
_RAW = -15  # window bits of zlib for deflate without header


@dataclass(frozen=True, slots=True)
class Member:
    """Entry of an image in the central directory."""

    header: int
    packed: int
    size: int
    checksum: int
    method: int


class ZipSource(ArchiveSource[Member]):
    """Images in a zip archive, stored or deflated."""

    @staticmethod
    def _make_index(root: Path, accepts: Callable[[str], bool]) -> Index[Member]:
        index: Index[Member] = Index(partial(read_file_at, root), accepts)
        try:
            with zipfile.ZipFile(root) as archive:
                infos = [info for info in archive.infolist() if not info.is_dir()]
            for info, name in zip(infos, _names(infos), strict=True):
                index.add(name, *_member(info))
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise ImageError(f"{root} is damaged as a zip archive ({error}); copy it again") from None
        return index

    def _read(self, name: str) -> bytes:
        index = self._index()
        member = self._place(index, name)
        start = self._start(index, name, member)
        if member.method == zipfile.ZIP_DEFLATED:
            check_unpacked(name, member.size)
        data = index.read_at(start, member.packed)
        try:
            if member.method == zipfile.ZIP_DEFLATED and member.size:
                data = zlib.decompressobj(_RAW).decompress(data, member.size)
        except zlib.error as error:
            raise ImageError(f"{name} is damaged in {self.root} ({error}); copy the archive again") from None
        if len(data) != member.size or zlib.crc32(data) != member.checksum:
            raise ImageError(f"{name} is damaged in {self.root} (wrong checksum); copy the archive again")
        return data

    def _open(self, name: str) -> BinaryIO:
        index = self._index()
        member = self._place(index, name)
        if member.method == zipfile.ZIP_DEFLATED:
            return io.BytesIO(self._read(name))
        return window(index.read_at, self._start(index, name, member), member.size)

    def _start(self, index: Index[Member], name: str, member: Member) -> int:
        """Return the offset of the data, after a local header of variable length."""
        header = index.read_at(member.header, _HEADER)
        if len(header) < _HEADER or not header.startswith(b"PK\x03\x04"):
            raise ImageError(f"{name} is not where {self.root} says; copy the archive again")
        name_length, extra_length = struct.unpack_from("<HH", header, 26)
        return member.header + _HEADER + int(name_length) + int(extra_length)


def _names(infos: Sequence[zipfile.ZipInfo]) -> list[str]:
    """
    Return the names of members, read in the encoding that they were most probably written in.

    The format knows UTF-8, by a flag, and code page 437 without. Programs on Chinese Windows write GBK, and
    many others UTF-8, without the flag. The whole archive is read in one encoding: UTF-8 if all its names
    allow it, the code page if all it says are letters, as in western names, else GBK if all allow it.
    """
    unmarked = [info.filename for info in infos if not info.flag_bits & _UTF8 and not info.filename.isascii()]
    if not unmarked:
        return [info.filename for info in infos]
    encoding = next((one for one in ("utf-8", "cp437", "gbk") if _allows(one, unmarked)), "cp437")
    return [
        info.filename if info.flag_bits & _UTF8 else info.filename.encode("cp437").decode(encoding)
        for info in infos
    ]


def _allows(encoding: str, names: Sequence[str]) -> bool:
    """Say whether names, as code page 437 reads them, may be of an encoding."""
    if encoding == "cp437":
        return all(char.isascii() or "LATIN" in unicodedata.name(char, "") for char in "".join(names))
    try:
        for name in names:
            name.encode("cp437").decode(encoding)
    except UnicodeError:
        return False
    return True


def _member(info: zipfile.ZipInfo) -> tuple[Member | None, str]:
    """Return the entry of a member, or the reason why it is refused."""
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        return None, "is a link or device in the archive"
    if info.flag_bits & _ENCRYPTED:
        return None, "is encrypted: unpack the archive with its password, and give the folder"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return None, f"is packed with method {info.compress_type}: pack it again with deflate, or unpack it"
    if info.compress_type == zipfile.ZIP_STORED and info.compress_size != info.file_size:
        return None, "has two different sizes in the archive: copy the archive again"
    return Member(info.header_offset, info.compress_size, info.file_size, info.CRC, info.compress_type), ""
