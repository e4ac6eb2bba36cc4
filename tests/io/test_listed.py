"""A list of pointmask's files in a folder: what is listed may be replaced, and nothing else."""

import json
import os
from pathlib import Path

import pytest
from tools.folders import tree

from pointmask.errors import OutputError
from pointmask.io import listed as listing
from pointmask.io.files import staged, write_whole
from pointmask.io.layout import LISTED
from pointmask.io.listed import OwnFiles, put_own, remove_listed


def listed(folder):
    return [json.loads(line) for line in (folder / LISTED).read_text().splitlines()]


def put(out, names, own_folder=None, data=b"new", **options):
    with staged(out) as made:
        for name in names:
            write_whole(made / name, data)
        put_own(made, out, own_folder, **{"drop": True, **options})


def test_a_folder_lists_what_is_put_there(tmp_path):
    out = tmp_path / "out"
    put(out, ["b", "deep/a"])
    assert listed(out) == ["b", "deep/a"]
    (out / "mine").write_text("mine")
    put(out, ["b", "deep/c"], data=b"2")
    assert listed(out) == ["b", "deep/c"]
    assert tree(out) == {"b": b"2", "deep/c": b"2", "mine": b"mine", LISTED: b'"b"\n"deep/c"\n'}
    put(out, ["x"], data=b"3", drop=False)
    assert listed(out) == ["b", "deep/c", "x"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("name", ["mine", "link", "deep", "deep/file/x", "linked/x"])
def test_others_files_are_never_in_the_way_in_silence(tmp_path, name):
    out = tmp_path / "out"
    put(out, ["a", "linked/y"])
    (out / "mine").write_text("mine")
    (out / "link").symlink_to("mine")
    (out / "deep/file").parent.mkdir()
    (out / "deep/file").write_text("mine")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/x").write_text("mine")
    (out / "linked/y").unlink()
    (out / "linked").rmdir()
    (out / "linked").symlink_to("../elsewhere")
    before = tree(tmp_path)
    with pytest.raises(OutputError, match=r"did not write it|is a folder|is a file|is a link"):
        put(out, ["a", name])
    assert tree(tmp_path) == before


def test_a_document_is_listed_in_the_folder_that_holds_it(tmp_path):
    put(tmp_path / "out/labels", ["a", "b"], tmp_path / "out")
    assert listed(tmp_path / "out") == ["labels/a", "labels/b"]
    (tmp_path / "out/labels/mine").write_text("mine")
    put(tmp_path / "out/labels", ["a"], tmp_path / "out")
    assert listed(tmp_path / "out") == ["labels/a"]
    assert sorted(tree(tmp_path / "out/labels")) == ["a", "mine"]
    put(tmp_path / "out/labels", ["c"], tmp_path / "out", is_all_ours=True)
    assert sorted(tree(tmp_path / "out/labels")) == ["c"]


def test_names_are_listed_before_their_files_are_there(tmp_path, monkeypatch):
    put(tmp_path / "out", ["a"])
    monkeypatch.setattr(listing, "flush", lambda folder: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        put(tmp_path / "out", ["a", "b"])
    monkeypatch.undo()
    assert listed(tmp_path / "out") == ["a", "b"]
    put(tmp_path / "out", ["b"])
    assert listed(tmp_path / "out") == ["b"]
    assert sorted(tree(tmp_path / "out")) == [LISTED, "b"]


def test_a_list_leads_nowhere_else(tmp_path):
    (tmp_path / LISTED).write_text('"../up"\n"/etc/passwd"\n"a/../../up"\n5\n""\nno json\n"ok"\n"half')
    assert OwnFiles(tmp_path).names() == {"ok"}
    (tmp_path / LISTED).rename(tmp_path / "mine")
    (tmp_path / LISTED).symlink_to("mine")
    assert OwnFiles(tmp_path).names() == set()
    with pytest.raises(OutputError, match="is a link"):
        OwnFiles(tmp_path).add(["a"])


def test_what_is_removed_leaves_the_folders_of_others(tmp_path):
    write_whole(tmp_path / "a/b/c", b"")
    write_whole(tmp_path / "a/mine", b"")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("a")
    for name in ("a/b/c", "folder", "missing/x", "link/mine"):
        remove_listed(tmp_path, name)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "folder", "link", "mine"]


def test_a_name_that_did_not_fit_on_the_disk_spoils_no_other(tmp_path, monkeypatch):
    own = OwnFiles(tmp_path)
    own.claim(["a"])
    with monkeypatch.context() as patch:
        patch.setattr(listing.os, "write", lambda handle, data, real=os.write: real(handle, data[:2]))
        with pytest.raises(OSError, match="No space left"):
            own.claim(["lost"])
    OwnFiles(tmp_path).claim(["b"])
    assert OwnFiles(tmp_path).names() == {"a", "b"}


@pytest.mark.parametrize("left", [b"\0\0\0", b'"masks/hal', b'"masks/ha\0\0'])
def test_what_a_power_failure_left_of_the_list_spoils_no_name(tmp_path, left):
    (tmp_path / LISTED).write_bytes(b'"a"\n' + left)
    OwnFiles(tmp_path).claim(["b"])
    assert OwnFiles(tmp_path).names() == {"a", "b"}


def test_a_list_that_another_job_removes_while_it_is_looked_for_is_none(tmp_path, monkeypatch):
    own = OwnFiles(tmp_path)
    own.add(["a.png"])
    is_file = Path.is_file

    def seen_then_gone(path):
        found = is_file(path)
        path.unlink()
        return found

    monkeypatch.setattr(Path, "is_file", seen_then_gone)
    assert own.names() == set()
    assert not (tmp_path / LISTED).exists()
