import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointmask.metrics.points import PointScore, average_precision, score_points

SHAPE = (100, 80)
POINTS = st.lists(st.tuples(st.integers(0, 99), st.integers(0, 79)), max_size=6)


def counts(score):
    return score.hits, score.false, score.missed


@pytest.mark.parametrize(
    ("predicted", "truth", "wanted"),
    [
        ([(13, 14)], [(10, 10)], (1, 0, 0)),  # a distance of exactly 5
        ([(13, 14.02)], [(10, 10)], (0, 1, 1)),
        ([(10, 12)], [(10, 10), (10, 14)], (1, 0, 1)),  # one prediction between two points
        ([(1, 1), (50, 50)], [], (0, 2, 0)),  # a frame without targets
        ([(0, 0)], [(0, 0)], (1, 0, 0)),
        ([], [(5, 5)], (0, 0, 1)),
        ([], [], (0, 0, 0)),
    ],
)
def test_counts(predicted, truth, wanted):
    score = score_points(predicted, truth, SHAPE)
    assert counts(score) == wanted
    assert (score.images, score.pixels) == (1, 8000)


def test_true_points_choose_in_raster_order_the_nearest_that_is_free():
    score = score_points([(10, 13), (10, 9)], [(10, 14), (10, 10)], SHAPE)
    assert counts(score) == (2, 0, 0)
    assert score.error == pytest.approx(1)
    late = score_points([(10, 12), (10, 18)], [(10, 10), (10, 13)], SHAPE)
    assert late.distance == pytest.approx(2 + 5)  # the first took what lay nearer to the second


def test_figures():
    score = score_points([(1, 1), (30, 30)], [(1, 2), (60, 60)], SHAPE) + score_points([], [], SHAPE)
    assert score.figures() == {
        "precision": 0.5,
        "recall": 0.5,
        "f1": 0.5,
        "fa_points": 1 / 16000,
        "false_per_image": 0.5,
        "error": 1.0,
    }
    assert set(PointScore().figures().values()) == {None}


@given(POINTS, POINTS, st.integers(0, 2**32 - 1))
def test_the_order_of_predictions_does_not_matter(predicted, truth, seed):
    order = np.random.default_rng(seed).permutation(len(predicted))
    same = score_points(predicted, truth, SHAPE)
    assert counts(score_points([predicted[k] for k in order], truth, SHAPE)) == counts(same)
    assert same.hits + same.missed == len(truth)
    assert same.hits + same.false == len(predicted)


def test_average_precision():
    def at(hits, false):
        return PointScore(hits=hits, false=false, missed=4 - hits, images=1, pixels=1)

    assert average_precision([at(4, 0)]) == 1
    assert average_precision([at(0, 0)]) == 0
    # recall 1 at precision 1/2, recall 1/2 at precision 1
    assert average_precision([at(4, 4), at(2, 0), at(0, 0)]) == pytest.approx(0.5 * 1 + 0.5 * 0.5)
    # a dip in precision is filled by what follows at a higher recall
    assert average_precision([at(4, 1), at(2, 2)]) == pytest.approx(0.8)
    assert math.isnan(average_precision([]))
    assert math.isnan(average_precision([PointScore(false=3)]))
