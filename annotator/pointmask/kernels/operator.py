"""All stages of the operator on one window in one call, so that threads seldom meet in the interpreter."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from pointmask.kernels.diffuse import conductance, diffuse

Field = NDArray[np.floating]


@njit(cache=True, nogil=True)
def evolve(
    scales: Field,
    entropy: Field,
    likeness: Field,
    spacings: NDArray[np.int64],
    steps: NDArray[np.int64],
    D0: Field,
    beta: Field,
    growth: Field,
    decay: Field,
    tau: float,
    alpha: float,
    rational: bool,
    work: Field,
    field: Field,
) -> None:
    """Run ``u <- (I - tau L_theta) u``, stage after stage.

    Parameters
    ----------
    scales : (d, n, n) float
        The window and its smoothed versions; a stage of spacing ``2**k`` reads ``scales[k]``.
    entropy : (n, n) float
        Not read where ``alpha`` is 1.
    likeness : (n, n) float in (-1, 1)
        ``lambda_theta`` is ``-growth likeness`` where positive, ``-decay likeness`` elsewhere.
    spacings, steps : (k,) int64
    D0, beta, growth, decay : (k,) float
    tau, alpha : float
    rational : bool
    work : (5 (n + 2 max(spacings))^2,) float
        Overwritten.
    field : (n, n) float
        Holds the source, receives the potential.
    """
    n = field.shape[0]
    for stage in range(steps.size):
        s = spacings[stage]
        side = n + 2 * s
        planes = work[: 5 * side * side].reshape((5, side, side))
        planes[2:] = 0.0
        conductance(
            scales[int(np.log2(s))], entropy, s, D0[stage], beta[stage], alpha, rational, planes[0], planes[1]
        )
        for i in range(n):
            for j in range(n):
                r = likeness[i, j]
                planes[2, i + s, j + s] = r * (growth[stage] if r > 0 else decay[stage])
                planes[3, i + s, j + s] = field[i, j]
        diffuse(planes[3], planes[4], planes[0], planes[1], planes[2], s, tau, steps[stage])
        for i in range(n):
            for j in range(n):
                field[i, j] = planes[3, i + s, j + s]
