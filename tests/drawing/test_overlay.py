"""Drawing: what the user sees is exactly the mask."""

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image
from scipy import ndimage as ndi
from tools.masks import filled

from pointmask.annotator.target import Annotation, Target
from pointmask.drawing.overlay import (
    MASK_COLOUR,
    POINT_COLOUR,
    heat_palette,
    outline_path,
    overlay_png,
    png,
    rgb,
    stretch,
)


def annotation(shape, *targets):
    """Targets given as (point, window top-left, mask)."""
    made = []
    for point, (top, left), mask in targets:
        rows, cols = np.nonzero(mask)
        box = (top + rows.min(), left + cols.min(), top + rows.max() + 1, left + cols.max() + 1)
        window = (top, left, top + mask.shape[0], left + mask.shape[1])
        made.append(
            Target(point, window, mask.astype(np.float32), mask, int(mask.sum()), box, 0.5, (), point, 0)
        )
    return Annotation(shape, tuple(made))


def pixels(data):
    with Image.open(BytesIO(data)) as picture:
        assert picture.format == "PNG"
        return np.asarray(picture.convert("RGB"))


@given(arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=9)))
def test_filled_outline_is_the_mask(mask):
    np.testing.assert_array_equal(filled(outline_path(mask), mask.shape), mask)


@given(arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=9)))
def test_outline_has_one_loop_per_object_and_per_hole(mask):
    objects = ndi.label(mask, np.ones((3, 3)))[1]
    holes = ndi.label(~np.pad(mask, 1))[1] - 1  # less the background
    assert outline_path(mask).count("M") == objects + holes


def test_outline_of_one_pixel_and_its_offset():
    assert outline_path(np.ones((1, 1), bool)) == "M0 0h1v1h-1v-1z"
    assert outline_path(np.ones((1, 1), bool), top=-2, left=5) == "M5 -2h1v1h-1v-1z"


def test_diagonal_pixels_are_joined():
    assert outline_path(np.eye(2, dtype=bool)) == "M0 0h1v1h1v1h-1v-1h-1v-1z"


def test_outline_of_an_empty_mask_is_empty():
    assert outline_path(np.zeros((3, 4), bool)) == ""


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32, np.float64])
def test_stretch_does_not_depend_on_storage(dtype):
    scene = np.random.default_rng(0).integers(0, 200, (20, 30))
    scale, offset = (1, 0) if dtype is np.uint8 else (100, 300)
    stored = (scene * scale + offset).astype(dtype)
    np.testing.assert_array_equal(stretch(stored), stretch(scene))


def test_stretch_shows_a_dim_target_beside_a_dead_pixel():
    window = np.random.default_rng(0).normal(1000, 5, (41, 41))
    target = np.zeros(window.shape, bool)
    target[20:22, 20:22] = True
    window[target] = 1000 + np.array([40, 50, 60, 70])
    window[3, 3] = 65535
    grey = stretch(window, focus=target)
    assert grey[target].min() > 150
    assert grey[~target].mean() < 100
    # Nothing of the target is clipped, so its structure is seen.
    assert (np.diff(grey[target].astype(int)) > 20).all()


def test_stretch_keeps_a_dark_target():
    window = np.random.default_rng(0).normal(1000, 5, (41, 41))
    target = np.zeros(window.shape, bool)
    target[20, 20:22] = True
    window[target] = (800, 850)
    dark, lighter = stretch(window, focus=target)[20, 20:22]
    assert dark == 0
    assert 30 < lighter < 100


@given(arrays(np.float64, (4, 5), elements=st.floats(allow_nan=True, allow_infinity=True)))
def test_stretch_takes_any_numbers(values):
    grey = stretch(values)
    assert grey.dtype == np.uint8
    assert grey.shape == values.shape
    assert (grey[np.isnan(values)] == 0).all()


def test_stretch_of_special_frames():
    assert (stretch(np.full((3, 3), 7, np.uint16)) == 128).all()
    assert (stretch(np.full((3, 3), np.nan)) == 0).all()
    assert stretch(np.array([[5.0, np.nan]])).tolist() == [[128, 0]]
    sparse = np.zeros((50, 50))
    sparse[4, 4] = 9  # both percentiles are 0
    assert stretch(sparse)[4, 4] == 255


