"""What all baselines promise: one signature, honest size priors, seeds, and manners on odd input."""

import inspect

import numpy as np
import pytest

from pointmask.annotator.target import Annotation
from pointmask.bench.baselines.base import Baseline
from pointmask.bench.baselines.parts.frame import TargetPatch, as_rgb8, compose, luma8
from pointmask.bench.baselines.registry import BASELINES, OURS, READY
from pointmask.bench.baselines.sizes import SizePrior, classify, from_masks
from pointmask.errors import ImageError, MethodError, PointsError

METHODS = sorted(set(READY) - {OURS})


def load(name):
    return BASELINES.load(name)().annotate


def blob_scene(shape=(64, 72), centres=((30, 40),), radius=3.0, contrast=120.0, seed=0):
    """Noisy flat background with disks, soft over one pixel, and the pixels that they cover by half."""
    rng = np.random.default_rng(seed)
    rows, cols = np.indices(shape)
    blobs = [(radius + 0.5 - np.hypot(rows - r, cols - c)).clip(0, 1) for r, c in centres]
    image = 60 + rng.normal(0, 2, shape) + contrast * np.maximum.reduce(blobs)
    return np.rint(image).clip(0, 255).astype(np.uint8), np.maximum.reduce(blobs) > 0.5


def iou(a, b):
    return (a & b).sum() / (a | b).sum()


class Untouchable:
    """A mask that must not be looked at."""

    def __array__(self, *args, **kwargs):
        raise AssertionError("the true mask was read")


@pytest.mark.parametrize("name", READY)
def test_called_alike(name):
    kind = BASELINES.load(name)
    assert inspect.signature(kind.annotate) == inspect.signature(Baseline.annotate)
    settings = inspect.signature(kind).parameters.values()
    assert all(p.kind is p.KEYWORD_ONLY and p.default is not p.empty for p in settings)
    assert kind.label
    assert kind.sees == ("band" if name == OURS else "colour")
    assert kind.reads_size == (name in ("mclc", "d2d", "threshold"))


def test_unknown_name_lists_the_known():
    with pytest.raises(MethodError, match="ours, mclc, d2d, com, pgc2f, threshold, sam, "):
        load("sum")


@pytest.mark.parametrize(
    ("name", "least"), [("mclc", 0.5), ("d2d", 0.5), ("threshold", 0.6), ("com", 0.4), ("pgc2f", 0.5)]
)
def test_finds_a_clear_target(name, least):
    image, truth = blob_scene()
    result = load(name)(image, [(30, 40)])
    assert isinstance(result, Annotation)
    assert result.mask.shape == image.shape
    assert iou(result.mask, truth) >= least


@pytest.mark.parametrize("name", METHODS)
def test_targets_are_consistent(name):
    image, _ = blob_scene(centres=((20, 20), (40, 50)))
    result = load(name)(image, [(20, 20), (40, 50)])
    assert [t.point for t in result.targets] == [(20, 20), (40, 50)]
    for t in result.targets:
        top, left, bottom, right = t.window
        assert t.soft.shape == t.mask.shape == (bottom - top, right - left)
        assert (t.soft.dtype, t.mask.dtype) == (np.float32, np.bool_)
        assert t.soft.min() >= 0
        assert t.soft.max() <= 1
        assert 0 <= t.confidence <= 1
        assert t.area == t.mask.sum()
        if not t.area:
            assert (name, t.flags) == ("com", ("empty",))
            continue
        rows, cols = np.nonzero(result.mask[top:bottom, left:right])
        assert t.box == (
            top + rows.min(), left + cols.min(), top + rows.max() + 1, left + cols.max() + 1
        )  # fmt: skip


@pytest.mark.parametrize("name", METHODS)
def test_same_seed_same_result(name):
    image, _ = blob_scene()
    first, second = (load(name)(image, [(30, 40)], seed=5) for _ in range(2))
    np.testing.assert_array_equal(first.soft, second.soft)
    np.testing.assert_array_equal(first.mask, second.mask)


