"""Knobs: the named and bounded directions along which a fit may move theta."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pointmask.measurements import LOCAL_MEASUREMENTS
from pointmask.settings import Between, bounds
from pointmask.theta import Theta, stable_rates

_OTSU_LEVEL = 0.5  # fixed level from which a shift starts if theta's own is Otsu's
_ANY = Between(-math.inf, math.inf)


@dataclass(frozen=True, slots=True)
class Knob:
    """One direction. A setting of 0 is the start; a setting of 1 is a typical change.

    Attributes
    ----------
    name : str
    field : str
        The `Theta` field it moves, all entries together.
    kind : {"add", "scale"}
        The entries become ``x + size * setting`` or ``x * exp(size * setting)``.
    size : float
        Typical change, in the field's unit or as a logarithm.
    limits : Between
        Bounds of the moved entries for ``add``; for ``scale``, those of `Theta` apply.
    needs : callable
        Whether the direction applies to a theta.
    columns : tuple of int
        Columns to move in a table of rows; empty for all.
    """

    name: str
    field: str
    kind: Literal["add", "scale"]
    size: float
    needs: Callable[[Theta], bool]
    limits: Between = _ANY
    columns: tuple[int, ...] = ()


def _always(theta: Theta) -> bool:
    return True


def _has_network(theta: Theta) -> bool:
    return bool(theta.law_weights)


def _has_no_network(theta: Theta) -> bool:
    return not theta.law_weights


def _has_entropy(theta: Theta) -> bool:
    return theta.alpha < 1


def _has_octaves(theta: Theta) -> bool:
    return theta.octaves > 0


_BOUNDS = bounds(Theta)
_DISTANCES = (LOCAL_MEASUREMENTS.index("distance"), LOCAL_MEASUREMENTS.index("log_distance"))

KNOBS = (
    Knob("level", "level", "add", 0.1, _always, limits=Between(0.02, 0.98)),
    Knob("rho", "rho", "add", 0.1, _always, limits=_BOUNDS["rho"]),
    Knob("offset", "law_offset", "add", 0.15, _has_network, limits=Between(-10, 10)),
    Knob("sharpness", "law_gain", "scale", 0.2, _has_network),
    Knob("nearness", "law_weights", "scale", 0.2, _has_network, columns=_DISTANCES),
    Knob("growth", "growth", "scale", 0.5, _has_network),
    Knob("decay", "decay", "scale", 0.5, _has_network),
    Knob("edges", "beta", "scale", 0.5, _always),
    Knob("flow", "D0", "scale", 0.5, _always),
    Knob("gradient", "alpha", "add", 0.2, _has_entropy, limits=_BOUNDS["alpha"]),
    Knob("time", "steps", "scale", 0.5, _has_no_network),
    Knob("large", "large_area", "scale", 0.5, _has_octaves),
)
"""All directions. A setting lies in [-`LIMIT`, `LIMIT`]."""

LIMIT = 3.0


def knobs_of(theta: Theta) -> tuple[Knob, ...]:
    """Return the directions in which a theta can be moved."""
    return tuple(knob for knob in KNOBS if knob.needs(theta))


def turn(theta: Theta, settings: Mapping[Knob, float]) -> Theta:
    """Move a theta along some directions.

    Parameters
    ----------
    theta : Theta
        The start.
    settings : Mapping
        Setting by knob, in [-`LIMIT`, `LIMIT`]; a setting of 0 leaves the start's values as they are.

    Returns
    -------
    Theta
        Within the bounds of `Theta`; conductance and absorption are clipped to what keeps the explicit steps
        stable.
    """
    changes = {
        knob.field: _moved(getattr(theta, knob.field), knob, setting)
        for knob, setting in settings.items()
        if setting
    }
    if "level" in changes and not theta.level:
        level = next(knob for knob in settings if knob.field == "level")
        changes["level"] = _moved(_OTSU_LEVEL, level, settings[level])
    if "D0" in changes or "decay" in changes:
        rates = zip(changes.get("D0", theta.D0), changes.get("decay", theta.decay), strict=True)
        stable = [stable_rates(theta.tau, D0, decay) for D0, decay in rates]
        changes["D0"], changes["decay"] = zip(*stable, strict=True)
    return theta.with_(**changes) if changes else theta


def _moved(value: Any, knob: Knob, setting: float) -> Any:  # noqa: ANN401 - any numeric field of Theta
    if isinstance(value, tuple):
        if value and isinstance(value[0], tuple) and knob.columns:
            return tuple(
                tuple(_moved(x, knob, setting) if k in knob.columns else x for k, x in enumerate(row))
                for row in value
            )
        return tuple(_moved(item, knob, setting) for item in value)
    if knob.kind == "add":
        return knob.limits.clip(value + knob.size * setting)
    moved = value * math.exp(knob.size * setting)
    return max(round(moved), 1) if isinstance(value, int) else moved
