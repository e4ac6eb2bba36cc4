"""Images in, masks out: no bit is lost, and nothing but ImageError comes out of a bad file."""

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_array_equal
from PIL import Image
from tools.images import (
    assert_same_image,
    chunk,
    luminance,
    noise,
    npy_bytes,
    pillow_bytes,
    png_bytes,
    tiff_bytes,
)

from pointmask.errors import ImageError
from pointmask.io.images import array as images

SIDES = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9)
INTEGERS = st.sampled_from(["u1", "u2", "u4", "i1", "i2", "i4", ">u2", ">i2", ">i4"])
FLOATS = st.sampled_from(["f4", "f8", ">f4", ">f8"])
FINITE = {"allow_nan": False, "allow_infinity": False}


# Round trips


@settings(deadline=None)
@given(hnp.arrays(st.sampled_from([np.uint8, np.uint16]), SIDES))
def test_what_is_encoded_as_png_is_decoded(array):
    data = images.encode_png(array)
    assert_same_image(images.decode(data, "a.png"), array)
    assert data == images.encode_png(array.copy())


@settings(deadline=None)
@given(hnp.arrays(np.bool_, SIDES))
def test_masks_make_the_round_trip_as_0_and_255(mask):
    data = images.encode_png(mask)
    assert_array_equal(images.read_mask(data), mask)
    assert_array_equal(images.decode(data, "a.png"), mask * np.uint8(255))


@pytest.mark.parametrize("dtype", [bool, np.uint16])
def test_other_programs_read_masks_and_labels_whatever_their_layout(dtype):
    full = noise((90, 140), "u2")  # bytes without runs, in many blocks
    sparse = np.where(np.arange(140) == 70, full, 0)
    for array in ((part > 9000) if dtype is bool else part.astype(dtype) for part in (full, sparse)):
        for layout in (array, np.asfortranarray(array), array[::-2, 1::3], array.T, array[:1], array[:, :1]):
            data = images.encode_png(layout)
            Image.open(io.BytesIO(data)).verify()
            stored = layout * np.uint8(255) if dtype is bool else layout
            assert_array_equal(np.asarray(Image.open(io.BytesIO(data))), stored)


def test_masks_take_fewer_bytes_than_pillow_needs():
    mask = np.zeros((256, 256), bool)
    mask[100:107, 40:46] = True
    assert len(images.encode_png(mask)) < len(pillow_bytes(Image.fromarray(mask * np.uint8(255)), "PNG"))


@settings(deadline=None)
@given(
    st.one_of(
        INTEGERS.flatmap(lambda d: hnp.arrays(d, SIDES)),
        FLOATS.flatmap(lambda d: hnp.arrays(d, SIDES, elements=FINITE)),
    )
)
def test_npy_keeps_every_number(array):
    for order in "CF":
        assert_same_image(images.decode(npy_bytes(np.asarray(array, order=order)), "a.npy"), array)


@settings(max_examples=40, deadline=None)
@given(
    st.one_of(
        INTEGERS.flatmap(lambda d: hnp.arrays(d, SIDES)),
        FLOATS.flatmap(lambda d: hnp.arrays(d, SIDES, elements=FINITE)),
    ),
    st.sampled_from(
        [{}, {"compression": "zlib"}, {"bigtiff": True}, {"rowsperstrip": 2}, {"tile": (16, 16)}]
    ),
)
def test_tiff_keeps_every_number(array, options):
    order = ">" if array.dtype.byteorder == ">" else "<"
    data = tiff_bytes(array, byteorder=order, photometric="minisblack", **options)
    assert_same_image(images.decode(data, "a.tif"), array)


@pytest.mark.parametrize("suffix", images.SUFFIXES)
def test_each_suffix_is_listed_in_any_case(suffix):
    assert images.is_image("seq/a" + suffix)
    assert images.is_image("A" + suffix.upper())
    assert not images.is_image("a" + suffix + ".txt")


# PNG


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize(("colour", "bands"), [(0, 1), (4, 2), (2, 3), (6, 4)])
@pytest.mark.parametrize("depth", [8, 16])
def test_png_of_every_colour_type_keeps_its_bits(colour, bands, depth, interlaced):
    samples = noise((11, 13, bands), f"u{depth // 8}")
    found = images.decode(png_bytes(samples, colour, depth, interlaced=interlaced), "a.png")
    if bands < 3:
        assert_same_image(found, samples[..., 0])
    else:
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, luminance(samples), rtol=1e-6)


