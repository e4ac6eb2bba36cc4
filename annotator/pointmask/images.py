"""Any image file to one 2-D array, no bit lost; masks out as PNG and back."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pointmask.codecs import label_png, npy, raster
from pointmask.errors import ImageError

SUFFIXES = (".png", ".bmp", ".jpg", ".jpeg", ".tif", ".tiff", ".npy")
"""Suffixes, in lower case, by which images are listed. What a file is, its first bytes say."""

_MAGIC = (
    (label_png.MAGIC, "PNG"),
    (b"BM", "BMP"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"II+\x00", "TIFF"),
    (b"MM\x00+", "TIFF"),
    (b"\x93NUMPY", "NPY"),
)
_LUMINANCE = (0.299, 0.587, 0.114)  # ITU-R BT.601


def is_image(name: str) -> bool:
    """Say whether a file name has one of `SUFFIXES`, in any case."""
    return name.lower().endswith(SUFFIXES)


def decode(data: bytes, name: str, frame: int = 0) -> NDArray[Any]:
    """Turn the bytes of an image file into one band.

    Parameters
    ----------
    data : bytes
        The whole file: PNG, BMP, JPEG, TIFF or ``.npy``, recognised by its first bytes.
    name : str
        For messages only.
    frame : int
        0-based page of a TIFF or plane of an ``(N, H, W)`` ``.npy``; 0 elsewhere.

    Returns
    -------
    NDArray
        (H, W), C-contiguous, writable, native byte order, in the type the file stores: unsigned or
        signed integer, float32 or float64. Bits become 0 and 255; float16 becomes float32. Equal
        bands are one band in their own type; different bands become luminance, 0.299 R + 0.587 G +
        0.114 B, as unrounded float32 (float64 for 32-bit integers and float64). Alpha is ignored.
        NaN and infinity are kept.

    Raises
    ------
    ImageError
        If it is no such file, is cut short or damaged, has no such frame or no finite pixel.
    """
    return _finite(_one_band(_load(data, name, frame)), name)


def read(path: str | Path, frame: int = 0) -> NDArray[Any]:
    """Read one frame of an image file; see `decode`.

    Raises
    ------
    ImageError
        As `decode`, and if the file cannot be opened.
    """
    return decode(_bytes_of(path), str(path), frame)


def frame_count(source: bytes | str | Path, name: str | None = None) -> int:
    """Count the frames of an image file without decoding it.

    Parameters
    ----------
    source : bytes, str or Path
        The whole file, or where it is; of a path only headers are read.
    name : str, optional
        For messages; the path by default.

    Returns
    -------
    int
        At least 1; more than 1 only for multi-page TIFF and ``(N, H, W)`` ``.npy``.

    Raises
    ------
    ImageError
        If it is no image file or its headers are damaged.
    """
    if isinstance(source, bytes):
        return _count(io.BytesIO(source), len(source), name or "image")
    path = Path(source)
    try:
        with path.open("rb") as file:
            return _count(file, path.stat().st_size, name or str(path))
    except OSError as error:
        raise _unreadable(path, error) from error


def encode_png(array: NDArray[Any]) -> bytes:
    """Turn a mask, label map or picture into a PNG file.

    Parameters
    ----------
    array : NDArray
        (H, W) bool (stored as 0 and 255), uint8 or uint16; or (H, W, 3) uint8.

    Returns
    -------
    bytes
        The file; the same bytes for the same array. Masks and 16-bit labels are packed as runs, which
        takes half of Pillow's time and bytes; pictures gain from its row filters and go through it.

    Raises
    ------
    ImageError
        If the array has another type or shape.
    """
    grey = array.ndim == 2 and array.dtype in (np.bool_, np.uint8, np.uint16)
    colour = array.ndim == 3 and array.shape[2] == 3 and array.dtype == np.uint8
    if not (grey or colour) or not array.size:
        raise ImageError(
            f"cannot store shape {array.shape}, type {array.dtype} as PNG; give (H, W) bool, uint8 or "
            "uint16, or (H, W, 3) uint8"
        )
    if array.dtype != np.uint8:
        return label_png.encode(array)
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(array)).save(file, "PNG", compress_level=1)
    return file.getvalue()


def read_mask(source: bytes | str | Path, name: str | None = None, frame: int = 0) -> NDArray[np.bool_]:
    """Read a mask file: truth is above half of the range.

    Parameters
    ----------
    source : bytes, str or Path
        The whole file, or where it is.
    name : str, optional
        For messages; the path by default.
    frame : int
        0-based, as for `decode`.

    Returns
    -------
    NDArray[np.bool_]
        (H, W). Above 127 for 8 bits, above 32767 for 16 bits, above 0.5 for floats, in any band of a
        colour or palette mask; alpha is ignored.

    Raises
    ------
    ImageError
        If it cannot be read, or its type has no stated range.
    """
    if not isinstance(source, bytes):
        name, source = name or str(source), _bytes_of(source)
    name = name or "mask"
    stored = _load(source, name, frame)
    above: NDArray[np.bool_] = stored > _half_range(stored, name)
    return above if above.ndim == 2 else np.logical_or.reduce(above, axis=2)


def _half_range(stored: NDArray[Any], name: str) -> float:
    if stored.dtype in (np.uint8, np.uint16):
        return np.iinfo(stored.dtype).max // 2
    if stored.dtype.kind == "f" and ((stored >= 0) & (stored <= 1)).all():
        return 0.5
    raise ImageError(
        f"{name}: a mask of {stored.dtype} with values {stored.min()} to {stored.max()} has no stated range; "
        "save it as 8-bit, 0 and 255"
    )


def _bytes_of(path: str | Path) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: str | Path, error: OSError) -> ImageError:
    return ImageError(f"{path}: cannot be read ({error.strerror}); check the path and its rights")


def _kind(head: bytes, name: str) -> str:
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    known = "PNG, BMP, JPEG, TIFF and .npy"
    if not head:
        raise ImageError(f"{name}: the file is empty; copy or export it again")
    if not is_image(name):
        raise ImageError(f"{name}: not an image that is read here ({known}); convert it to PNG or TIFF")
    raise ImageError(f"{name}: its first bytes are not those of {known}; convert it to PNG or TIFF")


def _load(data: bytes, name: str, frame: int) -> NDArray[Any]:
    """(H, W), or (H, W, 3) where bands differ; native numbers, bits as 0 and 255, without alpha."""
    kind = _kind(data[:8], name)
    with _named(name, kind):
        return _plain(_decoded(io.BytesIO(data), len(data), kind, frame))


def _decoded(file: BinaryIO, size: int, kind: str, frame: int) -> NDArray[Any]:
    if kind == "TIFF":
        from pointmask.codecs import tiff  # a tenth of a second to import, for those who need it

        return tiff.decode(file, size, frame)
    if kind == "NPY":
        return npy.decode(file, size, frame)
    if frame != 0:
        raise ImageError(f"frame {frame} was asked for, but a {kind} holds frame 0 alone")
    return raster.decode(file, size, kind)


def _count(file: BinaryIO, size: int, name: str) -> int:
    kind = _kind(file.read(8), name)
    with _named(name, kind):
        if kind == "TIFF":
            from pointmask.codecs import tiff

            return tiff.count(file, size)
        return npy.count(file, size) if kind == "NPY" else 1


@contextmanager
def _named(name: str, kind: str) -> Iterator[None]:
    """Turn whatever a decoder raises into an ImageError that names the file."""
    try:
        yield
    except ImageError as error:
        raise ImageError(f"{name}: {error}") from None
    except MemoryError:  # says nothing about the file
        raise
    except Exception as error:
        # Decoders meet damaged bytes with a dozen types: struct.error, KeyError, SyntaxError, zlib.error ...
        raise ImageError(
            f"{name}: cannot be decoded as {kind} ({type(error).__name__}: {error}); the file is truncated "
            "or damaged: copy or export it again"
        ) from error


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


def _bands_are_equal(stored: NDArray[Any]) -> bool:
    first, *others = np.moveaxis(stored, -1, 0)
    nan = stored.dtype.kind == "f"
    return all(np.array_equal(first, other, equal_nan=nan) for other in others)


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
