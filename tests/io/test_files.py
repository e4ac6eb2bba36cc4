"""Whole files and folders: the old one or the new one, whatever happens, and nothing beside them."""

import errno
import os
import signal
import stat
import subprocess
import sys
from functools import partial

import pytest
from tools.folders import tree

from pointmask.errors import OutputError, WriteError
from pointmask.io import files
from pointmask.io.files import (
    clean_temporaries,
    former,
    put_whole,
    staged,
    whole_file,
    whole_text,
    write_lines,
    write_whole,
)


def _full(*arguments):
    raise OSError(errno.ENOSPC, "No space left on device")


def _lines(place):
    yield b"half of it\n"
    if place == "lines":
        _full()


def _write_half(path):
    with whole_file(path) as file:
        file.write(b"ne")
        _full()


def _stage(path, name, error):
    """Make a file in a folder, and fail."""
    with staged(path) as made:
        write_whole(made / name, b"2")
        raise error


WRITERS = {
    "bytes": lambda path: write_whole(path, b"new"),
    "text": lambda path: write_whole(path, "new"),
    "lines": lambda path: write_lines(path, [b"ne", b"w"]),
    "of thousands": lambda path: write_whole(path, b"new", durable=False),
}


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_a_file_is_replaced_and_folders_are_made(tmp_path, write):
    (tmp_path / "a").write_bytes(b"old")
    write(tmp_path / "a")
    write(tmp_path / "deep/er/b")
    assert tree(tmp_path) == {"a": b"new", "deep/er/b": b"new"}


def test_text_is_utf8_with_plain_newlines(tmp_path):
    with whole_text(tmp_path / "a") as file:
        file.write("ö\n\u2028\n")
    assert (tmp_path / "a").read_bytes() == "ö\n\u2028\n".encode()


def test_nothing_is_there_before_the_end(tmp_path):
    with whole_file(tmp_path / "a") as file:
        file.write(b"half")
        file.flush()
        assert not (tmp_path / "a").exists()
    assert tree(tmp_path) == {"a": b"half"}


@pytest.mark.parametrize("place", ["body", "sync", "rename", "lines"])
def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path, monkeypatch, place):
    write_whole(tmp_path / "a", b"old")
    if place == "sync":
        monkeypatch.setattr(files.os, "fsync", _full)
    if place == "rename":
        monkeypatch.setattr(files.Path, "replace", _full)
    write = _write_half if place == "body" else partial(write_lines, lines=_lines(place))
    with pytest.raises(WriteError, match=r"a: cannot be written \(No space left.*check the folder"):
        write(tmp_path / "a")
    monkeypatch.undo()
    assert tree(tmp_path) == {"a": b"old"}


def test_other_errors_pass_as_they_are_and_leave_nothing(tmp_path):
    for error in (KeyboardInterrupt(), ValueError("no"), OutputError("said already")):
        with pytest.raises(type(error)) as caught, whole_file(tmp_path / "a"):
            raise error
        assert caught.value is error
    assert tree(tmp_path) == {}


def test_a_name_that_is_no_text_is_an_error_of_the_file(tmp_path):
    with pytest.raises(WriteError, match="check the folder, the names"), whole_text(tmp_path / "a") as file:
        file.write("\udcff")
    assert tree(tmp_path) == {}


