"""The drawing style: one number that moves the outlines of finished masks and nothing else."""

import numpy as np
import pytest

from pointmask.annotator.image import annotate
from pointmask.annotator.single import solve_one
from pointmask.annotator.solved import recut
from pointmask.errors import ThetaError
from pointmask.synth.scenes import make_scenes
from pointmask.theta import STYLES, Theta

THETA = Theta.load("default")


@pytest.fixture(scope="module")
def scenes():
    return list(make_scenes(6, seed=11))


def areas(scenes, style):
    found = [annotate(scene.image, scene.points, style=style) for scene in scenes]
    return np.array([target.area for annotation in found for target in annotation.targets])


def test_named_styles_are_ordered_and_core_is_none(scenes):
    assert STYLES["core"] == 0
    tight, core, halo = (areas(scenes, name) for name in ("tight", "core", "halo"))
    assert (tight <= core).all()
    assert (core <= halo).all()
    assert tight.sum() < 0.8 * core.sum()
    assert halo.sum() > 1.25 * core.sum()
    np.testing.assert_array_equal(core, areas(scenes, None))


def test_masks_of_rising_styles_are_nested_and_told_by_the_soft_label(scenes):
    for scene in scenes:
        before = None
        for style in (-2.0, -0.8, -0.2, 0.0, 0.15, 0.4, 1.5):
            target = solve_one(scene.image, scene.points[0], theta=THETA.with_(style=style)).target
            above = target.soft > THETA.level
            if style >= 0 and "weak" not in target.flags:
                assert above[target.mask].all()
            if before is not None:
                assert target.mask[before].all()
            before = target.mask


def test_style_changes_neither_place_nor_scale_nor_confidence(scenes):
    for scene in scenes:
        for style in (-1.0, 1.0):
            for point in scene.points:
                core = solve_one(scene.image, point, theta=THETA).target
                other = solve_one(scene.image, point, theta=THETA.with_(style=style)).target
                assert (other.centre, other.octave, other.window) == (core.centre, core.octave, core.window)
                assert other.confidence == core.confidence


def test_recut_to_a_style_equals_solving_with_it(scenes):
    for scene in scenes:
        point = scene.points[0]
        solved = solve_one(scene.image, point, theta=THETA)
        for style in (-0.7, 0.3, 1.2):
            there = recut(solved, THETA, style=style)
            direct = solve_one(scene.image, point, theta=THETA.with_(style=style))
            np.testing.assert_array_equal(there.target.mask, direct.target.mask)
            np.testing.assert_array_equal(there.target.soft, direct.target.soft)
            back = recut(direct, THETA, style=0.0)
            np.testing.assert_array_equal(back.target.mask, solved.target.mask)


def test_large_targets_grow_by_pixels_of_the_image():
    rows, cols = np.mgrid[-80:81, -80:81]
    image = 100 + 60.0 * (np.hypot(rows, cols) <= 9)
    core = annotate(image, [(80, 80)]).targets[0]
    grown = annotate(image, [(80, 80)], style=2.0).targets[0]
    assert core.octave == grown.octave == 1
    radii = np.sqrt(np.array([core.area, grown.area]) / np.pi)
    assert radii[1] - radii[0] == pytest.approx(2, abs=0.7)


def test_a_tight_mask_keeps_a_pixel_of_its_core():
    image = np.full((64, 64), 100.0)
    image[30, 31] = 160
    core = annotate(image, [(30, 31)]).targets[0]
    tight = annotate(image, [(30, 31)], style=-3).targets[0]
    assert tight.area >= 1
    assert core.mask[tight.mask].all()


@pytest.mark.parametrize("dark", [False, True])
def test_nothing_but_the_click_is_asked_of_a_flat_image(dark):
    flat = np.full((40, 40), 7.0)
    assert annotate(flat, [(20, 20)], style="halo", polarity="dark" if dark else "bright").mask.sum() == 1


@pytest.mark.parametrize(
    ("style", "message"),
    [("loose", "choose tight, core, halo, or px"), (3.5, r"style = 3\.5"), ("nan", "style = nan")],
)
def test_unknown_styles_are_refused(style, message):
    with pytest.raises(ThetaError, match=message):
        annotate(np.zeros((9, 9)), [(4, 4)], style=style)
