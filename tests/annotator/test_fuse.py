"""Fusion and binarisation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.filters import threshold_otsu

from pointmask.annotator.fuse import binarise, enlarge_octaves, fuse, mix_finer, otsu


def test_equation_4_by_hand():
    potential = np.array([[0.0, 0.5], [1.0, 2.0]])
    superpixel = np.array([[False, True], [True, True]])
    np.testing.assert_allclose(fuse(potential, superpixel, 0.8), [[0.0, 0.4], [0.6, 1.0]])


@pytest.mark.parametrize("rho", [0.0, 1.0])
def test_either_part_alone(rho):
    potential, superpixel = np.random.default_rng(0).random((5, 5)), np.eye(5) > 0
    expected = potential / potential.max() if rho else superpixel
    np.testing.assert_allclose(fuse(potential, superpixel, rho), expected)


def test_nothing_gives_nothing():
    assert not fuse(np.zeros((3, 3)), np.zeros((3, 3), bool), 0.5).any()


@given(rho=st.floats(0, 1), seed=st.integers(0, 99))
def test_the_soft_label_is_in_the_unit_interval_and_grows_with_its_parts(rho, seed):
    rng = np.random.default_rng(seed)
    potential, superpixel = rng.random((6, 6)), rng.random((6, 6)) > 0.5
    soft = fuse(potential, superpixel, rho)
    assert 0 <= soft.min() <= soft.max() <= 1
    inside = soft[superpixel][np.argsort(potential[superpixel])]
    assert (np.diff(inside) >= -1e-12).all()


def test_otsu_against_scikit_image():
    rng = np.random.default_rng(3)
    for share in (0.05, 0.3, 0.6):
        soft = np.where(
            rng.random((40, 40)) < share, rng.normal(0.8, 0.05, (40, 40)), rng.normal(0.2, 0.05, (40, 40))
        )
        soft = np.clip(soft, 0, 1)
        # Our bins span [0, 1], theirs the values at hand, so the two may lie a bin apart.
        assert abs(otsu(soft) - threshold_otsu(soft)) < 2 / 256


def test_enlarging_keeps_samples_and_the_centre():
    field = np.random.default_rng(4).random((5, 5))
    for octaves in (0, 1, 2):
        finer = enlarge_octaves(field, octaves)
        np.testing.assert_array_equal(finer[:: 2**octaves, :: 2**octaves], field)
        assert finer[finer.shape[0] // 2, finer.shape[1] // 2] == field[2, 2]


def test_a_finer_soft_label_is_mixed_in_where_its_window_reaches():
    rng = np.random.default_rng(5)
    coarse, finer = rng.random((9, 9)), rng.random((5, 5))
    expected = coarse.copy()
    for row in range(5):
        for col in range(5):
            expected[row + 2, col + 2] = 0.75 * coarse[row + 2, col + 2] + 0.25 * finer[row, col]
    soft, fine = mix_finer(coarse, finer, 0.25)
    np.testing.assert_allclose(fine, expected)
    np.testing.assert_array_equal(soft, fine[::2, ::2])
    np.testing.assert_array_equal(mix_finer(coarse, finer, 0.0)[1], coarse)


def test_binarise_takes_the_piece_near_the_point():
    soft = np.zeros((9, 9))
    soft[1:3, 1:3] = 0.9
    soft[6, 6] = 0.9
    mask, area = binarise(soft, 0.5, 2, 4, 2)
    assert area == 4
    assert mask[1:3, 1:3].all()
    mask, area = binarise(soft, 0.5, 4, 8, 2)
    assert area == 0
    assert not mask.any()
