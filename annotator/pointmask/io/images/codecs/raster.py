"""PNG, BMP, JPEG, WebP and JPEG 2000 through Pillow, without losing bits."""

import zlib
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from pointmask.errors import ImageError
from pointmask.io.images.codecs import Codec, orientation_of
from pointmask.io.images.codecs.limits import check_samples

# The plugins are called directly because Image.open refuses frames above 89 megapixels with a global
# limit that is not ours to change; it also costs 10 us per file for trying formats in turn.
_PLUGINS = {
    "PNG": ("PngImagePlugin", "PngImageFile"),
    "BMP": ("BmpImagePlugin", "BmpImageFile"),
    "JPEG": ("JpegImagePlugin", "JpegImageFile"),
    "WebP": ("WebPImagePlugin", "WebPImageFile"),
    "JPEG 2000": ("Jpeg2KImagePlugin", "Jpeg2KImageFile"),
}
_ORIENTATION = 0x112
_JPEG_2000_SIZE = b"\xff\x51"  # marker of the segment that tells size and depth
_FIRST_BYTES = 2**16
# Deflate packs at most 1032 bytes into one and a 1-bit pixel is an eighth of a byte. A header that
# promises more pixels than this lies, and believing it would allocate gigabytes.
MOST_PIXELS_PER_BYTE = 8 * 1032
# Pillow keeps the high byte of 16-bit colour. Its two unpackers, big and little endian, keep the first
# and the second byte of each sample: together they give all 16 bits, whatever the filters and interlace.
_HIGH_LOW = {"RGB;16B": ("RGB;16B", "RGB;16L"), "RGBA;16B": ("RGBA;16B", "RGBA;16L")}


class RasterFile(Codec):
    """A PNG, BMP, JPEG, WebP or JPEG 2000: one frame.

    Parameters
    ----------
    file : BinaryIO
        Open binary file.
    size : int
        Its length in bytes.
    kind : {"PNG", "BMP", "JPEG", "WebP", "JPEG 2000"}
        What the first bytes say it is.
    """

    frames = 1

    def __init__(self, file: BinaryIO, size: int, kind: str) -> None:
        self._file, self._size, self._kind = file, size, kind
        self._orientation: int | None = None

    def orientation(self, frame: int) -> int:
        """Return what the Exif data of the file say; 1 if there are none, or they are damaged."""
        if self._orientation is None:
            self._orientation = _orientation(self._exif())
        return self._orientation

    def shape(self, frame: int) -> tuple[int, int]:
        """Return stored height and width, from the header."""
        width, height = self._open().size
        return height, width

    def decode(self, frame: int) -> NDArray[Any]:
        """Return (H, W) or (H, W, bands); bool, uint8, uint16, int32 or float32. Palettes become RGB.

        Raises
        ------
        ImageError
            If a checksum is wrong, the header promises more pixels than the file can hold or the limit
            allows, or another frame than 0 is asked for. Pillow's own errors pass through.
        """
        if frame != 0:
            raise ImageError(f"frame {frame} was asked for, but a {self._kind} holds frame 0 alone")
        if self._kind == "PNG":
            self._orientation = _orientation(_checked_png(self._file))
        if self._kind == "JPEG 2000":
            _check_jpeg_2000(self._file)
        image = self._open()
        if getattr(image, "n_frames", 1) > 1:
            raise ImageError(
                f"it is an animated {self._kind} of {image.n_frames} pictures; save each as one PNG"  # type: ignore[attr-defined]
            )
        if self._kind != "PNG":
            self._orientation = _orientation(image.info.get("exif", b""))
        raw_mode = image.tile[0][3] if image.tile else None
        if raw_mode in _HIGH_LOW:
            high, low = (_unpack(self._open(), mode) for mode in _HIGH_LOW[raw_mode])
            return high.astype(np.uint16) << 8 | low
        if raw_mode == "LA;16B":
            # Four bytes per pixel like RGBA, so this hands over both bytes of the grey sample as they are.
            pairs = _unpack(image, "RGBA")
            return pairs[..., 0].astype(np.uint16) << 8 | pairs[..., 1]
        return to_array(image)

    def _open(self) -> ImageFile.ImageFile:
        self._file.seek(0)
        image = _plugin(self._kind)(self._file)
        # A constant picture of any size takes a few bytes in WebP and JPEG 2000.
        check_pixels(image, self._size if self._kind in ("PNG", "BMP", "JPEG") else None)
        return image

    def _exif(self) -> bytes:
        """Return the Exif data without decoding the picture."""
        if self._kind != "PNG":
            exif = self._open().info.get("exif", b"")
            return exif if isinstance(exif, bytes) else b""
        self._file.seek(0)
        return next(filter(None, map(_exif_of, _chunks(memoryview(self._file.read())))), b"")


