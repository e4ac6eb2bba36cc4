"""Margins that hold no image: letterbox bars, black borders and no-data bands, each of one value throughout.

A saturated sky is constant too, but fades into what is below it; a margin ends with a step. The first line
beyond tells them apart: most of it must lie far off the margin's value.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Box = tuple[int, int, int, int]

# In the median of its pixels, the first line beyond a margin differs from it by at least so many times what
# the second one differs from the third, and by so many grey levels. Of 2,632 real frames 129 have constant
# bands, which are saturated sky or black ground: all but one differ by 3 levels at most.
_STEP = 3.0
_LEVELS = 4.0

_GLANCES = 9  # pixels of a line, its ends among them
_LEAST = 16  # px that are left between two margins


def find_live(image: NDArray[Any]) -> Box | None:
    """
    Find the part of a frame that holds an image.

    Parameters
    ----------
    image : (H, W) array of any real dtype

    Returns
    -------
    (top, left, bottom, right) or None
        Half-open, without rows and columns at the border that have one value, or no number at all. None if
        that is the whole frame, or if hardly anything would be left.
    """
    height, width = image.shape
    if min(height, width) < _LEAST or not _may_have_margins(image):
        return None
    # Saturated sky costs no more than a glance: a few pixels of each line tell where it ends.
    if _stepped(image, _glanced(image)) is None:
        return None
    return _stepped(image, _varied(image))


def _stepped(image: NDArray[Any], box: Box) -> Box | None:
    """Leave out the sides of a box that do not end with a step; None if none is left, or hardly anything."""
    (top, left, bottom, right), (height, width) = box, image.shape
    if bottom - top < _LEAST or right - left < _LEAST:
        return None
    inner = image[top:bottom, left:right]
    top = top if top and _ends_with_step(image[top - 1, left], inner) else 0
    bottom = bottom if bottom < height and _ends_with_step(image[bottom, left], inner[::-1]) else height
    left = left if left and _ends_with_step(image[top, left - 1], inner.T) else 0
    right = right if right < width and _ends_with_step(image[top, right], inner.T[::-1]) else width
    live = top, left, bottom, right
    return None if live == (0, 0, height, width) else live


def _may_have_margins(image: NDArray[Any]) -> bool:
    """Compare a few pixels of each side, since hardly any frame has margins."""
    height, width = image.shape
    for side in (0, -1):
        for places in (
            ((side, 0), (side, width // 2), (side, width - 1)),
            ((0, side), (height // 2, side), (height - 1, side)),
        ):
            one, two, three = (image.item(*place) for place in places)
            if one == two == three or (one != one and two != two and three != three):
                return True
    return False


def _glanced(image: NDArray[Any]) -> Box:
    """Return the box of what differs from its side's value in one of a few pixels of each line."""
    rows, cols = (np.linspace(0, side - 1, _GLANCES).astype(np.int64) for side in image.shape)
    down, across = image[:, cols], image[rows].T
    top, bottom = _first(down), len(down) - _first(down[::-1])
    return top, _first(across), bottom, len(across) - _first(across[::-1])


def _first(lines: NDArray[Any]) -> int:
    """Return how many lines at the begin have the value of the first one's middle."""
    value = lines[0, _GLANCES // 2]
    other = (lines == lines if value != value else lines != value).any(axis=1)
    return int(other.argmax()) if other.any() else 0


def _varied(image: NDArray[Any]) -> Box:
    """Take rows and columns off the border for as long as they are constant."""
    top, left, (bottom, right) = 0, 0, image.shape
    before = None
    while before != (before := (top, left, bottom, right)):
        while top < bottom and _is_constant(image[top, left:right]):
            top += 1
        while top < bottom and _is_constant(image[bottom - 1, left:right]):
            bottom -= 1
        while left < right and _is_constant(image[top:bottom, left]):
            left += 1
        while left < right and _is_constant(image[top:bottom, right - 1]):
            right -= 1
    return top, left, bottom, right


def _is_constant(line: NDArray[Any]) -> bool:
    return bool((line == line[0]).all()) if line.size and line[0] == line[0] else bool((line != line).all())


def _ends_with_step(value: Any, inner: NDArray[Any]) -> bool:  # noqa: ANN401 - a NumPy scalar
    """Whether the first row of what a margin encloses lies far off the margin's value."""
    if value != value:
        return True
    first, second, third = inner[:3].astype(np.float64)
    with np.errstate(invalid="ignore"):
        step, along = np.abs(first - float(value)), np.abs(second - third)  # the first may be blurred
    finite = np.isfinite(step) & np.isfinite(along)
    if not finite.any():
        return False
    least = _LEVELS if inner.dtype.kind != "f" else 0.0
    return bool(np.median(step[finite]) > max(_STEP * float(np.median(along[finite])), least))
