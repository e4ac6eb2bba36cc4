"""The sample that stands for a list: spread evenly, bounded, the same each time."""

import numpy as np
import pytest

from pointmask.judgement import sample
from pointmask.judgement.evidence import Clicked
from pointmask.judgement.sample import MOST_IMAGES, judge_some


def looked_at(count, shape=(32, 32), clicks=1):
    seen = []

    def look(item):
        seen.append(item)
        rng = np.random.default_rng(item)
        yield Clicked(rng.normal(size=shape), rng.integers(0, min(shape), (clicks, 2)))

    judge_some(range(count), look)
    return seen


@pytest.mark.parametrize("count", [0, 1, 5, MOST_IMAGES])
def test_all_of_few_images_are_looked_at(count):
    assert sorted(looked_at(count)) == list(range(count))


def test_of_many_a_bounded_number_spread_evenly():
    seen = sorted(looked_at(100_000))
    assert len(seen) == MOST_IMAGES
    assert (seen[0], seen[-1]) == (0, 99_999)
    assert np.diff(seen).max() <= 1.01 * 100_000 / (MOST_IMAGES - 1)


def test_wherever_it_ends_the_sample_is_spread_evenly(monkeypatch):
    monkeypatch.setattr(sample, "_CLICKS", 16 * 9)
    seen = sorted(looked_at(1000, clicks=9))
    assert len(seen) == 16
    assert np.diff(seen).max() < 1000 / 8


def test_large_images_are_fewer(monkeypatch):
    monkeypatch.setattr(sample, "_MOST_PIXELS", 4 * 64 * 64)
    assert len(looked_at(100, (64, 64))) == 16
    assert len(looked_at(100, (64, 64), clicks=50)) == 4
