"""Constant margins: what is one, and that targets beside them get the masks of the cropped frame."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pointmask
from pointmask.annotator.single import solve_one, superpixel_at
from pointmask.annotator.solved import recut
from pointmask.defects.margins import find_live
from pointmask.mending import mend
from pointmask.synth.scenes import make_scenes
from pointmask.theta import Theta

THETA = Theta.load("default")
MARGINS = ((37, 21), (15, 40))
SCENES = list(make_scenes(4, 2, shape=(64, 72), bits=8))


def noise(shape=(60, 70), seed=0, dtype=np.uint8):
    return np.random.default_rng(seed).normal(100, 4, shape).astype(dtype)


@settings(max_examples=60, deadline=None)
@given(
    sides=st.tuples(*[st.sampled_from([0, 1, 2, 7, 30])] * 4),
    value=st.sampled_from([0, 16, 60, 255]),
    other=st.sampled_from([0, 200]),
    dtype=st.sampled_from([np.uint8, np.uint16, np.float32, np.float64]),
    no_number=st.booleans(),
)
def test_the_live_part_is_what_constant_sides_enclose(sides, value, other, dtype, no_number):
    above, below, before, after = sides
    inner = noise(dtype=dtype)
    if no_number and np.dtype(dtype).kind == "f":
        value = np.nan
    image = np.pad(inner, ((above, below), (0, 0)), constant_values=value)
    image = np.pad(image, ((0, 0), (before, after)), constant_values=other if not (above or below) else value)
    expected = (above, before, above + 60, before + 70) if any(sides) else None
    assert find_live(image) == expected
    turned = find_live(np.ascontiguousarray(image.T))
    assert turned == (expected and (expected[1], expected[0], expected[3], expected[2]))


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((40, 40)),
        np.full((40, 40), np.nan),
        noise((8, 8)),
        np.pad(noise((8, 60)), ((30, 30), (0, 0))),  # too little would be left
        np.clip(noise((80, 80)) + np.linspace(250, 0, 80)[:, None], 0, 255).astype(np.uint8),  # saturated sky
        np.clip(noise((80, 80)).astype(int) - np.linspace(150, 0, 80)[:, None], 0, 255).astype(np.uint8),
        np.pad(np.outer(np.hanning(30), np.hanning(30)) * 200, 40).astype(np.uint8),  # one target on black
        noise(),
    ],
    ids=["black", "no number", "small", "narrow", "saturated", "dark ground", "target", "plain"],
)
def test_other_frames_have_no_margins(image):
    assert find_live(image) is None


@pytest.mark.parametrize("value", [0, 255])
@pytest.mark.parametrize("scene", SCENES, ids=range(4))
def test_a_target_cut_by_a_margin_gets_the_mask_of_the_cropped_frame(scene, value):
    row, col = scene.points[0]
    for top, left in ((row, 0), (0, col), (max(row - 2, 0), max(col - 1, 0))):
        crop = np.ascontiguousarray(scene.image[top:, left:])
        if min(crop.shape) < 16:
            continue
        wide = np.pad(crop, MARGINS, constant_values=value)
        click = row - top, col - left
        moved = click[0] + 37, click[1] + 15
        expected, found = pointmask.annotate(crop, [click]), pointmask.annotate(wide, [moved])
        assert found.live == (37, 15, 37 + crop.shape[0], 15 + crop.shape[1])
        np.testing.assert_array_equal(found.mask, np.pad(expected.mask, MARGINS))
        np.testing.assert_array_equal(found.soft, np.pad(expected.soft, MARGINS))
        one, there = expected.targets[0], found.targets[0]
        assert (there.confidence, there.flags, there.area) == (one.confidence, one.flags, one.area)
        solved = solve_one(wide, moved, theta=THETA)
        np.testing.assert_array_equal(solved.target.mask, there.mask)
        again = recut(solved, THETA, level=THETA.level).target
        assert (again.flags, again.box) == (there.flags, there.box)
        first, second = superpixel_at(crop, click, theta=THETA), superpixel_at(wide, moved, theta=THETA)
        assert (second[0] - 37, second[1] - 15) == first[:2]
        np.testing.assert_array_equal(second[2], first[2])


def test_a_click_just_in_a_margin_means_the_target_at_its_end_and_others_mean_nothing():
    crop = noise((60, 60)).astype(np.float64)
    crop[:4, 28:33] += 90
    wide = np.pad(crop, MARGINS)
    meant = pointmask.annotate(wide, [(37, 45)])
    for off in (1, 3):
        near = pointmask.annotate(wide, [(37 - off, 45)])
        np.testing.assert_array_equal(near.mask, meant.mask)
        assert near.targets[0].point == (37 - off, 45)
        assert ("beside" in near.targets[0].flags) == (off > 1)
        again = recut(solve_one(wide, (37 - off, 45), theta=THETA), THETA, style=0.5)
        assert again.target.mask.shape == again.target.soft.shape
    far = pointmask.annotate(wide, [(10, 45), (38, 46)])
    assert far.targets[0].flags == ("flat",)
    assert far.targets[0].confidence == 0
    assert far.targets[1].area == meant.targets[0].area
    assert superpixel_at(wide, (10, 45), theta=THETA)[2].tolist() == [[True]]


def test_bad_lines_and_pixels_are_sought_in_what_margins_enclose():
    crop = noise(dtype=np.uint16)
    crop[20], crop[40, 50] = 0, 900
    wide = np.pad(crop, MARGINS)
    inner, found = mend(crop), mend(wide)
    assert [line.named(wide.shape) for line in found.lines] == ["row 57 (columns 15 to 84)"]
    assert found.found.places.tolist() == [[77, 65]]
    np.testing.assert_array_equal(found.result, np.pad(inner.result, MARGINS))
    assert len(found.around([])[1]) == 71
