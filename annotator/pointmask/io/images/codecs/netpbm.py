"""PGM, PBM, PPM and PFM, all bits kept: Pillow scales what is not 8 or 16 bits, and cuts colour to 8."""

import re
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from pointmask.errors import ImageError
from pointmask.io.images.codecs import Codec, check_frame
from pointmask.io.images.codecs.limits import check_samples

_FIELD = re.compile(rb"(?:\s|#[^\r\n]*[\r\n])+(-?[0-9.eE+]+)")
_COMMENT = re.compile(rb"#[^\r\n]*")
_LONGEST_HEADER = 2**16
_COLOUR = (b"P3", b"P6", b"PF")


class NetpbmFile(Codec):
    """A PGM, PBM, PPM or PFM: one frame.

    Parameters
    ----------
    file : BinaryIO
        Open binary file.
    size : int
        Its length in bytes.

    Raises
    ------
    ImageError
        If the header is damaged, or promises more than the file holds.
    """

    frames = 1

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        file.seek(0)
        head = file.read(_LONGEST_HEADER)
        self._kind = head[:2]
        fields, end = [], 2
        for what in ("width", "height", *(() if self._kind in (b"P1", b"P4") else ("largest value",))):
            found = _FIELD.match(head, end)
            if found is None:
                raise ImageError(f"its header gives no {what}; the file is damaged: export it again")
            fields.append(found[1])
            end = found.end()
        self._start = end + 1  # one white space
        try:
            self._width, self._height = int(fields[0]), int(fields[1])
            self._top = float(fields[2]) if len(fields) > 2 else 1.0
        except ValueError:
            raise ImageError("its header is damaged; export it again") from None
        self._bands = 3 if self._kind in _COLOUR else 1
        self._check(size)

    def shape(self, frame: int) -> tuple[int, int]:
        """Return height and width, from the header."""
        return self._height, self._width

    def decode(self, frame: int) -> NDArray[Any]:
        """Return (H, W) or (H, W, 3): bool, uint8, uint16 or float32, as stored.

        Raises
        ------
        ImageError
            If another frame than 0 is asked for, or the numbers are not as many, or larger, than promised.
        """
        check_frame(frame, 1)
        shape = (self._height, self._width) if self._bands == 1 else (self._height, self._width, 3)
        self._file.seek(self._start)
        if self._kind in (b"P1", b"P2", b"P3"):
            return self._written_out().reshape(shape)
        data = self._file.read(self._bytes())
        if self._kind == b"P4":
            rows = np.frombuffer(data, np.uint8).reshape(self._height, -1)
            return np.asarray(np.unpackbits(rows, axis=1)[:, : self._width] == 0)  # 1 is black
        numbers = np.frombuffer(bytearray(data), self._dtype()).reshape(shape)
        if self._kind in (b"Pf", b"PF"):
            return np.ascontiguousarray(numbers[::-1])  # the last row comes first
        if numbers.max() > self._top:
            raise ImageError(
                f"it holds {numbers.max()}, but its header says that {self._top:.0f} is the largest value; "
                "the file is damaged: export it again"
            )
        return numbers

    def _check(self, size: int) -> None:
        if self._width < 1 or self._height < 1:
            raise ImageError(f"its header promises {self._width} x {self._height} pixels; export it again")
        is_float = self._kind in (b"Pf", b"PF")
        if not is_float and not (1 <= self._top <= 65535 and self._top == int(self._top)):
            raise ImageError(f"its largest value is {self._top:g}; it must be 1 to 65535: export it again")
        if is_float and not (np.isfinite(self._top) and self._top):
            raise ImageError("its scale is 0 or no number; export it again")
        check_samples((self._height, self._width, self._bands))
        missing = self._start + self._bytes() - size
        if missing > 0:
            raise ImageError(f"it is truncated: {missing} bytes are missing; copy or export it again")

    def _dtype(self) -> np.dtype[Any]:
        if self._kind in (b"Pf", b"PF"):
            return np.dtype("<f4" if self._top < 0 else ">f4")
        return np.dtype(">u2" if self._top > 255 else "u1")

    def _bytes(self) -> int:
        """Bytes behind the header, the least of them where numbers are written out."""
        samples = self._height * self._width * self._bands
        if self._kind == b"P4":
            return self._height * -(-self._width // 8)
        if self._kind in (b"P1", b"P2", b"P3"):
            return samples if self._kind == b"P1" else 2 * samples - 1
        return samples * self._dtype().itemsize

    def _written_out(self) -> NDArray[Any]:
        """Read numbers in decimal digits."""
        text = _COMMENT.sub(b" ", self._file.read())
        samples = self._height * self._width * self._bands
        if self._kind == b"P1":
            bits = np.frombuffer(b"".join(text.split()), np.uint8)[:samples]
            if len(bits) < samples or not np.isin(bits, (48, 49)).all():
                raise ImageError("it holds too few bits, or others than 0 and 1; export it again")
            return np.asarray(bits == 48)
        words = text.split(None, samples)[:samples]
        if len(words) < samples or not all(word.isdigit() and len(word) < 6 for word in words):
            raise ImageError("it holds too few numbers, or other words; export it again")
        numbers = np.array([int(word) for word in words], np.uint32)
        if numbers.max() > self._top:
            raise ImageError(
                f"it holds {numbers.max()}, above its largest value {self._top:.0f}; export it again"
            )
        return numbers.astype(np.uint16 if self._top > 255 else np.uint8)
