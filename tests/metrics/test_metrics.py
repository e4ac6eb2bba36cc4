"""Hand-worked cases, and one test per known defect of a published evaluation."""

from itertools import permutations
from math import isnan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointmask.components import components
from pointmask.errors import ImageError
from pointmask.metrics.counters import Score, binarise, pooled_iou, score


def blank(shape=(32, 32)):
    return np.zeros(shape, bool)


def with_boxes(*boxes, shape=(32, 32)):
    """Mask with half-open boxes (top, left, bottom, right)."""
    mask = blank(shape)
    for top, left, bottom, right in boxes:
        mask[top:bottom, left:right] = True
    return mask


def test_iou_is_pooled_and_niou_is_a_mean():
    truth = [with_boxes((0, 0, 2, 2)), with_boxes((0, 0, 4, 4))]
    mask = [with_boxes((0, 0, 2, 2)), with_boxes((0, 0, 2, 2))]
    total = sum((score(m, t) for m, t in zip(mask, truth, strict=True)), Score())
    assert total.iou == 8 / 20
    assert total.niou == (1 + 4 / 16) / 2
    assert total.recall == 8 / 20
    assert pooled_iou(mask, truth) == total.iou


@pytest.mark.parametrize(("empty", "niou"), [("zero", 0.5), ("one", 1.0), ("skip", 1.0)])
def test_image_without_target_and_without_mask(empty, niou):
    truth = with_boxes((0, 0, 2, 2))
    total = score(truth, truth, empty=empty) + score(blank(), blank(), empty=empty)
    assert total.niou == niou
    assert total.iou == 1.0


def test_false_mask_on_an_empty_image_counts_zero_whatever_empty_says():
    for empty in ("zero", "one", "skip"):
        result = score(with_boxes((1, 1, 3, 3)), blank(), empty=empty)
        assert (result.niou, result.fa, result.fa_targets) == (
            0.0,
            4 / 1024,
            pytest.approx(np.nan, nan_ok=True),
        )


def test_figures_without_data_are_nan():
    assert all(isnan(v) for v in (Score().iou, Score().niou, Score().pd, Score().fa, Score().recall))
    assert isnan(pooled_iou([], []))


def test_distance_of_exactly_three_pixels_does_not_match():
    truth = with_boxes((10, 10, 11, 11))
    at_three = score(with_boxes((10, 13, 11, 14)), truth)
    just_under = score(with_boxes((12, 12, 13, 13)), truth)  # sqrt(8)
    assert (at_three.pd, at_three.false_pixels) == (0.0, 1)
    assert (just_under.pd, just_under.false_pixels) == (1.0, 0)


def test_components_are_eight_connected():
    diagonal = np.eye(4, dtype=bool)
    assert components(diagonal)[1] == 1
    assert score(diagonal, diagonal).truth_targets == 1


def test_two_truths_cannot_share_one_prediction():
    truth = with_boxes((10, 10, 11, 11), (10, 13, 11, 14))
    one = score(with_boxes((10, 11, 11, 13)), truth)
    assert (one.matched, one.truth_targets, one.false_targets) == (1, 2, 0)


def test_matching_rules_differ_where_they_should():
    # True targets A (10, 10), B (10, 13). Components in raster order: p (8, 11), q (10, 9).
    # A reaches both and B only p: "first" and "nearest" disagree on what is left for B.
    truth = with_boxes((10, 10, 11, 11), (10, 13, 11, 14))
    mask = with_boxes((8, 11, 9, 12), (10, 9, 11, 10))
    matched = {m: score(mask, truth, match=m).matched for m in ("first", "nearest", "hungarian")}
    assert matched == {"first": 1, "nearest": 2, "hungarian": 2}
    # Now A is nearest to the only component that B reaches, so that only an assignment finds both.
    mask = with_boxes((10, 11, 11, 12), (12, 9, 13, 10))
    matched = {m: score(mask, truth, match=m).matched for m in ("first", "nearest", "hungarian")}
    assert matched == {"first": 1, "nearest": 1, "hungarian": 2}


def test_fa_counts_pixels_of_unmatched_components_over_all_pixels():
    truth = with_boxes((2, 2, 4, 4))
    mask = with_boxes((2, 2, 4, 5), (20, 20, 23, 23))
    result = score(mask, truth)
    assert (result.fa, result.fa_targets, result.pd) == (9 / 1024, 1.0, 1.0)


# Defects of published evaluations: ours must not have them; the variant that repeats one must.


def test_defect_false_blob_as_large_as_a_matched_one_is_counted():
    truth = with_boxes((2, 2, 4, 4))
    mask = with_boxes((2, 2, 4, 4), (20, 20, 22, 22), (26, 26, 27, 27))
    assert score(mask, truth).false_pixels == 5
    assert score(mask, truth, compat="dnanet").false_pixels == 1


def test_defect_pd_does_not_depend_on_the_image_being_256_pixels():
    truth = with_boxes((70, 300, 73, 303), shape=(80, 400))
    result = score(truth, truth)
    assert (result.pd, result.pixels) == (1.0, 32000)


