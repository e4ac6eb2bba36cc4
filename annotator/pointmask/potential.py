"""The potential in a window: theta's operator, assembled and stepped."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointmask.kernels.diffuse import local_entropy
from pointmask.kernels.law import measure, resemblance
from pointmask.kernels.operator import evolve
from pointmask.kernels.scale_space import fill_scales
from pointmask.theta import LOCAL_MEASUREMENTS, TARGET_MEASUREMENTS, Theta
from pointmask.window import Window, geometry

Field = NDArray[np.float64]

_SCALES = 6
_ENTROPY_RADIUS = 2  # 5 x 5 px, as in the published annotator


@dataclass(frozen=True, slots=True, eq=False)
class Operator:
    """A theta in the arrays that the kernels read; made once per theta by `assemble`."""

    theta: Theta
    stages: tuple[Any, ...]  # spacings, steps, D0, beta, growth, decay, each (k,)
    local_weights: Field  # (h, 10)
    target_weights: Field  # (h, 5)
    bias: Field  # (h,)
    gain: Field  # (h,)
    source: Field  # (n, n)


@lru_cache(maxsize=32)
def assemble(theta: Theta) -> Operator:
    """Arrays of a theta."""
    stages = [np.array(theta.spacings), np.array(theta.steps)]
    stages += [np.array(v) for v in (theta.D0, theta.beta, theta.growth, theta.decay)]
    weights = np.array(theta.law_weights).reshape(-1, len(LOCAL_MEASUREMENTS) + len(TARGET_MEASUREMENTS))
    local, per_target = np.split(weights, [len(LOCAL_MEASUREMENTS)], axis=1)
    return Operator(
        theta,
        tuple(stages),
        np.ascontiguousarray(local),
        np.ascontiguousarray(per_target),
        np.array(theta.law_bias),
        np.array(theta.law_gain),
        _source(theta.half_size, theta.source_sigma),
    )


def solve(window: Window, operator: Operator) -> Field:
    """Run all stages of ``u <- (I - tau L_theta) u`` from the point.

    Parameters
    ----------
    window : Window
        With positive contrast.
    operator : Operator

    Returns
    -------
    (n, n) float64 in [0, 1]
    """
    theta = operator.theta
    values = _unit_range(window.values) if theta.intensity == "range" else window.values
    n = values.shape[0]
    entropy = values
    if theta.alpha < 1:
        entropy = np.empty_like(values)
        local_entropy(values, _ENTROPY_RADIUS, entropy)
    scales = _scales(values, theta)
    work = np.empty(5 * (n + 2 * max(theta.spacings)) ** 2)
    field = operator.source.copy()
    spacings, steps, D0, beta, growth, decay = operator.stages
    evolve(
        scales,
        entropy,
        _likeness(window, scales, operator),
        spacings,
        steps,
        D0,
        beta,
        growth,
        decay,
        theta.tau,
        theta.alpha,
        theta.conductance == "rational",
        work,
        field,
    )
    return field


def likeness(window: Window, operator: Operator) -> Field:
    """(n, n) resemblance in (-1, 1) that drives growth and absorption; 0 without a law."""
    return _likeness(window, _scales(window.values, operator.theta), operator)


def _scales(values: Field, theta: Theta) -> Field:
    depth = _SCALES if theta.law_weights else max(theta.spacings).bit_length()
    scales = np.empty((depth, *values.shape))
    fill_scales(values, scales)
    return scales


def _likeness(window: Window, scales: Field, operator: Operator) -> Field:
    n = window.values.shape[0]
    if not operator.gain.size:
        return np.zeros((n, n))
    places = geometry(n // 2)
    maps, out = np.empty((len(LOCAL_MEASUREMENTS), n, n)), np.empty((n, n))
    target = np.empty(len(TARGET_MEASUREMENTS))
    measure(
        scales,
        places.distance,
        places.log_distance,
        window.noise,
        window.step_inner,
        window.step_outer,
        maps,
        out,
        target,
    )
    bias = operator.bias + operator.target_weights @ target
    resemblance(maps, operator.local_weights, bias, operator.gain, operator.theta.law_offset, out)
    return out


def _source(half_size: int, sigma: float) -> Field:
    """Make the initial field: 1 at the point, a Gaussian of the given spread round it, cut at 2.4 sigma."""
    distance = geometry(half_size).distance
    if sigma == 0:
        return np.asarray(distance == 0, np.float64)
    return np.asarray(np.exp(-0.5 * (distance / sigma) ** 2) * (distance < 2.4 * sigma))


def _unit_range(values: Field) -> Field:
    low, high = values.min(), values.max()
    return np.asarray((values - low) / (high - low) if high > low else np.zeros_like(values))
