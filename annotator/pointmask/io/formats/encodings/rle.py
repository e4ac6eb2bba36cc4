"""COCO run lengths: column-major, beginning with zeros.

A mask is given by a crop, so encoding never allocates a full frame. From the fourth run on, the compressed
string holds differences to the run before the previous one, in groups of five bits and a continuation bit,
offset into printable ASCII.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MOST_PIXELS = 1 << 28
"""Pixels of the largest image whose mask is decoded, so that a damaged size cannot exhaust memory."""

_FIRST_CHARACTER = 48
_MOST_GROUPS = 8  # 40 bits, more than any run of `MOST_PIXELS` needs
_CONTINUES, _SIGN, _BITS = 0x20, 0x10, 5


def encode(pixels: NDArray[np.bool_], row: int, col: int, shape: tuple[int, int]) -> NDArray[np.int64]:
    """Return the run lengths of a mask over the whole image.

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
    NDArray[np.int64]
        Alternating runs of zeros and ones, zeros first (possibly of length 0), without an empty last run;
        they sum to the number of pixels.

    Raises
    ------
    ValueError
        If the crop extends beyond the image.
    """
    height, width = shape
    if row < 0 or col < 0 or row + pixels.shape[0] > height or col + pixels.shape[1] > width:
        raise ValueError(
            f"a crop of {pixels.shape} at ({row}, {col}) reaches outside of an image of {shape}; clip it"
        )
    cols, rows = np.nonzero(pixels.T)  # in column-major order
    places = (cols + col) * height + (rows + row)
    if not places.size:
        return np.array([height * width], np.int64)
    gaps = np.flatnonzero(np.diff(places) != 1)
    firsts = places[np.concatenate(([0], gaps + 1))]
    lasts = places[np.concatenate((gaps, [-1]))] + 1
    edges = np.empty(2 * len(firsts) + 2, np.int64)
    edges[0], edges[1:-1:2], edges[2:-1:2], edges[-1] = 0, firsts, lasts, height * width
    counts = np.diff(edges)
    return counts if counts[-1] else counts[:-1]


def decode(
    counts: Sequence[int] | NDArray[np.int64], shape: tuple[int, int]
) -> tuple[int, int, NDArray[np.bool_]] | None:
    """Decode run lengths to a mask, cropped to its columns and then its rows.

    Parameters
    ----------
    counts : sequence of int
        Alternating runs of zeros and ones, as from `encode`; runs of length 0 are allowed.
    shape : (int, int)
        Height and width of the image.

    Returns
    -------
    (row, col, pixels) or None
        Position of the first pixel of the crop, and the (h, w) bool crop; None for an empty mask.

    Raises
    ------
    ValueError
        If the image is larger than `MOST_PIXELS`, a run is negative, or the runs do not sum to its size.
    """
    height, width = shape
    if not 0 < height * width <= MOST_PIXELS or height < 0:
        raise ValueError(f"an image of {width} x {height} pixels; 1 to {MOST_PIXELS:,} can be decoded")
    runs = [int(count) for count in counts]
    if min(runs, default=0) < 0 or sum(runs) != height * width:
        raise ValueError(
            f"run lengths add up to {sum(runs)} (smallest {min(runs, default=0)}), but the image has "
            f"{width} x {height} = {height * width} pixels; export the mask again"
        )
    edges = np.concatenate(([0], np.cumsum(np.array(runs, np.int64))))
    firsts, lasts = edges[1:-1:2], edges[2::2]
    set_runs = lasts > firsts
    firsts, lasts = firsts[set_runs], lasts[set_runs]
    if not firsts.size:
        return None
    left, right = int(firsts[0]) // height, (int(lasts[-1]) - 1) // height + 1
    change = np.zeros((right - left) * height + 1, np.int8)
    # Runs may touch if a run of length 0 lies between them, so add instead of assigning.
    np.add.at(change, firsts - left * height, 1)
    np.add.at(change, lasts - left * height, -1)
    strip = np.cumsum(change[:-1], dtype=np.int8).view(np.bool_).reshape(right - left, height).T
    rows = np.flatnonzero(strip.any(axis=1))
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    return top, left, np.ascontiguousarray(strip[top:bottom])


def pack(counts: Sequence[int] | NDArray[np.int64]) -> str:
    """Return the compressed string of run lengths."""
    out = bytearray()
    runs = [int(count) for count in counts]
    for k, run in enumerate(runs):
        rest = run - runs[k - 2] if k > 2 else run
        more = True
        while more:
            group = rest & 0x1F
            rest >>= _BITS
            more = rest != (-1 if group & _SIGN else 0)
            out.append(_FIRST_CHARACTER + group + (_CONTINUES if more else 0))
    return out.decode("ascii")


def unpack(text: str) -> list[int]:
    """Return the run lengths in a compressed string.

    Raises
    ------
    ValueError
        If it contains an invalid character or a number of more than 40 bits, or ends within a number.
    """
    runs: list[int] = []
    value = groups = 0
    for place, character in enumerate(text):
        group = ord(character) - _FIRST_CHARACTER
        if not 0 <= group < 2 * _CONTINUES or groups == _MOST_GROUPS:
            raise ValueError(
                f"character {place} of the compressed run lengths, {character!r}, cannot stand there; "
                "export the mask again"
            )
        value |= (group & 0x1F) << _BITS * groups
        groups += 1
        if group & _CONTINUES:
            continue
        if group & _SIGN:
            value -= 1 << _BITS * groups
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value = groups = 0
    if groups:
        raise ValueError("the compressed run lengths end within a number; export the mask again")
    return runs
