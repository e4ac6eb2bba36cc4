"""Image files made in memory, in every encoding."""

import io
import struct
import zlib

import numpy as np
import tifffile
from numpy.testing import assert_array_equal

LUMINANCE = (0.299, 0.587, 0.114)


def pillow_bytes(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def tiff_bytes(array, **options):
    file = io.BytesIO()
    tifffile.imwrite(file, array, **options)
    return file.getvalue()


def npy_bytes(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_bytes(samples, colour, depth=16, *, interlaced=False):
    """A PNG as the standard describes it, (H, W, bands), without filters: what Pillow cannot write."""
    passes = [(0, 0, 1, 1)]
    if interlaced:  # Adam7: first row, first column, row step, column step
        passes = [
            (0, 0, 8, 8),
            (0, 4, 8, 8),
            (4, 0, 8, 4),
            (0, 2, 4, 4),
            (2, 0, 4, 2),
            (0, 1, 2, 2),
            (1, 0, 2, 1),
        ]
    rows = []
    for top, left, row_step, col_step in passes:
        part = samples[top::row_step, left::col_step].astype(">u2" if depth == 16 else "u1")
        if part.size:
            rows += [b"\0" + row.tobytes() for row in part]
    height, width = samples.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(interlaced))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"".join(rows)))
        + chunk(b"IEND", b"")
    )


def noise(shape, dtype="u1", seed=0):
    dtype = np.dtype(dtype)
    rng = np.random.default_rng(seed)
    if dtype.kind == "f":
        return rng.normal(size=shape).astype(dtype)
    return rng.integers(
        np.iinfo(dtype).min, np.iinfo(dtype).max, shape, dtype.newbyteorder("="), endpoint=True
    )


def luminance(bands):
    return sum(bands[..., k].astype(np.float64) * weight for k, weight in enumerate(LUMINANCE))


def assert_same_image(found, expected):
    assert_array_equal(found, expected)
    assert found.dtype == expected.dtype.newbyteorder("=")
    assert found.dtype.isnative
    assert found.flags.c_contiguous
    assert found.flags.writeable
    assert found.ndim == 2


def pgm(array, top=None, kind=b"P5"):
    top = top or (255 if array.dtype == np.uint8 else 65535)
    head = b"%s\n# made by a test\n%d %d\n%d\n" % (kind, array.shape[1], array.shape[0], top)
    return head + array.astype(">u2" if top > 255 else "u1").tobytes()
