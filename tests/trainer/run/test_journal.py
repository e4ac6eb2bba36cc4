"""The journal of a run: cut at any byte it stops neither reading nor going on, and is whole again after."""

import json
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from tools.trainer.d2d import BUSY, config_of
from tools.trainer.runs import StopError, assert_same_run, stop_after
from tools.trainer.training import make_folder

from pointmask_trainer.analysis.history import read_history
from pointmask_trainer.analysis.study import study_run
from pointmask_trainer.errors import DataError
from pointmask_trainer.run.journal import EpochJournal
from pointmask_trainer.run.layout import RunFolder
from pointmask_trainer.selection.run import read_run
from pointmask_trainer.training.train import Source, train

_VALUES = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text('}{"\n\r\u2028é\\', max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("a}\n"), inner, max_size=2),
    max_leaves=4,
)
_RECORDS = st.lists(st.dictionaries(st.sampled_from("abc"), _VALUES, min_size=1, max_size=2), max_size=4)


@given(_RECORDS, st.data())
def test_lines_that_are_whole_are_read_and_half_a_line_is_replaced(tmp_path_factory, records, data):
    journal = EpochJournal(tmp_path_factory.mktemp("run") / "j.jsonl")
    for epoch, record in enumerate(records, 1):
        journal.append(epoch, record)
    written = journal.read()
    assert written == [{"epoch": epoch, **record} for epoch, record in enumerate(records, 1)]
    whole = journal.path.read_bytes() if records else b""
    cut = data.draw(st.integers(0, len(whole)))
    journal.path.write_bytes(whole[:cut])
    left = written[: whole[:cut].count(b"\n")]
    assert journal.read() == left
    epochs = data.draw(st.integers(0, len(records)))
    if data.draw(st.booleans()):
        journal.cut(epochs)
        left = left[:epochs]
    journal.append(9, {"after": {"the": "cut"}})
    assert journal.read() == [*left, {"epoch": 9, "after": {"the": "cut"}}]
    assert all(json.loads(line) for line in journal.path.read_bytes().splitlines())


@pytest.mark.parametrize("line", ['"loss": "a"', '"loss": [1]', '"val_labels": {"iou": "\\u001b"}'])
def test_figures_are_figures(tmp_path, line):
    path = tmp_path / "j.jsonl"
    path.write_text('{"epoch": 1, "loss": 0.5, "val_labels": {"iou": null, "pd": 1}}\n')
    assert len(EpochJournal(path, figures=True).read()) == 1
    path.write_text(f'{{"epoch": 1, {line}}}\n')
    assert len(EpochJournal(path).read()) == 1
    with pytest.raises(DataError, match="pointmask did not write"):
        EpochJournal(path, figures=True).read()


def test_every_byte_of_nested_lines(tmp_path):
    """As the lines of d2d are: a cut behind an inner brace ended going on in a traceback once."""
    journal = EpochJournal(tmp_path / "j.jsonl")
    for epoch in (1, 2):
        journal.append(epoch, {"theta": {"tau": 0.2, "law": {"w": [1.5]}}, "labels": {"version": epoch}})
    whole = journal.path.read_bytes()
    first = whole.index(b"\n") + 1
    for cut in range(len(whole) + 1):
        journal.path.write_bytes(whole[:cut])
        count = (cut >= first) + (cut == len(whole))
        assert [line["epoch"] for line in journal.read()] == [1, 2][:count]
        journal.cut(2)
        assert journal.path.read_bytes() == whole[: (0, first, len(whole))[count]]
        journal.path.write_bytes(whole[:cut])
        journal.append(3, {"a": 1})
        assert [line["epoch"] for line in journal.read()] == [*[1, 2][:count], 3]


def test_an_empty_record_writes_nothing_and_a_missing_file_is_empty(tmp_path):
    journal = EpochJournal(tmp_path / "j.jsonl")
    journal.append(1, {})
    journal.cut(1)
    journal.clear()
    assert journal.read() == []
    assert not journal.path.exists()


