"""Label Studio's brush masks: run lengths of an RGBA image, packed bit by bit.

The stream begins with the number of values (32 bits), the width of a value minus one (5 bits) and four widths
of run lengths, each minus one (4 bits). A block consists of one bit (1: one repeated value, 0: a sequence of
values), two bits that select a width, the length minus one in that width, and the value or values. Values are
the red, green, blue and alpha of each pixel in row-major order; alpha is the mask.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pointmask.io.formats.encodings.rle import MOST_PIXELS

_BANDS = 4
_ALPHA = 3
_VALUE_BITS = 8
_LENGTH_BITS = (3, 4, 8, 16)
_LONGEST = 1 << _LENGTH_BITS[-1]


def encode(pixels: NDArray[np.bool_], row: int, col: int, shape: tuple[int, int]) -> bytes:
    """Encode a mask, with the value 255 in all four bands of its pixels.

    Parameters
    ----------
    pixels : (h, w) bool
        Crop of the mask; everything else is background.
    row, col : int
        0-based position of the crop's first pixel.
    shape : (int, int)
        Height and width of the image.

    Returns
    -------
    bytes
        The stream, which Label Studio stores as a list of numbers.

    Raises
    ------
    ValueError
        If the image is larger than `pointmask.io.formats.encodings.rle.MOST_PIXELS`.
    """
    values = _check(shape) * _BANDS
    bits = [f"{values:032b}", f"{_VALUE_BITS - 1:05b}", *(f"{width - 1:04b}" for width in _LENGTH_BITS)]
    end = 0
    for start, stop in _runs(pixels, row * shape[1] + col, shape[1]):
        bits.extend(_blocks((start - end) * _BANDS, 0))
        bits.extend(_blocks((stop - start) * _BANDS, 255))
        end = stop
    bits.extend(_blocks(values - end * _BANDS, 0))
    packed = "".join(bits)
    packed += "0" * (-len(packed) % 8)
    return int(packed, 2).to_bytes(len(packed) // 8, "big")


def decode(data: bytes, shape: tuple[int, int]) -> tuple[int, int, NDArray[np.bool_]] | None:
    """Decode a mask: the pixels whose alpha exceeds half of the maximum.

    Parameters
    ----------
    data : bytes
        The stream, from Label Studio's list of numbers.
    shape : (int, int)
        Height and width of the image.

    Returns
    -------
    (row, col, pixels) or None
        Position of the first pixel of a crop that contains the whole mask, and the (h, w) bool crop; None
        for an empty mask.

    Raises
    ------
    ValueError
        If the stream is truncated or has another shape, or the image is larger than
        `pointmask.io.formats.encodings.rle.MOST_PIXELS`.
    """
    runs = [run for run in _alpha(data, shape) if run[2] and run[1] > run[0]]
    half = max((value for *_, value in runs), default=0) / 2
    spans = [(start, stop) for start, stop, value in runs if value > half]
    if not spans:
        return None
    width = shape[1]
    top, bottom = spans[0][0] // width, (spans[-1][1] - 1) // width + 1
    band = np.zeros((bottom - top) * width, np.bool_)
    for start, stop in spans:
        band[start - top * width : stop - top * width] = True
    return top, 0, band.reshape(-1, width)


def _check(shape: tuple[int, int]) -> int:
    pixels = shape[0] * shape[1]
    if shape[0] < 1 or not 1 <= pixels <= MOST_PIXELS:
        raise ValueError(f"an image of {shape[1]} x {shape[0]} pixels; brush masks hold 1 to {MOST_PIXELS:,}")
    return pixels


def _runs(pixels: NDArray[np.bool_], origin: int, width: int) -> Iterator[tuple[int, int]]:
    """Yield start and stop of each run of mask pixels, as row-major indices of the image."""
    padded = np.pad(pixels.astype(np.int8), ((0, 0), (1, 1)))
    step = np.diff(padded, axis=1)
    starts, stops = (
        origin + rows * width + cols for rows, cols in (np.nonzero(step == 1), np.nonzero(step == -1))
    )
    if not starts.size:
        return
    # A run that ends at the right border may continue in the next row.
    starts_run = np.ones(len(starts), np.bool_)
    starts_run[1:] = starts[1:] != stops[:-1]
    ends_run = np.append(starts_run[1:], True)
    yield from zip(starts[starts_run].tolist(), stops[ends_run].tolist(), strict=True)


def _blocks(length: int, value: int) -> Iterator[str]:
    """Yield the bits of blocks that repeat a value ``length`` times."""
    while length:
        part = min(length, _LONGEST)
        choice = next(k for k, width in enumerate(_LENGTH_BITS) if part <= 1 << width)
        yield f"1{choice:02b}{part - 1:0{_LENGTH_BITS[choice]}b}{value:0{_VALUE_BITS}b}"
        length -= part


def _alpha(data: bytes, shape: tuple[int, int]) -> Iterator[tuple[int, int, int]]:
    """Yield start, stop and alpha of each run, including empty ones; nothing is allocated."""
    expected = _check(shape) * _BANDS
    bits = _Bits(data)
    values = bits.read(32)
    if values != expected:
        raise ValueError(
            f"the brush mask holds {values} values, but {shape[1]} x {shape[0]} pixels have {expected}: "
            "export it again"
        )
    value_bits = bits.read(5) + 1
    length_bits = [bits.read(4) + 1 for _ in range(4)]
    start = 0
    while start < values:
        repeated = bits.read(1)
        stop = start + 1 + bits.read(length_bits[bits.read(2)])
        if stop > values:
            raise ValueError(f"the brush mask runs past its {values} values; export it again")
        if repeated:
            yield start // _BANDS, stop // _BANDS, bits.read(value_bits)
        else:
            for place in range(start, stop):
                value = bits.read(value_bits)
                if place % _BANDS == _ALPHA:
                    yield place // _BANDS, place // _BANDS + 1, value
        start = stop


class _Bits:
    """Reader of integers of any bit width, most significant bit first."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 0

    def read(self, width: int) -> int:
        first, self._place = self._place, self._place + width
        last = -(-self._place // 8)
        if last > len(self._data):
            raise ValueError(f"the brush mask is cut short after {len(self._data)} bytes; export it again")
        window = int.from_bytes(self._data[first // 8 : last], "big")
        return (window >> (8 * last - self._place)) & ((1 << width) - 1)
