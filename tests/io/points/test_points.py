"""Keys and pixel indices."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointmask.errors import PointsError
from pointmask.io.points.names import clean_key, without_suffix
from pointmask.io.points.points import Point, Points, pixel_index

ONE, TWO = (Point(1, 2),), (Point(3, 4),)


def test_points_count_and_iterate():
    points = Points({"a": ONE + TWO, "b": ()})
    assert len(points) == 2
    assert list(points) == [("a", ONE + TWO), ("b", ())]


@pytest.mark.parametrize(
    ("value", "pixel"), [(12.0, 12), (12.4, 12), (12.5, 13), (11.5, 12), (-0.5, 0), (-0.6, -1), (7, 7)]
)
def test_halves_are_rounded_up(value, pixel):
    assert pixel_index(value) == pixel


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_pixel_index_is_finite(value):
    with pytest.raises(PointsError, match="finite"):
        pixel_index(value)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (" a.png\r", "a.png"),
        ("/data/a.png", "data/a.png"),
        (".\\seq\\a.png", "seq/a.png"),
        ("seq//./a.png", "seq/a.png"),
        ("a..b.png", "a..b.png"),
        ("C:\\data\\a.png", "C:/data/a.png"),
    ],
)
def test_names_are_cleaned(text, key):
    assert clean_key(text) == key


@pytest.mark.parametrize("text", ["../a.png", "seq/../../a.png", "..\\a.png", "..", "seq/ .. /a.png"])
def test_names_do_not_climb(text):
    with pytest.raises(PointsError, match="climbs out"):
        clean_key(text)


@pytest.mark.parametrize("text", ["", "  ", "/", "./", "\\ / ."])
def test_names_are_not_empty(text):
    with pytest.raises(PointsError, match="empty"):
        clean_key(text)


@settings(deadline=None)
@given(st.text())
def test_a_clean_name_stays_as_it_is_and_inside(text):
    try:
        key = clean_key(text)
    except PointsError:
        return
    assert clean_key(key) == key
    assert not key.startswith("/")
    assert ".." not in key.split("/")


def test_only_suffixes_of_images_are_suffixes():
    assert without_suffix("seq.1/a.PNG") == "seq.1/a"
    assert without_suffix("scene_1.5") == "scene_1.5"
