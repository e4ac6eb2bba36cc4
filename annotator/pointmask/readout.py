"""Frames that were read out or stored otherwise than they were seen: rows in two halves, bytes exchanged."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

SWAPPED = (
    "16-bit frames are smooth only if the two bytes of each pixel are exchanged, so they were stored in the "
    "other byte order and hold no picture; write them again with exchanged bytes (of raw files, give --raw "
    "with u16be for u16le, or the reverse)"
)
COMBED = (
    "odd and even lines of frames differ more than lines two apart, as in interlaced video of moving scenes "
    "and where two amplifiers read one sensor; masks become ragged and too small or too large: deinterlace "
    "the frames, or take the lines of one half"
)
"""For `pointmask.io.notes.note`."""

# Of 1,430 real frames of SIRST3, MDvsFA and DenseSIRST, lines two apart differ by less than 0.8 of what
# neighbours do in the 6 alone that show combs; noise alone gives 1, smooth ones more (2026-11-30).
_COMB = 0.8
_FEWEST = 32  # lines, of which fewer may look like a comb by chance
_SAMPLE = 64  # lines that are looked at, whole: 0.12 ms for 256 x 256 px, 0.24 for 512 x 512
# Noise alone is as rough either way, and of frames in the right order the exchanged bytes are the rougher.
_ROUGHER, _SMOOTH = 2.0, 0.7


def is_combed(band: NDArray[Any]) -> bool:
    """
    Say whether every other row, or every other column, of a frame belongs to another picture.

    Parameters
    ----------
    band : (H, W) real

    Returns
    -------
    bool
        False for frames with pixels that are no finite numbers among those that are looked at.
    """
    return _rows_are_combed(band) or _rows_are_combed(band.T)


def _rows_are_combed(band: NDArray[Any]) -> bool:
    height, width = band.shape
    if min(height, width) < _FEWEST:
        return False
    some = band[:, :: max(1, width // _SAMPLE)].astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        near = np.abs(np.diff(some, axis=0)).mean()
        far = np.abs(some[2:] - some[:-2]).mean()
        return bool(far < _COMB * near)


def is_swapped(band: NDArray[Any]) -> bool:
    """
    Say whether the two bytes of the pixels of a 16-bit frame were exchanged.

    Parameters
    ----------
    band : (H, W) real
        In the byte order of the machine, as it would be used.

    Returns
    -------
    bool
        False for numbers of another size.
    """
    if band.dtype.kind not in "iu" or band.dtype.itemsize != 2 or min(band.shape) < _FEWEST:
        return False
    some = band[:: max(1, len(band) // _SAMPLE)]
    other = _roughness(some.byteswap())
    return other < _SMOOTH and _roughness(some) > _ROUGHER * other


def _roughness(band: NDArray[Any]) -> float:
    """
    Return the mean step between neighbours of a row in mean deviations from the median; 0 for flat frames.

    In standard deviations, one target whose values pass a multiple of 256 made a quiet sky look exchanged.
    """
    values = band.astype(np.float64)
    spread = np.abs(values - np.median(values)).mean()
    return float(np.abs(np.diff(values, axis=1)).mean() / (spread or 1.0))