@cache
def _plugin(kind: str) -> type[ImageFile.ImageFile]:
    module, name = _PLUGINS[kind]
    plugin: type[ImageFile.ImageFile] = getattr(import_module(f"PIL.{module}"), name)
    return plugin


def _orientation(exif: bytes) -> int:
    if not exif:
        return 1
    try:
        data = Image.Exif()
        data.load(exif)
        return orientation_of(data.get(_ORIENTATION))
    except Exception:  # Pillow meets damaged metadata with many types; the picture is none the worse
        return 1


def to_array(image: Image.Image) -> NDArray[Any]:
    """Return the pixels of a Pillow image as (H, W) or (H, W, bands), palette resolved to RGB."""
    if image.mode == "P":
        indices = np.asarray(image)  # loads the palette too
        table = np.zeros((256, 3), np.uint8)
        palette = np.array(image.getpalette("RGB"), np.uint8).reshape(-1, 3)[:256]
        table[: len(palette)] = palette
        colours: NDArray[np.uint8] = table[indices]
        return colours
    if image.mode == "I" and image.format == "PNG":
        # Pillow before 11.3 widens 16-bit PNG to 32 bits.
        return np.asarray(image).astype(np.uint16)
    if image.mode in ("CMYK", "YCbCr", "LAB", "PA"):
        image = image.convert("RGB")
    return np.array(image)


def _checked_png(file: BinaryIO) -> bytes:
    """
    Compare the checksums of the chunks that matter, and return the Exif data; empty if there are none.

    Pillow does not do so for pixel data, where one damaged byte in 200 goes unnoticed; this takes less
    than a hundredth of the time of decoding.
    """
    file.seek(0)
    exif = b""
    for start, body, stored in _chunks(memoryview(file.read())):
        exif = exif or _exif_of((start, body, stored))
        if bytes(body[:1]).isupper() and zlib.crc32(body) != int.from_bytes(stored, "big"):
            raise ImageError(
                f"the checksum of its {bytes(body[:4])!r} chunk at byte {start} is wrong; the file is "
                "damaged: copy or export it again"
            )
    return exif


def _exif_of(chunk: tuple[int, memoryview, memoryview]) -> bytes:
    """Return what a chunk holds if it is that of Exif data."""
    body = chunk[1]
    return bytes(body[4:]) if bytes(body[:4]) == b"eXIf" else b""


def _chunks(data: memoryview) -> Iterator[tuple[int, memoryview, memoryview]]:
    """Yield offset, name with body, and checksum of each chunk of a PNG."""
    start = 8
    while start + 12 <= len(data):
        length = int.from_bytes(data[start : start + 4], "big")
        yield start, data[start + 4 : start + 8 + length], data[start + 8 + length : start + 12 + length]
        start += 12 + length


def _check_jpeg_2000(file: BinaryIO) -> None:
    """Refuse what Pillow, without an error, would get wrong: deep colour cut to 8 bits, signed numbers."""
    file.seek(0)
    head = file.read(_FIRST_BYTES)
    start = head.find(b"\xff\x4f" + _JPEG_2000_SIZE)
    if start < 0:
        raise ImageError("its first 64 kB hold no JPEG 2000 codestream; save it as PNG or TIFF")
    count = int.from_bytes(head[start + 40 : start + 42], "big")
    depths = head[start + 42 : start + 42 + 3 * min(count, 4) : 3]
    if any(depth & 0x80 for depth in depths):
        raise ImageError("it is a JPEG 2000 of signed numbers; save it as TIFF")
    if count > 1 and any(depth + 1 > 8 for depth in depths):
        raise ImageError(
            f"it is a JPEG 2000 of {count} bands of {max(depths) + 1} bits, which would be cut to 8; save "
            "the one band to annotate, or save it as TIFF"
        )


def check_pixels(image: Image.Image, size: int | None) -> None:
    """
    Raise ImageError if an image, not yet decoded, is too large.

    Parameters
    ----------
    image : Image
    size : int or None
        Bytes of a file that could not hold many more pixels; None if its format sets no such bound.
    """
    width, height = image.size
    check_samples((height, width, len(image.getbands())))
    if size is not None and width * height > MOST_PIXELS_PER_BYTE * size:
        raise ImageError(
            f"its header promises {width} x {height} pixels, more than {size} bytes can hold; "
            "the file is damaged: copy or export it again"
        )


def _unpack(image: ImageFile.ImageFile, raw_mode: str) -> NDArray[np.uint8]:
    image.tile = [(*tile[:3], raw_mode) for tile in image.tile]  # type: ignore[misc]
    return np.asarray(image)
