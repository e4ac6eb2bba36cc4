"""One open image file: what it is, how many frames it holds, and each frame as one band."""

import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from hashlib import blake2b
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pointmask.errors import ImageError
from pointmask.hashing import feed
from pointmask.io.images import masks
from pointmask.io.images.codecs import Codec, flir, upright
from pointmask.io.images.kinds import PLAIN, Reading, is_raw, is_text
from pointmask.io.images.recognise import HEAD, codec_of, kind_of
from pointmask.io.notes import note
from pointmask.readout import COMBED, SWAPPED, is_combed, is_swapped

_MOST_BANDS = 4  # red, green, blue and alpha
_LUMINANCE = (0.299, 0.587, 0.114)  # ITU-R BT.601
_TURNED = (
    "files are turned upright, as their orientation says (EXIF, or tag 274 of TIFF) and annotation tools "
    "show them; masks are upright too"
)
_COLOURED = (
    "coloured frames are read as their luminance; if the colours are a palette, such as rainbow, it does not "
    "rise with temperature and masks are wrong: export the frames in grey, or radiometric"
)
TINT = 0.05
"""Of the largest value: mean difference of bands that is more than a cast or compression."""

_LONGEST_MESSAGE = 400


class ImageFile:
    """
    An open image file. Frames are decoded one by one, and no more of the file is read than they need.

    Use it in a ``with`` statement, and in one thread at a time.

    Parameters
    ----------
    file : BinaryIO
        Open for reading, seekable; closed together with this object.
    name : str
        For messages; and its suffix tells raw files.
    reading : Reading
        How to read files that do not say it themselves.
    open_beside : callable, optional
        Opens another file of the same place by its name, for formats that are two files; an OSError or
        ImageError says that there is none.
    """

    def __init__(
        self,
        file: BinaryIO,
        name: str,
        reading: Reading = PLAIN,
        open_beside: Callable[[str], BinaryIO] | None = None,
    ) -> None:
        self.name = name
        self._open_beside = open_beside
        self._file, self._reading = file, reading
        self._size = file.seek(0, io.SEEK_END)

    def __enter__(self) -> "ImageFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file and its decoder."""
        if "_codec" in self.__dict__:
            self._codec.close()
        self._file.close()

    @cached_property
    def kind(self) -> str:
        """
        What it is, as its first bytes say: PNG, TIFF, FITS and so on; FLIR, DJI or raw, as `Reading` has it.

        Raises
        ------
        ImageError
            If it is none of these.
        """
        if self._reading.raw is not None and is_raw(self.name):
            return "raw"
        if self._reading.text and is_text(self.name):
            return "text"
        self._file.seek(0)
        kind = kind_of(self._file.read(HEAD), self.name)
        if kind == "JPEG" and self._reading.radiometric:
            return flir.radiometric_kind(self._file) or kind
        return kind

    @cached_property
    def frames(self) -> int:
        """
        Number of frames, at least 1; see `pointmask.io.images.kinds.may_hold_frames`.

        Raises
        ------
        ImageError
            If the headers are damaged.
        """
        with _named(self.name, self.kind):
            return self._codec.frames

    @cached_property
    def content(self) -> str:
        """
        Hex hash of all bytes of the file, 128 bits; read in pieces.

        Raises
        ------
        ImageError
            If the system cannot read on.
        """
        digest = blake2b(digest_size=16)
        second = None
        if self.name.lower().endswith(".hdr") and self.kind == "ENVI":
            with _named(self.name, self.kind):
                second = self._codec.second_file
        try:
            for file in (self._file, second):
                if file is not None:
                    file.seek(0)
                    feed(digest, file)
        except OSError as error:
            raise ImageError(
                f"{self.name} cannot be read ({error.strerror or error}); check the file"
            ) from error
        return digest.hexdigest()

    def decode(self, frame: int = 0) -> NDArray[Any]:
        """
        Turn one frame into one band; see `pointmask.io.images.array.decode`.

        Raises
        ------
        ImageError
            If the file is cut short or damaged, or has no such frame or no finite pixel.
        """
        bands = self.bands(frame)
        if bands.ndim == 3 and _are_coloured(bands):
            note(_COLOURED, self.name)
        band = _finite(_one_band(bands), self.name)
        if is_swapped(band):
            note(SWAPPED, self.name)
        elif is_combed(band):
            note(COMBED, self.name)
        return band

    def mask(self, frame: int = 0) -> NDArray[np.bool_]:
        """
        Read one frame as a mask; see `pointmask.io.images.array.read_mask`.

        Raises
        ------
        ImageError
            As `decode`, or if the type of its numbers has no stated range.
        """
        return masks.truth_of(self.mask_numbers(frame), self.name)

    def targets(self, frame: int = 0) -> tuple[NDArray[np.int32], int]:
        """
        Give each target of a mask its number; see `pointmask.io.images.masks.targets_of`.

        Raises
        ------
        ImageError
            As `mask`.
        """
        return masks.targets_of(self.mask_numbers(frame), self.name)

    def mask_numbers(self, frame: int = 0) -> NDArray[Any]:
        """
        Return the numbers of one frame for a mask: as `bands`, but what has no data is 0.

        Raises
        ------
        ImageError
            As `bands`.
        """
        plain, gone = self._pixels(frame)
        if gone is not None and (plain[~gone] != 0).any():  # else the mark is the target itself
            plain[gone] = 0
        return plain

    def shape(self, frame: int = 0) -> tuple[int, int]:
        """
        Return height and width of one frame, upright; from headers alone where the format allows it.

        Raises
        ------
        ImageError
            If the headers are damaged, or there is no such frame.
        """
        with _named(self.name, self.kind):
            height, width = self._codec.shape(frame)
            return (width, height) if self._codec.orientation(frame) >= 5 else (height, width)

    @cached_property
    def colour_mode(self) -> str:
        """Pillow's name for the bands that the file stores; empty if Pillow does not know the file."""
        if self.kind == "FLIR":
            return "FLIR thermal raster"
        self._file.seek(0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            try:
                return Image.open(self._file).mode
            except (OSError, ValueError, Image.DecompressionBombError):
                return ""

    def bands(self, frame: int = 0) -> NDArray[Any]:
        """
        Return the numbers of one frame as the file stores them.

        Returns
        -------
        NDArray
            (H, W), or (H, W, 3) where bands differ; bits as 0 and 255, half floats widened, without alpha;
            upright, as the file says its orientation is. Where a file says which number means "no data",
            such pixels are NaN, and the image float.

        Raises
        ------
        ImageError
            If the file is cut short or damaged, or has no such frame.
        """
        plain, gone = self._pixels(frame)
        if gone is None:
            return plain
        note(
            "pixels that a file itself marks as no data are NaN; lone ones are filled from their neighbours",
            self.name,
        )
        dtype = np.result_type(plain.dtype, np.float32)
        return np.where(gone, dtype.type(np.nan), plain.astype(dtype))

    def _pixels(self, frame: int) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        """Return the plain numbers, and where they mean "no data"."""
        with _named(self.name, self.kind):
            stored = self._codec.decode(frame)
            orientation = self._codec.orientation(frame)
            if orientation != 1:
                note(_TURNED, self.name)
                stored = np.ascontiguousarray(upright(stored, orientation))
            plain, mark = _plain(stored), self._codec.no_data(frame)
            if mark is None or np.isnan(mark):
                return plain, None
            gone = _marked(plain, mark)
            return plain, gone if gone.any() else None

    @cached_property
    def _codec(self) -> Codec:
        return codec_of(self.kind, self._file, self._size, self.name, self._reading, self._open_beside)


def _marked(plain: NDArray[Any], mark: float) -> NDArray[np.bool_]:
    """Say where the numbers are the mark, which may have been written with fewer or more digits."""
    with np.errstate(over="ignore"):
        wanted = np.asarray(mark).astype(plain.dtype) if plain.dtype.kind == "f" else np.asarray(mark)
    return np.asarray(plain == wanted)


@contextmanager
def _named(name: str, kind: str) -> Iterator[None]:
    """Turn whatever a decoder raises into an ImageError that names the file."""
    try:
        yield
    except ImageError as error:
        raise ImageError(f"{name}: {_short(error)}") from None
    except MemoryError:  # says nothing about the file
        raise
    except Exception as error:
        # Decoders meet damaged bytes with a dozen types: struct.error, KeyError, SyntaxError, zlib.error ...
        raise ImageError(
            f"{name}: cannot be decoded as {kind} ({type(error).__name__}: {_short(error)}); the file is "
            "truncated or damaged: copy or export it again"
        ) from error


def _short(error: Exception) -> str:
    """Return a message without the rest of a damaged header that a decoder may have put into it."""
    message = str(error)
    return message if len(message) <= _LONGEST_MESSAGE else f"{message[:_LONGEST_MESSAGE]}..."


def _plain(stored: NDArray[Any]) -> NDArray[Any]:
    """Drop alpha and merge equal bands; widen bits and half floats; make bytes native."""
    if stored.ndim == 3:
        stored = stored[..., :3] if stored.shape[2] in (3, 4) else stored
        if stored.shape[2] in (1, 2) or _bands_are_equal(stored):
            stored = stored[..., 0]
        elif stored.shape[2] != 3:
            raise ImageError(f"it has {stored.shape[2]} bands; save the one band to annotate")
    if stored.ndim != 2 + (stored.ndim == 3) or not stored.size:
        raise ImageError(f"it has shape {stored.shape}; an image has at least one row and one column")
    dtype = stored.dtype
    if dtype == np.bool_:
        return stored.astype(np.uint8) * np.uint8(255)
    if dtype.kind not in "iuf":
        raise ImageError(f"it holds {dtype}, not real numbers; save an integer or float image")
    if dtype.kind == "f" and dtype.itemsize not in (4, 8):
        return stored.astype(np.float32 if dtype.itemsize == 2 else np.float64)
    return np.ascontiguousarray(stored, dtype.newbyteorder("="))


def colour_as_band(pixels: NDArray[Any]) -> NDArray[Any]:
    """Turn an (H, W, 1 to 4) array into one band as a file's would be: alpha, the last of 2 or 4, is ignored.

    Raises
    ------
    ImageError
        If it has another number of bands.
    """
    bands = pixels.shape[-1]
    if not 1 <= bands <= _MOST_BANDS:
        raise ImageError(
            f"the image has shape {pixels.shape}; one band (H, W) or colours (H, W, 1 to 4) are needed, so "
            "pick one frame or band"
        )
    colours = pixels[..., : bands - 1 if bands in (2, _MOST_BANDS) else bands]
    return np.ascontiguousarray(colours[..., 0]) if _bands_are_equal(colours) else _one_band(colours)


def _bands_are_equal(stored: NDArray[Any]) -> bool:
    first, *others = np.moveaxis(stored, -1, 0)
    nan = stored.dtype.kind == "f"
    return all(np.array_equal(first, other, equal_nan=nan) for other in others)


def _are_coloured(bands: NDArray[Any]) -> bool:
    """Whether an (H, W, 3) frame has colours, judged by every fourth row and column."""
    some = bands[::4, ::4].astype(np.float64)
    return bool(np.mean(some.max(axis=2) - some.min(axis=2)) > TINT * max(float(np.abs(some).max()), 1e-9))


def _one_band(plain: NDArray[Any]) -> NDArray[Any]:
    if plain.ndim == 2:
        return plain
    # Spelled out: a matrix product would go through BLAS, whose last bit depends on the machine.
    dtype = np.result_type(plain.dtype, np.float32)
    with np.errstate(invalid="ignore", over="ignore"):  # NaN and infinity are the annotator's business
        red, green, blue = (
            plain[..., k].astype(dtype) * dtype.type(weight) for k, weight in enumerate(_LUMINANCE)
        )
        total: NDArray[Any] = red + green + blue
    return total


def _finite(image: NDArray[Any], name: str) -> NDArray[Any]:
    if image.dtype.kind == "f" and not np.isfinite(image).any():
        raise ImageError(f"{name}: no pixel is finite; check how the file was exported")
    return image