@pytest.mark.parametrize("name", ["mclc", "d2d"])
def test_another_seed_another_draw(name):
    image, _ = blob_scene()
    prior = [SizePrior(10, 10, 10, 10)]
    first, second = (load(name)(image, [(30, 40)], size_prior=prior, seed=s) for s in (1, 2))
    assert (first.soft != second.soft).any()


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (3, 3), (7, 40), (64, 64)])
@pytest.mark.parametrize("flat", [True, False])
def test_odd_images_and_border_points(name, shape, flat):
    rng = np.random.default_rng(0)
    image = np.full(shape, 9, np.uint8) if flat else rng.integers(0, 256, shape, np.uint8)
    corners = [(0, 0), (shape[0] - 1, shape[1] - 1), (shape[0] // 2, shape[1] - 1)]
    result = load(name)(image, corners)
    assert len(result.targets) == 3
    assert result.mask.shape == shape


@pytest.mark.parametrize("name", METHODS)
def test_no_points_no_mask(name):
    result = load(name)(blob_scene()[0], [])
    assert result.targets == ()
    assert not result.mask.any()


@pytest.mark.parametrize("name", METHODS)
def test_complaints(name):
    method, image = load(name), blob_scene()[0]
    with pytest.raises(PointsError, match=r"row 64, col 0.*64 x 72"):
        method(image, [(64, 0)])
    with pytest.raises(PointsError, match="2 size priors were passed for 1 points"):
        method(image, [(1, 1)], size_prior=[SizePrior(3, 3, 3, 3)] * 2)
    with pytest.raises(ImageError, match=r"shape \(4, 4, 2\)"):
        method(np.zeros((4, 4, 2), np.uint8), [(1, 1)])
    with pytest.raises(ImageError, match="NaN"):
        method(np.full((9, 9), np.nan), [(1, 1)])


class TestSizePriors:
    def test_none_never_reads_the_mask(self):
        priors = from_masks(Untouchable(), [(5, 5)] * 200, np.random.default_rng(0), "none")
        extents = {e for p in priors for e in (p.up, p.down, p.left, p.right)}
        assert extents == {10, 11}
        assert {p.target_class for p in priors} == {"spot"}

    @pytest.mark.parametrize("kind", ["box", "class", "truth"])
    def test_the_others_do(self, kind):
        with pytest.raises(AssertionError, match="was read"):
            from_masks(Untouchable(), [(5, 5)], np.random.default_rng(0), kind)

    def test_methods_default_to_none(self):
        image, _ = blob_scene()
        fixed = from_masks(None, [(30, 40)], np.random.default_rng(3), "none")
        result = load("threshold")(image, [(30, 40)], seed=3)
        given = load("threshold")(image, [(30, 40)], size_prior=fixed)
        assert result.targets[0].window == given.targets[0].window

    @pytest.mark.parametrize(
        ("area", "target_class", "low", "high"),
        [(9, "point", 3, 5), (10, "spot", 10, 11), (81, "spot", 10, 11), (82, "extended", 15, 25)],
    )
    def test_truth_follows_the_area(self, area, target_class, low, high):
        mask = np.zeros((40, 10), np.uint8)
        mask.flat[100 : 100 + area] = 255  # whole rows and a part of one: a single piece
        priors = from_masks(mask, [(10, 3)] * 300, np.random.default_rng(1), "truth")
        extents = {e for p in priors for e in (p.up, p.down, p.left, p.right)}
        assert classify(area) == target_class
        assert {p.target_class for p in priors} == {target_class}
        assert extents == set(range(low, high + 1))

    def test_box_and_class_are_halves_of_truth(self):
        mask = np.ones((12, 12), np.uint8)
        rng = np.random.default_rng(2)
        (box,), (told,) = (from_masks(mask, [(5, 5)], rng, kind) for kind in ("box", "class"))
        assert box.target_class == "spot"
        assert min(box.up, box.down, box.left, box.right) >= 15
        assert told.target_class == "extended"
        assert max(told.up, told.down, told.left, told.right) <= 11

    def test_click_outside_takes_the_nearest_component(self):
        mask = np.zeros((40, 40), np.uint8)
        mask[5:7, 5:7] = 1
        mask[20:35, 20:35] = 1
        priors = from_masks(mask, [(8, 8), (18, 18)], np.random.default_rng(0), "truth")
        assert [p.target_class for p in priors] == ["point", "extended"]

    def test_diagonal_pixels_are_one_target(self):
        (prior,) = from_masks(np.eye(12), [(0, 0)], np.random.default_rng(0), "truth")
        assert prior.target_class == "spot"

    def test_box_stops_before_the_last_row_and_column(self):
        prior = SizePrior(10, 11, 10, 11)
        assert prior.box((20, 20), (60, 60)) == (slice(10, 31), slice(10, 31))
        assert prior.box((2, 58), (60, 60)) == (slice(0, 13), slice(48, 59))

    def test_complaints(self):
        rng = np.random.default_rng(0)
        with pytest.raises(PointsError, match="without targets"):
            from_masks(np.zeros((5, 5)), [(1, 1)], rng, "truth")
        with pytest.raises(ValueError, match="'area' is unknown"):
            from_masks(None, [], rng, "area")
        with pytest.raises(ValueError, match="left=51"):
            SizePrior(1, 1, 51, 1)


class TestInput:
    def test_8_bit_is_left_alone(self):
        gray = np.array([[3, 200]], np.uint8)
        np.testing.assert_array_equal(as_rgb8(gray), [[[3] * 3, [200] * 3]])
        rgba = np.array([[[1, 2, 3, 4]]], np.uint8)
        np.testing.assert_array_equal(as_rgb8(rgba), [[[1, 2, 3]]])

    @pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.float32])
    def test_other_types_are_stretched(self, dtype):
        levels = np.array([[1000, 1100, 1200, 6100]]).astype(dtype)
        np.testing.assert_array_equal(as_rgb8(levels)[..., 0], [[0, 5, 10, 255]])

    def test_luma_is_opencv_s(self):
        primaries = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [77, 77, 77]]], np.uint8)
        np.testing.assert_array_equal(luma8(primaries), [[76, 150, 29, 77]])


def test_later_targets_write_over_earlier_ones():
    def patch(point, left, mask):
        mask = np.array(mask, np.bool_)
        return TargetPatch(point, (slice(0, 1), slice(left, left + 3)), mask.astype(np.float32), mask)

    result = compose((1, 5), [patch((0, 0), 0, [[1, 1, 1]]), patch((0, 4), 2, [[0, 1, 0]])])
    np.testing.assert_array_equal(result.mask, [[1, 1, 0, 1, 0]])
    first, second = result.targets
    assert (first.area, first.box) == (2, (0, 0, 1, 2))
    assert (second.area, second.box) == (1, (0, 3, 1, 4))
    kept = compose((1, 5), [patch((0, 0), 0, [[1, 1, 1]]), patch((0, 4), 2, [[0, 1, 0]])], erases=False)
    np.testing.assert_array_equal(kept.mask, [[1, 1, 1, 1, 0]])


def test_an_empty_result_says_so():
    (target,) = load("com")(np.full((50, 50), 7, np.uint8), [(25, 25)]).targets
    assert (target.area, target.confidence, target.flags) == (0, 0.0, ("empty",))
    assert target.box == (25, 25, 25, 25)
