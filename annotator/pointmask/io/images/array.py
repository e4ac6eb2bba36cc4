"""Any image file to one 2-D array, no bit lost; masks out as PNG and back."""

import io
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from pointmask.errors import ImageError
from pointmask.io.images.codecs import label_png
from pointmask.io.images.codecs.limits import check_size
from pointmask.io.images.file import ImageFile, colour_as_band
from pointmask.io.images.kinds import SUFFIXES as SUFFIXES
from pointmask.io.images.kinds import is_image as is_image
from pointmask.io.images.kinds import may_hold_frames
from pointmask.io.images.masks import fitted
from pointmask.regular import open_regular, read_regular


def decode(data: bytes, name: str, frame: int = 0) -> NDArray[Any]:
    """Turn the bytes of an image file into one band.

    Parameters
    ----------
    data : bytes
        The whole file, recognised by its first bytes; see `pointmask.io.images.recognise`.
    name : str
        For messages only.
    frame : int
        0-based page of a TIFF, plane of an ``(N, H, W)`` ``.npy`` or a FITS cube, or picture of a video; 0
        elsewhere.

    Returns
    -------
    NDArray
        (H, W), C-contiguous, writable, native byte order, in the type the file stores: unsigned or
        signed integer, float32 or float64. Bits become 0 and 255; float16 becomes float32. Equal
        bands are one band in their own type; different bands become luminance, 0.299 R + 0.587 G +
        0.114 B, as unrounded float32 (float64 for 32-bit integers and float64). Alpha is ignored.
        NaN and infinity are kept; what the file itself marks as "no data" becomes NaN. The picture is
        upright, as its orientation says (EXIF in JPEG, PNG and WebP; tag 274 of TIFF).

    Raises
    ------
    ImageError
        If it is no such file, is cut short or damaged, has no such frame or no finite pixel.
    """
    with ImageFile(io.BytesIO(data), name) as file:
        return file.decode(frame)


def read(path: str | Path, frame: int = 0) -> NDArray[Any]:
    """Read one frame of an image file; see `decode`.

    Raises
    ------
    ImageError
        As `decode`, and if the file cannot be opened.
    """
    with _opened(path) as file:
        return file.decode(frame)


def any_image(image: ArrayLike | str | Path) -> ArrayLike:
    """
    Return what a user calls an image as one band, as the command line reads it.

    Parameters
    ----------
    image : (H, W) or (H, W, 1 to 4) array_like, or path of an image file
        Colours become luminance, see `decode`; of a file the first frame is taken.

    Raises
    ------
    ImageError
        If the file cannot be read, or the array has other bands.
    """
    if isinstance(image, str | Path):
        return read(image)
    if isinstance(image, np.ndarray) and image.ndim == 3:
        return colour_as_band(image)
    return image


def open_image(path: str | Path, name: str | None = None) -> ImageFile:
    """Open an image file to read several of its frames.

    Parameters
    ----------
    path : str or Path
        Where it is.
    name : str, optional
        For messages; the path by default.

    Returns
    -------
    ImageFile
        To be used in a ``with`` statement.

    Raises
    ------
    ImageError
        If the file cannot be opened.
    """
    try:
        return ImageFile(
            open_regular(Path(path)), name or str(path), open_beside=partial(_open_beside, Path(path))
        )
    except OSError as error:
        raise _unreadable(path, error) from error


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
        with ImageFile(io.BytesIO(source), name or "image") as file:
            return file.frames
    with open_image(source, name) as file:
        return file.frames


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


def read_mask(
    source: bytes | str | Path,
    name: str | None = None,
    frame: int = 0,
    shape: tuple[int, int] | None = None,
) -> NDArray[np.bool_]:
    """Read a mask file; see `pointmask.io.images.masks` for what its numbers mean.

    Parameters
    ----------
    source : bytes, str or Path
        The whole file, or where it is.
    name : str, optional
        For messages; the path by default.
    frame : int
        0-based, as for `decode`.
    shape : (int, int), optional
        Height and width of the image; a mask of another size at the same aspect is scaled to it.

    Returns
    -------
    NDArray[np.bool_]
        (H, W). Above 127 for 8 bits, above 32767 for 16 bits, above 0.5 for floats, in any band of a
        colour or palette mask; alpha is ignored. Above 0 where the file holds 0 and 1, or the numbers of
        its targets.

    Raises
    ------
    ImageError
        If it cannot be read, is a grey picture, has numbers without a stated meaning, or was cut to
        another size than its image.
    """
    if isinstance(source, bytes):
        opened = ImageFile(io.BytesIO(source), name or "mask")
    else:
        opened = _opened(source, name)
    with opened as file:
        mask = file.mask(frame)
        return mask if shape is None else fitted(mask, shape, file.name)


def _opened(path: str | Path, name: str | None = None) -> ImageFile:
    """Open an image file to read one frame: at once, unless it may hold several."""
    if may_hold_frames(str(path)):
        return open_image(path, name)
    return ImageFile(io.BytesIO(_bytes_of(path)), name or str(path))


def _bytes_of(path: str | Path) -> bytes:
    try:
        check_size(str(path), Path(path).stat().st_size)
        return read_regular(Path(path))
    except OSError as error:
        raise _unreadable(path, error) from error


def _open_beside(path: Path, name: str) -> BinaryIO:
    """Open another file of the folder of a file; its own name leads there, whatever the path was called."""
    return open_regular(path.with_name(Path(name).name))


def _unreadable(path: str | Path, error: OSError) -> ImageError:
    return ImageError(f"{path}: cannot be read ({error.strerror}); check the path and its rights")
