"""The operator of a theta: assembled once, then stepped in each window to give the potential."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointmask.annotator.window import Window, geometry
from pointmask.kernels.potential import potential
from pointmask.measurements import LOCAL_MEASUREMENTS, TARGET_MEASUREMENTS
from pointmask.theta import Theta

Field = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Operator:
    """A theta as the arrays that the kernels read; see `assemble`."""

    theta: Theta
    stages: tuple[Any, ...]  # spacings, steps, D0, beta, growth, decay, each (k,)
    local_weights: Field  # (h, 10)
    target_weights: Field  # (h, 5)
    bias: Field  # (h,)
    gain: Field  # (h,)
    source: Field  # (n, n)


@lru_cache(maxsize=32)
def assemble(theta: Theta) -> Operator:
    """Convert a theta to arrays; cached."""
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
    places = geometry(values.shape[0] // 2)
    field = operator.source.copy()
    spacings, steps, D0, beta, growth, decay = operator.stages
    potential(
        values,
        places.distance,
        places.log_distance,
        np.array([window.noise, window.step_inner, window.step_outer]),
        operator.local_weights,
        operator.target_weights,
        operator.bias,
        operator.gain,
        theta.law_offset,
        spacings,
        steps,
        D0,
        beta,
        growth,
        decay,
        theta.tau,
        theta.alpha,
        theta.conductance == "rational",
        np.empty_like(values),
        field,
    )
    return field


def _source(half_size: int, sigma: float) -> Field:
    """Make the initial field: 1 at the point, a Gaussian around it if sigma > 0, cut at 2.4 sigma."""
    distance = geometry(half_size).distance
    if sigma == 0:
        return np.asarray(distance == 0, np.float64)
    return np.asarray(np.exp(-0.5 * (distance / sigma) ** 2) * (distance < 2.4 * sigma))


def _unit_range(values: Field) -> Field:
    low, high = values.min(), values.max()
    return np.asarray((values - low) / (high - low) if high > low else np.zeros_like(values))
