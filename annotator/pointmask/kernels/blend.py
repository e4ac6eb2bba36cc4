"""Soft label of potential and superpixel (equation 4 of the paper)."""

import numpy as np
from numpy.typing import NDArray

from pointmask.compiled import kernel

Field = NDArray[np.floating]


@kernel()
def blend(potential: Field, superpixel: NDArray[np.bool_], rho: float, out: Field) -> None:
    """Compute ``rho u / max(u) + (1 - rho) C``, divided by its maximum.

    Parameters
    ----------
    potential : (n, m) float, non-negative
    superpixel : (n, m) bool
    rho : float
    out : (n, m) float
        Overwritten with the soft label in [0, 1].
    """
    u, c, soft = potential.ravel(), superpixel.ravel(), out.ravel()
    top = 0.0
    for k in range(u.size):
        top = max(top, u[k])
    share = rho / top if top > 0 else 0.0
    top = 0.0
    for k in range(u.size):
        soft[k] = u[k] * share + ((1.0 - rho) if c[k] else 0.0)
        top = max(top, soft[k])
    if top > 0:
        for k in range(u.size):
            soft[k] /= top
