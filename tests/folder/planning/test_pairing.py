"""A plan in little memory is that of all keys matched at once."""

from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from pointmask.folder.planning.plan import make_plan, shared_stems
from pointmask.io.images.open import open_source
from pointmask.io.points.by_frame import points_by_frame
from pointmask.io.points.names import without_suffix
from pointmask.io.points.points import Point, Points

_PART = st.text("ab.-#0", min_size=1, max_size=3)
_FOLDER = st.sampled_from(["", "a/", "b/", "a/b/", "a./", "a-/"])
_NAMES = st.lists(
    st.builds("{}{}{}".format, _FOLDER, _PART, st.sampled_from([".png", ".tif", ".PNG"])),
    unique=True,
    max_size=8,
)
_KEYS = st.lists(
    st.builds("{}{}{}".format, _FOLDER, _PART, st.sampled_from(["", ".png", ".bmp", ".tif", "#1", "#2.png"])),
    unique=True,
    max_size=8,
)


@settings(deadline=None, max_examples=300)
@given(_NAMES, st.data())
def test_plan_is_that_of_all_keys_matched_at_once(names, data):
    names = sorted(names)
    own = st.sampled_from([*names, *map(without_suffix, names)] or ["a"])
    keys = data.draw(st.lists(st.one_of(own, own, _KEYS.flatmap(lambda k: st.sampled_from(k or ["b"])))))
    keys = list(dict.fromkeys(keys))
    bad = set(data.draw(st.lists(st.sampled_from(keys or ["a"]), max_size=1)))
    points = Points(
        {key: (Point(0, k),) for k, key in enumerate(keys) if key not in bad},
        rejected=dict.fromkeys(bad, "bad row"),
    )
    plan = make_plan(open_source("images"), names, points)
    found = points_by_frame(points, names)
    expected: dict = defaultdict(dict)
    for (name, frame), its_points in found.points.items():
        expected[name][frame] = its_points
    twins = {name for name in expected for other in expected if _twins(name, other)}
    touched = {name for name, _ in found.rejected} | twins
    touched |= {name for candidates in found.ambiguous.values() for name in candidates}
    expected = {name: frames for name, frames in expected.items() if name not in touched}
    assert dict(plan.frames) == expected
    assert list(plan.frames) == sorted(expected)
    assert len(plan.frames) == len(expected)
    assert touched <= {name for name, _ in plan.skipped}
    assert all(
        (name in plan.frames) + (name in touched) + (name in plan.without_points) == 1 for name in names
    )


def _twins(name, other):
    return name != other and name.rpartition(".")[0] == other.rpartition(".")[0]


@given(_NAMES)
def test_shared_stems(names):
    groups = defaultdict(list)
    for name in sorted(names):
        groups[name.rpartition(".")[0]].append(name)
    assert sorted(shared_stems(sorted(names))) == sorted(g for g in groups.values() if len(g) > 1)


def test_an_empty_mask_for_each_frame_without_points(tmp_path):
    (tmp_path / "a.png").write_bytes(b"")
    (tmp_path / "b.png").write_bytes(b"")
    points = Points({"a": (Point(1, 2),)})
    plan = make_plan(open_source(tmp_path), ["a.png", "b.png"], points, empty_masks=True)
    assert dict(plan.frames) == {"a.png": {0: (Point(1, 2),)}, "b.png": {0: ()}}
