"""The flat view against medians taken pixel by pixel."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pointmask.click.frames.flat import SIDE, Flats, flattened
from pointmask.click.frames.reader import Frame

shapes = arrays.array_shapes(min_dims=2, max_dims=2, max_side=20)
any_pixels = st.one_of(*(arrays.arrays(dtype, shapes) for dtype in ("u1", "i2", "u4", "i8", "f4", "f8")))


def medians(pixels):
    """Of the finite pixels in the window around each pixel; beyond its border a slope goes on."""
    half = SIDE // 2
    padded = np.pad(pixels.astype(float), half, "symmetric", reflect_type="odd")
    padded[~np.isfinite(padded)] = np.nan
    windows = np.lib.stride_tricks.sliding_window_view(padded, (SIDE, SIDE))
    return np.nanmedian(windows, axis=(2, 3))


@pytest.mark.parametrize("shape", [(1, 1), (1, 90), (3, 3), (40, 57)])
def test_a_corner_is_the_very_difference_and_the_ground_between_medians_is_near_them(shape):
    rng = np.random.default_rng(0)
    pixels = (rng.normal(8000, 20, shape) + np.arange(shape[1])).astype(np.uint16)
    if pixels.size > 9:
        pixels[0, shape[1] // 2] = 20_000
    flat, wanted = flattened(pixels), pixels - medians(pixels)
    assert flat.dtype == np.float32
    for row, col in ((0, 0), (-1, -1), (0, -1)):
        assert flat[row, col] == pytest.approx(wanted[row, col], abs=1e-3)
    assert np.abs(flat - wanted).max() < 8


def test_gaps_stay_gaps_and_are_no_ground():
    pixels = np.full((60, 60), 300.0)
    pixels[:, 30:] += 50
    pixels[10:50, 5:25] = np.nan
    pixels[3, 3] = np.inf
    flat = flattened(pixels)
    assert np.array_equal(np.isfinite(flat), np.isfinite(pixels))
    assert flat[55, 2] == flat[5, 57] == 0


@given(any_pixels.filter(lambda pixels: np.isfinite(pixels).any()))
def test_any_numbers_have_a_flat_view(pixels):
    known = np.isfinite(pixels)
    assert not np.isfinite(flattened(pixels)[~known]).any()


def test_a_flat_view_is_made_once_and_says_what_it_is():
    flats = Flats()
    frame = Frame(np.ones((4, 5), np.uint8), "c" * 32, 1)
    made = flats.of(frame)
    assert made.is_flat
    assert not frame.is_flat
    assert flats.of(frame) is made
