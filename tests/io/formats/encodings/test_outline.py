"""Pixel-edge polygons: rasterised back, every pixel is the same."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tools.masks import blobs

from pointmask.io.formats.encodings.outline import fill, join, trace


def full(found, shape):
    mask = np.zeros(shape, np.bool_)
    if found is not None:
        row, col, pixels = found
        mask[row : row + pixels.shape[0], col : col + pixels.shape[1]] = pixels
    return mask


def area(loop):
    """Shoelace formula, positive for clockwise on the screen."""
    x, y = np.asarray(loop, float).T
    return (x * np.roll(y, -1) - np.roll(x, -1) * y).sum() / 2


MASKS = blobs().map(lambda drawn: drawn[0]) | st.builds(
    lambda seed, height, width: np.random.default_rng(seed).random((height, width)) < 0.5,
    st.integers(0, 2**32),
    st.integers(1, 12),
    st.integers(1, 12),
)


@given(MASKS)
def test_filling_undoes_tracing(mask):
    loops = trace(mask)
    np.testing.assert_array_equal(full(fill(loops, mask.shape), mask.shape), mask)
    assert sum(area(loop) for loop in loops) == mask.sum()
    if loops:
        np.testing.assert_array_equal(full(fill([join(loops)], mask.shape), mask.shape), mask)
        assert area(join(loops)) == mask.sum()


@given(MASKS)
def test_loops_are_minimal_and_along_the_edges(mask):
    for loop in trace(mask):
        steps = np.roll(loop, -1, axis=0) - loop
        level = steps[:, 1] == 0
        assert ((steps == 0).sum(axis=1) == 1).all()
        assert (level != np.roll(level, 1)).all()  # every vertex is a corner
        assert len(loop) >= 4


def test_one_pixel_is_a_square():
    (loop,) = trace(np.ones((1, 1), np.bool_), 5, 7)
    assert loop.tolist() == [[7, 5], [8, 5], [8, 6], [7, 6]]


def test_a_hole_and_a_piece_inside_it():
    mask = np.ones((5, 5), np.bool_)
    mask[1:4, 1:4] = False
    mask[2, 2] = True
    assert sorted(area(loop) for loop in trace(mask)) == [-9, 1, 25]


def test_corner_neighbours_are_two_loops():
    assert [area(loop) for loop in trace(np.eye(2, dtype=bool))] == [1, 1]


def test_no_pixel_no_loop():
    assert trace(np.zeros((3, 3), np.bool_)) == []
    assert fill([], (3, 3)) is None


def test_fractions_follow_the_pixel_centres():
    triangle = [[0.4, 0.4], [3.6, 0.4], [0.4, 3.6]]
    expected = [[1, 1, 1, 0], [1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]
    np.testing.assert_array_equal(full(fill([triangle], (4, 4)), (4, 4)), expected)


def test_what_lies_beyond_the_image_is_cut_off():
    square = [[-9, -9], [2, -9], [2, 90], [-9, 90]]
    expected = np.zeros((3, 4), bool)
    expected[:, :2] = True
    np.testing.assert_array_equal(full(fill([square], (3, 4)), (3, 4)), expected)
    assert fill([np.add(square, 90)], (3, 4)) is None


@pytest.mark.parametrize(
    "loop", [[[0, 0], [1, 1]], [[0, 0], [1, 1], [float("nan"), 2]], [[0, 0, 1]] * 3, [1, 2]]
)
def test_what_is_no_polygon(loop):
    with pytest.raises(ValueError, match="polygon"):
        fill([loop], (3, 3))


def test_a_huge_polygon_is_refused():
    side = 100_000
    with pytest.raises(ValueError, match="268,435,456"):
        fill([[[0, 0], [side, 0], [side, side], [0, side]]], (side, side))
