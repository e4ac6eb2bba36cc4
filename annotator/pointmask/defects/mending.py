"""A frame whose bad lines and defective pixels are replaced by what is around them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pointmask.defects.lines import Line, find_lines, pixels_of, without_lines
from pointmask.defects.margins import Box, find_live
from pointmask.defects.pixels import NONE, Defects, find_defects
from pointmask.defects.search import PLAIN, Places, Search, measured
from pointmask.theta import Polarity

DeadPixels = Literal["replace", "keep"]
"""What becomes of them: where no optics spread a target, one of a single pixel looks like them; keep both."""

KEEP = "; --dead-pixels keep leaves them as they are"
"""Behind `REPLACED`, where a command has the option."""

REPLACED = (
    "{count} dead, hot or stuck pixels in {places} frames, which stand alone or as a line far off all their "
    "neighbours, were replaced from these"
)
"""For `pointmask.io.notes.note`."""

MARGINS = "margins of one value, such as letterbox bars, were treated as outside of the image"
"""For `pointmask.io.notes.note`."""

# A defect at most this many px from a click is what was clicked, if without it the surroundings are flat.
_CLICKED = 1
_AROUND = 3


# Of the search for lines: many of them make a frame rougher, and hide others. Of ten rows and ten columns in
# frames of 256 px, one round finds 0.73 and three 0.93.
_ROUNDS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Mending:
    """
    A frame whose bad lines and defective pixels are replaced, but for lone pixels that somebody clicked on.

    Attributes
    ----------
    image : (H, W) array
        As it was given.
    result : (H, W) array of the same dtype
        The same object if nothing was replaced.
    found : Defects
        Lone pixels.
    lines : tuple of Line
    live : (top, left, bottom, right), optional
        The frame without constant margins, see `pointmask.defects.margins.find_live`; None if it has none.
    """

    image: NDArray[Any]
    result: NDArray[Any]
    found: Defects
    lines: tuple[Line, ...] = ()
    live: Box | None = None

    @property
    def of_lines(self) -> NDArray[np.bool_]:
        """Pixels of the lines, (H, W)."""
        return pixels_of(self.lines, self.image.shape)

    def around(self, points: Sequence[tuple[int, int]]) -> tuple[NDArray[Any], Places]:
        """Return frame and places as `mended` does for these points; neither of the frames is changed."""
        found = self.found
        if not len(found):
            return self.result, self._all(found.places)
        kept = _clicked(self.result, found, points)
        if not kept.any():
            return self.result, self._all(found.places)
        result, stays = self.result.copy(), tuple(found.places[kept].T)
        result[stays] = self.image[stays]
        return result, self._all(found.places[~kept])

    def _all(self, lone: Places) -> Places:
        """Return lone pixels and those of lines, in raster order."""
        if not self.lines:
            return lone
        bad = self.of_lines
        bad[tuple(lone.T)] = True
        return np.argwhere(bad)


def mend(image: NDArray[Any], polarity: Polarity = "auto", by: Search = PLAIN) -> Mending:
    """
    Find the bad lines and defective pixels of a frame and replace them all; see `mended`.

    For those who get the points of a frame one after the other.
    """
    live = find_live(image)
    return _mended(image, polarity, by) if live is None else _mended_within(image, live, polarity, by)


def _mended_within(image: NDArray[Any], live: Box, polarity: Polarity, by: Search) -> Mending:
    """Mend what margins enclose."""
    top, left, bottom, right = live
    inner = _mended(image[top:bottom, left:right], polarity, by)
    result = image
    if inner.result is not inner.image:
        result = image.copy()
        result[top:bottom, left:right] = inner.result
    found = replace(inner.found, places=inner.found.places + np.array((top, left)))
    lines = tuple(line.moved(top, left) for line in inner.lines)
    return Mending(image, result, found, lines, live)


def _mended(image: NDArray[Any], polarity: Polarity, by: Search) -> Mending:
    frame = measured(image, by)
    if frame is None:
        return Mending(image, image, NONE)
    result = image
    lines: tuple[Line, ...] = ()
    for _ in range(_ROUNDS):
        more = () if frame is None else find_lines(frame, by)
        if not more:
            break
        result, lines = without_lines(result, more), (*lines, *more)
        frame = measured(result, by)
    found = NONE if frame is None else find_defects(frame, polarity, by)
    if len(found):
        result = result if lines else image.copy()
        values = found.values if image.dtype.kind == "f" else np.rint(found.values)
        result[tuple(found.places.T)] = values.astype(image.dtype)
    return Mending(image, result, found, lines)


def mended(
    image: NDArray[Any],
    polarity: Polarity = "auto",
    points: Sequence[tuple[int, int]] = (),
    by: Search = PLAIN,
) -> tuple[NDArray[Any], Places]:
    """
    Replace the bad lines and defective pixels of a frame.

    Parameters
    ----------
    image : (H, W) array of any real dtype
        Stays as it is.
    polarity : {"bright", "dark", "auto"}
        As for `pointmask.defects.pixels.find_defects`.
    points : sequence of (row, col)
        Clicks. A defect in or beside a clicked pixel with nothing around it but background is a target of one
        pixel, and stays.
    by : Search

    Returns
    -------
    image : (H, W) array of the same dtype
        The same object if nothing was replaced.
    places : (k, 2) int64
        Rows and columns of the pixels that were replaced.
    """
    return mend(image, polarity, by).around(points)


def _clicked(result: NDArray[Any], found: Defects, points: Sequence[tuple[int, int]]) -> NDArray[np.bool_]:
    """Say which defects are targets of one pixel: clicked, and without them the surroundings are flat."""
    clicked = np.zeros(len(found), np.bool_)
    for row, col in points:
        near = np.abs(found.places - (row, col)).max(axis=1) <= _CLICKED
        for k in np.flatnonzero(near):
            y, x = found.places[k]
            around = result[max(y - _AROUND, 0) : y + _AROUND + 1, max(x - _AROUND, 0) : x + _AROUND + 1]
            clicked[k] = float(around.max()) - float(around.min()) < found.floor
    return clicked