def test_what_cannot_be_a_folder_is_said(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    for path in (tmp_path / "file" / "a", tmp_path):
        with pytest.raises(WriteError, match="cannot be written"):
            write_whole(path, b"new")
    with pytest.raises(WriteError, match="cannot be written"), staged(tmp_path / "file" / "a"):
        pass
    assert tree(tmp_path) == {"file": b""}


def test_a_drive_that_is_gone_is_not_made_anew(tmp_path):
    out = tmp_path / "out"
    with pytest.raises(WriteError):
        write_whole(out / "masks/a", b"new", below=out)
    assert not out.exists()
    out.mkdir()
    write_whole(out / "masks/a", b"new", below=out)
    assert tree(tmp_path) == {"out/masks/a": b"new"}


def test_only_durable_files_are_waited_for(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(
        files.os, "fsync", lambda handle: synced.append(stat.S_ISDIR(os.fstat(handle).st_mode))
    )
    write_whole(tmp_path / "a", b"", durable=False)
    assert not synced
    write_whole(tmp_path / "a", b"")
    assert synced == [False, True]  # the content before the name


def test_a_staged_folder_is_put_whole(tmp_path):
    out = tmp_path / "out"
    write_whole(out / "old", b"1")
    with staged(out) as made:
        write_whole(made / "new", b"2")
        assert tree(out) == {"old": b"1"}
        put_whole(made, out)
    assert tree(tmp_path) == {"out/new": b"2"}


def test_what_is_staged_and_not_put_goes(tmp_path):
    with staged(tmp_path / "deep/out") as made:
        write_whole(made / "new", b"2")
    with pytest.raises(ValueError, match="no"):
        _stage(tmp_path / "deep/out", "new", ValueError("no"))
    assert tree(tmp_path) == {}
    assert list((tmp_path / "deep").iterdir()) == []


def test_after_a_kill_between_two_renames_nothing_stays(tmp_path):
    out = tmp_path / "out"
    write_whole(former(out) / "old", b"1")  # the new one was not renamed any more
    with staged(out) as made:
        write_whole(made / "new", b"2")
        put_whole(made, out)
    assert tree(tmp_path) == {"out/new": b"2"}


def test_what_is_not_the_callers_is_moved_over(tmp_path):
    out = tmp_path / "out"
    for name in ("out/own", "out/notes", "out/deep/notes", ".out.old/own", ".out.old/notes", ".out.old/left"):
        write_whole(tmp_path / name, name.encode())
    with staged(out) as made:
        write_whole(made / "own", b"new")
        put_whole(made, out, own={"own"})
    assert tree(tmp_path) == {
        "out/own": b"new",
        "out/notes": b"out/notes",
        "out/deep/notes": b"out/deep/notes",
        "out/left": b".out.old/left",
    }


def test_a_link_is_never_replaced(tmp_path):
    (tmp_path / "precious").write_bytes(b"1")
    (tmp_path / "a").symlink_to("precious")
    with pytest.raises(WriteError, match="is a link"):
        write_whole(tmp_path / "a", b"2")
    (tmp_path / "made").write_bytes(b"2")
    with pytest.raises(WriteError, match="is a link"):
        put_whole(tmp_path / "made", tmp_path / "a")
    (tmp_path / "made").unlink()
    assert (tmp_path / "a").is_symlink()
    assert tree(tmp_path) == {"a": b"1", "precious": b"1"}


def test_without_syncfs_each_file_and_folder_is_waited_for(tmp_path, monkeypatch):
    """As on systems other than Linux."""
    (tmp_path / "link").symlink_to("missing")
    for name in ("a", "deep/b"):
        write_whole(tmp_path / name, b"1")
    synced = []
    monkeypatch.setattr(files.os, "fsync", lambda handle: synced.append(os.fstat(handle).st_ino))
    files._flush_each(tmp_path)
    expected = [tmp_path, tmp_path / "a", tmp_path / "deep", tmp_path / "deep/b"]
    assert sorted(synced) == sorted(path.stat().st_ino for path in expected)


def test_temporaries_of_a_job_are_cleaned_and_no_others(tmp_path):
    for name in ("a", "masks/a", "masks/deep/a", "other/a"):
        for tag in ("1-of-2", "1-of-20", "2-of-2"):
            with staged(tmp_path / name, tag) as made:
                left = made.with_name(f"{made.name[:-4]}x.tmp")
                left.write_bytes(b"half")
    with staged(tmp_path / "b", "1-of-2") as made:
        (made.with_name(f"{made.name[:-4]}x.tmp") / "sub").mkdir(parents=True)
    write_whole(tmp_path / "masks/.mine.tmp", b"")
    assert clean_temporaries(tmp_path, "1-of-2", ["masks", "missing"]) == 4
    assert len(list(tmp_path.rglob(".pointmask-1-of-2-*"))) == 1  # in the folder that was not named
    assert len(list(tmp_path.rglob(".pointmask-1-of-20-*"))) == 4
    assert clean_temporaries(tmp_path, below=["masks", "other"]) == 9
    assert tree(tmp_path) == {"masks/.mine.tmp": b""}


@pytest.mark.skipif(os.name != "posix", reason="kills are POSIX")
def test_a_kill_leaves_the_old_file_and_what_can_be_cleaned(tmp_path):
    write_whole(tmp_path / "a", b"old")
    code = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom pointmask.io.files import whole_file\n"
        "with whole_file(Path(sys.argv[1]), 'job') as file:\n"
        "    file.write(b'half')\n    file.flush()\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path / "a")], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert (tmp_path / "a").read_bytes() == b"old"
    assert clean_temporaries(tmp_path, "job") == 1
    assert tree(tmp_path) == {"a": b"old"}


def test_an_error_names_the_final_place_and_no_temporary_one(tmp_path):
    with pytest.raises(WriteError) as raised, staged(tmp_path / "out") as made:
        write_whole(made / "a\0b.xml", "")
    assert str(tmp_path / "out" / "a") in str(raised.value)
    assert "pointmask-" not in str(raised.value)
