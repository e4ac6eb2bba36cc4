"""Bad rows and columns: what is one, what is none, and what masks make of those that were replaced."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from tools.naive import defects as naive

import pointmask
from pointmask import defects, mending
from pointmask.annotator.single import solve_one
from pointmask.defects.lines import Line
from pointmask.synth.scenes import make_scenes
from pointmask.theta import Theta


def sky(shape=(96, 112), seed=0, dtype=np.uint8):
    """Clouds with noise."""
    rng = np.random.default_rng(seed)
    clouds = gaussian_filter(rng.normal(0, 1, shape), 6)
    return (100 + 15 * clouds / clouds.std() + rng.normal(0, 2, shape)).astype(dtype)


def spoilt(image, line, value):
    """A copy with a line of one value, or of an offset, or of noise."""
    image, bad = image.copy(), line.mask(image.shape)
    image[bad] = value(image[bad]) if callable(value) else value
    return image


VALUES = {
    "dead": 0,
    "hot": 255,
    "stuck": 117,
    "offset": lambda old: old + 25,
    "large offset": lambda old: old + 70,
    "noisy": lambda old: np.random.default_rng(7).integers(0, 256, old.shape),
}
LINES = [
    Line(0, 40, 1, 0, 112),
    Line(1, 1, 1, 0, 96),
    Line(1, 110, 1, 0, 96),
    Line(0, 20, 2, 0, 112),
    Line(1, 60, 3, 0, 96),
    Line(0, 50, 1, 0, 56),
    Line(1, 33, 1, 48, 96),
    Line(1, 70, 2, 0, 48),
]


@settings(max_examples=40, deadline=None)
@given(
    shape=st.tuples(st.integers(3, 40), st.integers(3, 40)),
    dtype=st.sampled_from([np.float32, np.float64]),
    lines=st.lists(st.tuples(st.integers(0, 1), st.integers(0, 39), st.integers(0, 250)), max_size=4),
    cut=st.integers(1, 8),
    seed=st.integers(0, 99),
)
def test_both_searches_find_the_lines_that_the_slow_twin_finds(shape, dtype, lines, cut, seed):
    image = np.random.default_rng(seed).integers(96, 105, shape).astype(dtype)
    for axis, k, value in lines:
        (image if axis == 0 else image.T)[k % shape[axis]] = value
    ranges = []
    for side in shape:
        parts = [(0, min(cut, side // 2)), (side // 2, side // 2)]
        ranges.append(np.array([parts, [(side - stop, side - start) for start, stop in parts]], np.int64))
    expected = naive.strays(image, 4.0, *ranges)
    for by in (defects.PLAIN, mending.QUICK):
        assert by.strays(image, 4.0, *ranges).tolist() == expected


UNSURE = ("offset", "noisy")  # where they are wide, since wires through optics look alike
CASES = [(line, kind) for line in LINES for kind in VALUES if line.width == 1 or kind not in UNSURE]


@pytest.mark.parametrize(
    ("line", "kind"), CASES, ids=lambda x: x if isinstance(x, str) else x.named((96, 112))
)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_bad_line_is_found_to_the_pixel_and_replaced(line, kind, dtype):
    clean = sky(dtype=dtype)
    bad = spoilt(clean, line, VALUES[kind])
    found = mending.mend(bad)
    assert found.lines == (line,)
    assert found.around([])[1].tolist() == np.argwhere(line.mask(bad.shape)).tolist()
    own = line.mask(bad.shape)
    assert np.abs(found.result[own].astype(float) - clean[own]).max() < 25
    np.testing.assert_array_equal(found.result[~own], clean[~own])
    plain = defects.mend(bad)
    assert plain.lines == found.lines
    np.testing.assert_array_equal(plain.result, found.result)


@pytest.mark.parametrize("turn", [np.flipud, np.fliplr, np.transpose])
def test_a_turned_frame_is_mended_alike(turn):
    image = sky(dtype=np.float32)
    for line in (Line(0, 30, 1, 0, 112), Line(1, 41, 2, 0, 96), Line(0, 60, 1, 0, 56)):
        image = spoilt(image, line, 0)
    image[80, 80] = 255
    there = mending.mend(image)
    assert len(there.lines) == 3
    assert len(there.found) == 1
    np.testing.assert_array_equal(mending.mend(np.ascontiguousarray(turn(image))).result, turn(there.result))


def test_where_a_row_and_a_column_cross_both_of_them_count():
    rows, cols = np.mgrid[:90, :90]
    clean = 2.0 * rows + 3.0 * cols + np.random.default_rng(0).normal(0, 0.1, (90, 90))
    bad = spoilt(spoilt(clean, Line(0, 40, 1, 0, 90), 0.0), Line(1, 50, 1, 0, 90), 0.0)
    mended = mending.mend(bad).result
    assert mended[40, 50] == pytest.approx(clean[40, 50], abs=0.5)
    np.testing.assert_allclose(mended, clean, atol=1)


@pytest.mark.parametrize(
    "scene",
    [
        lambda rows, cols: 80.0 * (rows > 40),  # a horizon
        *(
            lambda rows, cols, at=at: 80 * np.exp(-((rows - at) ** 2) / 0.98) for at in (40, 40.3, 40.5)
        ),  # wires
        lambda rows, cols: 20 * np.sin(rows * 2 * np.pi / 5),  # waves
        lambda rows, cols: 60.0 * (rows % 2),  # a frame woven from two fields
        lambda rows, cols: 60.0 * ((rows == 40) & (abs(cols - 60) < 8)),  # a streak
        lambda rows, cols: np.where(rows < 3, -90.0, 0),  # a bar
        lambda rows, cols: np.where(rows > 50, 200.0, 0),  # saturation
    ],
)
def test_lines_of_the_scene_stay(scene):
    image = sky(dtype=np.float64) + scene(*np.mgrid[:96, :112])
    for pixels in (image, np.clip(image, 0, 255).astype(np.uint8)):
        for turned in (pixels, np.ascontiguousarray(pixels.T)):
            assert mending.mend(turned).lines == ()
            assert mending.mend(np.ascontiguousarray(turned[::-1, ::-1])).lines == ()


def test_many_lines_do_not_hide_one_another():
    clean = sky((200, 220))
    bad, planted = clean, np.zeros(clean.shape, np.bool_)
    for k in range(12):
        for axis, length in ((0, 220), (1, 200)):
            line = Line(axis, 10 + 15 * k + k % 3, 1, 0, length)
            planted |= line.mask(clean.shape)
            bad = spoilt(bad, line, (0, 255, lambda old: old + 30)[k % 3])
    found = mending.mend(bad)
    np.testing.assert_array_equal(found.of_lines, planted)
    assert np.abs(found.result.astype(float) - clean).max() < 25


def test_flat_and_broken_frames_have_no_lines():
    gaps = sky(dtype=np.float64)
    gaps[30] = np.nan
    for image in (np.zeros((40, 40), np.uint8), np.full((30, 30), np.nan), sky((3, 50)), sky((50, 3)), gaps):
        assert mending.mend(image).lines == ()


def test_masks_beside_bad_lines_are_those_of_the_clean_frame():
    shares = []
    for number, scene in enumerate(make_scenes(6, 5, shape=(128, 128), bits=14)):
        clean = pointmask.annotate(scene.image, scene.points)
        bad = scene.image
        for k, (row, col) in enumerate(scene.points):
            line = (
                Line(0, row + 1, 1, 0, 128)
                if (k + number) % 2
                else Line(1, col + 1, 1, 0, 64 if col < 64 else 128)
            )
            bad = spoilt(bad, line, 0)
        found = pointmask.annotate(bad, scene.points)
        assert len(found.replaced) >= 64
        shares.append((found.mask & clean.mask).sum() / (found.mask | clean.mask).sum())
        if len(scene.points) == 1:
            one = solve_one(bad, scene.points[0], theta=Theta.load("default")).target
            np.testing.assert_array_equal(one.mask, found.targets[0].mask)
    assert np.mean(shares) > 0.85
