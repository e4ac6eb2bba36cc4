"""Forms of image names: keys, suffixes and stems."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointmask.errors import PointsError
from pointmask.io.points.names import clean_key, with_stem, without_suffix


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (" a.png\r", "a.png"),
        ("/data/a.png", "data/a.png"),
        (".\\seq\\a.png", "seq/a.png"),
        ("seq//./a.png", "seq/a.png"),
        ("a..b.png", "a..b.png"),
        ("C:\\data\\a.png", "C:/data/a.png"),
        ("../a.png", "a.png"),
        ("..\\..\\media\\a.png", "media/a.png"),
        ("seq/../../a.png", "a.png"),
        ("seq/ .. /a.png", "a.png"),
        ("seq/x/../a.png", "seq/a.png"),
    ],
)
def test_names_are_cleaned(text, key):
    assert clean_key(text) == key


@pytest.mark.parametrize("text", ["", "  ", "/", "./", "\\ / .", "..", "a/..", "..\\.."])
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


def test_a_stem_is_found_without_looking_at_all_names():
    looked = 0

    class Names(list):
        def __getitem__(self, place):
            nonlocal looked
            looked += 1
            return super().__getitem__(place)

    names = Names(sorted([*(f"a-{k:05d}.png" for k in range(5000)), "a.png", "a.tif"]))
    assert [names[place] for place in with_stem("a", names)] == ["a.png", "a.tif"]
    assert looked < 50
