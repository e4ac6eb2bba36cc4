"""The folder job on files of many frames: it goes on in the middle of one, and reads each once."""

import pickle

import numpy as np
import pytest
import tifffile
from tools.folders import spot, tree

from pointmask.folder import worker
from pointmask.folder.job import annotate_folder
from pointmask.folder.opened import OpenFiles
from pointmask.folder.tasks import STRETCH, Task
from pointmask.io.images.open import open_source
from pointmask.io.points.points import Point, Points

PAGES = 5 * STRETCH + 3


def place_of(frame):
    return 10 + frame % 20, 12 + frame % 17


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stack") / "images"
    folder.mkdir()
    frames = np.stack([spot(*place_of(k)) for k in range(PAGES)])
    for name in ("a.tif", "b.tif"):
        tifffile.imwrite(folder / name, frames, photometric="minisblack", metadata=None)
    listed = [k for k in range(PAGES) if k != 7]
    keys = [*(f"a.tif#{k}" for k in listed), *(f"b.tif#{k}" for k in listed[:20])]
    points = Points({key: (Point(*place_of(int(key.partition("#")[2]))),) for key in keys})
    annotate_folder(folder, points, folder.with_name("whole"))
    return folder, points, tree(folder.with_name("whole"))


@pytest.mark.parametrize("png", [True, False])
def test_a_stack_goes_on_where_it_was_interrupted(stack, tmp_path, monkeypatch, png):
    folder, points, _ = stack
    real, seen = worker.annotate_one, []

    def stop(*arguments, frame, **options):
        if len(seen) == 50:
            raise KeyboardInterrupt
        seen.append(frame)
        return real(*arguments, frame=frame, **options)

    with monkeypatch.context() as patch:
        patch.setattr(worker, "annotate_one", stop)
        with pytest.raises(KeyboardInterrupt):
            annotate_folder(folder, points, tmp_path / "out", png=png)
    summary = annotate_folder(folder, points, tmp_path / "out", png=png)
    assert summary.resumed == 50 // STRETCH * STRETCH
    assert summary.done == PAGES - 1 + 20 - summary.resumed
    annotate_folder(folder, points, tmp_path / "alone", png=png)
    assert tree(tmp_path / "out") == tree(tmp_path / "alone")


def test_threads_share_a_stack_which_is_read_once(stack, tmp_path, monkeypatch):
    folder, points, whole = stack
    source = open_source(folder)
    opened, real = [], type(source).open

    def note(source, name):
        opened.append(real(source, name))
        return opened[-1]

    monkeypatch.setattr(type(source), "open", note)
    counts = []
    summary = annotate_folder(
        source, points, tmp_path / "out", threads=3, progress=lambda p: counts.append((p.seen, p.total))
    )
    monkeypatch.undo()
    assert tree(tmp_path / "out") == whole
    assert sorted(file.name for file in opened[:2]) == ["a.tif", "b.tif"]
    assert all(file._file.closed for file in opened)
    assert counts[-1] == (PAGES + 19, PAGES + 19)
    assert summary.without_points == ["a.tif#7", "b.tif#7", *(f"b.tif#{k}" for k in range(21, PAGES))]


def test_a_stack_that_ends_early_loses_its_own_frames_alone(stack, tmp_path):
    folder, points, whole = stack
    (tmp_path / "images").mkdir()
    data = (folder / "a.tif").read_bytes()
    (tmp_path / "images/a.tif").write_bytes(data[: len(data) // 2])
    (tmp_path / "images/b.tif").write_bytes((folder / "b.tif").read_bytes())
    summary = annotate_folder(tmp_path / "images", points, tmp_path / "out", threads=2)
    assert len(summary.skipped) == PAGES - 1
    assert {reason.partition(":")[0] for _, reason in summary.skipped} == {"a.tif"}
    assert summary.done == 20
    assert tree(tmp_path / "out/masks").keys() == {
        name.removeprefix("masks/") for name in whole if name.startswith("masks/b")
    }


def test_files_are_kept_open_in_their_own_process_alone(stack):
    source = open_source(stack[0])
    part = Task("a.tif", (), is_part=True)
    files = OpenFiles(source)
    with files.of(part) as one, files.of(part) as other:
        assert one is other
    with files.of(Task("b.tif", (), is_part=True)):
        assert one.file._file.closed
    files.close()
    copy = pickle.loads(pickle.dumps(files))
    with copy.of(part) as one, copy.of(part) as other:
        assert one is not other
    assert one.file._file.closed
