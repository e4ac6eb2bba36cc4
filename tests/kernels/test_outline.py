"""The drawing style's kernel: its twin, and what a margin must hold on any soft label."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tools.naive import kernels as naive

from pointmask.kernels.outline import move_outline

SHARES = arrays(np.float64, (7, 6), elements=st.floats(0, 1))
CONTRASTS = arrays(np.float64, (7, 6), elements=st.floats(-3, 3))


def moved(soft, contrast, style):
    out = np.empty_like(soft)
    move_outline(soft, contrast, style, out)
    return out


@pytest.mark.parametrize("style", [-3.0, -0.8, -0.1, 0.0, 0.1, 0.25, 1.0, 2.5])
@pytest.mark.parametrize("shape", [(1, 1), (9, 9), (4, 11)])
def test_equals_its_twin(shape, style):
    rng = np.random.default_rng(3)
    soft, contrast = rng.random(shape), rng.normal(0.3, 0.6, shape)
    np.testing.assert_allclose(
        moved(soft, contrast, style), naive.move_outline(soft, contrast, style), atol=1e-12
    )


@given(soft=SHARES, contrast=CONTRASTS, low=st.floats(-3, 3), high=st.floats(-3, 3))
def test_rises_with_the_style_and_stays_a_share(soft, contrast, low, high):
    low, high = sorted((low, high))
    less, more = moved(soft, contrast, low), moved(soft, contrast, high)
    assert (less <= more + 1e-12).all()
    assert less.min() >= 0
    assert more.max() <= 1
    if low <= 0 <= high:
        assert (less <= soft + 1e-12).all()
        assert (soft <= more).all()


@given(soft=SHARES, contrast=CONTRASTS, style=st.floats(-3, 3))
def test_commutes_with_flips_and_transposes(soft, contrast, style):
    out = moved(soft, contrast, style)
    for turn in (np.flipud, np.fliplr, np.transpose):
        turned = np.ascontiguousarray(turn(soft)), np.ascontiguousarray(turn(contrast))
        np.testing.assert_array_equal(moved(*turned, style), turn(out))


def test_a_disk_grows_by_the_style_where_the_contrast_is_neutral():
    rows, cols = np.mgrid[-12:13, -12:13]
    far = np.hypot(rows, cols)
    soft = (far <= 5).astype(float)
    grown = moved(soft, np.full_like(soft, 0.2), 2.0) > 0.5
    assert grown[far <= 6.5].all()
    assert not grown[far > 7.5].any()


def test_a_growing_outline_follows_what_shines():
    soft, contrast = np.zeros((1, 9)), np.zeros((1, 9))
    soft[0, 4] = 1
    contrast[0, 5:] = 0.6  # a wake on one side
    grown = moved(soft, contrast, 0.25) > 0.4
    np.testing.assert_array_equal(np.flatnonzero(grown), [4, 5])
