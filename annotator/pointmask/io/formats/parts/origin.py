"""The one coordinate rule: every format states what its numbers mean, and all are converted here.

Inside pointmask a point is a pixel: row and column from 0. Outside, a coordinate has one of these origins:

========= ================================================================ ==================
origin    meaning of x                                                      pixel k is written
========= ================================================================ ==================
index     0 is the centre of the first pixel                                k
one-based 1 is the centre of the first pixel                                k + 1
edge      0 is the left edge of the first pixel; pixel k covers [k, k + 1)  k + 0.5
percent   of the width, from the left edge                                  100 (k + 0.5) / width
fraction  of the width, from the left edge                                  (k + 0.5) / width
========= ================================================================ ==================
"""

import math
from typing import Literal

from pointmask.errors import PointsError

Origin = Literal["index", "one-based", "edge", "percent", "fraction"]

LARGEST = 1 << 31
"""Coordinates beyond it lie in no image."""
# Of a pixel: an edge written in percent must not fall into the pixel before by a rounding error.
_SLACK = 1e-6


def to_pixel(value: float, origin: Origin, size: int | None = None) -> int:
    """Return the pixel index of a coordinate.

    Parameters
    ----------
    value : float
        Row or column coordinate as the format stores it.
    origin : {"index", "one-based", "edge", "percent", "fraction"}
        What it means.
    size : int, optional
        Height or width of the image in pixels; needed for "percent" and "fraction". With it, a
        coordinate on the image's far edge belongs to the last pixel.

    Returns
    -------
    int
        It may lie outside the image if the coordinate does.

    Raises
    ------
    PointsError
        If the value is not finite or beyond any image.
    """
    pixels = value
    if origin in ("percent", "fraction"):
        assert size is not None, "a relative coordinate needs the size of the image"
        pixels *= size / (100 if origin == "percent" else 1)
    if not math.isfinite(pixels) or abs(pixels) > LARGEST:
        raise PointsError(f"{value} is not a coordinate in an image; write a finite number")
    if origin == "index":
        return math.floor(pixels + 0.5)  # as `pixel_index`, which would look again whether it is finite
    if origin == "one-based":
        return math.floor(pixels - 1 + 0.5)
    pixel = math.floor(pixels + (0 if origin == "edge" else _SLACK))
    return pixel - 1 if pixel == size and pixels <= size + _SLACK else pixel


def from_pixel(index: int, origin: Origin, size: int | None = None) -> float:
    """Return the coordinate of a pixel's centre; `to_pixel` undoes it.

    Parameters
    ----------
    index : int
        0-based row or column.
    origin, size
        As for `to_pixel`.
    """
    if origin == "index":
        return index
    if origin == "one-based":
        return index + 1
    if origin == "edge":
        return index + 0.5
    assert size is not None, "a relative coordinate needs the size of the image"
    return (index + 0.5) / size * (100 if origin == "percent" else 1)
