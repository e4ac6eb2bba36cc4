"""Per-target figures on hand-made cases."""

import numpy as np
import pytest

from pointmask.annotator.target import Annotation, Target
from pointmask.metrics.targets import SIZE_CLASSES, TargetScore, TargetTally, score_targets, true_targets

SHAPE = (40, 50)


def boxes(*corners):
    mask = np.zeros(SHAPE, bool)
    for top, left, bottom, right in corners:
        mask[top:bottom, left:right] = True
    return mask


def target(point, window, mask):
    top, left, bottom, right = window
    cut = mask[top:bottom, left:right]
    return Target(point, window, cut.astype(np.float32), cut, int(cut.sum()), window, 1.0, (), point, 0)


def test_own_mask_against_own_target_with_other_targets_left_out():
    truth = boxes((10, 10, 14, 14), (10, 16, 12, 18))
    labels, ids = true_targets(truth, [(11, 11), (10, 17)])
    both = boxes((10, 10, 14, 18))  # runs over both
    annotation = Annotation(SHAPE, (target((11, 11), (8, 8, 20, 20), both),))
    (score,) = score_targets(annotation, labels, ids[:1])
    assert (score.truth_area, score.area, score.intersection) == (16, 32 - 4, 16)
    assert score.iou == 16 / 28


def test_truth_outside_the_window_counts_as_missed():
    truth = boxes((10, 10, 20, 20))
    labels, ids = true_targets(truth, [(15, 15)])
    annotation = Annotation(SHAPE, (target((15, 15), (13, 13, 18, 18), truth),))
    (score,) = score_targets(annotation, labels, ids)
    assert score.iou == 25 / 100


def test_a_point_beside_a_concave_target_belongs_to_it():
    ring = boxes((5, 5, 16, 16)) & ~boxes((7, 7, 14, 14))
    labels, ids = true_targets(ring | boxes((30, 30, 31, 31)), [(10, 10), (31, 32), (30, 33), (20, 20)])
    assert ids == [labels[5, 5], labels[30, 30], 0, 0]


def test_points_without_any_truth():
    labels, ids = true_targets(np.zeros(SHAPE, np.uint8), [(3, 3)])
    empty = Annotation(SHAPE, (target((3, 3), (0, 0, 8, 8), boxes((2, 2, 5, 5))),))
    assert score_targets(empty, labels, ids) == [None]


def test_an_empty_mask_is_collapsed():
    score = TargetScore(9, 0, 0)
    assert (score.iou, score.collapsed, score.overgrown) == (0.0, True, False)


@pytest.mark.parametrize(
    ("area", "hits", "collapsed", "overgrown"),
    [(40, 10, False, False), (41, 10, False, True), (50, 10, False, True), (51, 10, True, True)],
)
def test_limits_of_collapsed_and_overgrown(area, hits, collapsed, overgrown):
    score = TargetScore(10, area, hits)
    assert (score.collapsed, score.overgrown) == (collapsed, overgrown)


def test_size_classes():
    named = [TargetScore(area, 0, 0).size_class for area in (1, 9, 10, 25, 26, 81, 82, 5000)]
    assert named == [name for name in SIZE_CLASSES for _ in range(2)]


def test_tallies_add_up():
    scores = [TargetScore(10, 10, 10), TargetScore(10, 100, 10), TargetScore(10, 10, 0)]
    total = TargetTally.of(scores[:1]) + TargetTally.of(scores[1:])
    assert total == TargetTally.of(scores)
    assert (total.count, total.mean_iou) == (3, pytest.approx(1.1 / 3))
    assert (total.collapsed_share, total.overgrown_share) == (2 / 3, 1 / 3)
    assert np.isnan(TargetTally().mean_iou)
