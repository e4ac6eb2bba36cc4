"""Reading journals that are whole, torn, damaged or hostile; and what is live is what is read back."""

import json
import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tools.click.session import Arrays, clicking, crowd

from pointmask.click.contract.errors import InvalidError, JournalError
from pointmask.click.journal.fold import after_all
from pointmask.click.journal.lines import dump_line, parse_line
from pointmask.click.journal.read import read_journal
from pointmask.click.session.store import Store
from pointmask.errors import PointmaskError

IMAGES = {"a.png": crowd(), "b.png": crowd(seed=5)}


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    """A journal of a varied session, and the frames after each edit."""
    out = tmp_path_factory.mktemp("lived")
    states = []
    with clicking(out, Arrays(IMAGES)) as clicker:
        for do in (
            lambda: clicker.add(30, 30),
            lambda: clicker.add(33, 34, label="boat"),
            lambda: clicker.set(1, row=31),
            lambda: clicker.set(2, level=0.3, ring=1),
            lambda: clicker.paint(1, put=[(50, 3, 9)]),
            lambda: clicker.drop(2),
            lambda: clicker.session.undo(2),
            lambda: clicker.session.redo(),
            lambda: clicker.mark("empty", image="b.png"),
            lambda: clicker.add(70, 60, image="b.png"),
            lambda: clicker.refuse(5, 5),
            lambda: clicker.session.undo(),
            lambda: clicker.session.publish(),
            lambda: clicker.mark("unfinished"),
        ):
            do()
            states.append((clicker.session.seq, clicker.frame(), clicker.frame("b.png")))
    return (out / "clicks.jsonl").read_bytes(), states


def reopened(folder, data):
    folder.mkdir()
    (folder / "clicks.jsonl").write_bytes(data)
    return clicking(folder, Arrays(IMAGES))


def test_a_line_is_as_specified(lived):
    data, _ = lived
    lines = [json.loads(line) for line in data.splitlines()]
    assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))
    assert data.isascii()
    first = lines[1]
    assert first.keys() >= {
        *("seq", "t", "who", "edit", "op", "image", "frame", "content", "target", "point", "label", "made"),
        *("level", "ring", "polarity", "rle", "box", "area", "confidence", "flags"),
    }
    assert (first["op"], first["image"], first["target"], first["point"]) == ("add", "a.png", 1, [30, 30])
    move = next(line for line in lines if line["op"] == "set")
    assert (move["point"], move["was"]["point"]) == ([31, 30], [30, 30])
    shared = next(line for line in lines if line["op"] == "shared")
    assert lines[shared["seq"] - 2]["more"]
    assert {line["op"] for line in lines} >= {
        *("open", "add", "set", "shared", "drop", "frame", "refuse", "undo", "redo", "published")
    }


@pytest.mark.parametrize("place", ["../../a.png", "/tmp/a.png", "seq/../../a.png", "..", "", "a\0.png"])
def test_no_line_leads_out_of_the_folder(tmp_path, lived, place):
    data = lived[0].replace(b'"a.png"', json.dumps(place).encode())
    with pytest.raises(JournalError, match="leads out of the folder"), reopened(tmp_path / "out", data):
        pass
    assert [path.name for path in tmp_path.rglob("*.png")] == []


@pytest.mark.parametrize("moment", [-1, 253_402_300_800_000, 10**30])
def test_a_time_that_no_calendar_knows_is_refused(lived, moment):
    line = json.loads(lived[0].splitlines()[1])
    with pytest.raises(JournalError, match="its t is"):
        parse_line(json.dumps({**line, "t": moment}).encode())


@pytest.mark.parametrize("value", [None, [], {}, [1, 2], 1e308, True, "", 10**30, [2**30, 2**30]], ids=repr)
def test_fields_of_any_kind_end_in_a_sentence(tmp_path, lived, value):
    lines = [json.loads(line) for line in lived[0].splitlines()]
    for name in sorted({name for line in lines for name in line}):
        changed = [{**line, name: value} if name in line and line["seq"] > 1 else line for line in lines]
        data = b"".join(json.dumps(line).encode() + b"\n" for line in changed)
        with suppress(PointmaskError), reopened(tmp_path / name, data) as clicker:
            for work in (clicker.frame, clicker.session.undo, clicker.session.publish):
                with suppress(PointmaskError):
                    work()


def test_every_prefix_of_whole_lines_reads_back_as_it_was_lived(tmp_path, lived):
    data, states = lived
    lines = data.splitlines(keepends=True)
    for seq, *frames in states:
        with reopened(tmp_path / str(seq), b"".join(lines[:seq])) as clicker:
            assert [clicker.frame(), clicker.frame("b.png")] == frames


def test_every_truncation_loses_at_most_the_last_edit_and_says_so(tmp_path, lived):
    data, _ = lived
    ends = [0]
    for line in data.splitlines(keepends=True):
        ends.append(ends[-1] + len(line))
    for cut in range(0, len(data), 7):
        path = tmp_path / "clicks.jsonl"
        path.write_bytes(data[:cut])
        reading = read_journal(path)
        assert reading.end in ends
        assert reading.end + reading.cut == cut
        whole = max(k for k, end in enumerate(ends) if end <= cut)
        assert whole - reading.content.seq <= 1  # half an edit of two lines
    for cut in range(ends[2], ends[8], 97):
        with reopened(tmp_path / str(cut), data[:cut]) as clicker:
            clicker.add(60, 40)
            frame = clicker.frame()
        with clicking(tmp_path / str(cut), Arrays(IMAGES)) as clicker:
            assert clicker.frame() == frame


