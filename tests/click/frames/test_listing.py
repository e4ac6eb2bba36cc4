"""The background listing against the plain list of names."""

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointmask.click.frames.listing import Listing
from pointmask.click.frames.order import natural_order
from pointmask.click.frames.packed import END, packed
from pointmask.io.images.open import open_source
from pointmask.io.images.source import ImageSource
from pointmask.io.points.names import natural_key

part = st.text("ab19.ä-", min_size=1, max_size=4).filter(lambda text: not text.startswith("."))
paths = st.lists(part, min_size=1, max_size=3).map(lambda parts: "/".join(parts) + ".png")


class Names(ImageSource):
    """A source of names alone, which are listed as an archive's are."""

    def __init__(self, names):
        super().__init__(None)
        object.__setattr__(self, "given", sorted(names))

    def names(self, *, exclude=None):
        return self.given

    def _read(self, name):
        raise OSError

    def _open(self, name):
        raise OSError


def listing_of(source, **options):
    listing = Listing(source, **options)
    listing.run()
    return listing


@given(st.sets(paths, max_size=30))
def test_numbers_names_and_order_agree(names):
    # A path that is a file here and a folder there does not exist.
    names = {name for name in names if not any(other.startswith(name + "/") for other in names)}
    listing = listing_of(Names(names))
    assert listing.count == len(names)
    assert {listing.name(k) for k in range(len(names))} == names
    assert all(listing.name(listing.number(name)) == name for name in names)
    for folder in listing.folders:
        shown = [listing.name(k) for k in listing.window(folder, 0, 100)]
        assert shown == sorted(shown, key=natural_key)
        below = {name for name in names if name.startswith(folder.path)}
        assert {listing.name(k) for k in range(folder.first, listing.end(folder))} == below
        children = [listing.folders[k].path for k in folder.children]
        assert children == sorted(children, key=natural_key)
    walk = []
    if names:
        first = next(folder for folder in listing.folders if folder.count)
        image = listing.window(first, 0, 1)[0]
        while image is not None:
            walk.append(image)
            after = listing.step(image, 1)
            assert after is None or listing.step(after, -1) == image
            image = after
    assert {listing.name(k) for k in walk} == names
    assert len(walk) == len(names)


@given(st.sets(paths, max_size=20), st.text("abAB19/.ä", min_size=1, max_size=3))
def test_find_is_a_search_in_all_names(names, text):
    names = {name for name in names if not any(other.startswith(name + "/") for other in names)}
    listing = listing_of(Names(names))
    wanted = {name for name in names if text.encode().lower() in name.encode().lower()}
    found, more = listing.find(text, 100)
    assert {listing.name(k) for k in found} == wanted
    assert not more
    if len(wanted) > 1:
        some, more = listing.find(text, len(wanted) - 1)
        assert some == found[:-1]
        assert more


patterns = st.one_of(
    st.lists(st.integers(0, 10**20).map(lambda k: f"f{k}.png"), min_size=1, unique=True),
    st.lists(st.integers(0, 999).map(lambda k: f"f{k:03}.png"), min_size=1, unique=True),
    st.lists(st.integers(0, 99).map(lambda k: f"a{k // 10}_{k:02}.png"), min_size=1, unique=True),
    st.lists(st.text("aB01", min_size=1, max_size=5), min_size=1, unique=True),
    st.just(["a1b.png", "a10.png"]),
    st.just(["f1.png", "f01.png", "f001.png", "f2.png"]),
)


@given(
    st.one_of(
        patterns,
        st.lists(st.text("aé0", min_size=3, max_size=3), unique=True),
        st.lists(st.integers(0, 10**20), min_size=1, unique=True).map(
            lambda numbers: [f"{k:021}-{k % 7}.png" for k in numbers]
        ),
    )
)
def test_names_are_packed_in_the_order_of_their_bytes(names):
    wanted = sorted(name.encode() for name in names)
    octets, starts = packed(list(names))
    assert octets == b"".join(name + END for name in wanted)
    assert [octets[a : b - 1] for a, b in itertools.pairwise(starts)] == wanted


@given(patterns)
def test_the_fast_order_is_the_natural_one(names):
    names = sorted(names)
    starts = [0]
    for name in names:
        starts.append(starts[-1] + len(name) + 1)
    order = natural_order(b"".join(name.encode() + END for name in names), starts)
    shown = names if order is None else [names[k] for k in order]
    assert shown == sorted(names, key=natural_key)


@pytest.fixture
def tree(tmp_path):
    names = ["f10.png", "f9.png", "seq10/a.png", "seq9/b.tif", "seq9/deep/c.npy", "seq9/deep/c.mat", "x.mat"]
    random.Random(0).shuffle(names)
    for name in [*names, "note.txt", ".hidden/a.png", "empty/note.txt", "out/masks/f9.png"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "seq9" / "loop").symlink_to(tmp_path)
    return tmp_path


def test_a_folder_is_listed_as_annotate_lists_it(tree):
    source = open_source(tree)
    listing = listing_of(source, exclude=tree / "out")
    assert sorted(listing.name(k) for k in range(listing.count)) == source.names(exclude=tree / "out")
    assert [folder.path for folder in listing.folders] == ["", "empty/", "seq9/", "seq9/deep/", "seq10/"]


def test_only_what_is_kept(tree):
    listing = listing_of(open_source(tree), keep=lambda name: name.endswith(".png"))
    assert listing.count == 4
    assert listing.number("seq9/b.tif") is None


def test_bytes_that_are_no_text(tmp_path):
    name = b"\xff\xfe<img>.png".decode("utf-8", "surrogateescape")
    try:
        (tmp_path / name).touch()
    except OSError:
        pytest.skip("the file system refuses such names")
    listing = listing_of(open_source(tmp_path))
    assert listing.name(0) == name
    assert listing.number(name) == 0


def test_a_folder_that_is_not_there(tmp_path):
    listing = listing_of(open_source(tmp_path / "none"))
    assert listing.complete
    assert "none does not exist" in listing.error


def test_listing_goes_on_behind(tree):
    listing = Listing(open_source(tree))
    listing.start()
    assert listing.wait(1, timeout=60)
    assert listing.count
    assert listing.wait(timeout=60)
    assert listing.complete
