"""A click owns its target: no other click's peak is taken for it, and a mask beside its click is told."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointmask.annotator.image import annotate
from pointmask.annotator.rivals import is_owned, rivals
from pointmask.theta import Theta

THETA = Theta.load("default")
DIM, BRIGHT = (30, 30), (30, 34)


@pytest.fixture(scope="module")
def pair():
    """A dim target on the flank of one five times as bright, 4 px apart."""
    rows, cols = np.mgrid[:64, :64]
    image = np.random.default_rng(0).normal(100, 0.5, (64, 64))
    for (row, col), height in ((DIM, 12), (BRIGHT, 90)):
        image += height * np.exp(-((rows - row) ** 2 + (cols - col) ** 2) / 2)
    return image


def test_a_click_does_not_settle_on_a_peak_with_a_click_of_its_own(pair):
    alone = annotate(pair, [DIM]).targets[0]
    assert alone.centre == BRIGHT  # which is what it leads to, as long as nobody claims it
    dim, bright = annotate(pair, [DIM, BRIGHT]).targets
    assert dim.centre == DIM
    assert bright.centre == BRIGHT
    assert dim.mask[DIM[0] - dim.window[0], DIM[1] - dim.window[1]]
    assert not dim.mask[BRIGHT[0] - dim.window[0], BRIGHT[1] - dim.window[1]]


def test_a_click_settles_as_before_if_the_peak_is_nearer_to_it_than_to_others(pair):
    far = (30, 40)
    assert annotate(pair, [DIM, far]).targets[0].centre == BRIGHT


def test_a_mask_beside_its_click_is_told_and_has_hardly_a_confidence(pair):
    target = annotate(pair, [DIM]).targets[0]
    rows, cols = np.nonzero(target.mask)
    gap = np.maximum(abs(rows + target.window[0] - DIM[0]), abs(cols + target.window[1] - DIM[1])).min()
    assert gap >= 2
    assert "beside" in target.flags
    assert target.confidence <= 0.1
    for style in (-0.8, 0.2):
        assert "beside" in annotate(pair, [DIM], style=style).targets[0].flags


def test_a_mask_at_its_click_is_not_flagged(pair):
    assert all("beside" not in target.flags for target in annotate(pair, [DIM, BRIGHT]).targets)


CLICKS = st.lists(st.tuples(st.integers(0, 90), st.integers(0, 90)), max_size=12)


@given(clicks=CLICKS)
def test_rivals_are_all_other_clicks_within_reach(clicks):
    reach = 3 * THETA.settle_moves
    for click, others in zip(clicks, rivals(clicks, THETA), strict=True):
        near = {o for o in clicks if max(abs(o[0] - click[0]), abs(o[1] - click[1])) <= reach}
        assert list(others) == sorted(near - {click})


def test_a_tie_belongs_to_both():
    assert is_owned((5, 5), (5, 3), [(5, 7)])
    assert not is_owned((5, 6), (5, 3), [(5, 7)])
