"""The worth of each ingredient of the annotator: what its masks lose without it."""

from collections.abc import Sequence
from typing import Any

from masks.data import PROTOCOLS, Frame
from masks.run import by_group, by_size, figures, run
from pointmask.measurements import LOCAL_MEASUREMENTS, TARGET_MEASUREMENTS
from pointmask.theta import Theta

LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
TUNING_SHARE = 8  # one train image of so many finds a variant's own best level
NO_DIFFUSION = "no diffusion: connected resemblance"

_MEASUREMENTS = (*LOCAL_MEASUREMENTS, *TARGET_MEASUREMENTS)
_NETWORK_INPUTS = {
    "distance": ("distance", "log_distance"),
    "texture": ("texture_1", "texture_2"),
    "scales": tuple(name for name in LOCAL_MEASUREMENTS if name.startswith("contrast_")),
    "target-wide measurements": TARGET_MEASUREMENTS,
}


def variants(theta: Theta) -> dict[str, Theta]:
    """List theta as it is, and without each ingredient that it has."""
    changed = {name: theta.with_(**changes) for name, changes in _changes(theta).items()}
    return {"as it is": theta, **{name: other for name, other in changed.items() if other != theta}}


def _changes(theta: Theta) -> dict[str, dict[str, Any]]:
    none = (0.0,) * len(theta.steps)
    fine = theta.spacings.index(1)
    changes: dict[str, dict[str, Any]] = {
        "no superpixel": {"rho": 1.0},
        "no octaves": {"octaves": 0},
        "large targets from the coarser window alone": {"finer_share": 0.0},
        "clicks never in doubt": {"settle_doubt": 0.0},
        "no conductance contrast": {"beta": none},
        "no growth": {"growth": none},
        "no absorption": {"decay": none},
        "no growth, no absorption": {"growth": none, "decay": none},
        "single stage, same steps": {
            **{name: (getattr(theta, name)[fine],) for name in ("D0", "beta", "growth", "decay")},
            "spacings": (1,),
            "steps": (sum(theta.steps),),
        },
        "source a single pixel": {"source_sigma": 0.0},
        "no reach": {"reach": 0},
    }
    if theta.law_weights:
        for part, names in _NETWORK_INPUTS.items():
            changes[f"network without {part}"] = {"law_weights": _without(theta, names)}
        changes[NO_DIFFUSION] = _resemblance_alone(theta)
    return changes


def _without(theta: Theta, names: Sequence[str]) -> tuple[tuple[float, ...], ...]:
    kept = [name not in names for name in _MEASUREMENTS]
    return tuple(tuple(w * k for w, k in zip(row, kept, strict=True)) for row in theta.law_weights)


def _resemblance_alone(theta: Theta) -> dict[str, Any]:
    """Make the potential 1 where the resemblance is positive and 0 elsewhere.

    A source that covers the window, no conductance, and enough steps of strong growth and absorption.
    """
    return {
        "source_sigma": 16.0,
        "spacings": (1,),
        "steps": (400,),
        "D0": (0.0,),
        "beta": (0.0,),
        "growth": (100.0,),
        "decay": (min(1 / theta.tau, 100.0),),
        "rho": 1.0,
        "level": 0.5,
    }


def ablation(frames: Sequence[Frame], theta: Theta) -> list[dict[str, Any]]:
    """Measure every variant at theta's level, and at the level that suits it best on train images.

    Returns
    -------
    list of dict
        ``name``; per protocol and group `figures`, per protocol and size class `by_size`; ``level``,
        the variant's own best, and ``at_level``, centroid figures there by group; both are None where no
        train images are among the frames.
    """
    train = [frame for frame in frames if frame.split == "train"][::TUNING_SHARE]
    rows = []
    for name, variant in variants(theta).items():
        row: dict[str, Any] = {"name": name, "level": None, "at_level": None}
        for protocol in PROTOCOLS:
            found = run(frames, variant, protocol)
            groups = {group: figures(own) for group, own in by_group(found).items()}
            row[protocol] = {"groups": groups, "sizes": by_size(found)}
        if train:
            row["level"] = best_level(train, variant)
            found = run(frames, variant.with_(level=row["level"]))
            row["at_level"] = {group: figures(own) for group, own in by_group(found).items()}
        rows.append(row)
    return rows


def best_level(frames: Sequence[Frame], theta: Theta) -> float:
    """Return the level among `LEVELS` and theta's own with the best pooled IoU, centroid points."""
    levels = sorted({*LEVELS, theta.level} - {0.0})
    scores = {level: figures(run(frames, theta.with_(level=level)))["iou"] or 0.0 for level in levels}
    return max(scores, key=lambda level: scores[level])
