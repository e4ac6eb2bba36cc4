"""Explicit steps of anisotropic diffusion with growth and absorption."""

import numpy as np
from numpy.typing import NDArray

from pointmask.compiled import kernel
from pointmask.kernels.scale_space import copy_field

Field = NDArray[np.floating]


@kernel()
def local_entropy(window: Field, radius: int, out: Field) -> None:
    """Shannon entropy of 8-bit values in a square, as a fraction of 8 bits.

    Parameters
    ----------
    window : (n, m) float
        Values in [0, 1].
    radius : int
        The square has ``2 * radius + 1`` px a side and is clipped at the border.
    out : (n, m) float
        Overwritten with the entropy in [0, 1].
    """
    n, m = window.shape
    counts = np.zeros(256, np.int64)
    for i in range(n):
        for j in range(m):
            counts[:] = 0
            total = 0
            for y in range(max(i - radius, 0), min(i + radius + 1, n)):
                for x in range(max(j - radius, 0), min(j + radius + 1, m)):
                    counts[min(max(int(window[y, x] * 255 + 0.5), 0), 255)] += 1
                    total += 1
            bits = 0.0
            for level in range(256):
                if counts[level] > 0:
                    p = counts[level] / total
                    bits -= p * np.log2(p)
            out[i, j] = bits / 8


@kernel()
def conductance(
    window: Field,
    entropy: Field,
    spacing: int,
    D0: float,
    beta: float,
    alpha: float,
    rational: bool,
    down: Field,
    right: Field,
) -> None:
    """Conductances of the faces between pixels that are ``spacing`` apart (equation 2 of the paper).

    ``D = D0 exp(-beta q)`` or, where ``rational``, ``D0 / (1 + (beta q)^2)``, with
    ``q = alpha |difference across the face| + (1 - alpha) (mean entropy of the two pixels)``.

    Parameters
    ----------
    window, entropy : (n, m) float
        ``entropy`` is not read where ``alpha`` is 1.
    spacing : int
    D0, beta, alpha : float
    rational : bool
    down, right : (n + 2 spacing, m + 2 spacing) float
        Overwritten. ``down[i + spacing, j + spacing]`` is the face between pixels ``(i, j)`` and
        ``(i + spacing, j)``; ``right`` likewise along the row. Faces at the border of the window are
        0 (no flux); with this margin of zeros `diffuse` needs no test per pixel.
    """
    n, m = window.shape
    s = spacing
    down[:] = 0.0
    right[:] = 0.0
    for i in range(n - s):
        for j in range(m):
            down[i + s, j + s] = alpha * abs(window[i + s, j] - window[i, j])
    for i in range(n):
        for j in range(m - s):
            right[i + s, j + s] = alpha * abs(window[i, j + s] - window[i, j])
    if alpha < 1:
        share = 0.5 * (1 - alpha)
        for i in range(n - s):
            for j in range(m):
                down[i + s, j + s] += share * (entropy[i + s, j] + entropy[i, j])
        for i in range(n):
            for j in range(m - s):
                right[i + s, j + s] += share * (entropy[i, j + s] + entropy[i, j])
    for i in range(n - s):
        for j in range(m):
            down[i + s, j + s] = _passage(down[i + s, j + s], D0, beta, rational)
    for i in range(n):
        for j in range(m - s):
            right[i + s, j + s] = _passage(right[i + s, j + s], D0, beta, rational)


@kernel(inline="always")
def _passage(difference: float, D0: float, beta: float, rational: bool) -> float:
    q = beta * difference
    return D0 / (1.0 + q * q) if rational else D0 * np.exp(-q)


@kernel()
def diffuse(
    potential: Field,
    spare: Field,
    down: Field,
    right: Field,
    reaction: Field,
    spacing: int,
    tau: float,
    steps: int,
) -> None:
    """Run ``u <- min(1, max(0, (I - tau L) u))`` in place, ``L u = -div(D grad u) - reaction u``.

    Parameters
    ----------
    potential : (n + 2 spacing, m + 2 spacing) float, C-contiguous
        The field inside a margin of ``spacing`` zeros; overwritten with the result.
    spare : same shape
        A second field with the same zero margin; overwritten.
    down, right : same shape
        Face conductances from `conductance`.
    reaction : same shape
        Growth (positive) or absorption (negative) per unit of time.
    spacing : int
    tau : float
    steps : int

    Notes
    -----
    Equation (3) of the paper with zero-flux borders. Fluxes from opposite sides are added pairwise,
    which makes flips and transposes exact. Without reaction, the sum of the field is constant up to rounding,
    and its range does not grow if ``4 tau D <= 1`` (discrete maximum principle).

    Loop order: the fields are traversed as flat arrays including the margin, which has no conductance and
    stays 0; the neighbours are views with a common index, which the compiler vectorises. Loops over rows and
    columns take 3 times as long, row views (12 per row, reference counted) twice as long.
    """
    width = potential.shape[1]
    size = potential.size
    off = spacing * width
    end = size - off
    below_face, right_face = down.ravel()[off:end], right.ravel()[off:end]
    above_face, left_face = down.ravel()[: size - 2 * off], right.ravel()[off - spacing : end - spacing]
    rate = reaction.ravel()[off:end]
    first, second = potential.ravel(), spare.ravel()
    for step in range(steps):
        source, target = (first, second) if step % 2 == 0 else (second, first)
        here, above, below = source[off:end], source[: size - 2 * off], source[2 * off :]
        left, right_of = source[off - spacing : end - spacing], source[off + spacing : end + spacing]
        out = target[off:end]
        for k in range(out.size):
            u = here[k]
            vertical = below_face[k] * (below[k] - u) + above_face[k] * (above[k] - u)
            across = right_face[k] * (right_of[k] - u) + left_face[k] * (left[k] - u)
            out[k] = min(max(u + tau * ((vertical + across) + rate[k] * u), 0.0), 1.0)
    if steps % 2 == 1:
        copy_field(spare, potential)