def test_what_a_power_failure_leaves_at_the_end_is_cut_off(tmp_path, lived):
    data, states = lived
    with reopened(tmp_path / "a", data + b"\0" * 5000 + b"\n") as clicker:
        assert clicker.session.cut == 5001
        assert clicker.frame() == states[-1][1]


@pytest.mark.parametrize(
    ("what", "message"),
    [
        (lambda lines: [*lines[:3], b"garbage\n", *lines[3:]], r"line 4, .*it is not JSON"),
        (lambda lines: [*lines[:3], b"[1]\n", *lines[4:]], r"line 4, .*no JSON object"),
        (lambda lines: [*lines[:3], b'{"op": "rm"}\n', *lines[4:]], r"line 4, .*its op is 'rm'"),
        (lambda lines: [*lines[:3], *lines[4:]], r"line 4, .*its seq is 5, and 4 is due"),
        (lambda lines: [*lines[:3], lines[2], *lines[3:]], r"line 4, .*its seq is 3"),
        (lambda lines: [b'{"seq": 1, "t": "x", "who": "a", "op": "open"}\n'], r"line 1, .*its t is 'x'"),
        (lambda lines: [b'{"seq": 1, "t": 1, "who": "a", "op": "add"}\n'], r"line 1, .*names no frame"),
        (lambda lines: [b"[" * 100_000 + b"\n"], r"line 1, .*it is not JSON"),
        (lambda lines: [b'{"op": "' + b"x" * (1 << 20) + b'"}\n'], r"line 1, .*longer than"),
        (lambda lines: [lines[0], b"\0\0\n", *lines[1:]], r"line 2"),
    ],
)
def test_damage_within_is_refused_with_file_line_and_what_to_do(tmp_path, lived, what, message):
    path = tmp_path / "clicks.jsonl"
    damaged = b"".join(what(lived[0].splitlines(keepends=True)))
    path.write_bytes(damaged)
    with pytest.raises(JournalError, match=rf"clicks\.jsonl, {message}") as caught:
        read_journal(path)
    assert "--publish" in str(caught.value)
    assert path.read_bytes() == damaged
    reading = read_journal(path, up_to_damage=True)
    assert reading.cut == 0
    assert damaged[: reading.end].count(b"\n") == reading.content.seq


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(st.data())
def test_a_damaged_journal_ends_in_a_sentence_or_in_frames(tmp_path, lived, data):
    """Bytes changed, doubled and dropped: no traceback, whatever is done with the file then."""
    damaged = bytearray(lived[0])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(damaged) - 1))
        what = data.draw(st.sampled_from(["flip", "drop", "number", "text"]))
        if what == "flip":
            damaged[place] = data.draw(st.integers(0, 255))
        elif what == "drop":
            del damaged[place : place + data.draw(st.integers(1, 300))]
        else:
            damaged[place:place] = {"number": b"9e999", "text": b'"'}[what]
    path = tmp_path / "damaged.jsonl"
    path.write_bytes(bytes(damaged))
    with suppress(PointmaskError):  # any other exception fails
        store = Store(path, "mei", read_journal(path).content.basis(1), read_only=True)
        for key in [("a.png", 0), ("b.png", 0)]:
            frame = store.get(key)
            for target in frame.targets:
                target.crop(frame.shape)


def test_a_long_journal_takes_memory_for_its_frames_alone(tmp_path, lived):
    """J4 in small: 50,000 lines of 500 frames."""
    lines = [json.loads(line) for line in lived[0].splitlines()]
    add = lines[1]
    path = tmp_path / "clicks.jsonl"
    with path.open("wb") as file:
        file.write(dump_line({**lines[0], "seq": 1}))
        for seq in range(2, 50_002):
            name = f"{seq % 500}.png"
            file.write(dump_line({**add, "seq": seq, "image": name, "target": seq, "edit": f"e-{seq}"}))
    tracemalloc.start()
    reading = read_journal(path)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert reading.content.seq == 50_001
    # 24 bytes of a step and 8 of its place a line, and what is known of the last 20,000 identifiers.
    assert size < 50_000 * 40 + 20_000 * 350
    store = Store(path, "mei", reading.content.basis(1), read_only=True)
    assert len(store.get(("7.png", 0)).targets) == 100


def test_a_line_that_would_be_too_long_is_refused_and_nothing_is_written(tmp_path):
    with pytest.raises(InvalidError, match=r"at most 1,048,576 are written"):
        dump_line({"rle": "x" * (1 << 20)})
    assert parse_line(dump_line({"seq": 1, "t": 1, "who": "a", "op": "open"}))["op"] == "open"


def test_folding_is_what_the_store_does(lived, tmp_path):
    path = tmp_path / "clicks.jsonl"
    path.write_bytes(lived[0])
    index = read_journal(path).content
    store = Store(path, "mei", index.basis(1), read_only=True)
    key = ("a.png", 0)
    start = store.get(key)
    lines = [(line, index.basis(line["seq"])) for line in store.frame_lines(key)]
    empty = type(start)(image="a.png", frame=0)
    assert after_all(empty, lines) == start == lived[1][-1][1]
