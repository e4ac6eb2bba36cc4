"""Disks that are full, gone or slow, clocks that go back, and two processes at once."""

import errno
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from tools.click.kill import setup_of
from tools.click.opening import open_session
from tools.click.session import Arrays, clicking, crowd

from pointmask.click.contract.errors import NotWrittenError
from pointmask.click.journal import file as journal_file
from pointmask.click.session import hold
from pointmask.errors import LockedError, OutputError, WriteError
from pointmask.io import lock

IMAGES = {"a.png": crowd()}


@contextmanager
def at_most(size):
    """Let no file grow beyond a size."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("room", [0, 1, 50, 300])
def test_a_full_disk_changes_nothing_and_the_edit_can_be_sent_again(tmp_path, room):
    with clicking(tmp_path, IMAGES) as clicker:
        clicker.add(30, 30)
        before, seq = clicker.frame(), clicker.session.seq
        journal = (tmp_path / "clicks.jsonl").read_bytes()
        with at_most(len(journal) + room):
            for _ in range(3):
                with pytest.raises(NotWrittenError, match=r"cannot be written \(.*\); nothing was changed"):
                    clicker.add(33, 34)
        assert (clicker.frame(), clicker.session.seq) == (before, seq)
        assert (tmp_path / "clicks.jsonl").read_bytes() == journal
        clicker.add(33, 34)
        after = clicker.frame()
        assert len(after.targets) == 2
    with clicking(tmp_path, IMAGES) as clicker:
        assert clicker.frame() == after


def test_a_folder_that_was_moved_is_not_made_anew(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    with clicking(out, IMAGES) as clicker:
        clicker.add(30, 30)
        out.rename(tmp_path / "elsewhere")
        with pytest.raises(NotWrittenError, match="cannot be written"):
            clicker.add(33, 34)
        assert not out.exists()
        out.mkdir()
        (out / "clicks.jsonl").write_bytes(b"")
        with pytest.raises(NotWrittenError, match="no longer the same"):
            clicker.add(33, 34)
        (out / "clicks.jsonl").unlink()
        out.rmdir()
        (tmp_path / "elsewhere").rename(out)
        clicker.add(33, 34)
        assert len(clicker.frame().targets) == 2


@pytest.mark.parametrize("is_replaced", [False, True])
def test_nothing_is_published_in_the_place_of_a_folder_that_was_moved(tmp_path, is_replaced):
    out = tmp_path / "out"
    out.mkdir()
    with clicking(out, IMAGES) as clicker:
        clicker.add(30, 30)
        out.rename(tmp_path / "elsewhere")
        if is_replaced:  # a place at which a drive is mounted no more
            out.mkdir()
        with pytest.raises(WriteError, match="bring it back"):
            clicker.session.publish()
        clicker.session.left("a.png", 0)
    assert not (list(out.iterdir()) if is_replaced else out.exists())
    with clicking(tmp_path / "elsewhere", IMAGES) as clicker:
        assert clicker.session.publish().targets == 1


def test_what_the_disk_is_known_to_hold_survives_a_power_failure(tmp_path, monkeypatch):
    """The disk loses whatever was not synced: a fake that remembers the file as it was at each sync."""
    path = tmp_path / "clicks.jsonl"
    synced = []

    def sync(handle, real=os.fsync):
        real(handle)
        if os.path.samestat(os.fstat(handle), path.stat()):
            synced.append(path.read_bytes())

    monkeypatch.setattr(journal_file.os, "fsync", sync)
    with clicking(tmp_path, IMAGES) as clicker:
        for count in range(6):
            clicker.add(30 + count, 30)
            while count % 2 and clicker.session.durable < clicker.session.seq:
                time.sleep(0.005)
            durable = clicker.session.durable
            lines = synced[-1].splitlines()
            assert len(lines) >= durable
            lost = tmp_path / f"lost-{count}"
            lost.mkdir()
            (lost / "clicks.jsonl").write_bytes(synced[-1])
            with clicking(lost, IMAGES) as again:
                assert again.session.seq >= durable


def test_a_disk_that_cannot_sync_is_told_and_tried_again(tmp_path, monkeypatch):
    failing = [True]

    def sync(handle, real=os.fsync):
        if failing[0]:
            raise OSError(5, "Input/output error")
        real(handle)

    with clicking(tmp_path, IMAGES) as clicker:
        while clicker.session.durable < clicker.session.seq:
            time.sleep(0.005)
        monkeypatch.setattr(journal_file, "_RETRY", 0.01)
        monkeypatch.setattr(journal_file.os, "fsync", sync)
        answer = clicker.add(30, 30)
        time.sleep(0.2)
        assert clicker.session.durable < answer.seq
        failing[0] = False
        while clicker.session.durable < answer.seq:
            time.sleep(0.005)


def test_a_clock_that_goes_back_changes_no_order(tmp_path, monkeypatch):
    now = [10**18]
    monkeypatch.setattr(time, "time_ns", lambda: now[0])
    with clicking(tmp_path, IMAGES) as clicker:
        clicker.add(30, 30)
        now[0] -= 10**17
        clicker.set(1, label="boat")
        clicker.set(1, label="bird")
        frame = clicker.frame()
    with clicking(tmp_path, IMAGES) as clicker:
        assert clicker.frame() == frame
        clicker.session.undo()
        assert clicker.frame().targets[0].label == "boat"


def test_a_second_process_is_refused_with_who_where_and_since_when(tmp_path):
    script = (
        "import sys, time\nfrom pathlib import Path\nfrom pointmask.click.session.hold import hold_folder\n"
        "with hold_folder(Path(sys.argv[1]), 'mei'):\n    print('held', flush=True)\n    time.sleep(60)\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(
            LockedError, match=rf"It is 'mei' on .*, process {holder.pid}, since 20\d\d-.*Publish now"
        ):
            open_session(setup_of(tmp_path), Arrays(IMAGES)).__enter__()
        with clicking(tmp_path, IMAGES, read_only=True) as clicker:
            assert clicker.frame().targets == ()
            with pytest.raises(NotWrittenError, match="without --read-only"):
                clicker.add(30, 30)
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
    with open_session(setup_of(tmp_path), Arrays(IMAGES)) as session:
        assert session.seq == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clicks.jsonl"]


def test_a_holder_that_is_over_is_not_named(tmp_path):
    over = subprocess.Popen([sys.executable, "-c", ""])
    over.wait()
    stale = {
        "annotator": "mei",
        "host": socket.gethostname(),
        "process": over.pid,
        "since": 1,
        "session": "ab",
    }
    (tmp_path / ".clicks-holder.json").write_text(json.dumps(stale))
    script = (
        "import sys, time\nfrom pathlib import Path\nfrom pointmask.io.lock import only_job\n"
        "with only_job(Path(sys.argv[1])):\n    print('held', flush=True)\n    time.sleep(60)\n"
    )
    job = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert job.stdout.readline() == "held\n"
        with pytest.raises(LockedError) as caught:
            open_session(setup_of(tmp_path), Arrays(IMAGES)).__enter__()
        assert "mei" not in str(caught.value)
    finally:
        job.kill()
        job.wait()
        job.stdout.close()


@pytest.fixture
def no_locks(monkeypatch):
    def none(self, **options):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(lock.FileLock, "acquire", none)
    monkeypatch.setattr(hold, "_SETTLED", 0.01)
    monkeypatch.setattr(hold, "_BEAT", 0.05)
    monkeypatch.setattr(hold, "_DEAD", 100)


def test_without_locks_a_living_page_keeps_others_out_and_a_dead_one_does_not(
    tmp_path, monkeypatch, no_locks
):
    """R9"""
    said = []
    with hold.hold_folder(tmp_path, "mei", said.append):
        assert "without locks" in said[0]
        os.utime(tmp_path / hold._HOLDER, (1, 1))
        end = time.monotonic() + 20
        while (tmp_path / hold._HOLDER).stat().st_mtime == 1 and time.monotonic() < end:
            time.sleep(0.01)  # it goes on to give signs of life
        with pytest.raises(LockedError, match="'mei' on "), hold.hold_folder(tmp_path, "jo"):
            pass
    assert list(tmp_path.iterdir()) == []
    holder = {"annotator": "ann", "host": "elsewhere", "process": 1, "since": 1, "session": "ab"}
    (tmp_path / hold._HOLDER).write_text(json.dumps(holder))
    with pytest.raises(LockedError, match="'ann' on elsewhere"), hold.hold_folder(tmp_path, "jo"):
        pass
    long_ago = time.time() - 10
    os.utime(tmp_path / hold._HOLDER, (long_ago, long_ago))
    with hold.hold_folder(tmp_path, "jo"):
        pass


def test_without_locks_a_page_whose_folder_was_taken_over_says_so_and_leaves_it(tmp_path, no_locks):
    said = []
    with hold.hold_folder(tmp_path, "mei", said.append):
        holder = {"annotator": "ann", "host": "elsewhere", "process": 1, "since": 1, "session": "ab"}
        (tmp_path / hold._HOLDER).write_text(json.dumps(holder))
        end = time.monotonic() + 20
        while len(said) < 2 and time.monotonic() < end:
            time.sleep(0.01)
        assert "taken over by 'ann' on elsewhere" in said[1]
    assert (tmp_path / hold._HOLDER).exists()


@pytest.mark.parametrize("damage", [{"process": 2**70}, {"process": -1}, {"since": "now"}, {"host": 3}])
def test_a_damaged_note_of_the_holder_says_nothing(tmp_path, no_locks, damage):
    holder = {"annotator": "ann", "host": "elsewhere", "process": 1, "since": 1, "session": "ab"}
    (tmp_path / hold._HOLDER).write_text(json.dumps(holder | damage))
    with hold.hold_folder(tmp_path, "jo"):
        pass


def test_masks_follow_the_edits_by_themselves(tmp_path):
    def wait_for(condition):
        end = time.monotonic() + 20
        while not condition() and time.monotonic() < end:
            time.sleep(0.01)
        assert condition()

    mask = tmp_path / "masks" / "a.png"
    with clicking(tmp_path, IMAGES) as clicker:
        clicker.add(30, 30)
        wait_for(mask.exists)
        clicker.session.undo()
        clicker.session.left("a.png", 0)
        wait_for(lambda: not mask.exists())
        clicker.session.redo()
    assert mask.exists()
    assert Path(tmp_path / "clicks.jsonl").exists()


def test_a_journal_that_is_a_link_is_refused_and_what_it_links_to_stays(tmp_path):
    out, other = tmp_path / "out", tmp_path / "other.jsonl"
    out.mkdir()
    other.write_text("")
    (out / "clicks.jsonl").symlink_to(other)
    with pytest.raises(OutputError, match=r"clicks\.jsonl is a link"), clicking(out, {"a.png": crowd()}):
        pass
    assert other.read_text() == ""
