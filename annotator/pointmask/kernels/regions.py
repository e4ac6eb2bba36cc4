"""Connected components of windows: that of the point, its area and its box."""

import numpy as np
from numpy.typing import NDArray

from pointmask.compiled import kernel


@kernel()
def label(binary: NDArray[np.bool_], eight: bool, stack: NDArray[np.int64], labels: NDArray[np.int32]) -> int:
    """Label connected components by flood fill.

    Parameters
    ----------
    binary : (n, m) bool
    eight : bool
        8-connectivity if true, 4-connectivity otherwise.
    stack : (n * m,) int64
        Overwritten.
    labels : (n, m) int32
        Overwritten with 0 for background and 1, 2, ... in raster order of first pixels.

    Returns
    -------
    int
        Number of components.
    """
    n, m = binary.shape
    labels[:] = 0
    count = 0
    for start in range(n * m):
        if not binary[start // m, start % m] or labels[start // m, start % m] != 0:
            continue
        count += 1
        labels[start // m, start % m] = count
        stack[0] = start
        size = 1
        while size > 0:
            size -= 1
            i, j = stack[size] // m, stack[size] % m
            for y in range(max(i - 1, 0), min(i + 2, n)):
                for x in range(max(j - 1, 0), min(j + 2, m)):
                    if (eight or y == i or x == j) and binary[y, x] and labels[y, x] == 0:
                        labels[y, x] = count
                        stack[size] = y * m + x
                        size += 1
    return count


@kernel()
def keep_at_point(
    labels: NDArray[np.int32], count: int, row: int, col: int, reach: int, out: NDArray[np.bool_]
) -> int:
    """Keep the component at the point, or the nearest one within ``reach`` px.

    Parameters
    ----------
    labels : (n, m) int32
    count : int
        Number of components.
    row, col : int
    reach : int
        Maximum Euclidean distance between point and component in px. Components at the same distance
        are all kept, so that a mirrored window gives the mirrored mask.
    out : (n, m) bool
        Overwritten with the mask of the kept pixels.

    Returns
    -------
    int
        Area in px; 0 if no component is near.
    """
    n, m = labels.shape
    nearest = np.full(count + 1, np.int64(2) ** 60)
    best = np.int64(reach) * reach + 1
    for i in range(max(row - reach, 0), min(row + reach + 1, n)):
        for j in range(max(col - reach, 0), min(col + reach + 1, m)):
            k = labels[i, j]
            if k > 0:
                d = (i - row) * (i - row) + (j - col) * (j - col)
                if d < nearest[k]:
                    nearest[k] = d
                if d < best:
                    best = np.int64(d)
    area = 0
    for i in range(n):
        for j in range(m):
            k = labels[i, j]
            out[i, j] = k > 0 and nearest[k] == best
            area += out[i, j]
    return area


@kernel()
def extent(mask: NDArray[np.bool_]) -> tuple[int, int, int, int, int, int]:
    """Box and first moments of a mask in one pass.

    Parameters
    ----------
    mask : (n, m) bool
        Not empty.

    Returns
    -------
    top, left, bottom, right : int
        Half-open box.
    rows, cols : int
        Sums of the pixels' row and column indices.
    """
    n, m = mask.shape
    top, left, bottom, right, rows, cols = n, m, 0, 0, 0, 0
    for i in range(n):
        for j in range(m):
            if mask[i, j]:
                top, left = min(top, i), min(left, j)
                bottom, right = max(bottom, i + 1), max(right, j + 1)
                rows += i
                cols += j
    return top, left, bottom, right, rows, cols


@kernel()
def piece_near(
    field: NDArray[np.floating],
    level: float,
    row: int,
    col: int,
    reach: int,
    stack: NDArray[np.int64],
    labels: NDArray[np.int32],
    out: NDArray[np.bool_],
) -> int:
    """Threshold a field and keep the 8-connected component of the point; see `label`, `keep_at_point`."""
    n, m = field.shape
    for i in range(n):
        for j in range(m):
            out[i, j] = field[i, j] > level
    count = label(out, True, stack, labels)
    return keep_at_point(labels, count, row, col, reach, out)


@kernel()
def piece_of(
    labels: NDArray[np.int32], row: int, col: int, stack: NDArray[np.int64], out: NDArray[np.bool_]
) -> None:
    """Select the 4-connected region of equal labels around one pixel.

    Parameters
    ----------
    labels : (n, m) int32
    row, col : int
    stack : (n * m,) int64
        Overwritten.
    out : (n, m) bool
        Overwritten with the mask of the region.
    """
    n, m = labels.shape
    out[:] = False
    mine = labels[row, col]
    out[row, col] = True
    stack[0] = row * m + col
    size = 1
    while size > 0:
        size -= 1
        i, j = stack[size] // m, stack[size] % m
        for y in range(max(i - 1, 0), min(i + 2, n)):
            for x in range(max(j - 1, 0), min(j + 2, m)):
                if (y == i or x == j) and labels[y, x] == mine and not out[y, x]:
                    out[y, x] = True
                    stack[size] = y * m + x
                    size += 1
