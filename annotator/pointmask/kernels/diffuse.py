"""Explicit steps of anisotropic diffusion with growth and absorption: the heart of the annotator."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

Field = NDArray[np.floating]


@njit(cache=True, nogil=True)
def local_entropy(window: Field, radius: int, out: Field) -> None:
    """Shannon entropy of 8-bit values in a square, as a fraction of 8 bits.

    Parameters
    ----------
    window : (n, m) float
        Values in [0, 1].
    radius : int
        The square has ``2 * radius + 1`` px a side and is clipped at the border.
    out : (n, m) float
        Receives the entropy in [0, 1].
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


@njit(cache=True, nogil=True)
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
    spacing : int
    D0, beta, alpha : float
    rational : bool
    down, right : (n + 2 spacing, m + 2 spacing) float
        Overwritten. ``down[i + spacing, j + spacing]`` is the face between pixels ``(i, j)`` and
        ``(i + spacing, j)``; ``right`` likewise along the row. Faces that lead out of the window are
        0 (no flux), and the margin of zeros lets `diffuse` run without a test per pixel.
    """
    n, m = window.shape
    s = spacing
    down[:] = 0
    right[:] = 0
    for i in range(n - s):
        for j in range(m):
            q = alpha * abs(window[i + s, j] - window[i, j])
            if alpha < 1:
                q += (1 - alpha) * 0.5 * (entropy[i + s, j] + entropy[i, j])
            down[i + s, j + s] = q
    for i in range(n):
        for j in range(m - s):
            q = alpha * abs(window[i, j + s] - window[i, j])
            if alpha < 1:
                q += (1 - alpha) * 0.5 * (entropy[i, j + s] + entropy[i, j])
            right[i + s, j + s] = q
    for i in range(n):
        for j in range(m):
            d = beta * down[i + s, j + s]
            r = beta * right[i + s, j + s]
            if rational:
                d = D0 / (1 + d * d)
                r = D0 / (1 + r * r)
            else:
                d = D0 * np.exp(-d)
                r = D0 * np.exp(-r)
            down[i + s, j + s] = d if i < n - s else d * 0
            right[i + s, j + s] = r if j < m - s else r * 0


@njit(cache=True, nogil=True)
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
    potential : (n + 2 spacing, m + 2 spacing) float
        The field inside a margin of ``spacing`` zeros; holds the result on return.
    spare : same shape
        A second field with the same zero margin; overwritten.
    down, right : same shape
        Face conductances from `conductance`.
    reaction : (n, m) float
        Growth (positive) or absorption (negative) per unit of time.
    spacing : int
    tau : float
    steps : int

    Notes
    -----
    Equation (3) of the paper with zero-flux borders. Fluxes from opposite sides are added pairwise,
    which makes flips and transposes exact. Without reaction the result keeps its sum to rounding and
    stays within the first field's range when ``4 tau D <= 1`` (discrete maximum principle).
    """
    s = spacing
    n, m = reaction.shape
    for step in range(steps):
        if step % 2 == 0:
            source, out = potential, spare
        else:
            source, out = spare, potential
        for i in range(s, n + s):
            for j in range(s, m + s):
                here = source[i, j]
                vertical = down[i, j] * (source[i + s, j] - here) + down[i - s, j] * (source[i - s, j] - here)
                across = right[i, j] * (source[i, j + s] - here) + right[i, j - s] * (source[i, j - s] - here)
                value = here + tau * ((vertical + across) + reaction[i - s, j - s] * here)
                out[i, j] = min(max(value, 0), 1)
    if steps % 2 == 1:
        potential[:] = spare
