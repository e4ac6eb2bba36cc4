"""Sizes and names that documents say of their images, against the images that are there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointmask.errors import PointsError
from pointmask.io.points.fit import fitted, scale_between
from pointmask.io.points.points import Point, Points
from pointmask.io.points.settle import settled

SIDE = st.integers(2, 500)


def points_of(keys, **more):
    return Points({key: (Point(k, k),) for k, key in enumerate(keys)}, "p.json", **more)


def test_points_of_the_size_they_are_used_in_stay():
    points = (Point(1, 2), Point(3, 4, image_shape=(60, 80)))
    assert fitted(points, (60, 80)) == points


@pytest.mark.parametrize(
    ("said", "image", "before", "after"),
    [
        ((60, 80), (120, 160), (10, 20), (21, 41)),
        ((1024, 1280), (512, 640), (101, 203), (50, 101)),
        ((256, 256), (512, 512), (0, 255), (1, 511)),
        ((427, 640), (213, 320), (426, 639), (212, 319)),  # rounded to whole pixels
    ],
)
def test_points_of_a_copy_of_another_size_are_scaled(said, image, before, after):
    found = fitted((Point(*before, "ship", image_shape=said),), image)
    assert found == (Point(*after, "ship"),)


@pytest.mark.parametrize(
    "image", [(100, 160), (160, 120), (120, 161), (240, 160), (1, 1), (119, 160), (61, 160)]
)
def test_points_of_another_aspect_are_refused_with_both_sizes(image):
    with pytest.raises(PointsError, match=rf"160 x 120 pixels.*{image[1]} x {image[0]}.*correct width"):
        fitted((Point(1, 1, image_shape=(120, 160)),), image)


@given(SIDE, SIDE, st.integers(1, 7), st.data())
def test_scaling_up_and_down_gives_the_pixel_again(height, width, factor, data):
    row, col = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    small, large = (height, width), (height * factor, width * factor)
    up = fitted((Point(row, col, image_shape=small),), large)
    assert 0 <= up[0].row < large[0]
    assert 0 <= up[0].col < large[1]
    assert fitted((Point(up[0].row, up[0].col, image_shape=large),), small) == (Point(row, col),)


@given(SIDE, SIDE, SIDE, SIDE)
def test_scales_are_of_one_aspect(height, width, rows, cols):
    scale = scale_between((height, width), (rows, cols))
    if scale is not None:
        assert abs(scale[0] / scale[1] - 1) <= 1 / min(height, width) + 1 / min(rows, cols)


def test_the_name_of_the_document_counts_where_its_content_says_another():
    names = ["a.png", "b.png", "c.png"]
    points = points_of(["b.png", "c.png"], names={"b.png": ("a", "b.png"), "c.png": ("b", "c.png")})
    found = settled(points, names)
    assert dict(found.by_image) == {"a": (Point(0, 0),), "b": (Point(1, 1),)}
    assert len(found.notes) == 1
    assert "2 documents and their content (filename, imagePath) name different images" in found.notes[0]
    assert not found.names


def test_the_name_in_the_document_counts_where_the_document_is_called_like_no_image():
    found = settled(points_of(["b.png"], names={"b.png": ("1", "b.png")}), ["b.png"])
    assert (dict(found.by_image), found.notes) == ({"b.png": (Point(0, 0),)}, ())


def test_a_renamed_image_is_found_by_its_document_and_said():
    found = settled(points_of(["IMG_1.png"], names={"IMG_1.png": ("a", "IMG_1.png")}), ["a.png"])
    assert dict(found.by_image) == {"a": (Point(0, 0),)}
    assert "says IMG_1.png" in found.notes[0]


def test_two_documents_that_come_to_one_image_reject_it():
    points = points_of(["a", "old.png"], names={"old.png": ("a", "old.png")})
    found = settled(points, ["a.png"])
    assert not found.by_image
    assert "2 documents of this image" in found.rejected["a"]


@pytest.mark.parametrize("form", ["frame_{:06d}", "{:04d}", "clip-{:d}_ir"])
def test_frames_counted_from_zero_are_refused_on_files_counted_from_one(form):
    keys = [form.format(k) for k in range(5)]
    found = settled(points_of(keys, counted=keys), [form.format(k) + ".png" for k in range(1, 7)])
    assert not found.by_image
    assert set(found.rejected) == set(keys)
    assert "start_number 0" in found.rejected[keys[1]]


def test_frames_counted_from_zero_stay_on_files_counted_from_zero():
    keys = [f"frame_{k:06d}" for k in range(1, 5)]
    found = settled(points_of(keys, counted=keys), [f"frame_{k:06d}.png" for k in range(7)])
    assert set(found.by_image) == set(keys)
