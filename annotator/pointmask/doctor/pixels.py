"""What the numbers of one frame tell about how it was exported."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointmask.defects import mend
from pointmask.doctor.findings import Note
from pointmask.io.images.file import TINT, ImageFile
from pointmask.readout import is_combed, is_swapped

_FEW_LEVELS = 16  # in a whole frame: a target a few levels above its surroundings cannot be outlined
_LEAST_SPREAD = 16  # levels between the 2nd and 98th percentile; a narrower frame cannot show a comb
_COMB = 0.75  # share of levels in use below which a histogram has gaps
_PER_LEVEL = 50  # pixels per level; of fewer, levels are missing by chance
_FAR, _MIDDLE = 192, 64  # steps between neighbours: over the edge of 8 bits, and across half of them
_LEAST_FAR = 0.002  # of all steps between neighbours
_LEAST_STEP = 8  # levels that an even frame may differ by over the edge of 8 bits
_EVEN = 0.75  # share of a row that has one value where it is a bar's or a dead line's
_COLOUR_MODES = ("RGB", "RGBA", "P", "PA", "YCbCr", "CMYK", "LAB", "HSV")

_FEWEST_FRAMES = 10  # frames; a pixel has the same value in two quiet frames by chance
_MOST_STILL = 0.02  # of the pixels: where more never change, it is the scene that is still or saturated
_SIZES = 8  # looked at, so that memory is bounded
_NAMED = 5  # pixels


_Key = tuple[tuple[int, ...], str]


def depth_of(pixels: NDArray[Any]) -> int:
    """Bits that the largest value of an (H, W) frame of unsigned integers needs; 0 for other types."""
    return int(pixels.max()).bit_length() if pixels.dtype.kind == "u" else 0


def pixel_notes(shown: str, pixels: NDArray[Any], file: ImageFile, frame: int) -> Iterator[Note]:
    """
    Say what is odd about the numbers of a frame.

    Parameters
    ----------
    shown : str
        Name for messages.
    pixels : (H, W) real
        The frame as decoded.
    file : ImageFile
        The open file, for its bands.
    frame : int
    """
    finite = np.isfinite(pixels)
    count = int(finite.size - np.count_nonzero(finite))
    if count:
        yield "not finite", f"{shown}: {count:,} of {pixels.size:,} pixels"
    values = pixels[finite] if count else pixels
    if values.min() == values.max():
        yield "constant", f"{shown}: {values.flat[0]} everywhere"
        return
    if is_swapped(pixels):
        yield "swapped bytes", f"{shown}: smooth only with the two bytes of each pixel exchanged"
        return
    if is_combed(pixels):
        yield "combed", f"{shown}: lines two apart are more alike than neighbours"
    mended = mend(pixels)
    if mended.live is not None:
        top, left, bottom, right = mended.live
        inside = f"rows {top} to {bottom - 1} and columns {left} to {right - 1}"
        yield "margins", f"{shown}: the image lies in {inside}"
    if mended.lines:
        yield "lines", f"{shown}: {', '.join(line.named(pixels.shape) for line in mended.lines)}"
    bad = mended.found.places
    if len(bad):
        yield "defects", f"{shown}: {len(bad):,} of {pixels.size:,} pixels, such as {_places(bad)}"
    if pixels.dtype.kind == "f" and file.colour_mode in _COLOUR_MODES:
        yield from _band_notes(shown, file.bands(frame))
    if pixels.dtype in (np.uint8, np.uint16):
        yield from _level_notes(shown, pixels)


def _band_notes(shown: str, stored: NDArray[Any]) -> Iterator[Note]:
    if stored.ndim == 3:
        spread = stored.max(axis=2).astype(np.float64) - stored.min(axis=2)
        if spread.mean() > TINT * max(float(stored.max()), 1.0):
            yield "bands", f"{shown}: by up to {spread.max():g} levels, by {spread.mean():.2g} in the mean"


def _level_notes(shown: str, pixels: NDArray[Any]) -> Iterator[Note]:
    counts = np.bincount(pixels.ravel(), minlength=256)
    levels = np.flatnonzero(counts)
    if len(levels) < _FEW_LEVELS:
        yield "few levels", f"{shown}: {len(levels)} levels from {levels[0]} to {levels[-1]}"
        return
    if pixels.dtype == np.uint16:
        yield from _deep_notes(shown, levels)
    elif _is_wrapped(pixels):
        yield "wrapped", f"{shown}: smooth but for jumps between 0 and 255"
        return
    low, high = np.searchsorted(np.cumsum(counts), [0.02 * pixels.size, 0.98 * pixels.size])
    width = int(high - low) + 1
    used = int(np.count_nonzero(counts[low : high + 1]))
    if _LEAST_SPREAD <= width <= pixels.size / _PER_LEVEL and used < _COMB * width:
        yield "stretched", f"{shown}: {used:,} of the {width:,} levels from {low} to {high} are in use"


def _deep_notes(shown: str, levels: NDArray[Any]) -> Iterator[Note]:
    step = int(np.gcd.reduce(np.diff(levels)))
    if levels[-1] <= 255:
        yield "shallow", f"{shown}: no value above {levels[-1]}"
    elif step > 1:
        yield "stretched", f"{shown}: {len(levels):,} levels, all {step} or more apart"


def _is_wrapped(pixels: NDArray[np.uint8]) -> bool:
    """
    Say whether an 8-bit frame jumps from end to end where it ought to be smooth.

    Only a frame that is neither saturated nor two-tone can tell: in it, steps across half of the range
    are more frequent than those across all of it. Bars, dead lines, text and reticles jump as well; but bars
    and lines have one value, and steps to text, counted round the range, are larger than the others.
    """
    inner = np.count_nonzero((pixels >= 32) & (pixels < 224))
    if 2 * inner < pixels.size or not _has_many(_steps(pixels), _FAR):
        return False
    for _ in range(2):
        pixels = _without_even_lines(pixels).T
        if len(pixels.T) < 2:
            return False
    steps = _steps(pixels)
    usual = int(np.searchsorted(np.cumsum(steps), 0.95 * steps[: _MIDDLE + 1].sum()))
    far = max(_FAR, 256 - max(_LEAST_STEP, 2 * usual))
    middle = steps[_MIDDLE + 1 : _FAR + 1].sum()
    return _has_many(steps, far) and bool(steps[far + 1 :].sum() > 8 * middle)


def _steps(pixels: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Count the steps between neighbours in rows and columns by their size, ``(256,)``."""
    steps = (np.abs(np.diff(pixels.astype(np.int16), axis=axis)).ravel() for axis in (0, 1))
    return np.bincount(np.concatenate(list(steps)), minlength=256)


