"""The threshold of a heat map, chosen by clicks."""

import numpy as np
import pytest

pytest.importorskip("torch")

from hypothesis import given
from hypothesis import strategies as st

from pointmask.metrics.points import PointScore
from pointmask_trainer.config import ModelConfig
from pointmask_trainer.inference.tasks.decode import probability
from pointmask_trainer.inference.tasks.threshold import CHANCES, best_chance, moved, with_threshold


def curve(hits, images):
    """Of 100 points, so many are found at each probability; there is no false alarm."""
    return {
        chance: PointScore(hits=found, false=0, missed=100 - found, distance=0.0, images=images, pixels=1)
        for chance, found in zip(CHANCES, hits, strict=True)
    }


FALLING = [90, 90, 90, 88, 80, 70, 60, 50, 40, 30, 20, 10, 0]


def test_the_best_is_chosen_as_far_as_the_images_tell():
    assert best_chance(curve(FALLING, images=10_000)) == 0.3
    assert best_chance(curve(FALLING, images=100)) == 0.35, "0.009 of F1 less may be luck"
    assert best_chance(curve([100] * len(CHANCES), images=100)) == 0.5
    assert best_chance(curve(FALLING[::-1], images=10_000)) == 0.7


def test_frames_without_targets_choose_nothing():
    alarms = {
        chance: PointScore(hits=0, false=k, missed=0, distance=0.0, images=5, pixels=1)
        for k, chance in enumerate(reversed(CHANCES))
    }
    assert best_chance(alarms) == 0.5


@given(st.floats(0.05, 0.95), st.sampled_from(CHANCES))
def test_what_had_the_chosen_probability_has_half_afterwards(threshold, chance):
    heat = moved(threshold, chance)
    assert 0.01 <= heat <= 0.99
    if 0.01 < heat < 0.99:
        heat = np.float32(heat)
        assert probability(heat, threshold) == pytest.approx(chance, abs=1e-4)
        assert probability(heat, float(heat)) == pytest.approx(0.5, abs=1e-4)


def test_settings_take_what_was_chosen():
    model = ModelConfig(name="contrast_points", options={"gap": 0.5})
    assert with_threshold(model, {"val_points": {"f1": 0.5}}) is model
    assert with_threshold(model, {}) is model
    chosen = with_threshold(model, {"val_points": {"threshold": 0.4}})
    assert chosen.options == {"gap": 0.5, "threshold": 0.4}
