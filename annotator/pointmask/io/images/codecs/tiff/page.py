"""One page of a TIFF as a file of its own, for Pillow.

Pillow walks from the first page to the one that is wanted, and reads the whole file where it has no
file descriptor: on a stack of ten thousand pages both grow with the square of their number.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO

import tifffile

from pointmask.errors import ImageError

_SHORT, _LONG = 3, 4
_WIDE = {13: "I", 16: "Q", 17: "q", 18: "Q"}  # types of offsets and of BigTIFF, all rewritten as LONG
_SIZES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
_STRIPS, _TILES = (273, 279), (324, 325)  # tags of their offsets and lengths
# Size, type, compression, colour, layout, predictor, and what CCITT, JPEG and YCbCr need: a copy of every
# tag would carry metadata with offsets that mean nothing in the new file.
_COPIED = frozenset(
    (256, 257, 258, 259, 262, 266, 277, 278, 284, 292, 293, 317, 320, 322, 323, 338, 339, 347, 530, 531, 532)
)
_Entry = tuple[int, int, int, bytes]  # code, type, count, value


def single_page(page: tifffile.TiffPage, file: BinaryIO) -> bytes:
    """Return a classic TIFF that holds this page alone, its pixel data as they are stored.

    Parameters
    ----------
    page : tifffile.TiffPage
        Of the open ``file``, whose offsets lie inside it.
    file : BinaryIO
        Classic or BigTIFF.

    Raises
    ------
    ImageError
        If the page does not fit into a classic TIFF of 4 GB.
    """
    order = page.parent.byteorder
    if sum(page.databytecounts) > 2**31:
        raise ImageError("a compressed page of it exceeds 2 GB; save it with one page per frame")
    result = bytearray(struct.pack(order + "2sHI", b"II" if order == "<" else b"MM", 42, 0))
    offsets = []
    for start, length in zip(page.dataoffsets, page.databytecounts, strict=True):
        offsets.append(len(result))
        file.seek(start)
        result += file.read(length)
    entries = sorted((*_copied(page, file, order), *_places(page, order, offsets)))
    directory = struct.pack(order + "H", len(entries))
    values = len(result) + 2 + 12 * len(entries) + 4  # where values that do not fit into an entry begin
    tail = bytearray()
    for code, kind, count, value in entries:
        field = value.ljust(4, b"\0")
        if len(value) > 4:
            field = struct.pack(order + "I", values + len(tail))
            tail += value + b"\0" * (len(value) % 2)
        directory += struct.pack(order + "HHI", code, kind, count) + field
    struct.pack_into(order + "I", result, 4, len(result))
    return bytes(result + directory + b"\0\0\0\0" + tail)


def _places(page: tifffile.TiffPage, order: str, offsets: list[int]) -> Iterator[_Entry]:
    """Yield the entries that say where the pixel data lie in the new file."""
    codes = _TILES if page.is_tiled else _STRIPS
    for code, numbers in zip(codes, (offsets, page.databytecounts), strict=True):
        yield code, _LONG, len(numbers), struct.pack(f"{order}{len(numbers)}I", *numbers)


def _copied(page: tifffile.TiffPage, file: BinaryIO, order: str) -> Iterator[_Entry]:
    for tag in page.tags:
        kind = int(tag.dtype)
        if tag.code not in _COPIED or kind not in _SIZES:
            continue
        file.seek(tag.valueoffset)
        value = file.read(tag.count * _SIZES[kind])
        if kind in _WIDE:
            numbers = struct.unpack(f"{order}{tag.count}{_WIDE[kind]}", value)
            kind, value = _LONG, struct.pack(f"{order}{tag.count}I", *numbers)
        yield tag.code, kind, tag.count, value
