"""The folder job when what it stands on gives way: full disk, read-only output, drives that vanish."""

import errno
import os
import shutil
from contextlib import contextmanager

import pytest
from tools.folders import scenes, tree

from pointmask.errors import BrokenOffError, OutputError
from pointmask.folder import worker
from pointmask.folder.job import annotate_folder
from pointmask.folder.records import ledger
from pointmask.io.images.array import read_mask
from pointmask.io.layout import LISTED

folder = pytest.fixture(scenes)


def _go_on(folder, tmp_path, **options):
    """Run again after the cause is removed: nothing is done twice, and the bytes are those of one run."""
    source, points = folder
    summary = annotate_folder(source, points, tmp_path / "out", **options)
    assert not summary.skipped
    annotate_folder(source, points, tmp_path / "fresh", **options)
    assert tree(tmp_path / "out") == tree(tmp_path / "fresh")
    return summary


@contextmanager
def _largest_file(size: int):
    """Make the system refuse to let any file grow beyond ``size`` bytes."""
    resource = pytest.importorskip("resource", reason="limits are POSIX")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_disk_full_as_the_system_reports_it(folder, tmp_path):
    source, points = folder
    annotate_folder(source, points, tmp_path / "warm")  # caches are written without a limit
    # More than theta.toml, less than the journal.
    with _largest_file(4500), pytest.raises(BrokenOffError, match="run the same command again"):
        annotate_folder(source, points, tmp_path / "out", png=False)
    assert not (tmp_path / "out/manifest.jsonl").exists()
    assert _go_on(folder, tmp_path, png=False).resumed > 2


@pytest.mark.parametrize("full", [1, 2])
def test_disk_full_while_publishing(folder, tmp_path, monkeypatch, full):
    source, points = folder
    write, calls = ledger.write_lines, []

    def fill(path, lines, tag):
        calls.append(path)
        if len(calls) == full:
            lines = (line if k < 3 else _full() for k, line in enumerate(lines))
        write(path, lines, tag)

    with monkeypatch.context() as patch:
        patch.setattr(ledger, "write_lines", fill)
        with pytest.raises(BrokenOffError, match="No space left"):
            annotate_folder(source, points, tmp_path / "out", png=False)
    left = {path for path in tree(tmp_path / "out") if not path.startswith(".journal")}
    assert left == {"theta.toml"} | ({"masks.jsonl"} if full == 2 else set())
    assert _go_on(folder, tmp_path, png=False).done == 0


def _full():
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("png", [True, False])
@pytest.mark.parametrize("threads", [1, 2])
def test_images_vanish(folder, tmp_path, monkeypatch, png, threads):
    source, points = folder
    _vanish_at(monkeypatch, "05.png", lambda: source.rename(tmp_path / "elsewhere"))
    with pytest.raises(BrokenOffError, match="can no longer be reached"):
        annotate_folder(source, points, tmp_path / "out", png=png, threads=threads)
    assert not (tmp_path / "out/manifest.jsonl").exists()
    (tmp_path / "elsewhere").rename(source)
    monkeypatch.undo()
    _go_on(folder, tmp_path, png=png)


@pytest.mark.parametrize("png", [True, False])
@pytest.mark.parametrize("emptied", [True, False], ids=["unmounted", "moved"])
def test_output_vanishes(folder, tmp_path, monkeypatch, png, emptied):
    source, points = folder
    out = tmp_path / "out"

    def vanish():
        out.rename(tmp_path / "elsewhere")
        if emptied:  # as a mount point is, once the drive is gone
            out.mkdir()

    _vanish_at(monkeypatch, "05.png", vanish)
    with pytest.raises(BrokenOffError, match="run the same command again"):
        annotate_folder(source, points, out, png=png)
    assert out.exists() == emptied
    assert not (out / "manifest.jsonl").exists()
    if emptied:
        assert len(tree(out).keys() - {LISTED}) <= 1  # at most the mask that was under way
        shutil.rmtree(out)
    (tmp_path / "elsewhere").rename(out)
    assert all(read_mask(path).shape == (64, 64) for path in out.rglob("*.png"))
    monkeypatch.undo()
    assert _go_on(folder, tmp_path, png=png).resumed > 2


def _vanish_at(monkeypatch, name, vanish):
    """Do something just before an image is opened."""
    opened = worker.ImageSource.open
    happened = []

    def open_(self, image):
        if image == name and not happened:
            happened.append(image)
            vanish()
        return opened(self, image)

    monkeypatch.setattr(worker.ImageSource, "open", open_)


def test_one_bad_image_is_not_a_lost_folder(folder, tmp_path):
    source, points = folder
    (source / "05.png").unlink()
    (source / "05.png").symlink_to(tmp_path / "nowhere.png")
    summary = annotate_folder(source, points, tmp_path / "out")
    assert [name for name, _ in summary.skipped] == ["05.png"]


def test_read_only_output(folder, tmp_path, monkeypatch):
    source, points = folder
    (tmp_path / "out").mkdir()
    # As a file system mounted read-only answers, also to root.
    with monkeypatch.context() as patch:
        patch.setattr(os, "access", lambda path, mode: False)
        with pytest.raises(OutputError, match="is not writable; choose another --out"):
            annotate_folder(source, points, tmp_path / "out")
    (tmp_path / "out/.journal.jsonl").mkdir()
    with pytest.raises(OutputError, match=r"journal\.jsonl cannot be written"):
        annotate_folder(source, points, tmp_path / "out")
    (tmp_path / "out/.journal.jsonl").rmdir()
    _go_on(folder, tmp_path)
