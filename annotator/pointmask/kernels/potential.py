"""The potential: all stages of the operator in one call, so that threads seldom wait for the GIL."""

import numpy as np
from numpy.typing import NDArray

from pointmask.compiled import kernel
from pointmask.kernels.diffuse import conductance, diffuse, local_entropy
from pointmask.kernels.resemblance import measure, resemblance_network
from pointmask.kernels.scale_space import fill_scales

Field = NDArray[np.floating]


@kernel()
def evolve(
    scales: Field,
    entropy: Field,
    resemblance: Field,
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
    resemblance : (n, n) float in (-1, 1)
        ``lambda_theta`` is ``-growth resemblance`` where positive, ``-decay resemblance`` elsewhere.
    spacings, steps : (k,) int64
    D0, beta, growth, decay : (k,) float
    tau, alpha : float
    rational : bool
    work : (5 (n + 2 max(spacings))^2,) float
        Overwritten.
    field : (n, n) float
        The source; overwritten with the potential.
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
                r = resemblance[i, j]
                planes[2, i + s, j + s] = r * (growth[stage] if r > 0 else decay[stage])
                planes[3, i + s, j + s] = field[i, j]
        diffuse(planes[3], planes[4], planes[0], planes[1], planes[2], s, tau, steps[stage])
        for i in range(n):
            for j in range(n):
                field[i, j] = planes[3, i + s, j + s]


@kernel()
def potential(
    values: Field,
    distance: Field,
    log_distance: Field,
    facts: Field,
    local_weights: Field,
    target_weights: Field,
    bias: Field,
    gain: Field,
    offset: float,
    spacings: NDArray[np.int64],
    steps: NDArray[np.int64],
    D0: Field,
    beta: Field,
    growth: Field,
    decay: Field,
    tau: float,
    alpha: float,
    rational: bool,
    resemblance: Field,
    field: Field,
) -> None:
    """Measure a window, evaluate the resemblance network and run all stages.

    Parameters
    ----------
    values : (n, n) float
    distance, log_distance : (n, n) float
    facts : (3,) float
        Noise, inner step and outer step, as in `measure`.
    local_weights, target_weights, bias, gain : (h, 10), (h, 5), (h,), (h,) float
        Weights of the h hidden units of the resemblance network; without units the resemblance is 0.
    offset : float
    spacings, steps, D0, beta, growth, decay, tau, alpha, rational
        As for `evolve`.
    resemblance : (n, n) float
        Overwritten with the output of the network.
    field : (n, n) float
        The source; overwritten with the potential.

    Notes
    -----
    Work arrays are allocated here and not by the caller: a few allocations cost a microsecond, whereas
    each return to the interpreter in between may make a thread wait for the GIL.
    """
    n = values.shape[0]
    units = gain.size
    widest = 1
    for s in spacings:
        widest = max(widest, s)
    scales = np.empty((6 if units else int(np.log2(widest)) + 1, n, n), values.dtype)
    fill_scales(values, scales)
    resemblance[:] = 0.0
    if units:
        maps = np.empty((10, n, n), values.dtype)
        target = np.empty(5, values.dtype)
        measure(scales, distance, log_distance, facts[0], facts[1], facts[2], maps, resemblance, target)
        biases = bias.copy()
        for h in range(units):
            for k in range(5):
                biases[h] += target_weights[h, k] * target[k]
        resemblance_network(maps, local_weights, biases, gain, offset, resemblance)
    entropy = values
    if alpha < 1:
        entropy = np.empty_like(values)
        local_entropy(values, 2, entropy)  # 5 x 5 px, as in the published annotator
    work = np.empty(5 * (n + 2 * widest) ** 2, values.dtype)
    evolve(
        scales,
        entropy,
        resemblance,
        spacings,
        steps,
        D0,
        beta,
        growth,
        decay,
        tau,
        alpha,
        rational,
        work,
        field,
    )
