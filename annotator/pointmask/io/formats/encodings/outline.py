"""Polygons along pixel edges: the one kind that holds a mask exactly, down to a single pixel.

Vertices are integers in edge coordinates, ``(x, y)``: pixel (row, col) is the square from ``(col, row)`` to
``(col + 1, row + 1)``. A loop is an (n, 2) array, not closed; outer loops run clockwise on the screen,
holes the other way. Pixels that touch at a corner alone lie in different loops.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointmask.io.formats.encodings.rle import MOST_PIXELS

Loop = NDArray[Any]

_LARGEST = 1 << 31
_RIGHT, _DOWN, _LEFT, _UP = (1, 0), (0, 1), (-1, 0), (0, -1)
_Step = tuple[int, int]
_Vertex = tuple[int, int]


def trace(pixels: NDArray[np.bool_], row: int = 0, col: int = 0) -> list[Loop]:
    """Return the loops around a mask.

    Parameters
    ----------
    pixels : (h, w) bool
        Any number of pieces, with or without holes.
    row, col : int
        Where its first pixel lies; added to the vertices.

    Returns
    -------
    list of (n, 2) int arrays
        ``(x, y)`` at the corners alone; pieces in raster order of their first pixel. Empty for an
        empty mask.
    """
    ways = _ways(pixels)
    loops = []
    for start in sorted(ways, key=lambda vertex: (vertex[1], vertex[0])):
        while ways.get(start):
            loops.append(np.add(_walk(ways, start), (col, row)))
    return loops


def join(loops: Sequence[Loop]) -> Loop:
    """Join loops to one by bridges that are walked both ways and so enclose nothing.

    For formats that allow a target one polygon: filled by the even-odd or the nonzero rule, it gives the
    same pixels as all loops together.
    """
    joined = np.asarray(loops[0])
    for loop in loops[1:]:
        distance = np.abs(joined[:, None] - loop[None]).sum(axis=2)
        here, there = np.unravel_index(int(np.argmin(distance)), distance.shape)
        turned = np.roll(loop, -int(there), axis=0)
        joined = np.concatenate((joined[: here + 1], turned, turned[:1], joined[here:]))
    return joined


def fill(loops: Sequence[Loop], shape: tuple[int, int]) -> tuple[int, int, NDArray[np.bool_]] | None:
    """Return the pixels whose centres the loops enclose, by the even-odd rule over all of them.

    Parameters
    ----------
    loops : sequence of (n, 2) arrays
        ``(x, y)`` in edge coordinates, also fractions and beyond the image.
    shape : (int, int)
        Height and width of the image.

    Returns
    -------
    (row, col, pixels) or None
        Place of the first pixel of the crop, and the (h, w) bool crop; None if no centre is enclosed.

    Raises
    ------
    ValueError
        If a loop has fewer than three vertices, or one that is not finite or beyond any image; or if
        they span more than `pointmask.io.formats.encodings.rle.MOST_PIXELS`.
    """
    edges = np.concatenate([_edges(loop) for loop in loops]) if loops else np.empty((0, 4))
    height, width = shape
    if not len(edges):
        return None
    low = np.clip(np.ceil(edges[:, 1] - 0.5), 0, height).astype(np.int64)
    high = np.clip(np.ceil(edges[:, 3] - 0.5), 0, height).astype(np.int64)
    top, bottom = int(low.min()), int(high.max())
    xs = np.clip(edges[:, ::2], 0, width)
    left, right = int(np.floor(xs.min())), int(np.ceil(xs.max()))
    if bottom <= top or right <= left:
        return None
    if (bottom - top) * (right - left) > MOST_PIXELS:
        raise ValueError(f"a polygon over {right - left} x {bottom - top} pixels, more than {MOST_PIXELS:,}")
    # Each edge turns the pixels to its right over, in the rows whose centres it crosses.
    turns = np.zeros((bottom - top, right - left + 1), np.uint8)
    for (x0, y0, x1, y1), first, last in zip(edges, low, high, strict=True):
        rows = np.arange(first, last)
        crossing = x0 + (rows + 0.5 - y0) * ((x1 - x0) / (y1 - y0))
        cols = np.clip(np.ceil(crossing - 0.5), left, right).astype(np.int64)
        turns[rows - top, cols - left] ^= 1
    pixels = np.bitwise_xor.accumulate(turns, axis=1)[:, :-1].astype(np.bool_)
    return (top, left, pixels) if pixels.any() else None


def _edges(loop: Loop) -> NDArray[np.float64]:
    """Edges that are not level, as (x0, y0, x1, y1) with y0 < y1: the same both ways, so bridges cancel."""
    points = np.asarray(loop, np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) < 3:
        raise ValueError(f"a polygon of shape {points.shape}; it needs at least three corners (x, y)")
    if not np.isfinite(points).all() or np.abs(points).max() > _LARGEST:
        raise ValueError("a corner of a polygon is not in any image; write finite numbers")
    edges = np.concatenate((points, np.roll(points, -1, axis=0)), axis=1)
    upwards = edges[:, 1] > edges[:, 3]
    edges[upwards] = edges[upwards][:, [2, 3, 0, 1]]
    return edges[edges[:, 1] < edges[:, 3]]


def _ways(pixels: NDArray[np.bool_]) -> dict[_Vertex, list[_Step]]:
    """Collect the steps of one pixel that lead on from each vertex, the mask on their right."""
    framed = np.pad(pixels, 1)
    inner = framed[1:-1, 1:-1]
    sides = (
        (framed[:-2, 1:-1], (0, 0), _RIGHT),
        (framed[1:-1, 2:], (1, 0), _DOWN),
        (framed[2:, 1:-1], (1, 1), _LEFT),
        (framed[1:-1, :-2], (0, 1), _UP),
    )
    ways: dict[_Vertex, list[_Step]] = {}
    for neighbour, (x, y), step in sides:
        for row, col in np.argwhere(inner & ~neighbour).tolist():
            ways.setdefault((col + x, row + y), []).append(step)
    return ways


def _walk(ways: dict[_Vertex, list[_Step]], start: _Vertex) -> list[_Vertex]:
    """Follow one loop, using its steps up; return its corners."""
    corners = []
    vertex, step = start, ways[start].pop()
    first = step
    while True:
        vertex = vertex[0] + step[0], vertex[1] + step[1]
        right = (-step[1], step[0])
        if vertex == start and (not ways[start] or right == first):
            break
        # Where two pixels touch at a corner, a right turn stays with the same pixel.
        onward = right if right in ways[vertex] else ways[vertex][0]
        ways[vertex].remove(onward)
        if onward != step:
            corners.append(vertex)
        step = onward
    return [start, *corners] if step != first else corners
