"""Sorted stretches: cut from any sequence of lines, merged into the newest line of each key."""

import io
import json
import tempfile
from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointmask.folder.records import sorted_lines
from pointmask.folder.records.sorted_lines import Stretch, StretchFinder, merged

_FILES = st.lists(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 2)), max_size=12), max_size=4)


def _written(handle, keys, age):
    """Write lines in this order and return their sorted stretches."""
    finder = StretchFinder(handle)
    for number, (image, frame) in enumerate(keys):
        line = json.dumps({"image": image, "frame": frame, "at": [age, number]}).encode() + b"\n"
        finder.add((image, frame), handle.tell(), len(line))
        handle.write(line)
    return finder.stretches


@given(_FILES, st.sampled_from([1, 100, 1 << 22]))
def test_newest_line_of_each_key_in_order(files, buffered):
    with pytest.MonkeyPatch.context() as patch, ExitStack() as files_open:
        patch.setattr(sorted_lines, "_BUFFERED", buffered)
        patch.setattr(sorted_lines, "_LEAST", 2)
        handles = [files_open.enter_context(tempfile.TemporaryFile()) for _ in files]
        ages = enumerate(zip(handles, files, strict=True))
        found = list(merged([part for age, (handle, keys) in ages for part in _written(handle, keys, age)]))
    expected = {key: [age, number] for age, keys in enumerate(files) for number, key in enumerate(keys)}
    assert [(key, json.loads(line)["at"]) for key, line, _ in found] == sorted(expected.items())


def test_sorted_lines_are_one_stretch_and_a_line_passed_over_ends_it():
    finder = StretchFinder(io.BytesIO())
    finder.add(("a", 0), 0, 10)
    finder.add(("a", 1), 10, 10)
    finder.add(("b", 0), 25, 10)
    assert [(stretch.start, stretch.end) for stretch in finder.stretches] == [(0, 20), (25, 35)]


def test_a_file_that_is_cut_meanwhile_is_an_error_and_no_endless_loop(tmp_path):
    path = tmp_path / "journal"
    with path.open("w+b") as handle:
        found = _written(handle, [("a", 0), ("b", 0)], 0)
        handle.flush()
        path.write_bytes(b"")
        with pytest.raises(OSError, match="shorter"):
            list(merged(found))


def test_lines_may_be_appended_while_a_stretch_is_read(tmp_path):
    path = tmp_path / "journal"
    keys = [("a", k) for k in range(500)]
    lines = [json.dumps({"image": image, "frame": frame}).encode() + b"\n" for image, frame in keys]
    path.write_bytes(b"".join(lines))
    with path.open("rb") as handle, path.open("ab", buffering=0) as journal:
        seen = []
        for key, line, _ in merged([Stretch(handle, 0, sum(map(len, lines)))]):
            journal.write(line)
            seen.append(key)
    assert seen == keys
