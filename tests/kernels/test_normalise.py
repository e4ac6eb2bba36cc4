"""Windows in units of contrast: against the naive twin, and what becomes of noisy ones."""

import numpy as np
import pytest
from tools.naive import kernels as naive

from pointmask.annotator.operator import assemble
from pointmask.annotator.point import annotate_point
from pointmask.annotator.window import GRAIN, geometry, read_window
from pointmask.kernels.normalise import (
    BRIGHT,
    normalise,
    normalise_quiet,
    pixel_noise,
    wiener,
)
from pointmask.synth.scenes import make_scenes
from pointmask.theta import Theta

SIDE = 21
PLACES = geometry(SIDE // 2)


def scene(noise, seed=0, side=SIDE):
    """A Gaussian of 200 grey levels on a slope."""
    rows, cols = np.mgrid[:side, :side] - side // 2
    clean = 500 + 2.0 * rows + 200 * np.exp(-(rows**2 + cols**2) / 6)
    return clean + np.random.default_rng(seed).normal(0, noise, clean.shape) if noise else clean


def normalised(samples, quiet):
    values = np.empty_like(samples)
    around = (*PLACES.rings, PLACES.near, BRIGHT, GRAIN)
    buffer = np.empty(PLACES.buffer_size)
    if quiet is None:
        return normalise(samples, *around, buffer, values), values
    return normalise_quiet(samples, *around, quiet, buffer, values), values


@pytest.mark.parametrize("places", [PLACES.rings[1], np.arange(SIDE**2)], ids=["ring", "all"])
def test_the_noise_of_pixels(places):
    values = np.round(np.random.default_rng(1).normal(0, 0.2, (SIDE, SIDE)) / GRAIN) * GRAIN
    found = pixel_noise(values, places, np.empty(places.size))
    assert found == naive.pixel_noise(values, places)
    assert found == pixel_noise(values.T.copy(), np.sort(places), np.empty(places.size))
    assert abs(found - 0.2) < 0.03


def test_slopes_and_large_targets_are_no_noise():
    rows, cols = np.mgrid[:SIDE, :SIDE] / 4.0
    assert pixel_noise(3 * rows - 5 * cols, PLACES.rings[1], np.empty(PLACES.buffer_size)) == 0
    values = normalised(scene(0), None)[1]
    assert pixel_noise(values, PLACES.rings[1], np.empty(PLACES.buffer_size)) < 0.001


@pytest.mark.parametrize("noise", [0.0, 7.0, 60.0])
def test_the_filter_against_its_twin(noise):
    samples = scene(30, seed=2)
    out = np.empty_like(samples)
    wiener(samples, noise, out)
    np.testing.assert_allclose(out, naive.wiener(samples, noise), rtol=1e-12)
    turned = np.empty_like(samples)
    wiener(samples.T[:, ::-1].copy(), noise, turned)
    np.testing.assert_array_equal(turned, out.T[:, ::-1])


def test_a_filter_that_knows_of_no_noise_changes_nothing_and_flat_windows_stay():
    samples = scene(30)
    out = np.empty_like(samples)
    wiener(samples, 0.0, out)
    np.testing.assert_allclose(out, samples, rtol=1e-14)
    flat = np.full_like(samples, 7.0)
    wiener(flat, 3.0, out)
    np.testing.assert_array_equal(out, flat)


@pytest.mark.parametrize("noise", [10.0, 30.0, 60.0])
def test_noise_is_taken_off_and_the_target_stays(noise):
    clean = normalised(scene(0), None)[1]
    before = after = 0.0
    for seed in range(20):
        samples = scene(noise, seed)
        before += np.abs(normalised(samples, None)[1] - clean).mean()
        after += np.abs(normalised(samples, 0.03)[1] - clean).mean()
    assert after < 0.6 * before


@pytest.mark.parametrize(("noise", "quiet"), [(1.0, 0.05), (40.0, 0.0), (40.0, 1.0)])
def test_below_its_bound_a_window_stays_as_it_was(noise, quiet):
    samples = scene(noise)
    facts, values = normalised(samples, quiet)
    expected, as_before = normalised(samples, None)
    assert facts == expected
    np.testing.assert_array_equal(values, as_before)


def test_windows_of_any_octave_are_filtered():
    image = scene(60, side=101)
    theta = Theta.load("default")
    for octave in (0, 1):
        filtered, raw = (
            np.abs(np.diff(read_window(image, 50, 50, octave, one, "bright").values)).mean()
            for one in (theta, theta.with_(quiet=0))
        )
        assert filtered < 0.6 * raw


def test_masks_of_noisy_scenes_gain():
    rng = np.random.default_rng(0)
    operators = [assemble(Theta.load("default").with_(quiet=quiet)) for quiet in (0.0, 0.05)]
    shares = []
    for one in (scene for scene in make_scenes(40, 5, shape=(96, 96)) if scene.points):
        row, col = one.points[0]
        contrast = abs(float(one.image[row, col]) - float(np.median(one.image)))
        noisy = one.image + rng.normal(0, 0.3 * contrast, one.image.shape)
        for operator in operators:
            target = annotate_point(noisy, row, col, operator, "bright")
            found = np.zeros(one.image.shape, bool)
            top, left, bottom, right = target.window
            found[top:bottom, left:right] = target.mask
            truth = one.instances == 1
            shares.append((found & truth).sum() / (found | truth).sum())
    before, after = np.mean(np.reshape(shares, (-1, 2)), axis=0)
    assert after > before + 0.03, (before, after)
