"""Run lengths against pycocotools, in both directions, and against damage."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco
from tools.masks import blobs

from pointmask.io.formats.encodings import rle
from pointmask.io.formats.labelled import Patch


def full(decoded, shape):
    mask = np.zeros(shape, np.bool_)
    if decoded is not None:
        row, col, pixels = decoded
        mask[row : row + pixels.shape[0], col : col + pixels.shape[1]] = pixels
    return mask


# pycocotools 2.0.11 does not know the copy argument of NumPy 2's __array__.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@given(blobs())
def test_pycocotools_reads_what_is_written(drawn):
    mask, _ = drawn
    patch = Patch.crop(mask)
    counts = rle.encode(patch.pixels, patch.row, patch.col, mask.shape)
    theirs = coco.decode({"size": list(mask.shape), "counts": rle.pack(counts).encode()})
    np.testing.assert_array_equal(theirs.astype(bool), mask)


@given(blobs())
def test_what_pycocotools_writes_is_read(drawn):
    mask, _ = drawn
    theirs = coco.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode()
    counts = rle.unpack(theirs)
    np.testing.assert_array_equal(full(rle.decode(counts, mask.shape), mask.shape), mask)
    assert rle.pack(counts) == theirs
    np.testing.assert_array_equal(counts, rle.encode(mask, 0, 0, mask.shape))


@given(st.lists(st.integers(0, 1 << 28), max_size=20))
def test_packing_is_undone(counts):
    assert rle.unpack(rle.pack(counts)) == counts


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30), st.integers(1, 6))
def test_runs_of_length_zero_are_allowed(counts, height):
    counts = [*counts, -sum(counts) % height or height]
    shape = height, sum(counts) // height
    expected = np.repeat(np.arange(len(counts)) % 2 == 1, counts).reshape(shape, order="F")
    np.testing.assert_array_equal(full(rle.decode(counts, shape), shape), expected)


def test_an_empty_mask_is_one_run():
    empty = np.zeros((2, 3), np.bool_)
    assert rle.encode(empty, 0, 0, (4, 5)).tolist() == [20]
    assert rle.decode([20], (4, 5)) is None


@pytest.mark.parametrize(
    ("counts", "shape"),
    [([5], (2, 3)), ([7], (2, 3)), ([8, -2], (2, 3)), ([], (2, 3)), ([1 << 70], (2, 3)), ([0], (0, 3))],
)
def test_runs_that_do_not_fill_the_image_are_refused(counts, shape):
    with pytest.raises(ValueError, match="pixels"):
        rle.decode(counts, shape)


def test_a_huge_image_is_refused_before_it_is_made():
    side = 100_000
    with pytest.raises(ValueError, match="268,435,456"):
        rle.decode([0, side * side], (side, side))


@pytest.mark.parametrize("text", ["a\n", "\x7f", "P", "ooooooooooooooo0", "é"])
def test_foreign_strings_are_refused(text):
    with pytest.raises(ValueError, match="run lengths"):
        rle.unpack(text)


def test_a_crop_must_lie_in_the_image():
    with pytest.raises(ValueError, match="outside"):
        rle.encode(np.ones((2, 2), np.bool_), 3, 0, (4, 4))
