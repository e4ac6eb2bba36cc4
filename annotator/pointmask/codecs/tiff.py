"""TIFF through tifffile; Pillow steps in for compressions that tifffile leaves to extra packages."""

import logging
import struct
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import TiffImagePlugin

from pointmask.codecs.raster import MOST_PIXELS_PER_BYTE, check_pixels, to_array
from pointmask.errors import ImageError

# tifffile logs what it finds wrong; without a handler Python would write that to stderr.
logging.getLogger("tifffile").addHandler(logging.NullHandler())

_SUBFILE_TYPE = 254  # sorted first in a directory
_THUMBNAIL_OR_MASK = 1 | 4
_MINISWHITE, _MINISBLACK, _RGB, _PALETTE = 0, 1, 2, 3
_ALPHA = (1, 2)  # associated or not
_NO_CODEC = ("imagecodecs", "not supported")  # how tifffile, new and old, says so


def decode(file: BinaryIO, size: int, frame: int) -> NDArray[Any]:
    """Read one page.

    Parameters
    ----------
    file : BinaryIO
        Open binary file.
    size : int
        Its length in bytes.
    frame : int
        0-based; thumbnails and transparency masks among the pages are not counted.

    Returns
    -------
    NDArray
        (H, W) or (H, W, bands) as stored; inverted if white is stored as zero.

    Raises
    ------
    ImageError
        If there is no such frame, the page is cut short, or it is no image.
    """
    page_index, offset = _locate(file, size, frame)
    file.seek(0)
    with tifffile.TiffFile(file) as tiff:
        # The page is made from its offset: tiff.pages[k] would walk the chain once more.
        tiff.filehandle.seek(offset)
        page = tifffile.TiffPage(tiff, page_index)
        _check(page, size)
        _refuse_hidden_frames(tiff, page)
        try:
            stored = page.asarray(maxworkers=1)
        except (ValueError, KeyError) as error:
            if not any(words in str(error) for words in _NO_CODEC):
                raise
            return _decode_with_pillow(file, size, page_index)
        return _bands_last(page, stored)


def count(file: BinaryIO, size: int) -> int:
    """Return the number of frames, reading only the chain of directories."""
    return sum(1 for _ in _frames(file, size))


def _locate(file: BinaryIO, size: int, frame: int) -> tuple[int, int]:
    """Return the index of the page of a frame and its offset."""
    known = 0
    for known, place in enumerate(_frames(file, size), 1):
        if known - 1 == frame:
            return place
    if known:
        raise ImageError(f"frame {frame} was asked for, but it holds frames 0 to {known - 1}")
    raise ImageError("it holds no image; export it again")


def _frames(file: BinaryIO, size: int) -> Iterator[tuple[int, int]]:
    """Yield page index and offset of each frame.

    tifffile stops without an error where a chain is broken, which would lose the last frames of a
    truncated file in silence.
    """
    file.seek(0)
    order = "<" if file.read(2) == b"II" else ">"
    big = struct.unpack(order + "H", file.read(2))[0] == 43
    count_code, offset_code, entry_size = ("Q", "Q", 20) if big else ("H", "I", 12)
    file.seek(8 if big else 4)
    (offset,) = struct.unpack(order + offset_code, file.read(struct.calcsize(offset_code)))
    seen: set[int] = set()
    while offset:
        if offset >= size or offset in seen:
            raise ImageError(
                f"page {len(seen)} lies outside the file; it is truncated or damaged: copy or export it again"
            )
        file.seek(offset)
        (entries,) = struct.unpack(order + count_code, file.read(struct.calcsize(count_code)))
        first_entry = order + ("HHxxxxxxxxI" if big else "HHxxxxI")
        tag, _, value = struct.unpack(first_entry, file.read(struct.calcsize(first_entry)))
        if not (tag == _SUBFILE_TYPE and value & _THUMBNAIL_OR_MASK):
            yield len(seen), offset
        seen.add(offset)
        file.seek(offset + struct.calcsize(count_code) + entries * entry_size)
        (offset,) = struct.unpack(order + offset_code, file.read(struct.calcsize(offset_code)))


def _check(page: tifffile.TiffPage, size: int) -> None:
    if page.axes not in ("YX", "YXS", "SYX"):
        raise ImageError(
            f"a page has axes {page.axes or 'none'} and shape {page.shape}; save one (H, W) image per page"
        )
    if page.nbytes > MOST_PIXELS_PER_BYTE * size or any(
        start + length > size for start, length in zip(page.dataoffsets, page.databytecounts, strict=True)
    ):
        raise ImageError("its pixel data end beyond the file; it is truncated: copy or export it again")


def _refuse_hidden_frames(tiff: tifffile.TiffFile, page: tifffile.TiffPage) -> None:
    """ImageJ, above 4 GB, and tifffile, if told so, store a whole stack behind a single page."""
    if (tiff.is_imagej or tiff.is_shaped) and not tiff.pages.is_multipage and tiff.series[0].size > page.size:
        raise ImageError("it holds a stack behind a single page; save it with one page per frame")


def _bands_last(page: tifffile.TiffPage, stored: NDArray[Any]) -> NDArray[Any]:
    if page.axes == "SYX":
        stored = np.moveaxis(stored, 0, -1)
    if page.photometric == _PALETTE and page.colormap is not None:
        colours: NDArray[Any] = np.moveaxis(page.colormap, 0, -1)[stored]
        return colours
    if stored.ndim == 3 and page.photometric != _RGB:
        stored = _grey(page, stored)
    if page.photometric == _MINISWHITE and stored.dtype.kind in "bu":
        stored = np.invert(stored)
    return stored


def _grey(page: tifffile.TiffPage, stored: NDArray[Any]) -> NDArray[Any]:
    """Return the first band if the others repeat it or are alpha; which else to annotate, nobody can tell."""
    alphas = sum(kind in _ALPHA for kind in page.extrasamples)
    bands = stored[..., : stored.shape[2] - alphas]
    if page.photometric in (_MINISWHITE, _MINISBLACK) and (bands == bands[..., :1]).all():
        first: NDArray[Any] = bands[..., 0]
        return first
    raise ImageError(
        f"it has {stored.shape[2]} bands that are not red, green and blue; save the one band to annotate"
    )


def _decode_with_pillow(file: BinaryIO, size: int, page: int) -> NDArray[Any]:
    file.seek(0)
    image = TiffImagePlugin.TiffImageFile(file)
    image.seek(page)
    check_pixels(image.size, size)
    bits = max(image.tag_v2.get(258, (1,)))
    if bits > 8 and len(image.getbands()) > 1:
        raise ImageError(
            f"it is compressed colour of {bits} bits, which Pillow would cut to 8; save it uncompressed or "
            "with deflate, or: pip install imagecodecs"
        )
    return to_array(image)
