"""TIFF through tifffile; Pillow steps in for compressions that tifffile leaves to extra packages."""

import io
import logging
import struct
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import TiffImagePlugin

from pointmask.advice import install
from pointmask.errors import ImageError
from pointmask.io.images.codecs import Codec, check_frame, orientation_of
from pointmask.io.images.codecs.limits import check_samples
from pointmask.io.images.codecs.raster import MOST_PIXELS_PER_BYTE, check_pixels, to_array
from pointmask.io.images.codecs.tiff.page import single_page

# tifffile logs what it finds wrong; without a handler Python would write that to stderr.
logging.getLogger("tifffile").addHandler(logging.NullHandler())

_SUBFILE_TYPE = 254  # sorted first in a directory
_THUMBNAIL_OR_MASK = 1 | 4
_MINISWHITE, _MINISBLACK, _RGB, _PALETTE = 0, 1, 2, 3
_ALPHA = (1, 2)  # associated or not
_PACKBITS = 32773
_ORIENTATION, _NO_DATA = 274, 42113  # the second is GDAL's: a number as text
_NO_CODEC = ("imagecodecs", "not supported")  # how tifffile, new and old, says so


class TiffPages(Codec):
    """Pages as frames; the page index grows as frames are asked for, and is kept.

    Parameters
    ----------
    file : BinaryIO
        Open binary file.
    size : int
        Its length in bytes.
    """

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._size = file, size
        self._rest = _frames(file, size)
        self._places: list[tuple[int, int]] = []  # page index and offset, by frame
        self._broken: Exception | None = None
        self._tiff: tifffile.TiffFile | None = None
        self._page: tuple[int, tifffile.TiffPage] | None = None  # the last one, by frame

    @property
    def frames(self) -> int:
        """Number of pages; thumbnails and transparency masks among them are not counted."""
        self._index(None)
        if not self._places:
            raise ImageError("it holds no image; export it again")
        return len(self._places)

    def decode(self, frame: int) -> NDArray[Any]:
        """Read one page: (H, W) or (H, W, bands) as stored; inverted if white is stored as zero.

        Raises
        ------
        ImageError
            If there is no such frame, the page is cut short or too large, or it is no image.
        """
        page = self._checked(frame)
        try:
            stored = page.asarray(maxworkers=1)
        except (ValueError, KeyError, ImportError) as error:
            if not (isinstance(error, ImportError) or any(words in str(error) for words in _NO_CODEC)):
                raise
            return _decode_with_pillow(page, self._file)
        return _bands_last(page, stored)

    def orientation(self, frame: int) -> int:
        """Return what tag 274 of the page says; 1 if it has none."""
        tag = self._checked(frame).tags.get(_ORIENTATION)
        return 1 if tag is None else orientation_of(tag.value)

    def no_data(self, frame: int) -> float | None:
        """Return what GDAL wrote into tag 42113 of the page, if it is a number."""
        tag = self._checked(frame).tags.get(_NO_DATA)
        try:
            return None if tag is None else float(str(tag.value).strip(" \0"))
        except ValueError:
            return None

    def shape(self, frame: int) -> tuple[int, int]:
        """Return stored height and width of a page, from its tags."""
        page = self._checked(frame)
        return page.imagelength, page.imagewidth

    def _checked(self, frame: int) -> tifffile.TiffPage:
        """Return the page of a frame; its tags are read once as long as no other frame is asked for."""
        if self._page is not None and self._page[0] == frame:
            return self._page[1]
        page_index, offset = self._locate(frame)
        if self._tiff is None:
            self._file.seek(0)
            self._tiff = tifffile.TiffFile(self._file)
        tiff = self._tiff
        # The page is made from its offset: tiff.pages[k] would walk the chain once more.
        tiff.filehandle.seek(offset)
        page = tifffile.TiffPage(tiff, page_index)
        _check(page, self._size)
        _refuse_hidden_frames(tiff, page)
        self._page = frame, page
        return page

    def _locate(self, frame: int) -> tuple[int, int]:
        """Return the index of the page of a frame and its offset."""
        self._index(frame)
        if not 0 <= frame < len(self._places):
            check_frame(frame, self.frames)
        return self._places[frame]

    def _index(self, frame: int | None) -> None:
        """Follow the chain of pages as far as this frame; None for all of it."""
        if self._broken is not None:
            raise self._broken
        try:
            while frame is None or len(self._places) <= frame:
                self._places.append(next(self._rest))
        except StopIteration:
            return
        except Exception as error:  # of whatever type: it must not look like the end next time
            self._broken = error
            raise


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
    check_samples(page.shape)
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


def _decode_with_pillow(page: tifffile.TiffPage, file: BinaryIO) -> NDArray[Any]:
    compression = getattr(page.compression, "name", page.compression)
    fault = _fault_of_pillow(page)
    if fault:
        raise ImageError(
            f"it is compressed with {compression}, and Pillow {fault}; {install('tiff')}, "
            "or save it uncompressed or with deflate"
        )
    data = single_page(page, file)
    try:
        image = TiffImagePlugin.TiffImageFile(io.BytesIO(data))
        check_pixels(image, len(data))
        return to_array(image)
    except (OSError, SyntaxError, KeyError) as error:  # what Pillow raises for what it does not know
        raise ImageError(
            f"its {compression} compression cannot be decoded ({error}); if the file is whole: "
            f"{install('tiff')}, or save it uncompressed or with deflate"
        ) from None


def _fault_of_pillow(page: tifffile.TiffPage) -> str:
    """Say what Pillow, without an error, would get wrong; empty if nothing is known."""
    if page.bitspersample > 8 and page.samplesperpixel > 1:
        return f"would cut colour of {page.bitspersample} bits to 8"
    if page.parent.byteorder == ">" and page.dtype not in (np.bool_, np.uint8, np.uint16):
        return f"would swap the bytes of {page.dtype}"
    if page.compression == _PACKBITS and page.predictor != 1:
        return "would pass over its predictor"
    return ""
