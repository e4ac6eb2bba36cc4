"""TIFF in all its layouts, stacks read page by page, and pages that only Pillow can unpack."""

import io
import re
import struct

import numpy as np
import pytest
import tifffile
from numpy.testing import assert_array_equal
from PIL import Image, features

from pointmask.advice import install
from pointmask.errors import ImageError
from pointmask.io.images.codecs.tiff.page import single_page
from pointmask.io.images.file import ImageFile

RNG = np.random.default_rng(0)
LZW, PACKBITS, JPEG_2000 = 5, 32773, 34712


def numbers(shape, dtype):
    return (RNG.random(shape) * 250).astype(dtype)


def written(stack, **options):
    file = io.BytesIO()
    tifffile.imwrite(file, stack, metadata=None, **options)
    return file.getvalue()


def opened(data):
    return ImageFile(io.BytesIO(data), "a.tif")


def relabelled(data, compression, order="<"):
    """The same file saying that it is compressed in another way."""
    tag = data.index(struct.pack(order + "HHI", 259, 3, 1))
    return data[: tag + 8] + struct.pack(order + "H", compression) + data[tag + 10 :]


LAYOUTS = [
    {
        "bigtiff": big,
        "byteorder": order,
        "tile": tile,
        "compression": packed,
        "predictor": bool(packed) and first,
    }
    for big in (False, True)
    for order in "<>"
    for tile in (None, (16, 32))
    for packed, first in ((None, False), ("zlib", False), ("zlib", True))
]


@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", "f4", "f8"])
def test_every_layout_of_a_stack(dtype):
    stack = numbers((3, 40, 50), dtype)
    for layout in LAYOUTS:
        if dtype.startswith("f") and layout["predictor"]:
            continue  # tifffile writes that with imagecodecs only
        with opened(written(stack, photometric="minisblack", **layout)) as file:
            assert file.frames == 3, layout
            for k in (2, 0, 1):
                assert_array_equal(file.decode(k), stack[k], err_msg=str(layout))


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("tile", [None, (16, 32)])
def test_equal_bands_in_any_plane_order_are_one(planar, tile):
    grey = numbers((40, 50), "u2")
    bands = np.stack([grey] * 3, axis=-1 if planar == "contig" else 0)
    data = written(bands, photometric="rgb", planarconfig=planar, tile=tile)
    assert_array_equal(opened(data).decode(), grey)


def test_a_page_as_a_file_of_its_own():
    for layout in LAYOUTS[::2]:
        stack = numbers((3, 40, 50), "u2")
        source = io.BytesIO(written(stack, photometric="minisblack", **layout))
        with tifffile.TiffFile(source) as tiff:
            for page, expected in zip(tiff.pages, stack, strict=True):
                alone = single_page(page, source)
                assert len(alone) < expected.nbytes * 2
                with tifffile.TiffFile(io.BytesIO(alone)) as found:
                    assert len(found.pages) == 1
                    assert not found.is_bigtiff
                    assert_array_equal(found.asarray(), expected)


def test_a_page_as_a_file_of_its_own_keeps_colours_and_planes():
    bands = numbers((3, 40, 50), "u1")
    source = io.BytesIO(written(bands, photometric="rgb", planarconfig="separate"))
    with tifffile.TiffFile(source) as tiff:
        assert_array_equal(tifffile.imread(io.BytesIO(single_page(tiff.pages[0], source))), bands)
    table = np.arange(768, dtype=np.uint16).reshape(3, 256)
    indices = np.arange(100, dtype=np.uint8).reshape(10, 10)
    source = io.BytesIO(written(indices, photometric="palette", colormap=table))
    with tifffile.TiffFile(source) as tiff:
        image = Image.open(io.BytesIO(single_page(tiff.pages[0], source)))
        assert image.mode == "P"
        assert_array_equal(np.asarray(image), indices)


class Counting(io.BytesIO):
    """Counts what is read."""

    taken = 0

    def read(self, size=-1):
        found = super().read(size)
        self.taken += len(found)
        return found

    def readinto(self, buffer):
        count = super().readinto(buffer)
        self.taken += count
        return count


def lzw_stack(pages):
    images = [Image.fromarray(numbers((32, 32), "u2")) for _ in range(pages)]
    file = io.BytesIO()
    images[0].save(file, "TIFF", save_all=True, append_images=images[1:], compression="tiff_lzw")
    return file.getvalue(), [np.asarray(image) for image in images]


@pytest.mark.parametrize("kind", ["plain", "lzw"])
def test_a_frame_costs_the_same_wherever_it_lies(kind):
    if kind == "lzw":
        data, stack = lzw_stack(200)
    else:
        stack = numbers((200, 32, 32), "u2")
        data = written(stack, photometric="minisblack", contiguous=False)
    source = Counting(data)
    with ImageFile(source, "a.tif") as file:
        assert file.frames == 200
        costs = []
        for k in (1, 50, 198, 199):
            before = source.taken
            assert_array_equal(file.decode(k), stack[k])
            costs.append(source.taken - before)
    assert max(costs) < 3 * min(costs)
    assert max(costs) < len(data) / 20


def test_a_chain_that_breaks_is_an_error_each_time_it_is_met():
    data = bytearray(written(numbers((3, 8, 8), "u1"), photometric="minisblack", contiguous=False))
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        offsets = [page.offset for page in tiff.pages]
    links = data.index(struct.pack("<I", offsets[2]))
    data[links : links + 4] = struct.pack("<I", len(data) + 100)
    with opened(bytes(data)) as file:
        file.decode(1)
        for _ in range(2):
            with pytest.raises(ImageError, match="page 2 lies outside"):
                file.decode(2)
    with opened(bytes(data)) as file, pytest.raises(ImageError, match="page 2 lies outside"):
        _ = file.frames


def test_zstd_is_read_through_pillow():
    if not features.check("libtiff"):
        pytest.skip("this Pillow has no libtiff")
    array, file = numbers((20, 30), "u2"), io.BytesIO()
    try:
        Image.fromarray(array).save(file, "TIFF", compression="zstd")
    except OSError:
        pytest.skip("this Pillow's libtiff has no zstd")
    assert_array_equal(opened(file.getvalue()).decode(), array)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            relabelled(written(numbers((8, 8), "f4"), byteorder=">", compression="zlib"), LZW, ">"),
            "swap the bytes",
        ),
        (
            relabelled(written(numbers((8, 8), "i2"), byteorder=">", compression="zlib"), LZW, ">"),
            "swap the bytes",
        ),
        (relabelled(written(numbers((8, 8, 3), "u2"), compression="zlib"), LZW), "16 bits to 8"),
        (relabelled(written(numbers((8, 8), "f8"), compression="zlib"), LZW), "cannot be decoded"),
        (relabelled(written(numbers((8, 8), "u1"), compression="zlib"), JPEG_2000), "cannot be decoded"),
    ],
)
def test_what_pillow_would_get_wrong_is_refused_with_the_extra_that_helps(data, words):
    try:
        import imagecodecs  # noqa: F401
    except ImportError:
        with pytest.raises(ImageError, match=rf"^a\.tif: .*{words}.*{re.escape(install('tiff'))}"):
            opened(data).decode()
    else:
        pytest.skip("imagecodecs is installed: Pillow is not asked")