@pytest.mark.parametrize(("colour", "bands"), [(2, 3), (6, 4)])
def test_equal_bands_of_16_bits_are_one_band_of_16_bits(colour, bands):
    samples = np.repeat(noise((11, 13, 1), "u2"), bands, axis=2)
    samples[..., 3:] = 7  # alpha differs and is ignored
    assert_same_image(images.decode(png_bytes(samples, colour), "a.png"), samples[..., 0])


def test_16_bit_colour_with_filters():
    # A smooth picture saved by tools with all filters is covered by undoing one filter by hand: Sub.
    samples = noise((5, 6, 3), "u2")
    raw = samples.astype(">u2").view(np.uint8).reshape(5, 6, 6).astype(np.int64)
    left = np.concatenate([np.zeros((5, 1, 6), np.int64), raw[:, :-1]], axis=1)
    rows = ((raw - left) % 256).astype(np.uint8).reshape(5, 36)
    body = b"".join(b"\1" + row.tobytes() for row in rows)
    data = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 6, 5, 16, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(body))
        + chunk(b"IEND", b"")
    )
    np.testing.assert_allclose(images.decode(data, "a.png"), luminance(samples), rtol=1e-6)


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_few_bits_are_spread_over_eight(depth):
    levels = np.arange(2**depth, dtype=np.uint8)
    packed = np.packbits(((levels[:, None] >> np.arange(depth)[::-1]) & 1).astype(np.uint8).ravel())
    data = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", len(levels), 1, depth, 0, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(b"\0" + packed.tobytes()))
        + chunk(b"IEND", b"")
    )
    found = images.decode(data, "a.png")
    assert_same_image(found, (levels * (255 // (2**depth - 1)))[None].astype(np.uint8))


def test_palette_goes_through_its_colours():
    image = Image.fromarray(np.array([[0, 1], [2, 2]], np.uint8))
    image = image.convert("P")
    image.putpalette([10, 20, 30, 40, 40, 40, 0, 255, 0])
    found = images.decode(pillow_bytes(image, "PNG", transparency=b"\0\x80"), "a.png")
    colours = np.array([[[10, 20, 30], [40, 40, 40]], [[0, 255, 0], [0, 255, 0]]])
    np.testing.assert_allclose(found, luminance(colours), rtol=1e-6)


def test_grey_palette_is_one_band_of_8_bits():
    image = Image.fromarray(np.array([[0, 1], [1, 0]], np.uint8)).convert("P")
    image.putpalette([9, 9, 9, 200, 200, 200])
    for kind in ("PNG", "BMP"):
        assert_same_image(
            images.decode(pillow_bytes(image, kind), "a"), np.array([[9, 200], [200, 9]], np.uint8)
        )


def test_equal_bands_equal_the_grey_image():
    grey = noise((8, 9))
    for bands in (3, 4):
        colour = Image.fromarray(np.repeat(grey[..., None], bands, axis=2))
        assert_same_image(images.decode(pillow_bytes(colour, "PNG"), "a.png"), grey)


def test_a_frame_above_pillows_limit_opens():
    side = 9600  # 92 megapixels; Image.open warns from 89
    data = pillow_bytes(Image.new("1", (side, side), 1), "PNG")
    assert images.decode(data, "mosaic.png").shape == (side, side)


# BMP, JPEG


@pytest.mark.parametrize("mode", ["1", "L", "RGB"])
def test_bmp(mode):
    image = Image.fromarray(noise((6, 7, 3)) if mode == "RGB" else noise((6, 7))).convert(mode)
    found = images.decode(pillow_bytes(image, "BMP"), "a.bmp")
    expected = luminance(np.asarray(image)) if mode == "RGB" else np.asarray(image.convert("L"))
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_jpeg_grey_and_colour():
    ramp = np.add.outer(np.arange(32), np.arange(40)).astype(np.uint8)
    found = images.decode(pillow_bytes(Image.fromarray(ramp), "JPEG", quality=95), "a.jpg")
    assert found.dtype == np.uint8
    assert np.abs(found.astype(int) - ramp).max() < 8
    same = images.decode(pillow_bytes(Image.fromarray(ramp).convert("RGB"), "JPEG", quality=95), "a.jpg")
    assert same.dtype == np.uint8


# TIFF and .npy


def test_pages_and_planes_are_frames(tmp_path):
    stack = noise((5, 6, 7), "u2")
    for data in (
        tiff_bytes(stack, photometric="minisblack"),
        npy_bytes(stack),
        npy_bytes(np.asfortranarray(stack)),
    ):
        assert images.frame_count(data) == 5
        path = tmp_path / "stack"
        path.write_bytes(data)
        assert images.frame_count(path) == 5
        for k in range(5):
            assert_same_image(images.decode(data, "a", k), stack[k])
        with pytest.raises(ImageError, match=r"frame 5 .* frames 0 to 4"):
            images.decode(data, "a", 5)


def test_other_files_have_one_frame():
    data = images.encode_png(noise((3, 4)))
    assert images.frame_count(data) == 1
    with pytest.raises(ImageError, match="frame 1"):
        images.decode(data, "a.png", 1)


def test_npy_of_one_image_has_one_frame_whatever_is_asked():
    data = npy_bytes(noise((3, 4)))
    assert images.frame_count(data) == 1
    with pytest.raises(ImageError, match="frame 1"):
        images.decode(data, "a.npy", 1)


def test_thumbnails_among_the_pages_are_no_frames():
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        writer.write(noise((8, 9)))
        writer.write(noise((2, 3)), subfiletype=1)
        writer.write(noise((8, 9), seed=1))
    data = file.getvalue()
    assert images.frame_count(data) == 2
    assert_same_image(images.decode(data, "a.tif", 1), noise((8, 9), seed=1))


@pytest.mark.parametrize("options", [{}, {"imagej": True}])
def test_a_stack_behind_one_page_is_refused_not_cut(options):
    data = tiff_bytes(noise((4, 5, 6), "u2"), photometric="minisblack", truncate=True, **options)
    with pytest.raises(ImageError, match="behind a single page"):
        images.decode(data, "a.tif")


@pytest.mark.parametrize("options", [{"photometric": "rgb"}, {"photometric": "rgb", "compression": "zlib"}])
def test_tiff_colour_keeps_16_bits(options):
    bands = noise((6, 7, 3), "u2")
    for stored in (bands, np.moveaxis(bands, -1, 0)):
        data = tiff_bytes(stored, planarconfig="contig" if stored is bands else "separate", **options)
        np.testing.assert_allclose(images.decode(data, "a.tif"), luminance(bands), rtol=1e-6)


def test_white_is_zero_is_inverted():
    grey = noise((4, 5))
    assert_same_image(images.decode(tiff_bytes(~grey, photometric="miniswhite"), "a.tif"), grey)


def test_tiff_palette():
    table = np.zeros((3, 256), np.uint16)
    table[:, 1] = 65535
    data = tiff_bytes(np.array([[0, 1]], np.uint8), photometric="palette", colormap=table)
    assert_same_image(images.decode(data, "a.tif"), np.array([[0, 65535]], np.uint16))


@pytest.mark.parametrize(("mode", "dtype"), [("L", "u1"), ("I;16", "u2"), ("F", "f4")])
def test_compression_that_tifffile_leaves_to_others(mode, dtype):
    array = noise((20, 21), dtype)
    image = Image.fromarray(array)
    assert image.mode == mode
    assert_same_image(images.decode(pillow_bytes(image, "TIFF", compression="tiff_lzw"), "a.tif"), array)


def test_tiff_of_bits():
    bits = noise((6, 7)) > 127
    for options in ({}, {"compression": "group4"}):
        data = pillow_bytes(Image.fromarray(bits), "TIFF", **options)
        assert_array_equal(images.read_mask(data), bits)


def test_half_floats_are_widened_exactly():
    half = noise((4, 5), "f2")
    assert_same_image(images.decode(npy_bytes(half), "a.npy"), half.astype(np.float32))
    assert_same_image(images.decode(tiff_bytes(half), "a.tif"), half.astype(np.float32))


@pytest.mark.parametrize("bands", [1, 3, 4])
def test_npy_bands(bands):
    array = np.repeat(noise((5, 6, 1), "u2"), bands, axis=2)
    assert images.frame_count(npy_bytes(array)) == 1
    assert_same_image(images.decode(npy_bytes(array), "a.npy"), array[..., 0])


def test_npy_of_truth_values():
    assert_same_image(
        images.decode(npy_bytes(np.eye(3, dtype=bool)), "a.npy"), np.eye(3, dtype=np.uint8) * np.uint8(255)
    )


def test_nan_and_infinity_pass_but_something_must_be_finite():
    array = np.array([[np.nan, np.inf], [-np.inf, 1.0]], np.float32)
    for data in (npy_bytes(array), tiff_bytes(array), npy_bytes(np.dstack([array, array, array]))):
        assert_same_image(images.decode(data, "a"), array)
    with pytest.raises(ImageError, match=r"dead\.tif: no pixel is finite"):
        images.decode(tiff_bytes(np.full((3, 3), np.nan, np.float32)), "dead.tif")


def test_different_float_bands_with_nan_do_not_warn():
    bands = np.arange(12, dtype=np.float32).reshape(2, 2, 3)
    bands[0, 0, 1] = np.nan
    bands[1, 1] = np.finfo(np.float32).max
    bands[1, 0] = (np.inf, -np.inf, 0)
    found = images.decode(npy_bytes(bands), "a.npy")
    assert np.isnan(found[0, 0])
    assert np.isfinite(found[0, 1])


# Masks


@pytest.mark.parametrize(("dtype", "half"), [("u1", 127), ("u2", 32767)])
def test_truth_is_above_half_of_the_range(dtype, half):
    array = np.array([[0, 1, half, half + 1, np.iinfo(dtype).max]], dtype)
    expected = [[False, False, False, True, True]]
    assert_array_equal(images.read_mask(images.encode_png(array)), expected)
    assert_array_equal(images.read_mask(tiff_bytes(array)), expected)


def test_coloured_and_transparent_masks(tmp_path):
    rgba = np.zeros((2, 2, 4), np.uint8)
    rgba[0, 0] = (255, 0, 0, 0)
    rgba[1, 1] = (0, 0, 0, 255)
    path = tmp_path / "mask.png"
    path.write_bytes(pillow_bytes(Image.fromarray(rgba), "PNG"))
    assert_array_equal(images.read_mask(path), [[True, False], [False, False]])
    palette = Image.fromarray(np.eye(2, dtype=np.uint8)).convert("P")
    palette.putpalette([0, 0, 0, 128, 0, 0])
    assert_array_equal(images.read_mask(pillow_bytes(palette, "PNG")), np.eye(2, dtype=bool))


def test_float_masks_lie_between_0_and_1():
    assert_array_equal(images.read_mask(npy_bytes(np.array([[0.5, 0.6]]))), [[False, True]])
    for wrong in (2.0, np.nan):
        with pytest.raises(ImageError, match="0 and 255"):
            images.read_mask(npy_bytes(np.array([[0.5, wrong]])), "m.npy")


def test_a_mask_of_wide_integers_has_no_range():
    with pytest.raises(ImageError, match=r"m\.npy: .*int64.*0 and 255"):
        images.read_mask(npy_bytes(np.full((2, 2), 7, np.int64)), "m.npy")


def test_pictures_can_be_encoded_and_others_are_refused():
    picture = noise((4, 5, 3))
    assert_array_equal(np.asarray(Image.open(io.BytesIO(images.encode_png(picture)))), picture)
    for wrong in (
        np.zeros((3, 3)),
        np.zeros((0, 3), np.uint8),
        np.zeros((2, 2, 2), np.uint8),
        np.zeros(3, bool),
    ):
        with pytest.raises(ImageError, match="cannot store"):
            images.encode_png(wrong)


@pytest.mark.data
def test_real_images_agree_with_pillow():
    folder = os.environ.get("POINTMASK_SIRST3")
    if not folder:
        pytest.skip("set POINTMASK_SIRST3 to the folder of the SIRST3 images")
    for path in sorted(Path(folder, "images").iterdir())[::11]:
        with Image.open(path) as image:
            grey = np.asarray(image.convert("RGB").convert("L"))
        found = images.read(path)
        assert found.shape == grey.shape
        assert np.abs(found.astype(np.float64) - grey).max() < 1  # Pillow rounds, we do not