def _has_many(steps: NDArray[np.intp], far: int) -> bool:
    """Whether many of the steps are larger than `far`."""
    return bool(steps[far + 1 :].sum() > _LEAST_FAR * steps.sum())


def _without_even_lines(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Leave out rows of which most pixels have the same value, as those of bars and of dead lines."""
    usual = np.median(pixels, axis=1, keepdims=True)
    kept: NDArray[np.uint8] = pixels[np.mean(pixels == usual, axis=1) < _EVEN]
    return kept


def moderate(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return float pixels times a power of two if they, or their squares, leave the range of float32."""
    if pixels.dtype.kind != "f":
        return pixels
    exponent = int(np.frexp(np.abs(pixels[np.isfinite(pixels)]).max(initial=0.0))[1])
    return np.ldexp(pixels, -exponent) if abs(exponent) > 60 else pixels


@dataclass(slots=True)
class _Still:
    frames: int
    first: NDArray[Any]
    unchanged: NDArray[np.bool_]


@dataclass(slots=True)
class Unchanging:
    """Remembers which pixels had the same value in all frames of one size and type; for any thread."""

    _seen: dict[_Key, _Still] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def add(self, pixels: NDArray[Any]) -> None:
        """Compare one more frame with those before."""
        key = pixels.shape, str(pixels.dtype)
        with self._guard:
            seen = self._seen.get(key)
            if seen is not None:
                seen.frames += 1
                seen.unchanged &= pixels == seen.first
            elif len(self._seen) < _SIZES:
                self._seen[key] = _Still(1, pixels.copy(), np.ones(pixels.shape, np.bool_))

    def notes(self) -> Iterator[Note]:
        """Say of each size with enough frames which pixels never change while nearly all others do."""
        for (shape, _), seen in sorted(self._seen.items(), key=lambda item: item[0]):
            places = np.argwhere(seen.unchanged)
            if seen.frames >= _FEWEST_FRAMES and 0 < len(places) <= _MOST_STILL * seen.first.size:
                size = f"{shape[1]} x {shape[0]}"
                yield "stuck", f"{len(places):,} pixels of {seen.frames:,} frames {size}: {_places(places)}"


def _places(places: NDArray[np.int64]) -> str:
    named = ", ".join(f"row {row} column {col}" for row, col in places[:_NAMED])
    return named if len(places) <= _NAMED else f"{named} ..."
