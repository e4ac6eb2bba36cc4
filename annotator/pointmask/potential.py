"""The potential in a window: theta's operator, assembled and stepped."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pointmask.kernels.diffuse import conductance, diffuse, local_entropy
from pointmask.kernels.law import resemblance, texture
from pointmask.kernels.scale_space import smooth
from pointmask.theta import LOCAL_MEASUREMENTS, Theta
from pointmask.window import Window, geometry

Field = NDArray[np.float64]

_SCALES = 5
_ENTROPY_RADIUS = 2  # 5 x 5 px, as in the published annotator


def solve(window: Window, theta: Theta) -> Field:
    """Run all stages of ``u <- (I - tau L_theta) u`` from the point.

    Parameters
    ----------
    window : Window
        With positive contrast.
    theta : Theta

    Returns
    -------
    (n, n) float64 in [0, 1]
    """
    values = _unit_range(window.values) if theta.intensity == "range" else window.values
    n = values.shape[0]
    scales = _scales(values, _depth(theta))
    likeness = _likeness(window, scales, theta)
    entropy = values
    if theta.alpha < 1:
        entropy = np.empty_like(values)
        local_entropy(values, _ENTROPY_RADIUS, entropy)
    field = _source(theta.half_size, theta.source_sigma)
    for spacing, steps, D0, beta, growth, decay in zip(
        theta.spacings, theta.steps, theta.D0, theta.beta, theta.growth, theta.decay, strict=True
    ):
        padded = (n + 2 * spacing, n + 2 * spacing)
        down, right = np.empty(padded), np.empty(padded)
        conductance(
            scales[spacing.bit_length() - 1],
            entropy,
            spacing,
            D0,
            beta,
            theta.alpha,
            theta.conductance == "rational",
            down,
            right,
        )
        potential, spare, reaction = np.zeros((3, *padded))
        inside = (slice(spacing, n + spacing),) * 2
        if likeness is not None:
            np.multiply(likeness, np.where(likeness > 0, growth, decay), out=reaction[inside])
        potential[inside] = field
        diffuse(potential, spare, down, right, reaction, spacing, theta.tau, steps)
        field = np.ascontiguousarray(potential[inside])
    return field


def likeness(window: Window, theta: Theta) -> Field | None:
    """(n, n) resemblance in (-1, 1) that drives growth and absorption; None if theta has no law."""
    return _likeness(window, _scales(window.values, _depth(theta)), theta)


def _depth(theta: Theta) -> int:
    return _SCALES if theta.law_weights else max(theta.spacings).bit_length() - 1


def _scales(values: Field, depth: int) -> Field:
    """(depth + 1, n, n): the window and its smoothed versions, each from the one before."""
    scales = np.empty((depth + 1, *values.shape))
    scales[0] = values
    for k in range(depth):
        smooth(scales[k], 2**k, scales[k + 1])
    return scales


def _likeness(window: Window, scales: Field, theta: Theta) -> Field | None:
    law = _law_arrays(theta)
    if law is None:
        return None
    local, per_target, bias, gain, offset = law
    n = scales.shape[1]
    places = geometry(n // 2)
    maps = np.empty((len(LOCAL_MEASUREMENTS), n, n))
    maps[:6] = scales
    maps[6] = places.distance
    maps[6] /= 10
    maps[7] = places.log_distance
    spare = np.empty((n, n))
    for k in (0, 1):
        texture(scales[k], scales[k + 1], spare, maps[8 + k])
    np.minimum(maps[8:] * 4, 4, out=maps[8:])
    near = scales[0].ravel()[places.within_ten]
    measured = np.array(
        [
            0.3 * np.log(window.noise / window.contrast + 0.02),
            window.step_inner,
            window.step_outer,
            0.3 * np.log1p(np.count_nonzero(near > 0.3)),
            0.3 * np.log1p(np.count_nonzero(near > 0.6)),
        ]
    )
    out = np.empty((n, n))
    resemblance(maps, local, bias + per_target @ measured, gain, offset, out)
    return out


@lru_cache(maxsize=16)
def _law_arrays(theta: Theta) -> tuple[Field, Field, Field, Field, float] | None:
    if not theta.law_weights:
        return None
    weights = np.array(theta.law_weights)
    split = len(LOCAL_MEASUREMENTS)
    return (
        np.ascontiguousarray(weights[:, :split]),
        np.ascontiguousarray(weights[:, split:]),
        np.array(theta.law_bias),
        np.array(theta.law_gain),
        theta.law_offset,
    )


@lru_cache(maxsize=16)
def _source(half_size: int, sigma: float) -> Field:
    """Initial field: 1 at the point, a Gaussian of the given spread round it, cut at 2.4 sigma."""
    distance = geometry(half_size).distance
    if sigma == 0:
        return (distance == 0).astype(np.float64)
    return np.exp(-0.5 * (distance / sigma) ** 2) * (distance < 2.4 * sigma)


def _unit_range(values: Field) -> Field:
    low, high = values.min(), values.max()
    return (values - low) / (high - low) if high > low else np.zeros_like(values)
