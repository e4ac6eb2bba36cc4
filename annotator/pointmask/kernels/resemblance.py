"""The resemblance network: one hidden layer of ReLU units over 15 measurements, with a softsign output.

The weights are part of theta; those of the preset ``default`` were fitted to true masks.
"""

import numpy as np
from numpy.typing import NDArray

from pointmask.compiled import kernel
from pointmask.kernels.scale_space import copy_field
from pointmask.kernels.scale_space import smooth as _smooth

Field = NDArray[np.floating]


@kernel()
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


@kernel()
def measure(
    scales: Field,
    distance: Field,
    log_distance: Field,
    noise: float,
    step_inner: float,
    step_outer: float,
    maps: Field,
    spare: Field,
    target: Field,
) -> None:
    """Compute the inputs of the resemblance network; see `pointmask.measurements` for names and units.

    Parameters
    ----------
    scales : (6, n, n) float
    distance, log_distance : (n, n) float
    noise : float
        Background deviation relative to the contrast.
    step_inner, step_outer : float
    maps : (10, n, n) float
        Receives ``LOCAL_MEASUREMENTS``.
    spare : (n, n) float
        Overwritten.
    target : (5,) float
        Receives ``TARGET_MEASUREMENTS``.
    """
    n, m = distance.shape
    for k in range(6):
        copy_field(scales[k], maps[k])
    texture(scales[0], scales[1], spare, maps[8])
    texture(scales[1], scales[2], spare, maps[9])
    over_30, over_60 = 0, 0
    for i in range(n):
        for j in range(m):
            maps[6, i, j] = 0.1 * distance[i, j]
            maps[7, i, j] = log_distance[i, j]
            maps[8, i, j] = min(4.0 * maps[8, i, j], 4.0)
            maps[9, i, j] = min(4.0 * maps[9, i, j], 4.0)
            if distance[i, j] < 10.0:
                over_30 += scales[0, i, j] > 0.3
                over_60 += scales[0, i, j] > 0.6
    target[0] = 0.3 * np.log(noise + 0.02)
    target[1] = step_inner
    target[2] = step_outer
    target[3] = 0.3 * np.log(1.0 + over_30)
    target[4] = 0.3 * np.log(1.0 + over_60)


@kernel()
def resemblance_network(
    maps: NDArray[np.floating],
    weights: NDArray[np.floating],
    bias: NDArray[np.floating],
    gain: NDArray[np.floating],
    offset: float,
    out: Field,
) -> None:
    """Evaluate ``z(x) = offset + sum_h gain_h max(0, bias_h + weights_h . maps(x))``, then ``z / (1 + |z|)``.

    Parameters
    ----------
    maps : (10, n, m) float, C-contiguous
        The measurements that vary over the window.
    weights : (h, 10) float
    bias : (h,) float
        Includes the contribution of ``TARGET_MEASUREMENTS``, which are the same for all pixels.
    gain : (h,) float
    offset : float
    out : (n, m) float
        Overwritten with the resemblance in (-1, 1): positive like the target, negative like background.

    Notes
    -----
    Loop order: units outside, pixels of the flat window inside, with the ten terms written out, so that
    each unit is one pass of vector code. An inner loop over the terms costs 2.5 times as much.
    """
    total = out.ravel()
    m0, m1, m2, m3, m4 = maps[0].ravel(), maps[1].ravel(), maps[2].ravel(), maps[3].ravel(), maps[4].ravel()
    m5, m6, m7, m8, m9 = maps[5].ravel(), maps[6].ravel(), maps[7].ravel(), maps[8].ravel(), maps[9].ravel()
    for k in range(total.size):
        total[k] = offset
    for h in range(weights.shape[0]):
        b, g = bias[h], gain[h]
        w0, w1, w2, w3, w4 = weights[h, 0], weights[h, 1], weights[h, 2], weights[h, 3], weights[h, 4]
        w5, w6, w7, w8, w9 = weights[h, 5], weights[h, 6], weights[h, 7], weights[h, 8], weights[h, 9]
        for k in range(total.size):
            low = (w0 * m0[k] + w1 * m1[k]) + (w2 * m2[k] + w3 * m3[k])
            high = (w4 * m4[k] + w5 * m5[k]) + (w6 * m6[k] + w7 * m7[k])
            total[k] += g * max(b + ((low + high) + (w8 * m8[k] + w9 * m9[k])), 0.0)
    for k in range(total.size):
        total[k] = total[k] / (1.0 + abs(total[k]))
