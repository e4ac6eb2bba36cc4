"""Frames without any header, row by row and one after the other: what they are, the user says."""

import re
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from pointmask.errors import ImageError
from pointmask.io.images.codecs import Codec, check_frame
from pointmask.io.images.codecs.limits import check_samples

_FORMAT = re.compile(r"([1-9]\d{0,8})x([1-9]\d{0,8}):([uif])(8|16|32|64)(le|be)?(?::(\d{1,18}))?")
_MOST_BITS = {"u": 32, "i": 32, "f": 64}


@dataclass(frozen=True, slots=True)
class RawFormat:
    """
    How to read a file of bare numbers.

    Attributes
    ----------
    width, height : int
        Of a frame, in pixels.
    dtype : str
        As NumPy writes it, such as ``<u2``.
    offset : int
        Bytes before the first frame.
    """

    width: int
    height: int
    dtype: str
    offset: int = 0

    @classmethod
    def parse(cls, text: str) -> "RawFormat":
        """
        Read ``WxH:TYPE[:OFFSET]``, such as ``640x512:u16le`` or ``320x256:f32:1024``.

        Parameters
        ----------
        text : str
            TYPE is u8, i8, u16, i16, u32, i32, f16, f32 or f64, followed by ``le`` (if nothing is said)
            or ``be``. OFFSET is the number of bytes before the first frame.

        Raises
        ------
        ImageError
            If it is written in another way.
        """
        found = _FORMAT.fullmatch(text.strip())
        if found is None or (found[3] + found[4]) == "f8" or int(found[4]) > _MOST_BITS[found[3]]:
            raise ImageError(
                f"raw format {text!r} is not WxH:TYPE[:OFFSET] with TYPE u8, i8, u16, i16, u32, i32, f16, "
                "f32 or f64, then le or be; write for example 640x512:u16le; or text "
                "for matrices of numbers in .csv or .txt"
            )
        order = ">" if found[5] == "be" else "<"
        dtype = np.dtype(f"{order}{found[3]}{int(found[4]) // 8}")
        return cls(int(found[1]), int(found[2]), dtype.str, int(found[6] or 0))

    def __str__(self) -> str:
        dtype = np.dtype(self.dtype)
        order = {"<": "le", ">": "be"}.get(dtype.str[0], "")
        return f"{self.width}x{self.height}:{dtype.kind}{8 * dtype.itemsize}{order}:{self.offset}"

    @property
    def frame_bytes(self) -> int:
        """Bytes per frame."""
        return self.width * self.height * np.dtype(self.dtype).itemsize


class RawFile(Codec):
    """Frames of bare numbers.

    Parameters
    ----------
    file : BinaryIO
        Open binary file.
    size : int
        Its length in bytes.
    form : RawFormat
        What it holds.

    Raises
    ------
    ImageError
        If the size is not a whole number of frames, or a frame has too many pixels.
    """

    def __init__(self, file: BinaryIO, size: int, form: RawFormat) -> None:
        self._file, self._form = file, form
        body = size - form.offset
        self._frames, rest = divmod(body, form.frame_bytes)
        if rest or self._frames < 1:
            raise ImageError(
                f"it holds {max(0, body):,} bytes behind the offset of {form.offset:,}, which is no whole "
                f"number of frames of {form.frame_bytes:,} bytes ({form}); correct --raw"
            )
        check_samples((form.height, form.width))

    @property
    def frames(self) -> int:
        """How many frames fit into the file."""
        return self._frames

    def shape(self, frame: int) -> tuple[int, int]:
        """Return height and width, as the user says."""
        return self._form.height, self._form.width

    def decode(self, frame: int) -> NDArray[Any]:
        """Return one frame, (H, W), in the type and byte order that the file stores.

        Raises
        ------
        ImageError
            If there is no such frame.
        """
        check_frame(frame, self.frames)
        form = self._form
        self._file.seek(form.offset + frame * form.frame_bytes)
        data = bytearray(self._file.read(form.frame_bytes))
        return np.frombuffer(data, form.dtype).reshape(form.height, form.width)
