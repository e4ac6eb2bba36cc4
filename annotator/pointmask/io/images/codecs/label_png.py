"""Masks and labels to PNG: almost empty, so packed as runs of equal bytes and not filtered.

Measured against Pillow at its quickest level on the masks of the built-in 256 x 256 scenes: 0.044 against
0.095 ms, 172 against 440 bytes. Higher levels of zlib cost more and win nothing here.
"""

import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAGIC = b"\x89PNG\r\n\x1a\n"
"""First bytes of every PNG file."""

_GREY = 0  # colour type of one band without alpha


def encode(labels: NDArray[Any]) -> bytes:
    """Turn an array with large equal areas into a grey PNG file.

    Parameters
    ----------
    labels : (H, W) bool or uint16
        Not empty; bool is stored as 8 bits, 0 and 255.

    Returns
    -------
    bytes
        The file.
    """
    height, width = labels.shape
    wide = labels.dtype == np.uint16
    stored = labels.astype(">u2") if wide else labels.view(np.uint8) * np.uint8(255)
    rows = np.zeros((height, 1 + width * stored.itemsize), np.uint8)  # each row begins with 0: not filtered
    rows[:, 1:] = np.ascontiguousarray(stored).view(np.uint8)
    # The default memory level, 8, takes a fifth longer: its tables are large beside so little data.
    packer = zlib.compressobj(1, zlib.DEFLATED, 15, 4, zlib.Z_RLE)
    body = packer.compress(rows.data) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 8 * stored.itemsize, _GREY, 0, 0, 0)
    return MAGIC + _chunk(b"IHDR", header) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, body: bytes) -> bytes:
    checksum = zlib.crc32(body, zlib.crc32(kind))
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)
