"""Lines that are appended: half a line is never read and never glued to the next."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointmask.io import lines
from pointmask.io.lines import append_line, cut_half_line, end_of_lines, whole_lines

_LINE = st.binary(max_size=20).map(lambda data: data.replace(b"\n", b"}").replace(b"\0", b"{") + b"\n")
_LINES = st.lists(_LINE, max_size=6)


@given(_LINES, st.data(), st.sampled_from([1, 3, 1 << 16]))
def test_a_file_that_is_cut_anywhere_keeps_its_whole_lines(listed, data, block):
    whole = b"".join(listed)
    cut = data.draw(st.integers(0, len(whole)))
    file = io.BytesIO(whole[:cut])
    read = list(whole_lines(file))
    expected = whole[:cut].count(b"\n")
    assert [line for _, line in read] == listed[:expected]
    assert [offset for offset, _ in read] == [sum(map(len, listed[:k])) for k in range(expected)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "_BLOCK", block)
        assert end_of_lines(file) == sum(map(len, listed[:expected]))


@given(_LINES, _LINE, st.data())
def test_a_line_is_never_glued_to_half_a_line(tmp_path_factory, listed, new, data):
    path = tmp_path_factory.getbasetemp() / "lines"
    whole = b"".join(listed)
    cut = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:cut])
    append_line(path, new)
    assert path.read_bytes() == b"".join([*listed[: whole[:cut].count(b"\n")], new])


def test_the_first_line_makes_the_file_and_cutting_does_not(tmp_path):
    cut_half_line(tmp_path / "a")
    assert not (tmp_path / "a").exists()
    append_line(tmp_path / "a", b"1\n")
    (tmp_path / "a").write_bytes(b"1\nhalf")
    cut_half_line(tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"1\n"
