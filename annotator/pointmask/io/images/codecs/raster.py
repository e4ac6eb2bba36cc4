"""PNG, BMP and JPEG through Pillow, without losing bits."""

import zlib
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import BmpImagePlugin, Image, ImageFile, JpegImagePlugin, PngImagePlugin

from pointmask.errors import ImageError
from pointmask.io.images.codecs.limits import check_samples

# The plugins are called directly because Image.open refuses frames above 89 megapixels with a global
# limit that is not ours to change; it also costs 10 us per file for trying formats in turn.
_PLUGINS: dict[str, type[ImageFile.ImageFile]] = {
    "PNG": PngImagePlugin.PngImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "JPEG": JpegImagePlugin.JpegImageFile,
}
# Deflate packs at most 1032 bytes into one and a 1-bit pixel is an eighth of a byte. A header that
# promises more pixels than this lies, and believing it would allocate gigabytes.
MOST_PIXELS_PER_BYTE = 8 * 1032
# Pillow keeps the high byte of 16-bit colour. Its two unpackers, big and little endian, keep the first
# and the second byte of each sample: together they give all 16 bits, whatever the filters and interlace.
_HIGH_LOW = {"RGB;16B": ("RGB;16B", "RGB;16L"), "RGBA;16B": ("RGBA;16B", "RGBA;16L")}


class RasterFile:
    """A PNG, BMP or JPEG: one frame.

    Parameters
    ----------
    file : BinaryIO
        Open binary file.
    size : int
        Its length in bytes.
    kind : {"PNG", "BMP", "JPEG"}
        What the first bytes say it is.
    """

    frames = 1

    def __init__(self, file: BinaryIO, size: int, kind: str) -> None:
        self._file, self._size, self._kind = file, size, kind

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
            _check_png(self._file)
        image = self._open()
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
        image = _PLUGINS[self._kind](self._file)
        check_pixels(image, self._size)
        return image


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


def _check_png(file: BinaryIO) -> None:
    """Compare the checksums of the chunks that matter.

    Pillow does not do so for pixel data, where one damaged byte in 200 goes unnoticed; this takes less
    than a hundredth of the time of decoding.
    """
    file.seek(0)
    data = memoryview(file.read())
    start = 8
    while start + 12 <= len(data):
        length = int.from_bytes(data[start : start + 4], "big")
        body, stored = data[start + 4 : start + 8 + length], data[start + 8 + length : start + 12 + length]
        if bytes(body[:1]).isupper() and zlib.crc32(body) != int.from_bytes(stored, "big"):
            raise ImageError(
                f"the checksum of its {bytes(body[:4])!r} chunk at byte {start} is wrong; the file is "
                "damaged: copy or export it again"
            )
        start += 12 + length


def check_pixels(image: Image.Image, size: int) -> None:
    """Raise ImageError if an image, not yet decoded, is too large for us or for a file of ``size`` bytes."""
    width, height = image.size
    check_samples((height, width, len(image.getbands())))
    if width * height > MOST_PIXELS_PER_BYTE * size:
        raise ImageError(
            f"its header promises {width} x {height} pixels, more than {size} bytes can hold; "
            "the file is damaged: copy or export it again"
        )


def _unpack(image: ImageFile.ImageFile, raw_mode: str) -> NDArray[np.uint8]:
    image.tile = [(*tile[:3], raw_mode) for tile in image.tile]  # type: ignore[misc]
    return np.asarray(image)
