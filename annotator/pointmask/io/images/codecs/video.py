"""Video through PyAV: pictures by their exact index, luma alone; memory does not grow with the length."""

import io
from collections.abc import Iterator
from importlib import import_module
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from pointmask.advice import install
from pointmask.errors import ImageError
from pointmask.io.images.codecs import Codec, check_frame
from pointmask.io.images.codecs.limits import check_samples

_TURNS = {0: 1, 90: 8, 180: 3, 270: 6}  # degrees counter-clockwise, as orientation
_READ_ON = 64  # pictures that are rather decoded and passed over than searched for


class VideoFile(Codec):
    """The first video stream of a file; frame k is the k-th picture in the order in which they are shown.

    Parameters
    ----------
    file : BinaryIO
        Open binary file.
    size : int
        Its length in bytes.

    Raises
    ------
    ImageError
        If PyAV is not installed, or there is no video. What PyAV raises passes through.
    """

    def __init__(self, file: BinaryIO, size: int) -> None:
        try:
            av = import_module("av")
        except ImportError:
            raise ImageError(f"it is a video; to read those: {install('video')}") from None
        file.seek(0)
        # Of its own, so that what is read here and there does not meet; it lets the file itself open.
        self._container = av.open(_Handle(file), metadata_errors="ignore")
        if not self._container.streams.video:
            raise ImageError("it holds no video stream; export its pictures as PNG")
        self._stream = self._container.streams.video[0]
        self._times: list[int] | None = None
        self._coming: Iterator[Any] | None = None
        self._next = 0
        self._rotation = 0

    @property
    def frames(self) -> int:
        """Number of pictures, counted by reading through the file once without decoding."""
        return len(self._index())

    def orientation(self, frame: int) -> int:
        """Return how phones say that the camera was held; known once a picture was decoded."""
        if self._coming is None:
            self.decode(frame)
        return _TURNS.get(self._rotation % 360, 1)

    def shape(self, frame: int) -> tuple[int, int]:
        """Return stored height and width."""
        return self._stream.height, self._stream.width

    def decode(self, frame: int) -> NDArray[Any]:
        """Return the luma of one picture, (H, W) uint8 or uint16; (H, W, 3) if it is stored as RGB.

        Raises
        ------
        ImageError
            If there is no such frame, or it cannot be decoded.
        """
        times = self._index()
        check_frame(frame, len(times))
        check_samples((self._stream.height, self._stream.width))
        if self._coming is None or not self._next <= frame < self._next + _READ_ON:
            self._container.seek(times[frame], stream=self._stream, backward=True)
            self._coming = self._container.decode(self._stream)
        for picture in self._coming:
            if picture.pts is None or picture.pts < times[frame]:
                continue
            if picture.pts > times[frame]:
                break
            self._next = frame + 1
            self._rotation = int(getattr(picture, "rotation", 0) or 0)
            return _luma(picture)
        self._coming = None
        raise ImageError(
            f"frame {frame} cannot be decoded; write it anew: ffmpeg -i a.mp4 -c:v ffv1 a.mkv, or as PNG"
        )

    def close(self) -> None:
        """Let the decoder go."""
        self._coming = None
        self._container.close()

    def _index(self) -> list[int]:
        """Return when each picture is shown, sorted."""
        if self._times is None:
            self._container.seek(0)
            times = {
                packet.pts if packet.pts is not None else packet.dts
                for packet in self._container.demux(self._stream)
                if packet.size and not packet.is_discard
            }
            self._times = sorted(time for time in times if time is not None)
            self._coming = None
            if not self._times:
                raise ImageError(
                    "its pictures carry no times; write it anew: ffmpeg -i a.avi -c:v ffv1 a.mkv"
                )
        return self._times


def _luma(picture: Any) -> NDArray[Any]:  # noqa: ANN401 - PyAV is an extra
    form = picture.format
    bits = max(part.bits for part in form.components)
    if form.name.startswith(("yuv", "nv12", "nv21", "gray")) and bits <= 16:
        dtype = np.dtype("u1") if bits <= 8 else np.dtype(">u2" if form.name.endswith("be") else "<u2")
        plane = picture.planes[0]
        rows = np.frombuffer(plane, dtype).reshape(-1, plane.line_size // dtype.itemsize)
        return np.array(rows[: picture.height, : picture.width])
    if bits > 8:
        raise ImageError(f"its pixels are {form.name}, which is not read; export it as 16-bit TIFF or PNG")
    return np.array(picture.to_ndarray(format="rgb24"))


class _Handle(io.RawIOBase):
    """The file as PyAV wants it, which must not close it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - whatever has the buffer protocol
        piece = self._file.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()
