"""The journal of a folder job: whatever byte it ends at, what is whole is read and goes on."""

import json
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tools.folders import one, save, scenes, spot, tree

from pointmask.errors import OutputError
from pointmask.folder.job import annotate_folder
from pointmask.folder.records.journal import FrameJournal
from pointmask.io.points.points import Points

_KEYS = st.lists(st.tuples(st.text("a}\u00e9{", min_size=1, max_size=3), st.integers(0, 2)), max_size=5)


def _line(key, note):
    return json.dumps({"image": key[0], "frame": key[1], "note": {"deep": {"er": note}}}).encode() + b"\n"


def _key(path, offset, line):
    entry = json.loads(line)
    return entry["image"], entry["frame"]


@given(_KEYS, _KEYS, _KEYS, _KEYS, st.data())
def test_a_journal_cut_anywhere_goes_on(tmp_path_factory, old, done, left, new, data):
    folder = tmp_path_factory.mktemp("journal")
    (folder / "replaced").write_bytes(b"".join(_line(key, "replaced") for key in old))
    (folder / "published").write_bytes(b"".join(_line(key, "published") for key in done))
    lines = [_line(key, "left") for key in left]
    cut = data.draw(st.integers(0, sum(map(len, lines))))
    (folder / "own").write_bytes(b"".join(lines)[:cut])
    whole = left[: b"".join(lines)[:cut].count(b"\n")]
    earlier = [folder / "published", folder / "missing"]
    with closing(FrameJournal(folder / "own", earlier, folder / "replaced")) as journal:
        assert journal.earlier_files == [folder / "replaced", folder / "published"]
        journal.recall(_key)
        expected = {**dict.fromkeys(old, "replaced"), **dict.fromkeys(done, "published")}
        expected |= {**dict.fromkeys(whole, "left")}
        notes = {key: json.loads(line)["note"]["deep"]["er"] for key, line, _ in journal.earlier()}
        assert notes == expected
        assert list(notes) == sorted(expected)
        for key in new:
            journal.add(key, _line(key, "new"))
        expected |= dict.fromkeys(new, "new")
        merged = {
            key: (json.loads(line)["note"]["deep"]["er"], origin) for key, line, origin in journal.lines()
        }
        origins = {"new": "new", "left": "earlier", "published": "earlier", "replaced": "replaced"}
        assert merged == {key: (note, origins[note]) for key, note in expected.items()}
    rest = [_line(key, "left") for key in whole] + [_line(key, "new") for key in new]
    assert (folder / "own").exists() == bool(rest)
    if rest:
        assert (folder / "own").read_bytes() == b"".join(rest)


def test_a_finished_journal_is_gone_and_what_is_no_journal_is_said(tmp_path):
    journal = FrameJournal(tmp_path / "own", [])
    journal.add(("a", 0), _line(("a", 0), "new"))
    journal.finish()
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "own").mkdir()
    with pytest.raises(OutputError, match="own cannot be written"):
        FrameJournal(tmp_path / "own", [])


def test_a_job_whose_journal_is_torn_at_any_byte_ends_as_one_that_ran_through(tmp_path):
    for name in ("a.png", "b.png", "c.png"):
        save(tmp_path / "images" / name, spot())
    points = Points({name: one(label='}{"\u00e9') for name in ("a", "b", "c")})
    annotate_folder(tmp_path / "images", points, tmp_path / "whole", png=False)
    whole = tree(tmp_path / "whole")
    lines = whole["manifest.jsonl"].splitlines(keepends=True)
    # Every byte of the end of a line, and of all else every seventh.
    last = len(lines[0]) + len(lines[1])
    cuts = {*range(len(lines[0]) - 12, len(lines[0]) + 3), *range(last - 12, last + 3), *range(0, last, 7)}
    for cut in sorted(cuts):
        out = tmp_path / "out"
        out.mkdir()
        # A power failure leaves NUL bytes where the rest was to come, a kill does not.
        (out / ".journal.jsonl").write_bytes(whole["manifest.jsonl"][:cut] + bytes(cut % 2 * 20))
        summary = annotate_folder(tmp_path / "images", points, out, png=False)
        assert summary.resumed == whole["manifest.jsonl"][:cut].count(b"\n")
        assert tree(out) == whole
        for path in out.iterdir():
            path.unlink()
        out.rmdir()


@pytest.mark.parametrize("left", ['{"image": "before", "ms": {}}\n{"image": {"torn": {}}', '{"image\0\0\0\0'])
def test_times_are_not_glued_to_half_a_line(tmp_path, left):
    source, points = scenes(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out/timings.jsonl").write_text(left)
    annotate_folder(source, points, tmp_path / "out", png=False, timings=True)
    lines = (tmp_path / "out/timings.jsonl").read_text().splitlines()
    before = ["before"] if "before" in left else []
    assert [json.loads(line)["image"] for line in lines] == [*before, *sorted(points.by_image)]
