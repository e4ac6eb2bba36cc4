"""The search, on made-up counters."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointmask.calibrate.search import PITCH, STRENGTHS, Trials, fit, gain_draws, score


def bowl(best, images=12, noise=0.0):
    """Counters whose score falls with the distance from a place."""
    jitter = np.random.default_rng(0).normal(0, noise, images)

    def measure(place):
        iou = 0.9 - 0.01 * sum(abs(a - b) for a, b in zip(place, best, strict=True)) + jitter
        return np.column_stack([1000 * iou, np.full(images, 1000.0), 2 * iou, np.full(images, 2.0)])

    return measure


@settings(max_examples=30)
@given(st.lists(st.integers(-6, 6), min_size=1, max_size=4).map(tuple))
def test_the_fit_climbs_to_the_top(best):
    trials = Trials(bowl(best), len(best), 6, 10_000)
    assert fit(trials, 0.001, np.ones(12, bool)) == best


def test_a_higher_price_keeps_the_start():
    trials = Trials(bowl((4, -2)), 2, 6, 10_000)
    assert fit(trials, 0.01 / PITCH + 0.01, np.ones(12, bool)) == trials.start


def test_the_limit_holds():
    trials = Trials(bowl((9, 0)), 2, 6, 10_000)
    assert fit(trials, 0.001, np.ones(12, bool)) == (6, 0)


def test_prices_fall():
    assert all(a > b for a, b in pairwise(STRENGTHS))


def test_score_and_draws_agree_with_a_plain_count():
    before = np.array([[5.0, 10.0, 0.6, 1.0], [30.0, 40.0, 1.4, 2.0]])
    assert score(before) == pytest.approx((35 / 50 + 2.0 / 3) / 2)
    pooled, mean = gain_draws(before, before, 0)
    assert not pooled.any()
    assert not mean.any()
