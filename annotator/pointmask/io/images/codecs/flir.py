"""FLIR radiometric JPEG: the thermal raster behind the coloured picture, through flyr."""

import io
import struct
from importlib import import_module
from typing import Any, BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray

from pointmask.advice import install
from pointmask.errors import ImageError
from pointmask.io.images.codecs import Codec
from pointmask.io.images.codecs.limits import check_samples
from pointmask.io.images.codecs.raster import RasterFile

_APP1, _APP3, _START_OF_SCAN = 0xE1, 0xE3, 0xDA
_WITHOUT_LENGTH = (0x01, *range(0xD0, 0xD9))  # markers that stand alone
_RAW_DATA, _RECORD = 1, 32  # kind of the record that holds the raster; bytes of a record in the directory
_COUNT_AT, _MOST_RECORDS = 28, 1000
_MARK, _EXIF = b"FLIR\0", b"Exif\0"


def radiometric_kind(file: BinaryIO) -> Literal["FLIR", "DJI"] | None:
    """Say whose thermal raster a JPEG has in its segments before the picture.

    FLIR's cameras call their segments so. DJI's own write the raster into APP3, and their name into the Exif
    data; their older ones were FLIR's.

    Parameters
    ----------
    file : BinaryIO
        Open binary file that begins with a JPEG's first marker.
    """
    file.seek(2)
    is_by_dji = False
    while (head := file.read(2))[:1] == b"\xff" and len(head) == 2:
        marker = head[1]
        if marker == _START_OF_SCAN:
            return None
        if marker in _WITHOUT_LENGTH:
            continue
        if marker == 0xFF:  # filling before a marker
            file.seek(-1, io.SEEK_CUR)
            continue
        length = file.read(2)
        if len(length) < 2:
            return None
        body = max(0, struct.unpack(">H", length)[0] - 2)
        begin = file.read(min(body, len(_MARK)))
        if marker == _APP1 and begin == _MARK:
            return "FLIR"
        if marker == _APP3 and is_by_dji:
            return "DJI"
        if marker == _APP1 and begin == _EXIF:
            is_by_dji = b"DJI" in file.read(body - len(begin))
        else:
            file.seek(body - len(begin), io.SEEK_CUR)
    return None


class FlirFile(Codec):
    """The thermal raster of a radiometric JPEG: one frame, in kelvin.

    Parameters
    ----------
    file : BinaryIO
        Open binary file.
    size : int
        Its length in bytes.

    Raises
    ------
    ImageError
        If flyr is not installed.
    """

    frames = 1

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._picture = RasterFile(file, size, "JPEG")
        try:
            self._flyr, self._records = import_module("flyr"), import_module("flyr.records")
        except ImportError:
            raise ImageError(
                f"it is a FLIR radiometric JPEG; for its thermal raster: {install('flir')}; to "
                "take the coloured picture instead: --no-radiometric"
            ) from None

    def orientation(self, frame: int) -> int:
        """Return that of the coloured picture, which is the same view."""
        return self._picture.orientation(frame)

    def decode(self, frame: int) -> NDArray[Any]:
        """Return the temperatures, (H, W) float32, as the camera's own constants give them.

        Raises
        ------
        ImageError
            If another frame than 0 is asked for, or too much is promised. What flyr raises passes through.
        """
        if frame != 0:
            raise ImageError(f"frame {frame} was asked for, but a FLIR JPEG holds frame 0 alone")
        self._file.seek(0)
        data = self._file.read()
        _check_records(self._records.extract_flir_app1(io.BytesIO(data)).read())
        with np.errstate(all="ignore"):  # a dead pixel's temperature is NaN, and the annotator's business
            return np.asarray(self._flyr.unpack(io.BytesIO(data)).kelvin, np.float32)


def _check_records(records: bytes) -> None:
    """Refuse numbers that flyr would believe: billions of records, or a raster that fills the memory."""
    (count,) = struct.unpack_from(">I", records, _COUNT_AT)
    if count > _MOST_RECORDS:
        raise ImageError(
            f"its FLIR segments promise {count:,} records; it is damaged: copy or export it again"
        )
    for start in range(0, _RECORD * count, _RECORD):  # from the beginning on, as flyr counts them
        kind, offset = struct.unpack_from(">H10xI", records.ljust(start + _RECORD, b"\0"), start)
        if kind != _RAW_DATA:
            continue
        width, height = struct.unpack_from("<2H", records, offset + 2)
        check_samples((height, width))
        raster = records[offset + 32 : offset + 56]
        if raster.startswith(b"\x89PNG") and struct.unpack_from(">2I", raster, 16) != (width, height):
            raise ImageError(
                "its FLIR raster has two different sizes; it is damaged: copy or export it again"
            )
