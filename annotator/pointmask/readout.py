"""Frames that were read out or stored otherwise than they were seen: rows in two halves, bytes exchanged."""

from collections.abc import Callable
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
_SAMPLE = 64  # lines that are looked at, whole
# Frames that a quarter of these lines clears, with room to spare, are looked at no further: 199 of 200 of
# SIRST3's, and none of 4,671 with combs (2026-12-01).
_FEW = 16
_CLEAR = 1.2
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
    dtype = _quick(band.dtype)
    with np.errstate(invalid="ignore", over="ignore"):
        near, far = _apart(band[:, :: max(1, width // _FEW)].astype(dtype))
        if far >= _CLEAR * near:
            return False
        near, far = _apart(band[:, :: max(1, width // _SAMPLE)].astype(dtype))
        return bool(far < _COMB * near)


def _apart(some: NDArray[Any]) -> tuple[float, float]:
    """Return the mean differences of neighbouring rows and of rows two apart."""
    near, far = some[1:] - some[:-1], some[2:] - some[:-2]
    return _mean_of_absolutes(near), _mean_of_absolutes(far)


def _mean_of_absolutes(values: NDArray[Any]) -> float:
    """Return the mean of absolute values, which take the place of the values; `mean` itself takes longer."""
    return float(np.abs(values, out=values).sum()) / values.size


def _quick(dtype: np.dtype[Any]) -> type[np.floating[Any]]:
    """Return a type of floats that holds these numbers exactly: that of half the size, if it does."""
    is_small = dtype == np.float32 or (dtype.kind in "iu" and dtype.itemsize <= 2)
    return np.float32 if is_small else np.float64


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
    few = band[:: max(1, len(band) // _FEW)]
    # Deviations from the mean are at most twice those from the median, and take no search for it.
    other = _roughness(few.byteswap(), np.mean)
    if other >= _CLEAR * _SMOOTH or _roughness(few, np.mean) <= other:
        return False
    some = band[:: max(1, len(band) // _SAMPLE)]
    other = _roughness(some.byteswap(), np.median)
    return other < _SMOOTH and _roughness(some, np.median) > _ROUGHER * other


def _roughness(band: NDArray[Any], middle: Callable[[NDArray[Any]], Any]) -> float:
    """
    Return the mean step between neighbours of a row in mean deviations from the middle; 0 for flat frames.

    In standard deviations, one target whose values pass a multiple of 256 made a quiet sky look exchanged.
    """
    values: NDArray[np.floating[Any]] = band.astype(np.float32 if middle is np.mean else np.float64)
    step = values[:, 1:] - values[:, :-1]
    values -= middle(values)
    return _mean_of_absolutes(step) / (_mean_of_absolutes(values) or 1.0)
