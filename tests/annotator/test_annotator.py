"""The annotator's promises: contract, invariances, several targets, hard input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pointmask
from pointmask.annotator.crowd import crowds
from pointmask.errors import ImageError, PointsError
from pointmask.synth.scenes import make_scenes

PRESETS = ("default", "paper")


def blob(shape=(64, 64), centre=(32, 32), sigma=1.6, height=60.0, floor=100.0, noise=1.0, seed=0):
    rows, cols = np.ogrid[: shape[0], : shape[1]]
    spot = np.exp(-((rows - centre[0]) ** 2 + (cols - centre[1]) ** 2) / (2 * sigma**2))
    return floor + height * spot + noise * np.random.default_rng(seed).normal(size=shape)


def iou(a, b):
    return (a & b).sum() / (a | b).sum()


@pytest.fixture(scope="module")
def scenes():
    return list(make_scenes(12, 3, shape=(128, 128)))


@pytest.mark.parametrize("theta", PRESETS)
def test_contract(scenes, theta):
    for scene in scenes:
        found = pointmask.annotate(scene.image, scene.points, theta=theta)
        assert found.shape == scene.image.shape
        assert len(found.targets) == len(scene.points)
        assert found.soft.dtype == np.float32
        assert 0 <= found.soft.min() <= found.soft.max() <= 1
        assert found.mask.dtype == np.bool_
        assert found.instances.dtype == np.uint16
        np.testing.assert_array_equal(found.instances > 0, found.mask)
        for k, (target, point) in enumerate(zip(found.targets, scene.points, strict=True), 1):
            mine = found.instances == k
            rows, cols = np.nonzero(mine)
            assert target.point == tuple(point)
            assert target.area == mine.sum() == target.mask.sum() >= 1
            assert target.box == (rows.min(), cols.min(), rows.max() + 1, cols.max() + 1)
            assert target.soft.shape == target.mask.shape
            assert 0 <= target.confidence <= 1


def test_masks_of_scenes_are_right(scenes):
    pooled = [pointmask.annotate(s.image, s.points) for s in scenes]
    both = sum((a.mask & s.mask).sum() for a, s in zip(pooled, scenes, strict=True))
    either = sum((a.mask | s.mask).sum() for a, s in zip(pooled, scenes, strict=True))
    assert both / either > 0.7


def test_same_input_same_bits(scenes):
    for scene in scenes:
        a, b = (pointmask.annotate(scene.image, scene.points) for _ in range(2))
        np.testing.assert_array_equal(a.soft, b.soft)
        np.testing.assert_array_equal(a.instances, b.instances)
        assert [t.confidence for t in a.targets] == [t.confidence for t in b.targets]


@pytest.mark.parametrize("theta", PRESETS)
@pytest.mark.parametrize(
    "copy",
    [
        pytest.param(lambda a: a.astype(np.uint16) * 257, id="16 bit"),
        pytest.param(lambda a: a.astype(np.uint16) * 64, id="14 bit"),
        pytest.param(lambda a: a / np.float32(255), id="float32 in 0..1"),
        pytest.param(lambda a: a.astype(np.float64) * 1e-9, id="tiny gain"),
        pytest.param(lambda a: a.astype(np.int32) - 1_000_000, id="offset"),
        pytest.param(lambda a: a.astype(np.float64) * 0.04 + 293.15, id="kelvin"),
        pytest.param(np.asfortranarray, id="Fortran order"),
    ],
)
def test_gain_offset_and_depth_do_not_matter(scenes, copy, theta):
    for scene in scenes:
        if scene.image.dtype != np.uint8:
            continue
        before = pointmask.annotate(scene.image, scene.points, theta=theta).mask
        after = pointmask.annotate(copy(scene.image), scene.points, theta=theta).mask
        assert (before != after).sum() <= 0.001 * before.sum()


@pytest.mark.parametrize(
    ("image_turn", "point_turn"),
    [
        (lambda a: a[::-1], lambda p, s: (s[0] - 1 - p[0], p[1])),
        (lambda a: a[:, ::-1], lambda p, s: (p[0], s[1] - 1 - p[1])),
        (lambda a: a.T, lambda p, s: (p[1], p[0])),
        (lambda a: a[::-1, ::-1].T, lambda p, s: (s[1] - 1 - p[1], s[0] - 1 - p[0])),
    ],
)
def test_flips_and_transposes_are_exact(scenes, image_turn, point_turn):
    for scene in scenes:
        before = pointmask.annotate(scene.image, scene.points)
        points = [point_turn(p, scene.image.shape) for p in scene.points]
        after = pointmask.annotate(image_turn(scene.image), points)
        np.testing.assert_array_equal(image_turn(before.soft), after.soft)
        np.testing.assert_array_equal(image_turn(before.mask), after.mask)


def test_negative_image_with_automatic_polarity(scenes):
    for scene in scenes:
        before = pointmask.annotate(scene.image, scene.points, polarity="auto")
        negative = pointmask.annotate(-scene.image.astype(np.int64), scene.points, polarity="auto")
        np.testing.assert_array_equal(before.mask, negative.mask)
        assert all(
            ("dark" in a.flags) != ("dark" in b.flags)
            for a, b in zip(before.targets, negative.targets, strict=True)
        )


@given(row=st.integers(-1, 1), col=st.integers(-1, 1), seed=st.integers(0, 20))
@settings(max_examples=30)
def test_a_click_beside_the_centre_finds_the_same_target(row, col, seed):
    image = blob(seed=seed)
    centred = pointmask.annotate(image, [(32, 32)]).mask
    moved = pointmask.annotate(image, [(32 + row, 32 + col)]).mask
    assert iou(centred, moved) > 0.7


def test_dark_targets():
    image = blob(height=-60.0)
    bright = pointmask.annotate(200 - image, [(32, 32)]).mask
    dark = pointmask.annotate(image, [(32, 32)], polarity="dark")
    np.testing.assert_array_equal(dark.mask, bright)
    assert dark.targets[0].flags == ("dark",)
    auto = pointmask.annotate(image, [(32, 32)], polarity="auto")
    np.testing.assert_array_equal(auto.mask, bright)


def test_translation_inside_the_frame():
    image = blob((96, 96), (48, 48))
    moved = np.roll(image, (5, -7), (0, 1))
    a, b = pointmask.annotate(image, [(48, 48)]), pointmask.annotate(moved, [(53, 41)])
    np.testing.assert_array_equal(np.roll(a.mask, (5, -7), (0, 1)), b.mask)


@pytest.mark.parametrize("corner", [(0, 0), (0, 63), (63, 0), (63, 63), (0, 30), (30, 63)])
def test_points_at_the_border(corner):
    found = pointmask.annotate(blob(centre=corner), [corner])
    target = found.targets[0]
    assert "border" in target.flags
    assert "clipped" not in target.flags
    assert target.mask[corner[0] - target.window[0], corner[1] - target.window[1]]
    assert 3 <= target.area <= 40


def test_touching_targets_are_divided_between_their_points():
    image = blob(centre=(32, 30)) + blob(centre=(32, 35), floor=0.0, noise=0.0)
    found = pointmask.annotate(image, [(32, 30), (32, 35)])
    assert all("shared" in t.flags for t in found.targets)
    first, second = found.instances == 1, found.instances == 2
    assert not (first & second).any()
    assert first[32, 30]
    assert second[32, 35]
    assert 0.5 < first.sum() / second.sum() < 2


def test_two_points_on_one_target_keep_the_union():
    image = blob(sigma=3.0)
    one = pointmask.annotate(image, [(32, 32)])
    two = pointmask.annotate(image, [(32, 31), (32, 33)])
    assert iou(one.mask, two.mask) > 0.8
    assert all("shared" in t.flags for t in two.targets)
    swapped = pointmask.annotate(image, [(32, 33), (32, 31)])
    np.testing.assert_array_equal(swapped.mask, two.mask)
    # Column 32 is equally far from both: where they claim a pixel alike, it goes to the point listed first.
    sides = np.arange(64) != 32
    np.testing.assert_array_equal((swapped.instances == 1)[:, sides], (two.instances == 2)[:, sides])
    left, right = (pointmask.annotate(image, [(32, col)]).soft[:, 32] for col in (31, 33))
    alike = (left == right) & two.mask[:, 32]
    assert alike.any()
    assert (two.instances[alike, 32] == 1).all()
    assert (swapped.instances[alike, 32] == 1).all()


def test_the_same_point_twice():
    image = blob()
    one, two = pointmask.annotate(image, [(32, 32)]), pointmask.annotate(image, [(32, 32)] * 2)
    np.testing.assert_array_equal(one.mask, two.mask)
    assert two.targets[1].area == 1


def test_neighbours_do_not_change_a_lonely_target(scenes):
    scene = next(s for s in scenes if len(s.points) == 1)
    alone = pointmask.annotate(scene.image, scene.points)
    far = (scene.points[0][0] + 60) % 128, (scene.points[0][1] + 60) % 128
    both = pointmask.annotate(scene.image, [far, *scene.points])
    np.testing.assert_array_equal(alone.targets[0].mask, both.targets[1].mask)


def test_large_targets_are_read_in_a_coarser_window():
    rows, cols = np.ogrid[:200, :200]
    truth = ((rows - 100) / 18) ** 2 + ((cols - 100) / 26) ** 2 < 1
    image = 100 + 50 * truth + np.random.default_rng(0).normal(size=truth.shape)
    found = pointmask.annotate(image, [(100, 100)])
    target = found.targets[0]
    assert target.window[2] - target.window[0] > 2 * pointmask.Theta.load("default").half_size + 1
    assert iou(found.mask, truth) > 0.75


@pytest.mark.parametrize("theta", PRESETS)
@pytest.mark.parametrize(
    "image",
    [
        pytest.param(np.zeros((1, 1)), id="1x1"),
        pytest.param(np.arange(9.0).reshape(3, 3), id="3x3"),
        pytest.param(np.arange(6.0).reshape(1, 6), id="one row"),
        pytest.param(np.full((50, 50), 7, np.uint16), id="constant"),
        pytest.param(np.eye(40, dtype=bool), id="bool"),
        pytest.param(np.full((40, 40), np.nan, np.float32), id="all NaN"),
        pytest.param(np.where(np.eye(40) > 0, np.inf, 1.0), id="infinite"),
        pytest.param(np.random.default_rng(0).integers(-128, 127, (40, 40), np.int8), id="int8"),
        pytest.param(np.random.default_rng(0).integers(0, 2**63, (40, 40), np.uint64), id="uint64"),
        pytest.param(np.random.default_rng(0).random((40, 40)).astype(np.float16), id="float16"),
        pytest.param(np.random.default_rng(0).random((80, 80))[::2, ::2], id="strided"),
    ],
)
def test_any_real_image_gives_a_mask_at_every_pixel(image, theta):
    for point in {
        (0, 0),
        (image.shape[0] // 2, image.shape[1] // 2),
        (image.shape[0] - 1, image.shape[1] - 1),
    }:
        found = pointmask.annotate(image, [point], theta=theta)
        assert np.isfinite(found.soft).all()
        assert found.mask.any()
        assert 0 <= found.targets[0].confidence <= 1


def test_flat_and_nonfinite_windows_are_flagged():
    assert pointmask.annotate(np.ones((40, 40)), [(20, 20)]).targets[0].flags == ("flat",)
    image = blob()
    image[30, 40] = np.nan
    found = pointmask.annotate(image, [(32, 32)])
    assert "nonfinite" in found.targets[0].flags
    image[30, 40] = 100
    assert iou(found.mask, pointmask.annotate(image, [(32, 32)]).mask) > 0.9


def test_no_points_and_read_only_input():
    image = blob()
    image.flags.writeable = False
    assert not pointmask.annotate(image, []).mask.any()
    copy = image.copy()
    pointmask.annotate(image, [(32, 32)])
    np.testing.assert_array_equal(image, copy)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((4, 4, 5)), "one band"),
        (np.zeros((0, 4)), "no pixel"),
        (np.zeros((4, 4), complex), "real numbers"),
        ([["a"]], "real numbers"),
    ],
)
def test_bad_images(image, message):
    with pytest.raises(ImageError, match=message):
        pointmask.annotate(image, [(0, 0)])


@pytest.mark.parametrize(
    ("point", "message"),
    [
        ((64, 0), "outside the image of 64 rows"),
        ((0, -1), "outside"),
        ((1.5, 2), "round row and col"),
        ((float("nan"), 2), "whole numbers"),
        ((float("inf"), 3), "whole numbers"),
        ((True, True), "whole numbers"),
        ("ab", "whole numbers"),
        ((1, 2, 3), "whole numbers"),
    ],
)
def test_bad_points(point, message):
    with pytest.raises(PointsError, match=message):
        pointmask.annotate(np.zeros((64, 64)), [point])


def test_unknown_polarity():
    with pytest.raises(ValueError, match="bright"):
        pointmask.annotate(np.zeros((4, 4)), [], polarity="hot")


def test_crowds_are_compared_only_where_they_touch():
    image = np.tile(blob((24, 24), (12, 12)), (12, 12))
    points = [(12 + 24 * i, 12 + 24 * j) for i in range(12) for j in range(12)]
    assert crowds(list(pointmask.annotate(image, points).targets)) == []
    # The crowd is found before pixels are divided, so give it the targets of each point alone.
    close = [(12, 11), (12, 13), (60, 60), (36, 35), (36, 37), (36, 36)]
    alone = [pointmask.annotate(image, [point]).targets[0] for point in close]
    assert crowds(alone) == [[0, 1], [3, 4, 5]]


def test_points_left_with_nothing_keep_their_pixel():
    image = blob(sigma=3.0)
    found = pointmask.annotate(image, [(32, 32)] * 3 + [(33, 32)])
    assert [t.area for t in found.targets[1:3]] == [1, 1]
    np.testing.assert_array_equal(found.mask, pointmask.annotate(image, [(32, 32), (33, 32)]).mask)


def test_masked_pixels_are_like_nan():
    image = blob()
    hidden = np.ma.masked_array(image, np.zeros(image.shape, bool))
    hidden[30, 40] = np.ma.masked
    image[30, 40] = np.nan
    np.testing.assert_array_equal(
        pointmask.annotate(hidden, [(32, 32)]).soft, pointmask.annotate(image, [(32, 32)]).soft
    )


@pytest.mark.parametrize("gain", [1e306, 1e300, 1e-300, 1e-306])
def test_extreme_floats(gain):
    image = blob(floor=0.0)
    before, after = (pointmask.annotate(a, [(32, 32)]) for a in (image, image * gain))
    np.testing.assert_array_equal(before.mask, after.mask)
    pointmask.annotate(np.where(image > 30, 1.7e308, -1.7e308), [(32, 32)])


def test_a_cold_pixel_is_no_bright_target():
    image = np.full((64, 64), 5.0)
    image[32, 32] = 0
    assert pointmask.annotate(image, [(32, 32)]).targets[0].flags == ("flat",)
    assert pointmask.annotate(image, [(32, 32)], polarity="dark").mask[32, 32]


def test_a_click_beside_a_target_settles_on_it():
    image = blob(sigma=1.0)
    centred = pointmask.annotate(image, [(32, 32)])
    for click in ((32, 35), (29, 32), (30, 34)):
        found = pointmask.annotate(image, [click])
        assert found.targets[0].point == click
        np.testing.assert_array_equal(found.mask, centred.mask)


def test_a_doubtful_click_is_solved_from_both_places_and_the_surer_mask_is_kept():
    plain = pointmask.Theta.load("default").with_(quiet=0.0)
    sure = plain.with_(settle_below=0.0, settle_doubt=0.0)
    changed = 0
    for seed in range(3):
        image = blob(sigma=1.0, noise=3.0, seed=seed)
        for click in ((32, 30), (34, 34), (29, 30), (32, 35), (35, 33)):
            first = pointmask.annotate(image, [click], theta=sure).targets[0]
            found = pointmask.annotate(image, [click], theta=sure.with_(settle_doubt=1.0)).targets[0]
            assert found.point == click
            if np.array_equal(found.soft, first.soft):
                continue
            changed += 1
            share = 0.1 if "beside" in found.flags else 1  # is left of the confidence it was chosen for
            assert found.confidence / share > first.confidence + 0.1
    assert changed


def test_the_first_soft_label_of_a_large_target_has_its_share():
    rows, cols = np.ogrid[:120, :120]
    spread = np.exp(-((rows - 60) ** 2 + (cols - 60) ** 2) / 200)
    image = 100 + 60 * spread + np.random.default_rng(0).normal(size=spread.shape)
    theta = pointmask.Theta.load("default").with_(recentre=0.0)
    softs = {}
    for share in (0.0, 0.5, 1.0):
        softs[share] = (
            pointmask.annotate(image, [(60, 60)], theta=theta.with_(finer_share=share)).targets[0].soft
        )
    np.testing.assert_allclose(softs[0.5], (softs[0.0] + softs[1.0]) / 2, atol=1e-6)
    small = pointmask.annotate(image, [(60, 60)], theta=theta.with_(octaves=0)).targets[0].soft
    margin = (softs[1.0].shape[0] - small.shape[0]) // 2
    np.testing.assert_array_equal(softs[1.0][margin:-margin, margin:-margin], small)
    assert not np.array_equal(softs[0.0], softs[1.0])


def test_a_click_far_from_anything_stays_where_it_is():
    found = pointmask.annotate(blob(noise=0.5), [(10, 10)])
    assert found.targets[0].window[:2] == (0, 0)
    assert not found.mask[20:, 20:].any()


@pytest.mark.parametrize("seed", range(6))
def test_every_window_holds_its_click(seed):
    # Long bright bands, clicked anywhere, draw masks whose centroid lies far from the click.
    rng = np.random.default_rng(seed)
    image = rng.normal(size=(120, 120))
    image[58:63] += 30
    points = [(int(r), int(c)) for r, c in rng.integers(0, 120, (40, 2))] + [(60, 5), (60, 114), (58, 30)]
    for target in pointmask.annotate(image, points).targets:
        top, left, bottom, right = target.window
        assert top <= target.point[0] < bottom
        assert left <= target.point[1] < right
