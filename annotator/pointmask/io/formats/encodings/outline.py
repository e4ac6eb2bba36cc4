"""Polygons along pixel edges, which represent a mask exactly, down to a single pixel.

Vertices are integers in edge coordinates, ``(x, y)``: pixel (row, col) is the square from ``(col, row)`` to
``(col + 1, row + 1)``. A loop is an (n, 2) array, not closed; outer loops run clockwise on the screen,
holes counterclockwise. Pixels that touch only at a corner belong to different loops.
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
        Mask of any number of components, with or without holes.
    row, col : int
        Position of its first pixel, added to the vertices.

    Returns
    -------
    list of (n, 2) int arrays
        ``(x, y)`` of the corners only; components in raster order of their first pixel. Empty for an
        empty mask.
    """
    steps = _steps(pixels)
    loops = []
    for start in sorted(steps, key=lambda vertex: (vertex[1], vertex[0])):
        while steps.get(start):
            loops.append(np.add(_trace_loop(steps, start), (col, row)))
    return loops


def join(loops: Sequence[Loop]) -> Loop:
    """Join loops into one by bridges that are traversed in both directions and so enclose nothing.

    For formats that allow one polygon per target: filled by the even-odd or the nonzero rule, it gives the
    same pixels as all loops together.
    """
    joined = np.asarray(loops[0])
    for loop in loops[1:]:
        distance = np.abs(joined[:, None] - loop[None]).sum(axis=2)
        at, nearest = np.unravel_index(int(np.argmin(distance)), distance.shape)
        turned = np.roll(loop, -int(nearest), axis=0)
        joined = np.concatenate((joined[: at + 1], turned, turned[:1], joined[at:]))
    return joined


def fill(loops: Sequence[Loop], shape: tuple[int, int]) -> tuple[int, int, NDArray[np.bool_]] | None:
    """Return the pixels whose centres the loops enclose, by the even-odd rule over all of them.

    Parameters
    ----------
    loops : sequence of (n, 2) arrays
        ``(x, y)`` in edge coordinates; may be fractional or outside the image.
    shape : (int, int)
        Height and width of the image.

    Returns
    -------
    (row, col, pixels) or None
        Position of the first pixel of the crop, and the (h, w) bool crop; None if no centre is enclosed.

    Raises
    ------
    ValueError
        If a loop has fewer than three vertices, or a vertex that is not finite or beyond any image; or if
        the loops span more than `pointmask.io.formats.encodings.rle.MOST_PIXELS`.
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
    # Each edge inverts the pixels to its right, in the rows whose centres it crosses.
    turns = np.zeros((bottom - top, right - left + 1), np.uint8)
    for (x0, y0, x1, y1), first, last in zip(edges, low, high, strict=True):
        rows = np.arange(first, last)
        crossing = x0 + (rows + 0.5 - y0) * ((x1 - x0) / (y1 - y0))
        cols = np.clip(np.ceil(crossing - 0.5), left, right).astype(np.int64)
        turns[rows - top, cols - left] ^= 1
    pixels = np.bitwise_xor.accumulate(turns, axis=1)[:, :-1].astype(np.bool_)
    return (top, left, pixels) if pixels.any() else None


def _edges(loop: Loop) -> NDArray[np.float64]:
    """Return the edges that are not horizontal as (x0, y0, x1, y1) with y0 < y1, so that bridges cancel."""
    points = np.asarray(loop, np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) < 3:
        raise ValueError(f"a polygon of shape {points.shape}; it needs at least three corners (x, y)")
    if not np.isfinite(points).all() or np.abs(points).max() > _LARGEST:
        raise ValueError("a corner of a polygon is not in any image; write finite numbers")
    edges = np.concatenate((points, np.roll(points, -1, axis=0)), axis=1)
    upwards = edges[:, 1] > edges[:, 3]
    edges[upwards] = edges[upwards][:, [2, 3, 0, 1]]
    return edges[edges[:, 1] < edges[:, 3]]


def _steps(pixels: NDArray[np.bool_]) -> dict[_Vertex, list[_Step]]:
    """Collect the unit steps that leave each vertex, with the mask on their right."""
    framed = np.pad(pixels, 1)
    inner = framed[1:-1, 1:-1]
    sides = (
        (framed[:-2, 1:-1], (0, 0), _RIGHT),
        (framed[1:-1, 2:], (1, 0), _DOWN),
        (framed[2:, 1:-1], (1, 1), _LEFT),
        (framed[1:-1, :-2], (0, 1), _UP),
    )
    steps: dict[_Vertex, list[_Step]] = {}
    for neighbour, (x, y), step in sides:
        for row, col in np.argwhere(inner & ~neighbour).tolist():
            steps.setdefault((col + x, row + y), []).append(step)
    return steps


def _trace_loop(steps: dict[_Vertex, list[_Step]], start: _Vertex) -> list[_Vertex]:
    """Trace one loop, consuming its steps; return its corners."""
    corners = []
    vertex, step = start, steps[start].pop()
    first = step
    while True:
        vertex = vertex[0] + step[0], vertex[1] + step[1]
        right = (-step[1], step[0])
        if vertex == start and (not steps[start] or right == first):
            break
        # Where two pixels touch at a corner, a right turn stays with the same pixel.
        onward = right if right in steps[vertex] else steps[vertex][0]
        steps[vertex].remove(onward)
        if onward != step:
            corners.append(vertex)
        step = onward
    return [start, *corners] if step != first else corners
