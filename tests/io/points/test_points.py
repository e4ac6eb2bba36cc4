"""Keys, pixel indices, and the pairing of keys with files."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointmask.errors import PointsError
from pointmask.io.points.match import match
from pointmask.io.points.points import Point, Points, clean_key, pixel_index, without_suffix

ONE, TWO = (Point(1, 2),), (Point(3, 4),)


def paired(keys, names):
    return match(Points(dict.fromkeys(keys, ONE)), names)


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


# Pairing


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("a.png", "a.png"),
        ("a", "a.png"),
        ("a.bmp", "a.png"),  # a list made for the other copy, or a mask
        ("a.PNG", "a.png"),
        ("seq1/a.png", "seq1/a.png"),
        ("seq1/a", "seq1/a.png"),
        ("a.png", "seq1/a.png"),
        ("a", "seq1/a.png"),
        ("images/a.png", "a.png"),
        ("home/me/seq1/a", "seq1/a.png"),
        ("scene_1.5", "scene_1.5.png"),
    ],
)
def test_a_key_finds_its_image(key, name):
    found = paired([key], ["other.png", name, "seq9/b.png"])
    assert found.points == {(name, 0): ONE}
    assert not found.unmatched
    assert not found.ambiguous


@pytest.mark.parametrize("key", ["c.png", "seq2/a.png", "a.pn", "A.png", "eq1/a.png", "scene_1"])
def test_a_key_without_its_image_is_unmatched(key):
    found = paired([key], ["seq1/a.png", "scene_1.5.png"])
    assert found.unmatched == (key,)
    assert not found.points


def test_the_closest_name_wins():
    names = ["a.png", "a.tif", "seq1/a.png"]
    assert paired(["a.tif"], names).points == {("a.tif", 0): ONE}
    assert paired(["a.png"], names).points == {("a.png", 0): ONE}
    assert paired(["seq1/a"], names).points == {("seq1/a.png", 0): ONE}


def test_a_stem_of_two_images_is_ambiguous():
    found = paired(["a"], ["a.png", "a.tif"])
    assert found.ambiguous == {"a": ("a.png", "a.tif")}
    assert not found.points
    assert paired(["a.bmp"], ["a.png", "a.tif"]).ambiguous == {"a.bmp": ("a.png", "a.tif")}
    assert paired(["a.png"], ["s/a.png", "t/a.png"]).ambiguous == {"a.png": ("s/a.png", "t/a.png")}


def test_keys_of_two_folders_do_not_share_one_image():
    found = paired(["seq1/a.png", "seq2/a.png", "seq1/b.png"], ["a.png", "b.png"])
    assert found.ambiguous == {"seq1/a.png": ("a.png",), "seq2/a.png": ("a.png",)}
    assert found.points == {("b.png", 0): ONE}


@pytest.mark.parametrize("key", ["seq.tif#3", "seq#3", "seq#3.png", "data/seq.tif#3"])
def test_frames(key):
    assert paired([key], ["seq.tif", "other.png"]).points == {("seq.tif", 3): ONE}


def test_a_name_that_looks_like_a_frame_comes_first():
    assert paired(["seq#3"], ["seq.tif", "seq#3.png"]).points == {("seq#3.png", 0): ONE}
    assert paired(["seq#3#1"], ["seq.tif", "seq#3.tif"]).points == {("seq#3.tif", 1): ONE}


def test_points_of_two_keys_of_one_image_are_joined_in_order():
    found = match(Points({"a.png": ONE, "b": (), "a": TWO}), ["a.png", "b.png"])
    assert found.points == {("a.png", 0): ONE + TWO, ("b.png", 0): ()}


def test_a_rejected_key_rejects_its_image():
    found = match(Points({"a.png": ONE}, rejected={"a": "line 3", "gone": "line 4"}), ["a.png"])
    assert found.rejected == {("a.png", 0): "line 3"}
    assert found.points == {}
    assert found.unmatched == ("gone",)


NAMES = st.text("ab1._#", min_size=1, max_size=4).map(lambda text: text.strip(".") or "a")


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["", "s/", "t/u/"]), NAMES), unique=True, max_size=8))
def test_whole_names_always_find_themselves(parts):
    names = list(dict.fromkeys(folder + stem + ".png" for folder, stem in parts))
    found = paired(names, names)
    assert found.points == {(name, 0): ONE for name in names}


@settings(deadline=None)
@given(st.lists(NAMES, max_size=6), st.lists(NAMES, max_size=6))
def test_every_key_is_accounted_for(keys, stems):
    keys = list(dict.fromkeys(keys))
    found = match(
        Points({key: (Point(0, k),) for k, key in enumerate(keys)}), [s + ".png" for s in set(stems)]
    )
    placed = [keys[point.col] for listed in found.points.values() for point in listed]
    assert sorted([*placed, *found.unmatched, *found.ambiguous]) == sorted(keys)
