"""How much each pixel resembles the target under the point: a sum of hinges over local measurements."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from pointmask.kernels.scale_space import smooth as _smooth

Field = NDArray[np.floating]


@njit(cache=True, nogil=True)
def texture(fine: Field, coarse: Field, spare: Field, out: Field) -> None:
    """Local mean of ``|fine - coarse|``, the energy of one band, over about 7 x 7 px.

    Parameters
    ----------
    fine, coarse : (n, m) float
        Two neighbouring scales.
    spare, out : (n, m) float
        Overwritten; ``out`` receives the result.
    """
    n, m = fine.shape
    for i in range(n):
        for j in range(m):
            out[i, j] = abs(fine[i, j] - coarse[i, j])
    _smooth(out, 1, spare)
    _smooth(spare, 2, out)


@njit(cache=True, nogil=True)
def resemblance(
    maps: NDArray[np.floating],
    weights: NDArray[np.floating],
    bias: NDArray[np.floating],
    gain: NDArray[np.floating],
    offset: float,
    row: NDArray[np.floating],
    out: Field,
) -> None:
    """Evaluate ``z(x) = offset + sum_h gain_h max(0, bias_h + weights_h . maps(x))``, then ``z / (1 + |z|)``.

    Parameters
    ----------
    maps : (f, n, m) float
        The measurements that vary over the window.
    weights : (h, f) float
    bias : (h,) float
        Already holds the measurements that are one number per target.
    gain : (h,) float
    offset : float
    row : (m,) float
        Overwritten.
    out : (n, m) float
        Receives the resemblance in (-1, 1): positive like the target, negative like background.

    Notes
    -----
    One row at a time and one hinge at a time keeps the inner loops long, branch-free and in cache.
    """
    hinges, fields = weights.shape
    n, m = out.shape
    for i in range(n):
        for j in range(m):
            out[i, j] = offset
        for h in range(hinges):
            for j in range(m):
                row[j] = bias[h]
            for f in range(fields):
                w = weights[h, f]
                for j in range(m):
                    row[j] += w * maps[f, i, j]
            g = gain[h]
            for j in range(m):
                out[i, j] += g * max(row[j], row[j] * 0)
        for j in range(m):
            out[i, j] = out[i, j] / (1 + abs(out[i, j]))


