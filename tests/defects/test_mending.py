"""Defective pixels: what is one, what is none, and what masks make of those that were replaced."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import erf
from tools.naive import defects as naive

import pointmask
from pointmask import defects, mending
from pointmask.annotator.single import solve_one
from pointmask.synth.scenes import make_scenes
from pointmask.theta import Theta


def sky(shape=(64, 72), seed=0, dtype=np.uint8):
    return np.random.default_rng(seed).normal(100, 3, shape).astype(dtype)


def spot(sigma, at=(32, 32), shape=(64, 64)):
    """A point through optics of a width in px, integrated over the pixels; 1 at its brightest."""
    edges = [
        (np.arange(n + 1) - 0.5 - middle) / (np.sqrt(2) * sigma) for n, middle in zip(shape, at, strict=True)
    ]
    rows, cols = (np.diff(erf(edge)) for edge in edges)
    both = np.outer(rows, cols)
    return both / both.max()


def iou(a, b):
    return (a & b).sum() / (a | b).sum()


@settings(max_examples=60, deadline=None)
@given(
    shape=st.tuples(st.integers(3, 40), st.integers(3, 40)),
    dtype=st.sampled_from([np.uint8, np.uint16, np.int32, np.float32, np.float64]),
    bad=st.lists(st.tuples(st.integers(0, 39), st.integers(0, 39), st.integers(0, 250)), max_size=6),
    polarity=st.sampled_from(["bright", "dark", "auto"]),
    seed=st.integers(0, 99),
)
def test_both_searches_find_what_the_slow_twin_finds(shape, dtype, bad, polarity, seed):
    image = sky(shape, seed, dtype)
    for row, col, value in bad:
        image[row % shape[0], col % shape[1]] = value
    plain, quick = (defects.mend(image, polarity, by).found for by in (defects.PLAIN, mending.QUICK))
    np.testing.assert_array_equal(quick.places, plain.places)
    np.testing.assert_allclose(quick.values, plain.values, rtol=1e-6)
    exact = image.astype(np.float64)
    above, below = {"bright": (5, 1.5), "dark": (1.5, 5), "auto": (5, 5)}[polarity]
    for floor in (5.0, 12.0):
        places, values = naive.search(exact, floor, above, below)
        for by in (defects.PLAIN, mending.QUICK):
            found = by.search(exact, floor, above, below, image.size)
            assert found[0].tolist() == [list(place) for place in places]
            np.testing.assert_allclose(found[1], values, rtol=1e-12)


@pytest.mark.parametrize("by", [defects.PLAIN, mending.QUICK])
def test_roughness_is_that_of_the_slow_twin(by):
    image = sky(dtype=np.float64)
    rows, cols = np.arange(1, 63, 3), np.arange(2, 71, 2)
    assert by.roughness(image, rows, cols) == pytest.approx(naive.roughness(image, rows, cols))
    holed = np.full((9, 9), np.nan)
    assert by.roughness(holed, np.array([4]), np.array([4])) == (0.0, np.inf)


@pytest.mark.parametrize("turn", [np.flipud, np.fliplr, np.transpose])
def test_a_turned_frame_has_the_same_defects(turn):
    image = sky(dtype=np.float32)
    image[0, 0], image[10, 71], image[30, 31], image[63, 5] = 0, 255, 255, 0
    there, replaced = mending.mended(image)
    assert len(replaced) == 4
    np.testing.assert_array_equal(mending.mended(np.ascontiguousarray(turn(image)))[0], turn(there))


@pytest.mark.parametrize("sigma", [0.5, 0.7, 1.0])
@pytest.mark.parametrize("offset", [0.0, 0.3, 0.5])
def test_a_point_seen_through_optics_is_no_defect(sigma, offset):
    image = sky((64, 64), dtype=np.float64) + 150 * spot(sigma, (32 + offset, 32 - offset))
    for polarity in ("bright", "auto"):
        assert len(mending.mended(image, polarity)[1]) == 0


def test_frames_without_noise_or_full_of_specks_stay():
    one = np.zeros((40, 40), np.uint8)
    one[20, 20] = 255
    salted = sky()
    salted[np.random.default_rng(1).random(salted.shape) < 0.05] = 255
    for image in (one, np.full((40, 40), 7.0), salted, sky((2, 50)), np.full((20, 20), np.nan)):
        result, replaced = mending.mended(image)
        assert result is image
        assert len(replaced) == 0


def test_a_clicked_pixel_alone_on_the_sky_is_a_target_and_stays():
    image = sky((64, 64))
    image[20, 20] = image[40, 40] = 250
    _, replaced = mending.mended(image, points=[(20, 21)])
    assert replaced.tolist() == [[40, 40]]
    found = pointmask.annotate(image, [(20, 20)])
    assert found.mask[20, 20]
    assert found.replaced.tolist() == [[40, 40]]
    assert (
        found.targets[0].confidence
        == pointmask.annotate(mending.mended(image, points=[(20, 20)])[0], [(20, 20)]).targets[0].confidence
    )


def test_a_frame_that_is_looked_over_once_gives_every_click_the_same():
    image = sky((64, 64))
    image[20, 20] = image[40, 40] = 250
    known, theta = mending.mend(image, "bright"), Theta.load("default")
    for point in ((20, 21), (40, 40), (5, 50)):
        frame, places = known.around([point])
        expected, replaced = mending.mended(image, "bright", [point])
        np.testing.assert_array_equal(frame, expected)
        np.testing.assert_array_equal(places, replaced)
        once, anew = (solve_one(image, point, theta=theta, mending=each) for each in (known, None))
        np.testing.assert_array_equal(once.target.soft, anew.target.soft)
    assert image[20, 20] == 250
    assert len(known.around([])[1]) == 2


@pytest.mark.parametrize("value", [0, 16000])
def test_a_defect_in_each_target_costs_little(value):
    shares = []
    for scene in make_scenes(6, 5, shape=(128, 128), bits=14):
        clean = pointmask.annotate(scene.image, scene.points)
        bad = scene.image.copy()
        for row, col in scene.points:
            bad[row, col] = value
        found = pointmask.annotate(bad, scene.points)
        shares.append((iou(found.mask, clean.mask), iou(solved_as_it_is(bad, scene.points), clean.mask)))
        one = solve_one(bad, scene.points[0], theta=Theta.load("default")).target
        if len(scene.points) == 1:
            np.testing.assert_array_equal(one.mask, found.targets[0].mask)
    mended, as_it_is = np.mean(shares, axis=0)
    assert mended > 0.8
    assert mended > as_it_is + 0.05


def solved_as_it_is(image, points):
    from pointmask.annotator.operator import assemble
    from pointmask.annotator.point import annotate_point

    mask = np.zeros(image.shape, np.bool_)
    for point in points:
        target = annotate_point(image, *point, assemble(Theta.load("default")), "bright")
        top, left, bottom, right = target.window
        mask[top:bottom, left:right] |= target.mask
    return mask


def test_lone_gaps_take_the_median_of_their_neighbours_and_others_stay():
    image = np.arange(70.0).reshape(7, 10)
    image[2, 3], image[0, 0], image[4:7, 6:9] = np.nan, np.inf, np.nan
    filled = defects.fill_gaps(image)
    assert filled[2, 3] == 23
    assert np.isinf(filled[0, 0])  # three neighbours are too few
    assert np.isnan(filled[4:7, 6:9]).all()
    assert defects.fill_gaps(filled[:2, 1:]) is not image
    whole = np.ones((3, 3))
    assert defects.fill_gaps(whole) is whole


def test_a_target_with_a_gap_keeps_its_mask():
    image = sky((64, 64), dtype=np.float64) + 60 * spot(1.5)
    clean = pointmask.annotate(image, [(32, 32)])
    image[32, 33] = np.nan
    holed = pointmask.annotate(image, [(32, 32)])
    assert iou(holed.mask, clean.mask) > 0.9
    assert "nonfinite" in holed.targets[0].flags
