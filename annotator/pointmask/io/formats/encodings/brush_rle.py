"""Label Studio's brush masks: run lengths of an RGBA picture, packed bit by bit.

The stream begins with the number of values (32 bits), the width of a value less one (5 bits) and four
widths of run lengths, each less one (4 bits). A block is one bit (1: one value repeated, 0: as many
values), two bits that choose a width, the length less one in that width, and the value or values. The
values are the red, green, blue and alpha of each pixel, row by row; alpha is the mask.
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
    """Pack a mask; its pixels become 255 in all four bands.

    Parameters
    ----------
    pixels : (h, w) bool
        The mask where it may be set; all else is background.
    row, col : int
        0-based place of its first pixel.
    shape : (int, int)
        Height and width of the image.

    Returns
    -------
    bytes
        Label Studio stores them as a list of numbers.

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
    """Unpack a mask: the pixels whose alpha is above half of the largest.

    Parameters
    ----------
    data : bytes
        The numbers of Label Studio's list.
    shape : (int, int)
        Height and width of the image.

    Returns
    -------
    (row, col, pixels) or None
        Place of the first pixel of a crop that holds the whole mask, and the (h, w) bool crop; None for an
        empty mask.

    Raises
    ------
    ValueError
        If the stream is cut short or that of another shape, or the image is larger than
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
    """Yield first and last + 1 of each run of mask pixels, counted along the rows of the image."""
    padded = np.pad(pixels.astype(np.int8), ((0, 0), (1, 1)))
    step = np.diff(padded, axis=1)
    starts, stops = (
        origin + rows * width + cols for rows, cols in (np.nonzero(step == 1), np.nonzero(step == -1))
    )
    if not starts.size:
        return
    whole = np.ones(len(starts), np.bool_)  # a run that ends at the right border may go on in the next row
    whole[1:] = starts[1:] != stops[:-1]
    last = np.append(whole[1:], True)
    yield from zip(starts[whole].tolist(), stops[last].tolist(), strict=True)


def _blocks(length: int, value: int) -> Iterator[str]:
    """Yield the bits of blocks that repeat a value ``length`` times."""
    while length:
        part = min(length, _LONGEST)
        choice = next(k for k, width in enumerate(_LENGTH_BITS) if part <= 1 << width)
        yield f"1{choice:02b}{part - 1:0{_LENGTH_BITS[choice]}b}{value:0{_VALUE_BITS}b}"
        length -= part


def _alpha(data: bytes, shape: tuple[int, int]) -> Iterator[tuple[int, int, int]]:
    """Yield first and last + 1 pixel and alpha of each run, empty ones included; nothing is allocated."""
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
    """Whole numbers of any width out of bytes, most significant bit first."""

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
