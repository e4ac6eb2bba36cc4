"""The robust mean of offsets, against its definition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from pointmask.judgement.displaced import robust_mean


def by_minimising(values):
    """Huber's mean as the minimum of his loss."""
    middle = np.median(values)
    limit = 1.5 * max(1.4826 * np.median(np.abs(values - middle)), 0.35)

    def loss(mean):
        far = np.abs(values - mean)
        return np.where(far <= limit, far**2 / 2, limit * (far - limit / 2)).sum()

    return minimize_scalar(loss, bounds=(values.min(), values.max()), method="bounded").x


@pytest.mark.parametrize("seed", range(5))
def test_it_minimises_hubers_loss(seed):
    rng = np.random.default_rng(seed)
    values = np.concatenate([rng.normal(-1, 0.7, 30), rng.uniform(2, 4, 3)])
    assert robust_mean(values)[0] == pytest.approx(by_minimising(values), abs=0.02)


@given(st.lists(st.floats(-6, 6), min_size=1, max_size=40))
def test_it_lies_among_the_values_and_turns_with_them(values):
    values = np.array(values)
    mean, error = robust_mean(values)
    turned, same = robust_mean(-values)
    assert values.min() - 1e-9 <= mean <= values.max() + 1e-9
    assert turned == pytest.approx(-mean, abs=1e-6)
    assert same == pytest.approx(error, rel=0.2)
    assert error >= 0.5 / np.sqrt(values.size)


def test_its_error_is_that_of_repeated_draws():
    rng = np.random.default_rng(3)
    draws = [robust_mean(rng.normal(0, 1.2, 40)) for _ in range(2000)]
    means, errors = np.array(draws).T
    assert np.mean(errors) == pytest.approx(means.std(), rel=0.1)