def test_heat_runs_evenly_from_dark_to_light():
    linear = (heat_palette(64) / 255.0) ** 2.2
    lightness = np.cbrt(linear @ [0.2126, 0.7152, 0.0722])  # close to the eye's response
    steps = np.diff(lightness)
    assert (steps > 0).all()
    assert heat_palette(2).tolist() == [list(rgb("#060026")), list(rgb("#fff6d1"))]


def test_png_is_read_back_and_repeats_its_bytes():
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert png(grey) == png(grey.copy())
    np.testing.assert_array_equal(pixels(png(grey))[..., 0], grey)
    palette = heat_palette(12)
    np.testing.assert_array_equal(pixels(png(grey, palette)), palette[grey])
    np.testing.assert_array_equal(pixels(png(palette[grey])), palette[grey])


def test_overlay_outlines_the_mask_from_outside():
    image = np.random.default_rng(0).integers(0, 4000, (64, 100)).astype(np.uint16)
    mask = np.zeros((9, 9), bool)
    mask[3:6, 2:7] = True
    drawn = pixels(overlay_png(image, annotation(image.shape, ((24, 14), (20, 10), mask))))
    assert drawn.shape == (640, 1000, 3)
    line = (drawn == rgb(MASK_COLOUR)).all(axis=2)
    dot = (drawn == rgb(POINT_COLOUR)).all(axis=2)
    # Filling the line from inside gives the mask, pixel by pixel.
    inside = ndi.binary_fill_holes(line) & ~line
    expected = np.zeros(image.shape, bool)
    expected[20:29, 10:19] = mask
    np.testing.assert_array_equal(inside, np.kron(expected, np.ones((10, 10), bool)))
    rows, cols = np.nonzero(dot)
    assert {*(rows // 10)} == {24}
    assert {*(cols // 10)} == {14}
    assert dot.sum() == 49
    other = ~(line | dot)
    grey = np.kron(stretch(image), np.ones((10, 10), np.uint8))
    np.testing.assert_array_equal(drawn[other], np.repeat(grey[other][:, None], 3, axis=1))


@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (700, 900)])
def test_overlay_of_any_frame_with_the_target_in_the_corner(shape):
    image = np.arange(shape[0] * shape[1], dtype=np.float32).reshape(shape)
    corner = (shape[0] - 1, shape[1] - 1)
    found = annotation(
        shape, ((0, 0), (0, 0), np.ones((1, 1), bool)), (corner, corner, np.ones((1, 1), bool))
    )
    drawn = pixels(overlay_png(image, found))
    scale = drawn.shape[0] // shape[0]
    assert drawn.shape == (shape[0] * scale, shape[1] * scale, 3)
    dot = (drawn == rgb(POINT_COLOUR)).all(axis=2)
    rows, cols = np.nonzero(dot)
    assert {(0, 0), corner} == set(zip((rows // scale).tolist(), (cols // scale).tolist(), strict=True))


def test_touching_targets_keep_a_line_between_them():
    image = np.zeros((20, 20), np.uint8)
    left, right = ((9, 9), (9, 9), np.ones((3, 1), bool)), ((10, 10), (9, 10), np.ones((3, 1), bool))
    drawn = pixels(overlay_png(image, annotation(image.shape, left, right)))
    line = (drawn == rgb(MASK_COLOUR)).all(axis=2)
    scale = drawn.shape[0] // 20
    assert line[10 * scale, 9 * scale : 11 * scale].any()


def test_overlay_without_targets_is_the_stretched_frame():
    image = np.arange(600, dtype=np.uint16).reshape(20, 30)
    drawn = pixels(overlay_png(image, Annotation((20, 30), ())))
    assert (drawn[..., 0] == drawn[..., 1]).all()
    np.testing.assert_array_equal(drawn[8::16, 8::16, 0], stretch(image))
