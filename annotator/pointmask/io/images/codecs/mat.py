"""MATLAB files of versions 5 to 7: their variables, which may be points, and their frames.

Read are real matrices, texts, and cells of texts; everything else is passed over. SciPy reads more, but a
damaged file can end its process (2026-11-29, SciPy's mio5 on 1 of 1,000 mutants), and points and images need
no more than this. The layout is that of MathWorks' "MAT-File Format": a header of 128 bytes, then elements of
a tag (type and size) and data, some of them packed with zlib.
"""

import math
import struct
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from pointmask.errors import ImageError
from pointmask.io.images.codecs import Codec, check_frame
from pointmask.io.images.codecs.limits import check_samples, most_samples

Variable = NDArray[Any] | str | list[str]

_HEAD = 128
_MATRIX, _PACKED = 14, 15
_CELL, _CHAR = 1, 4
_NUMERIC = {
    6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8", 15: "u8",
}  # fmt: skip
_COMPLEX = 0x0800
_KINDS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_TEXTS = {1: "latin-1", 2: "latin-1", 4: "utf-16", 16: "utf-8", 17: "utf-16"}
_MOST_TIMES, _WIDEST = 8, 8  # images of the largest size in a file, and bytes of a number
_LEAST_SIDE = 4  # smaller arrays are settings and points, not images


class MatFile(Codec):
    """The one array of images in a MATLAB file: (H, W), or (H, W, N) with a frame per last index.

    Parameters
    ----------
    file : BinaryIO
        Open binary file.
    size : int
        Its length in bytes.

    Raises
    ------
    ImageError
        If it holds no array of images, or several, or too large a one.
    ValueError
        If it is damaged.
    """

    def __init__(self, file: BinaryIO, size: int) -> None:
        file.seek(0)
        found = variables(file.read(), _MOST_TIMES * most_samples() * _WIDEST)
        arrays = {
            name: value
            for name, value in found.items()
            if isinstance(value, np.ndarray)
            and value.ndim in (2, 3)
            and min(value.shape[:2]) >= _LEAST_SIDE
            and value.size
            and value.dtype not in (np.int64, np.uint64)
        }
        if len(arrays) != 1:
            names = ", ".join(arrays)[:200] or "none"
            raise ImageError(
                f"it must hold one array of images, (H, W) or (H, W, N), but holds {names}; save one alone: "
                "save('a.mat', 'X', '-v7')"
            )
        ((name, self._array),) = arrays.items()
        check_samples(self._array.shape[:2])
        if self._array.size > _MOST_TIMES * most_samples():
            raise ImageError(
                f"its array {name[:40]} has shape {self._array.shape}, too large; save fewer frames"
            )

    @property
    def frames(self) -> int:
        """Length of the last axis; 1 for a single image."""
        return self._array.shape[2] if self._array.ndim == 3 else 1

    def shape(self, frame: int) -> tuple[int, int]:
        """Return height and width."""
        return self._array.shape[0], self._array.shape[1]

    def decode(self, frame: int) -> NDArray[Any]:
        """Return one frame, (H, W).

        Raises
        ------
        ImageError
            If there is no such frame.
        """
        check_frame(frame, self.frames)
        return np.array(self._array[..., frame] if self._array.ndim == 3 else self._array)


def variables(data: bytes, most: int = 1 << 28) -> dict[str, Variable]:
    """
    Return the matrices, in the types that MATLAB gives them, texts and cells of texts of a file, by name.

    Parameters
    ----------
    data : bytes
        The whole file.
    most : int
        Bytes that its content may take when unpacked.

    Raises
    ------
    ValueError
        If it is no such file, is damaged, or takes more.
    """
    marks = {b"IM": "<", b"MI": ">"}
    order = marks.get(data[126:_HEAD])
    if order is None:
        raise ValueError("no MATLAB file of version 5 to 7")
    found: dict[str, Variable] = {}
    for kind, body in _elements(data[_HEAD:], order):
        if kind == _PACKED:
            unpacked = _unpack(body, most)
            most -= len(unpacked)
            matrices = [inner for inner_kind, inner in _elements(unpacked, order) if inner_kind == _MATRIX]
        else:
            matrices = [body] if kind == _MATRIX else []
        for matrix in matrices:
            name, value = _variable(matrix, order)
            if value is not None:
                found[name] = value
    return found


def _unpack(body: bytes, most: int) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        unpacked = unpacker.decompress(body, max(most, 1))
    except zlib.error as error:
        raise ValueError(f"a packed variable is damaged ({error})") from None
    if unpacker.unconsumed_tail:
        raise ValueError(f"more content than {most:,} bytes")
    return unpacked


def _elements(data: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """Yield type and data of each element; small ones have both in eight bytes."""
    place = 0
    while place + 8 <= len(data):
        first, size = struct.unpack_from(order + "II", data, place)
        if first >> 16:
            kind, size, start = first & 0xFFFF, first >> 16, place + 4
            place += 8
        else:
            kind, start = first, place + 8
            # Packed elements are not padded.
            place = start + (size if kind == _PACKED else -(-size // 8) * 8)
        if size > len(data) - start:
            raise ValueError("an element reaches beyond its end")
        yield kind, data[start : start + size]


def _variable(matrix: bytes, order: str, *, inside: bool = False) -> tuple[str, Variable | None]:
    """Return name and value of a matrix; None for kinds that are passed over."""
    parts = list(_elements(matrix, order))
    if len(parts) < 3 or len(parts[0][1]) < 4:
        return "", None
    (flags,) = struct.unpack_from(order + "I", parts[0][1])
    kind = flags & 0xFF
    shape = tuple(np.frombuffer(parts[1][1][: len(parts[1][1]) // 4 * 4], order + "i4").tolist())
    name = parts[2][1].decode("latin-1")
    if any(side < 0 for side in shape):
        raise ValueError(f"an array of shape {shape}")
    count = math.prod(shape)
    if kind in _NUMERIC and not flags & _COMPLEX:
        stored, data = parts[3] if len(parts) > 3 else (9, b"")
        if stored not in _KINDS:
            return name, None
        values = np.frombuffer(data[: len(data) // int(_KINDS[stored][1]) * int(_KINDS[stored][1])],
                               order + _KINDS[stored])  # fmt: skip
        if len(values) != count:
            raise ValueError(f"an array of shape {shape} with {len(values)} numbers")
        # A class may be stored in the numbers of a smaller one.
        return name, values.astype(_NUMERIC[kind]).reshape(shape, order="F")
    if kind == _CHAR and len(parts) > 3 and parts[3][0] in _TEXTS:
        encoding = _TEXTS[parts[3][0]]
        encoding += ("-le" if order == "<" else "-be") if encoding == "utf-16" else ""
        return name, parts[3][1].decode(encoding, "replace")
    if kind == _CELL and not inside:
        texts = [_variable(body, order, inside=True)[1] for part, body in parts[3:] if part == _MATRIX]
        whole = [text for text in texts if isinstance(text, str)]
        return name, whole if len(whole) == len(texts) == count else None
    return name, None