def test_defect_grey_truth_is_binarised_before_anything_is_counted():
    truth = np.zeros((32, 32), np.uint8)
    truth[4:8, 4:8] = 255
    truth[4:8, 8] = 128
    truth[8, 4:8] = 127
    mask = truth > 127
    ours = score(mask, truth)
    assert (ours.intersection, ours.union, ours.iou) == (20, 20, 1.0)
    theirs = score(mask, truth, compat="lesps")
    assert (theirs.intersection, theirs.union) == (16, 24)


def test_defect_grey_target_exists_for_pd():
    truth = np.zeros((32, 32), np.uint8)
    truth[4:8, 4:8] = 200
    assert score(truth > 127, truth).pd == 1.0
    assert score(truth > 127, truth, compat="lesps").truth_targets == 0


def test_defect_soft_edges_do_not_split_a_target():
    truth = np.zeros((32, 32), np.uint8)
    truth[4:10, 4:10] = 160
    truth[5:9, 5:9] = 255
    assert score(truth > 127, truth).truth_targets == 1


def test_defect_a_new_sum_starts_from_nothing():
    truth = with_boxes((2, 2, 4, 4))
    first = score(truth, truth)
    assert score(truth, truth) == first  # no state is left behind
    assert Score() + first == first


def test_defect_sums_over_a_batch_equal_images_one_by_one():
    # A class that labels the stacked batch joins targets at the same place in neighbouring images.
    truth = with_boxes((2, 2, 4, 4))
    batch = [score(truth, truth) for _ in range(3)]
    assert sum(batch, Score()).truth_targets == 3


def test_defect_true_centroids_are_not_rounded():
    truth = with_boxes((10, 10, 11, 14))  # centroid column 11.5, rounded to 12
    mask = with_boxes((10, 14, 11, 15))  # 2.5 away, or 2 after rounding
    assert score(mask, truth).pd == 1.0
    assert score(mask, truth, compat="edgsp").pd == 1.0
    mask = with_boxes((12, 12, 13, 14))  # centroid (12, 12.5): sqrt(5) and, rounded, sqrt(4.25)
    assert (score(mask, truth).pd, score(mask, truth, compat="edgsp").pd) == (1.0, 0.0)


def test_defect_narrow_image_remainders_are_scored():
    truth = with_boxes((0, 65, 1, 67), shape=(3, 67))  # no multiple of any tile size
    assert score(truth, truth).iou == 1.0


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (np.zeros((4, 4, 3), np.uint8), "one band"),
        (np.zeros((4, 4), np.float32), "float32"),
        (np.eye(4, dtype=np.uint8), "only 0 and 1"),
    ],
)
def test_unusable_masks_are_refused(mask, message):
    with pytest.raises(ImageError, match=message):
        binarise(mask)


def test_mismatches_and_unknown_options_are_refused():
    with pytest.raises(ImageError, match=r"\(4, 4\)"):
        score(blank((4, 4)), blank((5, 4)))
    with pytest.raises(ImageError, match="equal"):
        pooled_iou([blank((4, 4))], [blank((5, 4))])
    with pytest.raises(ImageError, match="in pairs"):
        pooled_iou([blank()], [])
    for option in ("match", "compat", "empty"):
        with pytest.raises(ValueError, match=f"{option}='x' is unknown"):
            score(blank() | True, blank() | True, **{option: "x"})
    with pytest.raises(ValueError, match="10 counters"):
        Score.from_vector([1.0, 2.0])


masks = st.integers(0, 2**32 - 1).map(lambda s: np.random.default_rng(s).random((12, 15)) < 0.2)


@settings(max_examples=40, deadline=None)
@given(masks, masks, masks, masks)
def test_scores_add_up_and_survive_an_all_reduce(a, b, c, d):
    first, second = score(a, b), score(c, d)
    total = first + second
    assert total.iou == pytest.approx(pooled_iou([a, c], [b, d]), nan_ok=True)
    assert Score.from_vector(first.vector() + second.vector()) == total
    assert total.niou == pytest.approx((first.niou + second.niou) / 2)


@settings(max_examples=40, deadline=None)
@given(masks, masks)
def test_hungarian_is_the_best_possible_matching(mask, truth):
    """Against all permutations of a small case, and never worse than the greedy rules."""
    mask, truth = mask[:6, :7], truth[:6, :7]
    counts = {m: score(mask, truth, match=m).matched for m in ("first", "nearest", "hungarian")}
    labels, n = components(mask)
    true_labels, k = components(truth)
    centre = [np.argwhere(labels == i).mean(0) for i in range(1, n + 1)]
    true_centre = [np.argwhere(true_labels == i).mean(0) for i in range(1, k + 1)]
    small, large = sorted((true_centre, centre), key=len)
    best = max(
        sum(np.hypot(*(p - q)) < 3 for p, q in zip(small, order, strict=True))
        for order in permutations(large, len(small))
    )
    assert counts["hungarian"] == best
    assert counts["first"] <= best
    assert counts["nearest"] <= best
