"""ENVI: a header in words, and beside it the numbers, by band (BSQ), by row (BIL) or by pixel (BIP)."""

import io
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from pointmask.errors import ImageError
from pointmask.io.images.codecs import Codec, check_frame
from pointmask.io.images.codecs.limits import check_samples

_TYPES = {1: "u1", 2: "i2", 3: "i4", 4: "f4", 5: "f8", 12: "u2", 13: "u4"}
_DATA_SUFFIXES = ("", ".img", ".dat", ".raw", ".bin", ".bsq", ".bil", ".bip")
_LONGEST_HEADER = 2**20
_ENTRY = re.compile(r"^[ \t]*([A-Za-z][^=\n{}]*?)[ \t]*=[ \t]*(\{[^}]*\}|[^\n]*)", re.MULTILINE)


class EnviFile(Codec):
    """An image of one band, or of several that are taken as frames.

    Parameters
    ----------
    file : BinaryIO
        The open header.
    size : int
        Its length in bytes.
    name : str
        Of the header; ``a.hdr`` and ``a.img.hdr`` both lead to ``a.img``.
    open_beside : callable or None
        Opens another file of the same place by its name.

    Raises
    ------
    ImageError
        If an entry is missing or wrong, or the data are not there or too short.
    """

    def __init__(
        self, file: BinaryIO, size: int, name: str, open_beside: Callable[[str], BinaryIO] | None
    ) -> None:
        file.seek(0)
        text = file.read(_LONGEST_HEADER).decode("latin-1").replace("\r", "\n")
        self._entries = {key.strip().lower(): value.strip() for key, value in _ENTRY.findall(text)}
        self._height, self._width = self._whole("lines"), self._whole("samples")
        self._bands = self._whole("bands", 1)
        kind = self._whole("data type")
        if kind not in _TYPES:
            raise ImageError(
                f"its data type is {kind}; types {', '.join(map(str, _TYPES))} are read: export one"
            )
        order = self._whole("byte order", 0, least=0)
        if order not in (0, 1):
            raise ImageError(f"its byte order is {order}; it must be 0 or 1: correct the header")
        self._dtype = np.dtype(f"{'<>'[order]}{_TYPES[kind]}")
        self._start = self._whole("header offset", 0, least=0)
        self._interleave = self._entries.get("interleave", "bsq").lower()
        if self._interleave not in ("bsq", "bil", "bip"):
            raise ImageError(f"its interleave is {self._interleave[:40]!r}; it must be bsq, bil or bip")
        check_samples((self._height, self._width))
        self._data = _opened(name, open_beside)
        needed = self._start + self._height * self._width * self._bands * self._dtype.itemsize
        missing = needed - self._data.seek(0, io.SEEK_END)
        if missing > 0:
            self._data.close()
            raise ImageError(
                f"its data are truncated: {missing} bytes are missing; copy or export them again"
            )

    @property
    def frames(self) -> int:
        """Number of bands."""
        return self._bands

    @property
    def second_file(self) -> BinaryIO:
        """The data."""
        return self._data

    def shape(self, frame: int) -> tuple[int, int]:
        """Return height and width, as the header says."""
        return self._height, self._width

    def no_data(self, frame: int) -> float | None:
        """Return the "data ignore value" of the header."""
        try:
            return float(self._entries["data ignore value"])
        except (KeyError, ValueError):
            return None

    def decode(self, frame: int) -> NDArray[Any]:
        """Return one band, (H, W).

        Raises
        ------
        ImageError
            If there is no such band.
        """
        check_frame(frame, self._bands)
        height, width, bands = self._height, self._width, self._bands
        if self._interleave == "bsq" or bands == 1:
            return self._read(frame * height * width, height * width).reshape(height, width)
        if self._interleave == "bil":
            rows = [self._read((row * bands + frame) * width, width) for row in range(height)]
            return np.stack(rows)
        # Row by row, so that no more than a row of all bands is in memory.
        rows = [self._read(row * width * bands, width * bands)[frame::bands] for row in range(height)]
        return np.stack(rows)

    def close(self) -> None:
        """Close the data."""
        self._data.close()

    def _read(self, first: int, count: int) -> NDArray[Any]:
        self._data.seek(self._start + first * self._dtype.itemsize)
        return np.frombuffer(bytearray(self._data.read(count * self._dtype.itemsize)), self._dtype)

    def _whole(self, key: str, default: int | None = None, least: int = 1) -> int:
        text = self._entries.get(key)
        if text is None and default is not None:
            return default
        if text is None or not re.fullmatch(r"\d{1,9}", text) or int(text) < least:
            said = f"says {key} = {text[:40]}" if text is not None else f"has no entry {key!r}"
            raise ImageError(f"its header {said}; write a whole number of at least {least}")
        return int(text)


def _opened(name: str, open_beside: Callable[[str], BinaryIO] | None) -> BinaryIO:
    base = name[: -len(".hdr")] if name.lower().endswith(".hdr") else name
    tried = [base + suffix for suffix in _DATA_SUFFIXES]
    tried += [base + suffix.upper() for suffix in _DATA_SUFFIXES[1:]]
    for candidate in tried if open_beside is not None else ():
        with suppress(OSError, ImageError):
            assert open_beside is not None
            return open_beside(candidate)
    raise ImageError(
        f"its data are not beside it; put them there as {base}.img, and unpack an archive that holds them"
    )
