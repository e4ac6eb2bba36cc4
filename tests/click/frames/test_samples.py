"""Samples for the page against plain loops over the file's numbers."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pointmask.click.frames.samples import code_for, coded, pooled
from pointmask.click.frames.statistics import statistics

shapes = arrays.array_shapes(min_dims=2, max_dims=2, max_side=9)
any_pixels = st.one_of(
    *(arrays.arrays(dtype, shapes) for dtype in ("u1", "u2", "i1", "i2", "i4", "u4", "i8", "u8", "f4", "f8"))
).filter(lambda pixels: np.isfinite(pixels).any())


@given(any_pixels)
def test_values_come_back_from_their_codes(pixels):
    known = statistics(pixels)
    code = code_for(pixels, known)
    samples = coded(pixels, code)
    assert samples.dtype.itemsize == (1 if code.type == "u8" else 2)
    good = np.isfinite(pixels)
    if code.exact:
        assert all(
            int(sample) * int(code.scale) + int(code.offset) == int(value)
            for sample, value in zip(samples.flat, pixels.flat, strict=True)
        )
    else:
        assert ((samples == 0) == ~good).all()
        assert np.isfinite([code.scale, code.offset]).all()
        assert code.scale > 0
        # Order is kept, whatever is clipped.
        order = np.argsort(pixels[good], kind="stable")
        assert (np.diff(samples[good][order].astype(int)) >= 0).all()


def test_a_wide_range_is_coded_in_small_steps():
    pixels = np.random.default_rng(0).normal(300.0, 2.0, (200, 200)).astype(np.float32)
    pixels[3, 4], pixels[5, 6], pixels[7, 8] = np.nan, 1e30, 305.0
    known = statistics(pixels)
    code = code_for(pixels, known)
    values = coded(pixels, code) * code.scale + code.offset
    usual = np.abs(pixels - 300) < 10
    assert np.abs(values - pixels)[usual].max() < 1e-3
    assert coded(pixels, code)[3, 4] == 0
    assert coded(pixels, code)[5, 6] == 65_535
    assert code.nonfinite
    assert not code.exact


@pytest.mark.parametrize(("dtype", "offset"), [("i1", -128), ("i2", -32768), ("u1", 0), ("u2", 0)])
def test_small_integers_travel_as_they_are(dtype, offset):
    info = np.iinfo(dtype)
    pixels = np.array([[info.min, info.max, 1]], dtype)
    code = code_for(pixels, statistics(pixels))
    assert (code.scale, code.offset, code.exact, code.nonfinite) == (1, offset, True, False)
    np.testing.assert_array_equal(coded(pixels, code).astype(int) + offset, pixels)


@given(
    arrays.arrays("u2", arrays.array_shapes(min_dims=2, max_dims=2, max_side=20)),
    st.integers(1, 7),
    st.sampled_from(["bright", "dark", "auto"]),
    st.booleans(),
)
def test_each_pooled_pixel_is_one_of_its_square(samples, size, polarity, nonfinite):
    result = pooled(samples, size, polarity, nonfinite=nonfinite)
    assert result.shape == tuple(-(-side // size) for side in samples.shape)
    for row, col in np.ndindex(result.shape):
        square = samples[row * size : (row + 1) * size, col * size : (col + 1) * size]
        values = square[square > 0] if nonfinite and square.any() else square
        ends = {"bright": {values.max()}, "dark": {values.min()}, "auto": {values.min(), values.max()}}
        assert result[row, col] in ends[polarity]


def test_auto_keeps_bright_and_dark_targets():
    samples = np.full((64, 64), 1000, np.uint16)
    samples[10, 10], samples[40, 41] = 1300, 600
    result = pooled(samples, 8, "auto")
    assert result[1, 1] == 1300
    assert result[5, 5] == 600
    assert (result == 1000).sum() == 62


@given(any_pixels)
def test_statistics_are_finite_and_in_order(pixels):
    known = statistics(pixels)
    values = pixels[np.isfinite(pixels)].astype(float)
    assert (known.low, known.high) == (values.min(), values.max())
    inner = (
        known.low,
        known.robust[0],
        known.auto[0],
        known.median,
        known.auto[1],
        known.robust[1],
        known.high,
    )
    assert all(a <= b or np.isclose(a, b) for a, b in itertools.pairwise(inner))
    assert np.isfinite(known.sigma)
    assert known.sigma >= 0
    assert sum(known.histogram) == values.size
    assert known.finite == bool(np.isfinite(pixels).all())


def test_sigma_is_that_of_the_background():
    pixels = np.random.default_rng(1).normal(100.0, 3.0, (256, 256))
    pixels[100:110, 100:110] += 500
    known = statistics(pixels)
    assert abs(known.sigma - 3) < 0.1
    assert abs(known.median - 100) < 0.1
