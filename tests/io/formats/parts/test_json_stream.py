"""Documents read item by item hold what the standard library reads at once."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointmask.errors import PointsError
from pointmask.io.formats.parts import decoding
from pointmask.io.formats.parts.json_stream import json_items, json_list

_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=9,
)


def _whole(path, opened):
    """Put the items together again."""
    root = None
    for inside, key, value in json_items(path, opened):
        if key is None and not inside:
            root = value
        elif key is None:
            root[inside] = value
        else:
            holder = root[inside] if inside else root
            if isinstance(holder, list):
                assert key == len(holder)
                holder.append(value)
            else:
                holder[key] = value
    return root


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(_VALUE, st.dictionaries(st.sampled_from(["a", "b", "c"]), _VALUE)),
    st.sets(st.sampled_from(["a", "b"])),
    st.integers(1, 9),
    st.sampled_from([None, 1]),
    st.booleans(),
)
def test_items_are_those_of_the_whole(tmp_path_factory, content, opened, size, indent, ascii_only):
    path = tmp_path_factory.getbasetemp() / "a.json"
    path.write_text(json.dumps(content, indent=indent, ensure_ascii=ascii_only), "utf-8", "surrogatepass")
    expected = json.loads(path.read_bytes().decode("utf-8", "replace"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decoding, "PIECE", size)
        try:
            assert _whole(path, opened) == expected
        except PointsError:
            assert not path.read_bytes().isascii()  # a lone surrogate is no UTF-8


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Expecting value: line 1"),
        ("[1, 2", "Expecting ',' delimiter: line 1"),
        ("[1,\n 2,\n}", "Expecting value: line 3"),
        ("[1] 2", "Extra data"),
        ("{1: 2}", "property name"),
        ('{"a" 2}', "Expecting ':' delimiter"),
        ('{"a": [], "a": []}', "'a' twice"),
        ("[" * 100_000, "nested too deeply"),
        ('["' + "x" * 300_000, "Unterminated string"),
    ],
)
def test_faults_are_named_with_their_line(tmp_path, text, message):
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(PointsError, match="JSON") as caught:
        list(json_items(path, ("a",)))
    assert message in str(caught.value)


def test_what_is_no_list_is_refused(tmp_path):
    path = tmp_path / "a.json"
    for text in ('{"a": 1}', "{}", "7", '"[]"'):
        path.write_text(text)
        with pytest.raises(PointsError, match="not a list"):
            list(json_list(path))
    path.write_bytes('["\u7ea2\u5916\u5c0f\u76ee\u6807"]'.encode("gbk"))
    assert list(json_list(path)) == ["\u7ea2\u5916\u5c0f\u76ee\u6807"]
    with pytest.raises(PointsError, match="cannot be read"):
        list(json_list(tmp_path / "none.json"))


def test_memory_is_that_of_an_item(tmp_path):
    import tracemalloc

    path = tmp_path / "a.json"
    path.write_text(json.dumps([{"x": k, "text": "y" * 100} for k in range(100_000)]))
    tracemalloc.start()
    count = sum(1 for _ in json_list(path))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 100_000
    assert peak < path.stat().st_size / 8
