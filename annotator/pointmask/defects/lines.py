"""Dead, stuck and hot lines of a sensor: rows and columns, or parts of them that begin at an end.

A line of the scene is spread by the optics, so its neighbours rise towards it; those of a bad line agree with
one another, and with what is beyond them, as if it were not there. The same holds whether the line has one
value, an offset or noise of its own, and for up to three bad lines side by side. The outermost rows and
columns have one neighbour alone, and stay.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointmask.defects.search import CLEAR, WIDEST, Field, Measured, Places, Search

# Least distance from the mean of both neighbours, in 90th percentiles of the distance between a pixel and its
# surroundings (2.6 standard deviations of white noise), and in grey levels.
_ROUGHNESSES = 1.5
_LEVELS = 2.0

# Looked at for a first idea: of each half so many pixels in every so many, since half lines are common.
_TAKEN, _EVERY = 32, 64

_MOST = 0.1  # of the lines across; more, as in frames woven from two fields, are no defects of a sensor
_SHORTEST = 0.25, 24  # of the frame's side, and px
_END = 16  # px: a part that comes this close to an end of the frame begins there

# The median distance of a bad line from its neighbours is at least so many times that of the neighbours from
# one another, unless it has one value. An antenna, a wire or the edge of a letterbox has 1 to 4, waves less
# than 2. Through optics of sigma 0.7 px, a wire between two rows makes both of them 6.7 times as clear.
_CLEARER = 3.0
_CLEARER_WIDE = 8.0

# Least share of the pixels that are off their neighbours, or off towards one side. Lines of the scene that
# are as clear have up to 0.9 and 0.9.
_OFF = 0.9
_ONE_SIDE = 0.95


@dataclass(frozen=True, slots=True)
class Line:
    """
    Neighbouring rows or columns that are bad from one pixel to another.

    Attributes
    ----------
    axis : int
        0 for rows, 1 for columns.
    first, width : int
        Index of the first row or column, and how many.
    start, stop : int
        Half-open range of bad pixels along the line.
    """

    axis: int
    first: int
    width: int
    start: int
    stop: int

    def mask(self, shape: tuple[int, ...]) -> NDArray[np.bool_]:
        """Return the line's pixels in a frame of a shape."""
        bad = np.zeros(shape, np.bool_)
        across, along = slice(self.first, self.first + self.width), slice(self.start, self.stop)
        bad[(across, along) if self.axis == 0 else (along, across)] = True
        return bad

    def moved(self, rows: int, cols: int) -> "Line":
        """Return the same line in a larger frame."""
        across, along = (rows, cols) if self.axis == 0 else (cols, rows)
        return Line(self.axis, self.first + across, self.width, self.start + along, self.stop + along)

    def named(self, shape: tuple[int, ...]) -> str:
        """Return words such as ``row 5`` or ``columns 7 to 8 (rows 0 to 127)``."""
        kind, along = ("row", "column") if self.axis == 0 else ("column", "row")
        last = self.first + self.width - 1
        name = f"{kind} {self.first}" if self.width == 1 else f"{kind}s {self.first} to {last}"
        whole = self.start == 0 and self.stop == shape[1 - self.axis]
        return name if whole else f"{name} ({along}s {self.start} to {self.stop - 1})"


def find_lines(frame: Measured, by: Search) -> tuple[Line, ...]:
    """
    Find bad rows and columns.

    Parameters
    ----------
    frame : Measured
    by : Search

    Returns
    -------
    tuple of Line
        Rows first. None where more than a tenth of the rows or columns would be bad.
    """
    limit = max(_ROUGHNESSES * frame.deviation, _LEVELS * frame.step)
    shape = frame.values.shape
    if not frame.deviation > 0:
        return ()
    likely = by.strays(frame.values, limit, *(_looked_at(side) for side in shape))
    if not len(likely):
        return ()
    found: list[Line] = []
    for axis, field in enumerate((frame.values, frame.values.T)):
        candidates = {int(index) for index in likely[likely[:, 0] == axis, 1]}
        own = list(_lines(axis, field, candidates, limit))
        if sum(line.width for line in own) <= _MOST * len(field):
            found += own
    return tuple(found)


