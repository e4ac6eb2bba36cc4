"""Points in arrays behave as a dictionary of them."""

import pickle

from hypothesis import given
from hypothesis import strategies as st

from pointmask.io.points.packed import PackedPoints, PackedTexts
from pointmask.io.points.points import Point

_FAR = 2**31
_PIXELS = st.one_of(st.integers(-3, 3), st.integers(_FAR - 2, _FAR + 2), st.integers(-_FAR - 2, 2 - _FAR))
_POINTS = st.builds(
    Point, _PIXELS, st.one_of(_PIXELS, st.just(10**300)), st.sampled_from([None, "", "a", "b"])
)
_ROWS = st.lists(st.tuples(st.sampled_from(["a", "b", "ä/b", "\ud800", "a.png", ""]), st.none() | _POINTS))


@given(_ROWS, st.booleans(), st.sets(st.sampled_from(["a", "b", "gone"])))
def test_as_a_dictionary(rows, is_sorted, removed):
    rows = sorted(rows, key=lambda row: row[0]) if is_sorted else rows
    packed, plain, empty = PackedPoints(), {}, set()
    for key, point in rows:
        listed = plain.setdefault(key, [])
        listed += [] if point is None else [point]
        empty |= {key} if point is None else set()
        told = packed.add(key, point)
        assert not told or (key in empty and listed)
    conflicts = packed.close()
    assert sorted(conflicts) == sorted(key for key in empty if plain[key])
    packed.remove(removed)
    expected = {key: tuple(listed) for key, listed in plain.items() if key not in removed}
    for found in (packed, pickle.loads(pickle.dumps(packed))):
        assert list(found.items()) == list(expected.items())
        assert list(found) == list(expected)
        assert list(found.values()) == list(expected.values())
        assert len(found) == len(expected)
        assert all(found[key] == listed for key, listed in expected.items())
        assert all(found[key] == expected[key] for key in [*reversed(expected), *expected, *expected])
        assert all(found.get(key) is None for key in {*removed, "none", "zzz"} - expected.keys())
        assert found == expected
        assert repr(found) == repr(expected)


@given(st.lists(st.text(max_size=3) | st.just("\ud800")), st.slices(5))
def test_texts_as_a_list(texts, part):
    packed = PackedTexts(texts)
    assert list(packed) == texts
    assert len(packed) == len(texts)
    assert packed[part] == texts[part]
    assert [packed[-k] for k in range(1, len(texts) + 1)] == texts[::-1]


def test_contradictions_in_one_stretch_are_told_at_once():
    packed = PackedPoints()
    assert not packed.add("a", Point(1, 2))
    assert packed.add("a", None)
    packed = PackedPoints()
    assert not packed.add("a", None)
    assert packed.add("a", Point(1, 2))
    assert not packed.add("b", Point(1, 2))
    assert not packed.add("b", Point(1, 2))
