"""A frame as samples that a browser can show: bytes or 16-bit words, whole or with fewer pixels.

Masks are never made from these: they are for looking.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pointmask.click.frames.statistics import Statistics
from pointmask.theta import Polarity

_STEPS = 65_535  # codes of 16 bits but 0, which says that a value is not finite
_TILE = 16  # pooled pixels on a side over which the median is taken that "auto" compares with


@dataclass(frozen=True, slots=True)
class Code:
    """
    How samples stand for values: ``value = code * scale + offset``.

    Attributes
    ----------
    type : {"u8", "u16"}
        Little-endian unsigned integers.
    scale, offset : float
    exact : bool
        Whether the code gives back the very value; else the server must be asked for it.
    nonfinite : bool
        Whether code 0 says that a value is not finite.
    """

    type: Literal["u8", "u16"]
    scale: float
    offset: float
    exact: bool
    nonfinite: bool


def code_for(pixels: NDArray[Any], known: Statistics) -> Code:
    """
    Choose a code for the values of a frame.

    Parameters
    ----------
    pixels : (H, W) array of any real dtype
    known : Statistics
        Of these pixels.

    Returns
    -------
    Code
        8- and 16-bit integers as they are, signed ones shifted; wider integers shifted, if their range
        allows it. All else is coded to 65,535 steps over the robust range, widened by its own width on both
        sides; values beyond are shown as its ends.
    """
    kind, size = pixels.dtype.kind, pixels.dtype.itemsize
    if kind in "ui" and size <= 2:
        shift = 0.0 if kind == "u" else -(2.0 ** (8 * size - 1))
        return Code("u8" if size == 1 else "u16", 1.0, shift, True, False)
    if kind in "ui" and known.high - known.low < _STEPS and abs(known.high) < 2**52:
        return Code("u16", 1.0, known.low - 1, True, False)
    low, high = known.robust
    width = high - low or known.high - known.low or 1.0
    low, high = max(low - width, known.low), min(high + width, known.high)
    # Divided before it is multiplied: the width of a range of extreme floats may be no float.
    scale = (high / _STEPS - low / _STEPS) * (_STEPS / (_STEPS - 1)) or 1.0
    return Code("u16", scale, low - scale, False, not known.finite)


def coded(pixels: NDArray[Any], code: Code) -> NDArray[Any]:
    """
    Write values as samples.

    Parameters
    ----------
    pixels : (H, W) array
        All of the frame, or a part.
    code : Code
        Of the frame.

    Returns
    -------
    (H, W) array of uint8 or uint16, little-endian
    """
    dtype = np.dtype("u1" if code.type == "u8" else "<u2")
    if pixels.dtype.kind == "u" and pixels.dtype.itemsize == dtype.itemsize:
        return pixels.astype(dtype, copy=False)
    if code.exact:
        return (pixels.astype(np.int64) - int(code.offset)).astype(dtype)
    with np.errstate(invalid="ignore", over="ignore"):
        steps = pixels.astype(np.float64) / code.scale - code.offset / code.scale
    clipped = np.clip(np.rint(steps), 1, _STEPS)
    clipped[~np.isfinite(pixels)] = 0
    return clipped.astype(dtype)


def pooled(samples: NDArray[Any], size: int, polarity: Polarity, *, nonfinite: bool = False) -> NDArray[Any]:
    """
    Shrink samples so that small targets stay visible.

    Parameters
    ----------
    samples : (H, W) array of unsigned integers
    size : int
        Side of the square that becomes one pixel; those at the right and lower edge may be cut.
    polarity : {"bright", "dark", "auto"}
        Take the greatest sample of each square, the least, or the one farther from the median around it.
    nonfinite : bool
        0 is no value; it is taken only where a square holds nothing else.

    Returns
    -------
    (ceil(H / size), ceil(W / size)) array of the same type
    """
    if size == 1:
        return samples
    greatest = _reduced(np.maximum, samples, size) if polarity != "dark" else None
    if polarity == "bright":
        assert greatest is not None
        return greatest
    if nonfinite:
        gone = samples == 0
        last = np.iinfo(samples.dtype).max
        least = _reduced(np.minimum, np.where(gone, last, samples), size)
        least[_reduced(np.logical_and, gone, size)] = 0
    else:
        least = _reduced(np.minimum, samples, size)
    if greatest is None:
        return least
    level = _local_median(samples[size // 2 :: size, size // 2 :: size], greatest.shape)
    above, below = greatest.astype(np.float64) - level, level - least
    return np.where(below > above, least, greatest)


def _reduced(ufunc: np.ufunc, samples: NDArray[Any], size: int) -> NDArray[Any]:
    rows = ufunc.reduceat(samples, np.arange(0, samples.shape[0], size), axis=0)
    result: NDArray[Any] = ufunc.reduceat(rows, np.arange(0, samples.shape[1], size), axis=1)
    return result


def _local_median(centres: NDArray[Any], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return medians of square tiles, each repeated over its tile."""
    if not centres.size:
        return np.zeros(shape)
    levels = np.array(
        [
            [np.median(centres[r : r + _TILE, c : c + _TILE]) for c in range(0, centres.shape[1], _TILE)]
            for r in range(0, centres.shape[0], _TILE)
        ]
    )
    rows = np.minimum(np.arange(shape[0]) // _TILE, levels.shape[0] - 1)
    cols = np.minimum(np.arange(shape[1]) // _TILE, levels.shape[1] - 1)
    return levels[np.ix_(rows, cols)]


def value_text(pixels: NDArray[Any], row: int, col: int) -> str:
    """Return the exact value of one pixel as text: as many digits as its type needs."""
    return str(pixels[row, col])
