"""Exact mean field of a two-label dense CRF on a small window, all pairs of pixels, all pixels at once."""

import numpy as np
from numpy.typing import NDArray

from pointmask.compiled import kernel

F32 = NDArray[np.float32]


@kernel()
def add_pair_kernel(
    rgb: NDArray[np.uint8], spatial: F32, colour: F32, compat: float, raw: F32, norm: F32, total: F32
) -> None:
    """Add one pair kernel, symmetrically normalised and weighted, to `total`.

    Parameters
    ----------
    rgb : (h, w, 3) uint8
        The window.
    spatial : (max(h, w),) float32
        Weight of a distance along one axis, in pixels; the two axes' weights are multiplied.
    colour : (m,) float32
        Weight of a squared colour distance; distances of m - 1 and more take the last entry, so that an
        array of a single 1 makes the kernel blind to colour.
    compat : float
        Weight of the kernel.
    raw : (n, n) float32, n = h * w
        Scratch: the kernel before normalisation.
    norm : (n,) float32
        Scratch: 1 / sqrt(row sum).
    total : (n, n) float32
        Changed in place.
    """
    height, width = rgb.shape[:2]
    n = height * width
    last = colour.size - 1
    norm[:] = 0
    # Half of the matrix is looked up, the other half mirrored. Row sums are collected on the way: a pass
    # of their own would be a chain of dependent additions, a quarter of the whole time.
    for j in range(n):
        jy, jx = j // width, j % width
        red, green, blue = np.int32(rgb[jy, jx, 0]), np.int32(rgb[jy, jx, 1]), np.int32(rgb[jy, jx, 2])
        i = j
        for y in range(jy, height):
            along_y = spatial[y - jy]
            for x in range(jx if y == jy else 0, width):
                dr, dg, db = rgb[y, x, 0] - red, rgb[y, x, 1] - green, rgb[y, x, 2] - blue
                distance = min(dr * dr + dg * dg + db * db, last)
                weight = along_y * spatial[abs(x - jx)] * colour[distance]
                raw[j, i] = weight
                raw[i, j] = weight
                norm[i] += weight
                if i > j:
                    norm[j] += weight
                i += 1
    for j in range(n):
        norm[j] = np.float32(1.0) / np.sqrt(norm[j])
    for j in range(n):
        scale = np.float32(compat) * norm[j]
        for i in range(n):
            total[j, i] += scale * norm[i] * raw[j, i]


@kernel()
def mean_field(unary: F32, total: F32, iterations: int, lead: F32, logit: F32) -> None:
    """Iterate label probabilities of two labels under a Potts model.

    With two labels everything is in the difference of the energies: the target's probability is the
    logistic function of `logit`, and a message is the kernel times (target minus background probability).

    Parameters
    ----------
    unary : (n,) float32
        Log-odds of the target by the unary term.
    total : (n, n) float32
        Sum of the weighted, normalised pair kernels; symmetric.
    iterations : int
        Number of updates.
    lead : (n,) float32
        Scratch: target minus background probability.
    logit : (n,) float32
        Written: log-odds of the target.
    """
    n = unary.size
    for i in range(n):
        logit[i] = unary[i]
    for _ in range(iterations):
        for i in range(n):
            lead[i] = np.tanh(np.float32(0.5) * logit[i])
            logit[i] = unary[i]
        # The matrix is symmetric: rows times a scalar are vectorised without reordering any sum.
        for j in range(n):
            scale = lead[j]
            for i in range(n):
                logit[i] += scale * total[j, i]
