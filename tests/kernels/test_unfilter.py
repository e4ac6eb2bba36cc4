"""PNG files decoded without Pillow: the same pixels, and whatever is unusual is left to it."""

import io
import struct
import zlib

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image, PngImagePlugin
from tools.naive import png as naive

from pointmask.errors import ImageError
from pointmask.io.images.codecs import png
from pointmask.io.images.file import ImageFile
from pointmask.kernels.unfilter import unfilter

PIXELS = np.random.default_rng(3).integers(0, 2**16, (23, 17, 3))
GREY, DEEP = PIXELS[..., 0].astype(np.uint8), PIXELS[..., 0].astype(np.uint16)
COLOUR = PIXELS.astype(np.uint8)


def written(pixels, mode=None, **options):
    file = io.BytesIO()
    Image.fromarray(pixels, mode).save(file, "PNG", **options)
    return file.getvalue()


def packed(rows, width, bits=8, colour=0, interlaced=0, extra=b""):
    """Make a file of filtered rows."""
    header = struct.pack(">IIBBBBB", width, len(rows), bits, colour, 0, 0, interlaced)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes()) + extra), (b"IEND", b"")]
    return png.MAGIC + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    )


@pytest.mark.parametrize("step", [1, 2, 3])
@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (9, 1), (11, 8)])
def test_filters_are_undone_as_the_slow_twin_does(shape, step):
    rng = np.random.default_rng(step)
    rows = rng.integers(0, 256, (shape[0], 1 + shape[1] * step), np.uint8)
    rows[:, 0] %= 5
    pixels = np.empty((shape[0], shape[1] * step), np.uint8)
    assert unfilter(rows, step, pixels)
    assert_array_equal(pixels, naive.unfilter(rows, step))


def test_a_filter_of_another_number_is_refused():
    assert not unfilter(np.full((2, 3), 5, np.uint8), 1, np.empty((2, 2), np.uint8))


@pytest.mark.parametrize(("bits", "colour"), [(8, 0), (16, 0), (8, 2)])
def test_all_filters_give_the_pixels_that_pillow_gives(bits, colour):
    step = 3 if colour else bits // 8
    rows = np.random.default_rng(bits + colour).integers(0, 256, (40, 1 + 13 * step), np.uint8)
    rows[:, 0] %= 5
    data = packed(rows, 13, bits, colour)
    found = png.decode(data, unfilter)
    with Image.open(io.BytesIO(data)) as image:
        expected = np.array(image)
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    assert_array_equal(found, expected)
    with ImageFile(io.BytesIO(data), "a.png") as file:
        assert_array_equal(file.decode(0, unfilter), file.decode(0))


def test_unusual_pictures_are_left_to_pillow():
    info = PngImagePlugin.PngInfo()
    info.add(b"zTXt", b"packed\0\0" + zlib.compress(b"a"))
    exif = Image.Exif()
    exif[0x112] = 6
    unusual = {
        "palette": written(GREY % 8, "P"),
        "bits": written(GREY > 100),
        "alpha": written(np.stack([GREY, GREY], axis=2), "LA"),
        "packed text": written(GREY, pnginfo=info),
        "orientation": written(GREY, exif=exif),
        "animated": written(GREY, save_all=True, append_images=[Image.fromarray(GREY.T.copy().T // 2)]),
        "transparent": written(GREY, transparency=3),
        "interlaced": packed(np.zeros((8, 9), np.uint8), 8, interlaced=1),
    }
    assert {name for name, data in unusual.items() if png.decode(data, unfilter) is not None} == set()
    assert png.decode(written(GREY, dpi=(72, 72)), unfilter) is not None


@pytest.mark.parametrize("pixels", [GREY, DEEP, COLOUR], ids=["grey", "deep", "colour"])
def test_a_damaged_file_ends_as_it_does_with_pillow(pixels):
    data = written(pixels)
    rng = np.random.default_rng(0)
    for at in [*rng.integers(0, len(data), 120).tolist(), len(data) - 1]:
        broken = bytearray(data)
        broken[at] ^= 1 << int(rng.integers(8))
        for damaged in (bytes(broken), data[:at], data + data[:at]):
            assert outcome(damaged, unfilter) == outcome(damaged, None)


def outcome(data, by):
    try:
        with ImageFile(io.BytesIO(data), "a.png") as file:
            found = file.decode(0, by)
            return found.tobytes(), found.shape, found.dtype
    except ImageError as error:
        return str(error)


@pytest.mark.parametrize("rows", [np.full((3, 5), 9, np.uint8), np.zeros((2, 5), np.uint8)])
def test_pixels_that_are_not_there_are_left_to_pillow(rows):
    """Filters of unknown number, and a row too few."""
    data = packed(rows, 4)
    data = data.replace(struct.pack(">II", 4, len(rows)), struct.pack(">II", 4, 3))
    start = data.index(b"IHDR")
    header = data[start : start + 17]
    data = data.replace(data[start + 17 : start + 21], struct.pack(">I", zlib.crc32(header)))
    assert png.decode(data, unfilter) is None


def test_the_limit_of_pixels_holds(monkeypatch):
    monkeypatch.setenv("POINTMASK_MAX_PIXELS", "100")
    with pytest.raises(ImageError, match="100"), ImageFile(io.BytesIO(written(GREY)), "a.png") as file:
        file.decode(0, unfilter)
