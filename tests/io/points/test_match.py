"""Which key belongs to which image: examples of the rule, and a naive twin of it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tools.naive import match as naive

from pointmask.io.points.match import match


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
    matches = match([key], ["other.png", name, "seq9/b.png"])
    assert matches.by_key == {key: (name, 0)}
    assert not matches.unmatched
    assert not matches.ambiguous


@pytest.mark.parametrize("key", ["c.png", "seq2/a.png", "a.pn", "A.png", "eq1/a.png", "scene_1"])
def test_a_key_without_its_image_is_unmatched(key):
    matches = match([key], ["seq1/a.png", "scene_1.5.png"])
    assert matches.unmatched == (key,)
    assert not matches.by_key


def test_the_closest_name_wins():
    names = ["a.png", "a.tif", "seq1/a.png"]
    assert match(["a.tif"], names).by_key == {"a.tif": ("a.tif", 0)}
    assert match(["a.png"], names).by_key == {"a.png": ("a.png", 0)}
    assert match(["seq1/a"], names).by_key == {"seq1/a": ("seq1/a.png", 0)}


def test_a_stem_of_two_images_is_ambiguous():
    matches = match(["a"], ["a.png", "a.tif"])
    assert matches.ambiguous == {"a": ("a.png", "a.tif")}
    assert not matches.by_key
    assert match(["a.bmp"], ["a.png", "a.tif"]).ambiguous == {"a.bmp": ("a.png", "a.tif")}
    assert match(["a.png"], ["s/a.png", "t/a.png"]).ambiguous == {"a.png": ("s/a.png", "t/a.png")}


def test_keys_of_two_folders_do_not_share_one_image():
    matches = match(["seq1/a.png", "seq2/a.png", "seq1/b.png"], ["a.png", "b.png"])
    assert matches.ambiguous == {"seq1/a.png": ("a.png",), "seq2/a.png": ("a.png",)}
    assert matches.by_key == {"seq1/b.png": ("b.png", 0)}


@pytest.mark.parametrize("key", ["seq.tif#3", "seq#3", "seq#3.png", "data/seq.tif#3"])
def test_frames(key):
    assert match([key], ["seq.tif", "other.png"]).by_key == {key: ("seq.tif", 3)}


def test_a_name_that_looks_like_a_frame_comes_first():
    assert match(["seq#3"], ["seq.tif", "seq#3.png"]).by_key == {"seq#3": ("seq#3.png", 0)}
    assert match(["seq#3#1"], ["seq.tif", "seq#3.tif"]).by_key == {"seq#3#1": ("seq#3.tif", 1)}


NAMES = st.text("ab1._#", min_size=1, max_size=4).map(lambda text: text.strip(".") or "a")


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["", "s/", "t/u/"]), NAMES), unique=True, max_size=8))
def test_whole_names_always_find_themselves(parts):
    names = list(dict.fromkeys(folder + stem + ".png" for folder, stem in parts))
    matches = match(names, names)
    assert matches.by_key == {name: (name, 0) for name in names}


@settings(deadline=None)
@given(st.lists(NAMES, max_size=6), st.lists(NAMES, max_size=6))
def test_every_key_is_accounted_for(keys, stems):
    keys = list(dict.fromkeys(keys))
    matches = match(keys, [s + ".png" for s in set(stems)])
    assert sorted([*matches.by_key, *matches.unmatched, *matches.ambiguous]) == sorted(keys)


def test_a_repeated_key_counts_once():
    matches = match(["a", "a", "b", "b", "x/c", "x/c"], ["a.png", "c.png"])
    assert matches.by_image() == {("a.png", 0): ["a"], ("c.png", 0): ["x/c"]}
    assert matches.unmatched == ("b",)


# Against the naive twin

_PART = st.text("ab.-#01", min_size=1, max_size=3)
_FOLDER = st.sampled_from(["", "a/", "b/", "a/b/", "a./", "a-/"])
_SUFFIXED = st.builds("{}{}{}".format, _FOLDER, _PART, st.sampled_from([".png", ".tif", ".PNG"]))
_ENDS = ("", ".png", ".bmp", ".tif", "#1", "#2.png", "#1.x", "#", "#x", ".png#0")
_KEY = st.builds("{}{}{}".format, _FOLDER, _PART, st.sampled_from(_ENDS))


@settings(deadline=None, max_examples=500)
@given(st.lists(_SUFFIXED, unique=True, max_size=8), st.data())
def test_keys_get_the_images_that_the_naive_twin_gives_them(names, data):
    # Keys like the names, with other folders, suffixes and frames, are what contest images.
    own = st.builds(
        "{}{}{}".format,
        st.sampled_from(["", "a/", "b/", "c/a/"]),
        st.sampled_from([form for name in names for form in (name, naive.stem(name))] or ["a"]),
        st.sampled_from(["", "", "#1", ".bmp"]),
    )
    keys = data.draw(st.lists(_KEY | own, unique=True, max_size=8))
    matches = match(iter(keys), iter(data.draw(st.permutations(names))))
    images, unmatched, ambiguous = naive.match(keys, names)
    assert matches.by_key == images
    assert list(matches.by_key) == list(images)  # points of several keys are joined in this order
    assert matches.unmatched == tuple(unmatched)
    assert matches.ambiguous == ambiguous
    assert matches.by_image() == {
        image: [key for key in images if images[key] == image] for image in images.values()
    }


def test_numbered_keys_are_the_frames_of_a_file_whose_first_frame_is_there():
    names = ["run/seq.tif", "other.png"]
    found = match(["seq_0000.png", "seq_0001.png", "run/seq_0012.png"], names)
    assert found.by_key == {
        "seq_0000.png": ("run/seq.tif", 0),
        "seq_0001.png": ("run/seq.tif", 1),
        "run/seq_0012.png": ("run/seq.tif", 12),
    }
    assert not found.notes


@pytest.mark.parametrize(
    ("keys", "names"),
    [
        (["seq_0001.png"], ["seq.tif"]),  # the frame 0 is not there: a number of something else
        (["seq_001.png", "seq_000.png"], ["seq.tif"]),  # not how results are named
        (["seq.png", "seq_0000.png"], ["seq.tif"]),  # the image has a key of its own
    ],
)
def test_other_numbers_are_no_frames(keys, names):
    found = match(keys, names, exactly=False).by_key
    assert all(frame == 0 for _, frame in found.values())
    assert ("seq.tif", 1) not in found.values()


def test_images_that_are_numbered_themselves_come_first():
    names = ["seq_0000.png", "seq_0001.png", "seq.tif"]
    assert match(["seq_0000", "seq_0001"], names).by_key == {
        "seq_0000": ("seq_0000.png", 0),
        "seq_0001": ("seq_0001.png", 0),
    }
