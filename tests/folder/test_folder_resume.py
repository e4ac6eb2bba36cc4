"""The folder job: run again after a break, it does only what is missing and gives the same bytes."""

import errno
from pathlib import Path

import numpy as np
import pytest
from tools.folders import one, save, scenes, spot, tree

from pointmask.errors import BrokenOffError
from pointmask.folder import worker
from pointmask.folder.job import annotate_folder
from pointmask.folder.records.journal import FrameJournal
from pointmask.io.images import array as images
from pointmask.io.points.points import Points
from pointmask.theta import Theta

folder = pytest.fixture(scenes)


def test_second_run_only_does_what_is_missing(folder, tmp_path):
    source, points = folder
    out = tmp_path / "out"
    annotate_folder(source, points, out)
    before = tree(out)
    stamps = {path: path.stat().st_mtime_ns for path in (out / "masks").rglob("*.png")}
    (out / "masks/05.png").unlink()
    summary = annotate_folder(source, points, out)
    assert (summary.done, summary.resumed, summary.targets) == (1, 11, len(points))
    assert tree(out) == before
    assert sum(path.stat().st_mtime_ns != stamp for path, stamp in stamps.items()) == 1


def test_a_theta_of_whole_numbers_is_resumed(folder, tmp_path):
    source, points = folder
    theta = Theta.load("default").with_(level=0, large_area=200)
    annotate_folder(source, points, tmp_path / "out", theta=theta)
    summary = annotate_folder(source, points, tmp_path / "out", theta=theta)
    assert (summary.done, summary.resumed) == (0, 12)


def test_changed_image_is_done_again(folder, tmp_path):
    source, points = folder
    annotate_folder(source, points, tmp_path / "out")
    save(source / "05.png", np.roll(images.read(source / "05.png"), 1, axis=0))
    summary = annotate_folder(source, points, tmp_path / "out")
    assert (summary.done, summary.resumed) == (1, 11)


def test_another_result_asked_for_later(folder, tmp_path):
    source, points = folder
    annotate_folder(source, points, tmp_path / "out")
    summary = annotate_folder(source, points, tmp_path / "out", save=("soft",))
    assert (summary.done, summary.resumed) == (12, 0)
    annotate_folder(source, points, tmp_path / "fresh", save=("soft",))
    assert tree(tmp_path / "out") == tree(tmp_path / "fresh")


def test_skipped_image_is_tried_again(tmp_path):
    save(tmp_path / "images/a.png", spot())
    good = (tmp_path / "images/a.png").read_bytes()
    (tmp_path / "images/a.png").write_bytes(good[:50])
    points = Points({"a": one()})
    assert annotate_folder(tmp_path / "images", points, tmp_path / "out").skipped
    (tmp_path / "images/a.png").write_bytes(good)
    summary = annotate_folder(tmp_path / "images", points, tmp_path / "out")
    assert (summary.done, summary.skipped) == (1, [])
    annotate_folder(tmp_path / "images", points, tmp_path / "fresh")
    assert tree(tmp_path / "out") == tree(tmp_path / "fresh")


def test_points_for_more_images_can_follow(folder, tmp_path):
    source, points = folder
    half = Points({name: listed for name, listed in points if name < "06"})
    annotate_folder(source, half, tmp_path / "out")
    summary = annotate_folder(source, points, tmp_path / "out")
    assert summary.resumed == 6
    annotate_folder(source, points, tmp_path / "fresh")
    assert tree(tmp_path / "out") == tree(tmp_path / "fresh")


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), MemoryError()])
def test_job_that_breaks_off_loses_nothing(folder, tmp_path, monkeypatch, error, threads):
    source, points = folder
    write, written = worker.write_whole, []

    def full(path: Path, data: bytes, tag: str, **options: object) -> None:
        if len(written) == 5:
            raise error
        write(path, data, tag, **options)
        written.append(path)

    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(worker, "write_whole", full)
        with pytest.raises(BrokenOffError, match="run the same command again"):
            annotate_folder(source, points, out, threads=threads)
    masks = sorted((out / "masks").rglob("*"))
    assert all(images.read_mask(path).shape == (64, 64) for path in masks if path.is_file())
    assert not (out / "manifest.jsonl").exists()
    annotate_folder(source, points, out, threads=threads)
    annotate_folder(source, points, tmp_path / "fresh")
    assert tree(out) == tree(tmp_path / "fresh")


def test_disk_full_in_the_journal(folder, tmp_path, monkeypatch):
    source, points = folder
    add = FrameJournal.add

    def full(self: FrameJournal, key: tuple[str, int], line: bytes) -> None:
        if self._end > 1200:
            self._file.write(b'{"image": "torn')
            raise OSError(errno.ENOSPC, "No space left on device")
        add(self, key, line)

    with monkeypatch.context() as patch:
        patch.setattr(FrameJournal, "add", full)
        with pytest.raises(BrokenOffError, match="No space left"):
            annotate_folder(source, points, tmp_path / "out")
    summary = annotate_folder(source, points, tmp_path / "out")
    assert 0 < summary.resumed < 12
    annotate_folder(source, points, tmp_path / "fresh")
    assert tree(tmp_path / "out") == tree(tmp_path / "fresh")


def test_only_own_temporaries_are_cleaned(folder, tmp_path):
    source, points = folder
    out = tmp_path / "out"
    (out / "masks/seq").mkdir(parents=True)
    (out / ".journal.jsonl").write_bytes(b"")
    ours = out / "masks/seq/.pointmask-whole-1-2.tmp"
    theirs = out / "masks/seq/.something.tmp"
    ours.write_bytes(b"half")
    theirs.write_bytes(b"keep")
    annotate_folder(source, points, out)
    assert not ours.exists()
    assert theirs.exists()
