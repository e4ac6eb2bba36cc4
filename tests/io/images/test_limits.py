"""Files whose headers promise more than memory holds: refused before anything is allocated."""

import io
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from pointmask.errors import ImageError
from pointmask.io.images import array as images
from pointmask.io.images.codecs.limits import VARIABLE, most_samples

SIDE = 100_000


def png(side, body=b""):
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", body), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def real_png_bomb():
    """One bit per pixel and all of it there: 1.2 MB that unpack to 1.2 GB."""
    packer = zlib.compressobj(9, wbits=-15)
    rows = packer.compress(bytes(1 + SIDE // 8) * 100) + packer.flush(zlib.Z_FULL_FLUSH)
    length = SIDE * (1 + SIDE // 8)
    checksum = struct.pack(">I", length % 65521 << 16 | 1)  # of zeros
    return png(SIDE, b"\x78\xda" + rows * (SIDE // 100) + b"\x03\x00" + checksum)


def pillow(form):
    file = io.BytesIO()
    Image.fromarray(np.zeros((7, 9), np.uint8)).save(file, form)
    return file.getvalue()


def jpeg():
    return pillow("JPEG").replace(struct.pack(">HH", 7, 9), struct.pack(">HH", 65_500, 65_500))


def bmp():
    return pillow("BMP").replace(struct.pack("<ii", 9, 7), struct.pack("<ii", SIDE, SIDE))


def tiff(**options):
    file = io.BytesIO()
    tifffile.imwrite(file, np.zeros((7, 9), np.uint8), **options)
    data = file.getvalue()
    for tag, old in ((256, 9), (257, 7)):
        entry = struct.pack("<HHI", tag, 4, 1) if struct.pack("<HHI", tag, 4, 1) in data else None
        short = struct.pack("<HHIHH", tag, 3, 1, old, 0)
        if entry is None:
            data = data.replace(short, struct.pack("<HHII", tag, 4, 1, SIDE))
        else:
            data = data.replace(entry + struct.pack("<I", old), entry + struct.pack("<I", SIDE))
    return data


def npy():
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        file, {"descr": "|u1", "fortran_order": False, "shape": (SIDE, SIDE)}
    )
    return file.getvalue()


BOMBS = {
    "header.png": png(SIDE),
    "bomb.png": real_png_bomb(),
    "a.jpg": jpeg(),
    "a.bmp": bmp(),
    "plain.tif": tiff(),
    "packed.tif": tiff(compression="zlib"),
    "tiled.tif": tiff(compression="zlib", tile=(16, 16)),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_with_the_limit_before_memory_is_taken(name):
    images.decode(images.encode_png(np.zeros((2, 2), np.uint8)), "a.png")
    tracemalloc.start()
    try:
        with pytest.raises(
            ImageError, match=rf"^{name}: .* more than the limit of 268,435,456; .*{VARIABLE}="
        ):
            images.decode(BOMBS[name], name)
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()


def test_an_array_file_that_promises_too_much_is_truncated(monkeypatch):
    with pytest.raises(ImageError, match=r"a\.npy: it is truncated: 10000000000 bytes are missing"):
        images.decode(npy(), "a.npy")
    file = io.BytesIO()
    np.save(file, np.zeros((30, 4, 5), np.uint8))
    monkeypatch.setenv(VARIABLE, "19")
    with pytest.raises(ImageError, match="4 x 5 = 20 samples, more than the limit of 19"):
        images.decode(file.getvalue(), "a.npy", 3)
    monkeypatch.setenv(VARIABLE, "20")
    assert images.decode(file.getvalue(), "a.npy", 3).shape == (4, 5)


def test_the_limit_can_be_raised_and_lowered(monkeypatch):
    data = images.encode_png(np.zeros((4, 5), np.uint8))
    monkeypatch.setenv(VARIABLE, "19")
    with pytest.raises(ImageError, match=rf"limit of 19; .*export {VARIABLE}=20"):
        images.decode(data, "a.png")
    monkeypatch.setenv(VARIABLE, "20")
    assert images.decode(data, "a.png").shape == (4, 5)
    monkeypatch.setenv(VARIABLE, "")
    assert most_samples() == 2**28
    for wrong in ("0", "-1", "many", "1e9"):
        monkeypatch.setenv(VARIABLE, wrong)
        with pytest.raises(ImageError, match=rf"a\.png: {VARIABLE} is '{wrong}'"):
            images.decode(data, "a.png")
