"""The threshold of a heat map, by the clicks of validation images.

Trainings differ in how high their peaks are: of two on the same data one had its best F1 at a heat of 0.42,
the other at 0.5, and 0.06 less at 0.5 and 0.02 less at 0.42.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pointmask.metrics.points import PointScore
from pointmask.settings import bounds
from pointmask_trainer.config import ModelConfig
from pointmask_trainer.detectors.locators.base import Decoding
from pointmask_trainer.inference.tasks.base import HALF
from pointmask_trainer.run.choice import margin

CHANCES = tuple(k / 20 for k in range(4, 17))
"""Probabilities that a threshold may move to, by the network's own; `HALF` is one of them."""

THRESHOLD = "threshold"
"""Of the heat: an option of networks, and a figure of the epochs that choose it."""

_BOUNDS = bounds(Decoding)[THRESHOLD]


def best_chance(curve: Mapping[float, PointScore]) -> float:
    """Return the probability at which F1 is best, as far as the images can tell: of those the nearest to 0.5.

    Parameters
    ----------
    curve : Mapping
        Scores of the same images by probability, 0.5 among them.
    """
    whole = curve[HALF]
    if not whole.hits + whole.missed:
        return HALF
    f1 = {chance: score.f1 for chance, score in curve.items()}
    least = max(f1.values()) - margin(whole.images)
    good = [chance for chance, value in f1.items() if value >= least]
    return min(good, key=lambda chance: abs(chance - HALF))


def moved(threshold: float, chance: float) -> float:
    """Return the heat whose `decode.probability` is `chance` if that of `threshold` is 0.5."""
    odds = threshold / (1 - threshold) * chance / (1 - chance)
    return _BOUNDS.clip(odds / (1 + odds))


def with_threshold(model: ModelConfig, metrics: Mapping[str, Any]) -> ModelConfig:
    """Return the settings of a network with the threshold that an epoch has chosen, if it has."""
    chosen = metrics.get("val_points", {}).get(THRESHOLD)
    return model if chosen is None else replace(model, options={**model.options, THRESHOLD: chosen})
