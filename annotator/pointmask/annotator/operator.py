"""The operator of a theta: assembled once, then stepped in each window to give the potential."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointmask.annotator.superpixel import first_centres
from pointmask.annotator.window import GRAIN, Window, geometry
from pointmask.kernels.potential import potential
from pointmask.measurements import LOCAL_MEASUREMENTS, TARGET_MEASUREMENTS
from pointmask.theta import Theta

Field = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Operator:
    """A theta as the arrays that the kernels read; see `assemble`."""

    theta: Theta
    stages: tuple[Any, ...]  # spacings, steps, D0, beta, growth, decay, each (k,)
    network: tuple[Field, Field, Field, Field]  # weights (h, 10) and (h, 5), bias and gain, both (h,)
    source: Field  # (n, n)
    geometry: tuple[Any, ...]  # this and what follows as for `pointmask.kernels.target.solve_target`
    numbers: tuple[Any, ...]
    clusters: tuple[Any, ...]

    @property
    def at_once(self) -> bool:
        """Whether one call solves a target at the image's own resolution; else its steps are called."""
        return self.theta.intensity == "contrast" and self.theta.level > 0


@lru_cache(maxsize=32)
def assemble(theta: Theta) -> Operator:
    """Convert a theta to arrays; cached."""
    stages = [np.array(theta.spacings), np.array(theta.steps)]
    stages += [np.array(v) for v in (theta.D0, theta.beta, theta.growth, theta.decay)]
    weights = np.array(theta.law_weights).reshape(-1, len(LOCAL_MEASUREMENTS) + len(TARGET_MEASUREMENTS))
    local, per_target = np.split(weights, [len(LOCAL_MEASUREMENTS)], axis=1)
    network = (
        np.ascontiguousarray(local),
        np.ascontiguousarray(per_target),
        np.array(theta.law_bias),
        np.array(theta.law_gain),
    )
    places = geometry(theta.half_size)
    numbers = (
        GRAIN,
        float(theta.quiet),
        float(theta.law_offset),
        float(theta.tau),
        float(theta.alpha),
        theta.conductance == "rational",
        float(theta.rho),
        theta.settle_moves,
        float(theta.level),
        theta.reach,
    )
    centres, reach = first_centres(theta.superpixel, theta.superpixel_step, 2 * theta.half_size + 1)
    clusters = (
        centres,
        reach,
        theta.superpixel == "centred",
        theta.superpixel_step,
        float(theta.compactness),
        theta.superpixel_iterations,
    )
    source = _source(theta.half_size, theta.source_sigma)
    around = (places.distance, places.log_distance, *places.rings, places.near)
    return Operator(theta, tuple(stages), network, source, around, numbers, clusters)


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
        *operator.network,
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
