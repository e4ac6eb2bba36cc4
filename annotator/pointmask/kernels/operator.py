"""All stages of the operator on one window in one call, so that threads seldom meet in the interpreter."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from pointmask.kernels.diffuse import conductance, diffuse, local_entropy
from pointmask.kernels.resemblance import measure, resemblance
from pointmask.kernels.scale_space import fill_scales

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


@njit(cache=True, nogil=True)
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
    likeness: Field,
    field: Field,
) -> None:
    """Measure a window, evaluate the law and run all stages: the whole operator in one call.

    Parameters
    ----------
    values : (n, n) float
    distance, log_distance : (n, n) float
    facts : (3,) float
        Noise, inner and outer step, as `measure` takes them.
    local_weights, target_weights, bias, gain : (h, 10), (h, 5), (h,), (h,) float
        The law; without hinges the likeness is 0.
    offset : float
    spacings, steps, D0, beta, growth, decay, tau, alpha, rational
        As for `evolve`.
    likeness : (n, n) float
        Receives the resemblance.
    field : (n, n) float
        Holds the source, receives the potential.

    Notes
    -----
    Its arrays are made here and not by the caller: a handful of allocations cost a microsecond, each
    return to the interpreter in between costs two threads a wait for its lock.
    """
    n = values.shape[0]
    hinges = gain.size
    widest = 1
    for s in spacings:
        widest = max(widest, s)
    scales = np.empty((6 if hinges else int(np.log2(widest)) + 1, n, n), values.dtype)
    fill_scales(values, scales)
    likeness[:] = 0.0
    if hinges:
        maps = np.empty((10, n, n), values.dtype)
        target = np.empty(5, values.dtype)
        measure(scales, distance, log_distance, facts[0], facts[1], facts[2], maps, likeness, target)
        biases = bias.copy()
        for h in range(hinges):
            for k in range(5):
                biases[h] += target_weights[h, k] * target[k]
        resemblance(maps, local_weights, biases, gain, offset, likeness)
    entropy = values
    if alpha < 1:
        entropy = np.empty_like(values)
        local_entropy(values, 2, entropy)  # 5 x 5 px, as in the published annotator
    work = np.empty(5 * (n + 2 * widest) ** 2, values.dtype)
    evolve(
        scales,
        entropy,
        likeness,
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
