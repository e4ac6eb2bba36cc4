"""What a soft label is fused from, computed again from a solved target."""

import numpy as np
import pytest

from pointmask import Theta
from pointmask.annotator.fuse import fuse
from pointmask.annotator.single import parts_of, solve_one, superpixel_at

THETA = Theta.load("default")


def spot(row, col, shape=(70, 90), width=1.6):
    rows, cols = np.ogrid[: shape[0], : shape[1]]
    noise = np.random.default_rng(1).normal(100, 2, shape)
    return noise + 60 * np.exp(-((rows - row) ** 2 + (cols - col) ** 2) / (2 * width**2))


@pytest.mark.parametrize("place", [(35, 45), (1, 2), (69, 89)])
def test_the_parts_of_a_target_fuse_to_its_soft_label(place):
    image = spot(*place)
    solved = solve_one(image, place, theta=THETA)
    assert solved.target.octave == 0
    parts = parts_of(solved, image.shape, THETA)
    assert parts.potential.shape == parts.superpixel.shape == solved.target.mask.shape
    assert np.allclose(fuse(parts.potential, parts.superpixel, THETA.rho), solved.fine, atol=1e-12)
    if solved.target.centre == place:
        _, _, superpixel = superpixel_at(image, place, theta=THETA)
        assert parts.superpixel.shape == superpixel.shape
        assert (parts.superpixel != superpixel).sum() <= 1  # which never lacks the pixel itself


def test_a_target_that_is_solved_in_a_coarser_window_has_parts_per_pixel():
    image = spot(60, 60, (120, 120), width=9.0)
    solved = solve_one(image, (60, 60), theta=THETA)
    assert solved.target.octave > 0
    parts = parts_of(solved, image.shape, THETA)
    assert parts.potential.shape == parts.superpixel.shape == solved.target.mask.shape
    assert parts.superpixel[solved.target.mask].mean() > 0.5
    assert parts.potential.max() == 1


def test_a_flat_target_is_its_pixel():
    solved = solve_one(np.full((20, 20), 7.0), (5, 6), theta=THETA)
    parts = parts_of(solved, (20, 20), THETA)
    assert parts.potential.tolist() == parts.superpixel.tolist() == [[True]]
