"""One job at a time in a folder, held against other processes, and let go however a process ends."""

import errno
import signal
import subprocess
import sys
from contextlib import ExitStack

import pytest

from pointmask.errors import LockedError, OutputError
from pointmask.io import lock
from pointmask.io.layout import WHOLE
from pointmask.io.lock import locked, only_job

HOLD = """
import sys
from pathlib import Path
from pointmask.io.lock import only_job
with only_job(Path(sys.argv[1]), *sys.argv[2:]):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder():
    """Start processes that hold a folder until they are ended."""
    with ExitStack() as stack:

        def start(*arguments):
            command = [sys.executable, "-c", HOLD, *map(str, arguments)]
            process = stack.enter_context(
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            assert process.stdout.readline() == "held\n"
            return process

        yield start


@pytest.mark.parametrize(
    ("theirs", "ours", "together"),
    [
        (WHOLE, WHOLE, False),
        (WHOLE, "1-of-2", False),
        ("1-of-2", WHOLE, False),
        ("1-of-2", "1-of-2", False),
        ("1-of-2", "2-of-2", True),
    ],
)
def test_who_may_work_beside_whom(holder, tmp_path, theirs, ours, together):
    other = holder(tmp_path / "out", theirs)
    if together:
        with only_job(tmp_path / "out", ours):
            pass
    else:
        with (
            pytest.raises(LockedError, match=r"another pointmask job.*wait for it.*another --out"),
            only_job(tmp_path / "out", ours),
        ):
            pass
    other.communicate("")
    assert list(tmp_path.iterdir()) == []  # made by the holder, and empty again
    with only_job(tmp_path / "out", ours):
        pass


def test_a_killed_job_stops_nobody(holder, tmp_path):
    other = holder(tmp_path, WHOLE)
    other.send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    other.wait()
    assert len(list(tmp_path.iterdir())) == 1
    for part in ("1-of-2", WHOLE):
        with only_job(tmp_path, part):
            pass
    assert list(tmp_path.iterdir()) == []


def test_within_a_process_too(tmp_path):
    with only_job(tmp_path), pytest.raises(LockedError), only_job(tmp_path):
        pass
    with (
        only_job(tmp_path, "1-of-2"),
        only_job(tmp_path, "2-of-2"),
        pytest.raises(LockedError),
        only_job(tmp_path),
    ):
        pass


def test_an_error_lets_go_and_a_folder_with_something_in_it_stays(tmp_path):
    def job():
        with only_job(tmp_path / "a/b"):
            (tmp_path / "a/b/file").write_bytes(b"")
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        job()
    assert [path.name for path in (tmp_path / "a/b").iterdir()] == ["file"]


def test_many_take_turns_and_none_is_lost(tmp_path):
    """Whoever waits for a lock that is removed at its release must not hold the removed one."""
    code = """
import sys
from pathlib import Path
from pointmask.io.lock import locked
folder = Path(sys.argv[1])
for _ in range(50):
    with locked(folder / "lock", -1):
        count = int((folder / "count").read_text())
        (folder / "count").write_text(str(count + 1))
"""
    (tmp_path / "count").write_text("0")
    processes = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)]) for _ in range(3)]
    assert [process.wait() for process in processes] == [0, 0, 0]
    assert (tmp_path / "count").read_text() == "150"


def test_a_folder_that_cannot_be_made_or_written_to_is_said(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="cannot be made"), only_job(tmp_path / "file/out"):
        pass

    def refuse(self, **options):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(lock.FileLock, "acquire", refuse)
    with pytest.raises(OutputError, match="cannot be written"), only_job(tmp_path):
        pass


@pytest.mark.parametrize("error", [OSError(errno.ENOLCK, "No locks available"), NotImplementedError("flock")])
def test_a_file_system_without_locks_lets_jobs_through(tmp_path, monkeypatch, error):
    def none(self, **options):
        raise error

    monkeypatch.setattr(lock.FileLock, "acquire", none)
    with only_job(tmp_path), locked(tmp_path / "other"):
        pass