def pixels_of(lines: Iterable[Line], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return the pixels of lines in a frame of a shape."""
    bad = np.zeros(shape, np.bool_)
    for line in lines:
        bad |= line.mask(shape)
    return bad


def without_lines(image: NDArray[Any], lines: tuple[Line, ...]) -> NDArray[Any]:
    """
    Replace lines by what lies on both of their sides, in equal steps.

    Parameters
    ----------
    image : (H, W) array of any real dtype
    lines : tuple of Line

    Returns
    -------
    (H, W) array of the same dtype
        A copy. Where a row and a column cross, a pixel has the mean of what both suggest.
    """
    own = [[line for line in lines if line.axis == axis] for axis in (0, 1)]
    crossed = [pixels_of(some, image.shape) for some in own]
    crossing = crossed[0] & crossed[1]
    result = image.astype(np.float64)
    for _ in range(2 if crossing.any() else 1):  # the second time, neighbours of crossings are replaced
        values = result.copy()
        for axis in (0, 1):
            _interpolate(own[axis], result, values, crossing, axis)
        result = values
    if image.dtype.kind != "f":
        result = np.rint(result)
    return np.where(crossed[0] | crossed[1], result, image).astype(image.dtype)


def _interpolate(lines: list[Line], image: Field, out: Field, crossing: NDArray[np.bool_], axis: int) -> None:
    source, target, twice = (field if axis == 0 else field.T for field in (image, out, crossing))
    for line in lines:
        along = slice(line.start, line.stop)
        before, after = source[line.first - 1, along], source[line.first + line.width, along]
        for k in range(line.width):
            share = (k + 1) / (line.width + 1)
            between = (1 - share) * before + share * after
            row = line.first + k
            if axis:  # rows came first
                between = np.where(twice[row, along], 0.5 * (target[row, along] + between), between)
            target[row, along] = between


@lru_cache(maxsize=64)
def _looked_at(side: int) -> Places:
    """Return ranges of pixels in both halves of a line, counted from both ends; see `search.strays`."""
    half = side // 2
    if half < _EVERY:
        ranges = [(0, half)]
    else:
        ranges = [(k, min(k + _TAKEN, half)) for k in range((_EVERY - _TAKEN) // 2, half, _EVERY)]
    return np.array([ranges, [(side - stop, side - start) for start, stop in ranges]], np.int64)


def _lines(axis: int, field: Field, candidates: set[int], limit: float) -> Iterator[Line]:
    """Yield the bad rows of a field, single ones first: beside one, its neighbours look bad as well."""
    taken: set[int] = set()
    for width in range(1, WIDEST + 1):
        for first in sorted(candidates):
            last = first + width - 1
            inside = first > 0 and last + 1 < len(field)
            if last in candidates and inside and taken.isdisjoint(range(first - 1, last + 2)):
                part = _bad_part(field, first, width, limit)
                if part is not None:
                    taken.update(range(first, last + 1))
                    yield Line(axis, first, width, *part)


def _bad_part(field: Field, first: int, width: int, limit: float) -> tuple[int, int] | None:
    """Return the range in which neighbouring rows are bad, all of them; None if they are not."""
    length = field.shape[1]
    rows = field[first : first + width].astype(np.float64)
    near = [field[k].astype(np.float64) for k in (first - 1, first + width)]
    off = rows - 0.5 * (near[0] + near[1])
    least = np.abs(off).min(axis=0)
    start, stop = _longest(least > limit)
    start, stop = _same(rows, start, stop)
    start, stop = (0 if start < _END else start), (length if length - stop < _END else stop)
    if stop - start < max(_SHORTEST[0] * length, _SHORTEST[1]) or (start > 0 and stop < length):
        return None
    part = slice(start, stop)
    beyond = [
        _median(np.abs(near[side][part] - field[k, part]))
        for side, k in ((0, first - 2), (1, first + width + 1))
        if 0 <= k < len(field)
    ]
    apart = max(_median(np.abs(near[0][part] - near[1][part])), min(beyond, default=0.0))
    clear = _median(least[part])
    constant = bool(np.all(rows[:, part] == rows[:, start : start + 1]))
    if constant:
        return (start, stop) if clear > CLEAR * apart else None
    share = float(np.mean(least[part] > limit))
    one_side = max(float(np.mean(np.all(sign * off[:, part] > 0, axis=0))) for sign in (-1, 1))
    sure = share >= _OFF or one_side >= _ONE_SIDE
    return (start, stop) if sure and clear >= (_CLEARER if width == 1 else _CLEARER_WIDE) * apart else None


def _median(values: Field) -> float:
    middle = values.size // 2
    return float(np.partition(values, middle)[middle])  # a fifth of the time of np.median


def _longest(bad: NDArray[np.bool_]) -> tuple[int, int]:
    """Return the range in which bad pixels outnumber the others by most."""
    sums = np.concatenate([[0], np.cumsum(np.where(bad, 1, -1))])
    stop = int(np.argmax(sums - np.minimum.accumulate(sums)))
    return int(np.argmin(sums[: stop + 1])), stop


def _same(rows: Field, start: int, stop: int) -> tuple[int, int]:
    """Extend a range in which rows have one value to all pixels beside it that have it, too."""
    if start == stop or not np.all(rows[:, start:stop] == rows[:, start : start + 1]):
        return start, stop
    other = np.flatnonzero(~np.all(rows == rows[:, start : start + 1], axis=0))
    before, after = other[other < start], other[other >= stop]
    return int(before[-1]) + 1 if before.size else 0, int(after[0]) if after.size else rows.shape[1]