@pytest.mark.parametrize(
    "torn", [b"\0" * 9, b"\0" * 9 + b"\n", b'{"a": "\0\0\0"}\n', b"\0\n\0\n\0", b'{"epo\0\0']
)
def test_what_a_power_failure_leaves_is_cut(tmp_path, torn):
    journal = EpochJournal(tmp_path / "j.jsonl")
    journal.append(1, {"a": 1})
    whole = journal.path.read_bytes()
    journal.path.write_bytes(whole + torn)
    assert journal.read() == [{"epoch": 1, "a": 1}]
    journal.append(2, {"a": 2})
    assert journal.path.read_bytes() == whole + b'{"epoch": 2, "a": 2}\n'
    journal.path.write_bytes(whole + torn)
    journal.cut(1)
    assert journal.path.read_bytes() == whole


@pytest.mark.parametrize(
    "line", [b"{}\n", b"[1]\n", b'{"epoch": 1}{}\n', b"\xff\n", b'{"epoch": "1"}\n', b"[" * 99_999 + b"\n"]
)
def test_a_whole_line_of_somebody_else_is_named(tmp_path, line):
    journal = EpochJournal(tmp_path / "j.jsonl")
    journal.append(1, {"a": 1})
    journal.path.write_bytes(journal.path.read_bytes() + line)
    for ask in (journal.read, lambda: journal.cut(1)):
        with pytest.raises(DataError, match=r"byte 21: .* delete this line, or train anew with"):
            ask()


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A data folder, a run of two epochs, and the same broken off after the first."""
    base = tmp_path_factory.mktemp("torn")
    source = Source(root=make_folder(base / "data", 10))
    config = config_of(*BUSY, settings=("epochs=2",))
    train(config, source, base / "whole")
    with pytest.raises(StopError):
        train(config, source, base / "broken", watcher=stop_after(1))
    return config, source, base


def _ends(text, count):
    """Where a text ends behind a brace, and right before and behind its newlines: at most so many places."""
    ends = [k for k in range(1, len(text) + 1) if text[k - 1 : k] in (b"}", b"\n")]
    return sorted({*ends[-count:], len(text) - 1, len(text) - 2})


def test_analysis_and_selection_read_what_is_whole(runs, tmp_path):
    _, _, base = runs
    shutil.copytree(base / "whole", tmp_path / "run")
    path = RunFolder(tmp_path / "run").strategy
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    last = whole[first:]
    for cut in sorted({first, *range(first, len(whole), 23), *(first + end for end in _ends(last, 40))}):
        path.write_bytes(whole[:cut])
        history = read_history(tmp_path / "run")
        assert list(history.epochs) == [1, 2][: 1 + (cut == len(whole))]
        assert read_run(tmp_path / "run", 50).ids == history.ids
    study_run(tmp_path / "run")
    for cut in (0, 1, first - 1):
        path.write_bytes(whole[:cut])
        with pytest.raises(DataError, match="has no epoch in its journal"):
            read_history(tmp_path / "run")


@pytest.mark.parametrize("name", ["metrics", "strategy"])
def test_a_run_goes_on_over_torn_lines_to_the_same_end(runs, tmp_path, name):
    config, source, base = runs
    whole = getattr(RunFolder(base / "whole"), name).read_bytes()
    first = whole.index(b"\n") + 1
    second = whole[first:]
    # A line of the second epoch, torn: the checkpoint is that of the first.
    for number, cut in enumerate(_ends(second, 3)[-4:-1]):
        run = tmp_path / str(number)
        shutil.copytree(base / "broken", run)
        path = getattr(RunFolder(run), name)
        path.write_bytes(path.read_bytes() + second[:cut])
        train(config, source, run, resume=True)
        assert_same_run(run, base / "whole")
        ours, theirs = (EpochJournal(RunFolder(one).strategy).read() for one in (run, base / "whole"))
        assert ours == theirs
        assert RunFolder(run).report.is_file()


@pytest.mark.parametrize("name", ["metrics", "strategy"])
def test_a_finished_run_is_whole_after_it_is_resumed(runs, tmp_path, name):
    config, source, base = runs
    run = tmp_path / "run"
    shutil.copytree(base / "whole", run)
    path = getattr(RunFolder(run), name)
    whole = path.read_bytes()
    for cut in _ends(whole, 6):
        path.write_bytes(whole[:cut])
        train(config, source, run, resume=True)
        assert path.read_bytes() == whole[: whole[:cut].rfind(b"\n") + 1]
