"""The style that a few masks choose: made-up counters, and the gate."""

import numpy as np
import pytest

from pointmask.calibrate.style import fit_style, tried_styles

STYLES = tried_styles(0.0)
HERE = STYLES.index(0.0)


def counters(ious):
    """Counters of (images, styles) IoU, all of 100 px unions and one target."""
    ious = np.asarray(ious, float)
    ones = np.ones_like(ious)
    return np.stack([100 * ious, 100 * ones, ious, ones], axis=-1)


def bowl(images, best, depth=0.3, height=0.8, noise=0.0, seed=0):
    """IoU that falls to both sides of a best style."""
    away = np.minimum(np.abs(np.array(STYLES) - best), 1) * depth
    return np.clip(height - away + np.random.default_rng(seed).normal(0, noise, (images, len(STYLES))), 0, 1)


@pytest.mark.parametrize("best", [-0.8, 0.25, 1.0])
def test_a_style_that_all_images_want_is_kept(best):
    found = fit_style(counters(bowl(5, best, noise=0.01)), STYLES, 0.0, seed=0)
    assert found.style == pytest.approx(best, abs=0.21)
    assert found.gain.mean[1] > found.gain.mean[0]
    assert "kept" in found.line


def test_the_start_stays_if_it_is_best_and_if_nothing_differs():
    for ious in (bowl(6, 0.0), np.full((6, len(STYLES)), 0.5)):
        found = fit_style(counters(ious), STYLES, 0.0, seed=0)
        assert found.style == found.best == 0
        assert found.gain.pooled[0] == found.gain.pooled[1]


def test_noise_is_not_a_style():
    kept = sum(
        fit_style(counters(bowl(20, 0, depth=0.1, noise=0.05, seed=k)), STYLES, 0.0, 0).style != 0
        for k in range(40)
    )
    assert kept <= 2


def test_a_gain_of_one_image_alone_is_refused():
    ious = bowl(5, 0.0)
    ious[0] = bowl(1, 1.0)[0] * 1.2
    assert fit_style(counters(ious), STYLES, 0.0, seed=0).style == 0


def test_a_gain_that_costs_pooled_iou_is_refused():
    ious = bowl(6, 0.5, height=0.9)
    told = counters(ious)
    told[0, :, :2] *= 100  # one image of very many pixels, to which the start is best
    told[0, :, 0] = told[0, :, 1] * np.where(np.array(STYLES) == 0, 0.9, 0.6)
    found = fit_style(told, STYLES, 0.0, seed=0)
    assert found.style == 0


def test_each_image_is_judged_by_what_the_others_chose():
    """Two groups of images that want opposite styles: no gain is left on unseen ones."""
    ious = np.concatenate([bowl(3, -1.0), bowl(3, 1.0)])
    found = fit_style(counters(ious), STYLES, 0.0, seed=0)
    assert found.style == 0
    assert found.gain.mean[1] <= found.gain.mean[0]


def test_a_start_between_the_tried_styles_is_among_them():
    assert 0.37 in tried_styles(0.37)
    assert list(tried_styles(0.37)) == sorted(tried_styles(0.37))


def test_of_styles_that_draw_the_same_masks_the_nearest_is_chosen():
    styles = tried_styles(0.8)
    ious = np.tile(np.where(np.array(styles) <= 0.2, 0.9, 0.5), (6, 1))
    assert fit_style(counters(ious), styles, 0.8, seed=0).style == 0.2


def test_five_masks_must_gain_more_from_a_style_than_chance_suggests():
    slight = counters(np.tile(np.where(np.array(STYLES) == 0.3, 0.85, 0.8), (5, 1)))
    assert fit_style(slight, STYLES, 0.0, seed=0).style == 0
    clear = counters(np.tile(np.where(np.array(STYLES) == 2.0, 0.88, 0.8), (5, 1)))
    assert fit_style(clear, STYLES, 0.0, seed=0).style == 2.0
