"""How much a place stands out: against a slow twin, invariances, and what chance gives."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from tools.naive import judgement as naive

from pointmask.judgement import statistic
from pointmask.judgement.statistic import SLACK, STRONGEST, Standout, contrast
from pointmask.synth.scenes import make_scene


def image(seed=0, shape=(40, 33)):
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 200, shape)
    pixels[20:23, 11:14] += 300
    return pixels.astype(np.uint16)


def everywhere(shape):
    return np.indices(shape).reshape(2, -1)


@pytest.mark.parametrize("shape", [(40, 33), (12, 30), (5, 4)])
def test_contrast_is_that_of_its_definition(shape):
    values = np.random.default_rng(1).normal(size=shape)
    assert_allclose(statistic._contrast(values), naive.contrast_map(values), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("slack", [0, SLACK])
def test_surprise_is_that_of_its_definition(slack):
    pixels = image()
    shown = contrast(pixels).astype(np.float32)
    found = Standout(pixels)
    places = [(0, 0), (21, 12), (39, 32), (7, 30), (-1, 3), (40, 3), (3, 33)]
    rows, cols = np.array(places).T
    assert_allclose(
        found.at(rows, cols, slack), [naive.surprise(shown, r, c, slack) for r, c in places], rtol=1e-6
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p.astype(np.float32),
        lambda p: p.astype(np.float64) * 1e-3 + 280,
        lambda p: p.astype(np.int32) * 50 - 7,
        lambda p: (1000 - p.astype(np.int64)).astype(np.uint16),
    ],
    ids=["dtype", "gain and offset", "integers", "polarity"],
)
def test_gain_offset_type_and_polarity_change_nothing(change):
    pixels = image(2, (64, 64))
    rows, cols = everywhere(pixels.shape)
    for slack in (0, SLACK):
        before, after = Standout(pixels).at(rows, cols, slack), Standout(change(pixels)).at(rows, cols, slack)
        assert_allclose(after, before, atol=0.02)


def test_dark_is_what_stands_out_most_nearby_and_is_darker():
    pixels = image(4, (60, 50))
    pixels[40:43, 30:33] = 0
    signed = statistic._signed_contrast(pixels)
    rows, cols = everywhere(pixels.shape)
    expected = []
    for row, col in zip(rows, cols, strict=True):
        near = signed[max(row - SLACK, 0) : row + SLACK + 1, max(col - SLACK, 0) : col + SLACK + 1].ravel()
        expected.append(near[np.argmax(np.abs(near))] < 0)
    found = Standout(pixels).is_dark(rows.astype(float), cols.astype(float))
    assert found.tolist() == expected
    assert found.reshape(pixels.shape)[41, 31]
    assert not found.reshape(pixels.shape)[21, 12]


@pytest.mark.parametrize("turn", [np.fliplr, np.flipud, np.transpose])
def test_a_turned_image_has_turned_surprise(turn):
    pixels = image(3, (64, 64))
    rows, cols = everywhere((64, 64))
    before = Standout(pixels).at(rows, cols).reshape(64, 64)
    assert_allclose(Standout(turn(pixels)).at(rows, cols).reshape(64, 64), turn(before), atol=0.02)


@pytest.mark.parametrize("seed", range(6))
def test_at_places_chosen_by_chance_surprise_is_what_its_scale_says(seed):
    scene = make_scene(("sky", "clouds", "sea", "horizon", "buildings", "vegetation")[seed], seed=seed)
    rows, cols = everywhere(scene.image.shape)
    for slack in (0, SLACK):
        scores = Standout(scene.image).at(rows, cols, slack)
        for level in (0.5, 1.0, 2.0):
            assert (scores > level).mean() <= 1.1 * 10**-level + 0.001


def test_what_is_no_number_counts_as_background():
    pixels = image().astype(np.float32)
    pixels[3:6, 3:6] = np.nan
    pixels[0, 0] = np.inf
    found = contrast(pixels)
    assert np.isfinite(found).all()
    assert Standout(pixels).at(21, 12, 0) > 2


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (3, 3), (20, 20)])
def test_a_constant_image_shows_nothing_anywhere(shape):
    rows, cols = everywhere(shape)
    assert not Standout(np.full(shape, 7, np.uint8)).at(rows, cols).any()


def test_surprise_is_bounded():
    rows, cols = everywhere((40, 33))
    assert Standout(image()).at(rows, cols).max() <= STRONGEST
