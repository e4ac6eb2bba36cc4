"""The sample that stands for a list: spread evenly, bounded, the same each time."""

from functools import partial

import numpy as np
import pytest

from pointmask.executors import threads
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
    assert sorted(looked_at(count, clicks=0)) == list(range(count))


def test_of_many_a_bounded_number_spread_evenly():
    seen = sorted(looked_at(100_000, clicks=0))
    assert len(seen) == MOST_IMAGES
    assert (seen[0], seen[-1]) == (0, 99_999)
    assert np.diff(seen).max() <= 1.01 * 100_000 / (MOST_IMAGES - 1)


@pytest.mark.parametrize(("clicks", "images"), [(1, 100), (2, 64), (9, 64)])
def test_it_ends_with_enough_images_and_clicks(clicks, images):
    seen = sorted(looked_at(1000, clicks=clicks))
    assert len(seen) == images
    assert np.diff(seen).max() < 1000 / 60


@pytest.mark.parametrize("count", [3, 200])
def test_threads_change_nothing(count):
    def look(item):
        rng = np.random.default_rng(item)
        yield Clicked(rng.normal(size=(32, 32)), rng.integers(0, 32, (1, 2)))

    alone = judge_some(range(count), look)
    each = partial(threads, count=3, weight=lambda item: 99)
    assert judge_some(range(count), look, each=each) == alone


def test_wherever_it_ends_the_sample_is_spread_evenly(monkeypatch):
    monkeypatch.setattr(sample, "_CLICKS", 16 * 9)
    seen = sorted(looked_at(1000, clicks=9))
    assert len(seen) == 16
    assert np.diff(seen).max() < 1000 / 8


def test_large_images_are_fewer(monkeypatch):
    monkeypatch.setattr(sample, "_MOST_PIXELS", 4 * 64 * 64)
    assert len(looked_at(100, (64, 64))) == 16
    assert len(looked_at(100, (64, 64), clicks=50)) == 4


@pytest.mark.parametrize("shape", [(400, 500), (100, 2000), (2000, 100)])
def test_of_a_very_large_image_a_part_is_judged(monkeypatch, shape):
    """With the verdict that the clicks there deserve, and with those of its neighbours."""
    monkeypatch.setattr(sample, "_MOST_IN_ONE", 10_000)
    monkeypatch.setattr(sample, "_SIDE", 90)
    rng = np.random.default_rng(1)
    pixels = rng.normal(size=shape)
    start = np.array(shape) - 80
    clicks = start + rng.integers(8, 72, (40, 2))
    for row, col in clicks:
        pixels[row - 1 : row + 2, col - 1 : col + 2] += 20
    parts = []
    real = sample.judge

    def look(item):
        yield Clicked(pixels, np.concatenate([clicks, [[1, 1]]]), previous=clicks + 1)

    def judge(frames, of, polarity):
        parts.extend(frames)
        return real(parts, of)

    monkeypatch.setattr(sample, "judge", judge)
    assert judge_some(range(1), look).kind == "fits"
    (part,) = parts
    assert np.prod(part.pixels.shape) <= 90 * 90
    assert len(part.clicks) >= 30
    assert (part.pixels.at(*part.clicks.T, 0) > 1).all()
    assert len(part.previous) > 0


def test_of_very_many_clicks_in_one_image_some_count(monkeypatch):
    sizes = []
    monkeypatch.setattr(
        sample, "judge", lambda frames, of, polarity: sizes.extend(len(one.clicks) for one in frames)
    )
    looked_at(3, shape=(256, 256), clicks=10_000)
    assert sizes == [1000]
