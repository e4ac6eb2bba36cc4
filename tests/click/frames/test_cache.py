"""Frames are read once, kept while there is room, and read again when their file changes."""

import os
import threading

import numpy as np
import pytest
from tools.folders import save

from pointmask.click.contract.errors import GoneError
from pointmask.click.frames import cache
from pointmask.click.frames.cache import Frames
from pointmask.errors import ImageError
from pointmask.io.images.open import open_source


@pytest.fixture
def folder(tmp_path):
    for k in range(4):
        save(tmp_path / f"{k}.png", np.full((20, 30), k, np.uint8))
    return tmp_path


@pytest.fixture
def reads(monkeypatch):
    """Names of the frames that were decoded."""
    done = []
    read = cache.read_frame

    def counted(images, image, frame, content=None):
        done.append((image, frame))
        return read(images, image, frame, content)

    monkeypatch.setattr(cache, "read_frame", counted)
    return done


def test_a_frame_is_decoded_once(folder, reads):
    frames = Frames(open_source(folder))
    assert frames.peek("2.png", 0) is None
    assert frames.count("2.png") is None
    first = frames.load("2.png", 0)
    assert (first.pixels == 2).all()
    assert frames.load("2.png", 0) is first
    assert frames.peek("2.png", 0) is first
    assert reads == [("2.png", 0)]
    assert frames.count("2.png") == 1


def test_the_least_recently_used_frame_makes_room(folder, reads):
    frames = Frames(open_source(folder), room=2 * 600)
    for name in ("0.png", "1.png", "0.png", "2.png", "0.png", "1.png"):
        frames.load(name, 0)
    assert [name for name, _ in reads] == ["0.png", "1.png", "2.png", "1.png"]


def test_a_frame_above_all_room_is_kept_alone(folder, reads):
    frames = Frames(open_source(folder), room=1)
    frames.load("0.png", 0)
    assert frames.load("0.png", 0) is frames.peek("0.png", 0)
    assert len(reads) == 1


def test_a_changed_file_is_read_again(folder):
    frames = Frames(open_source(folder))
    old = frames.load("0.png", 0)
    save(folder / "0.png", np.full((20, 30), 77, np.uint8))
    os.utime(folder / "0.png", ns=(1, 1))
    assert frames.peek("0.png", 0) is None
    new = frames.load("0.png", 0)
    assert (new.pixels == 77).all()
    assert new.content != old.content
    (folder / "0.png").unlink()
    with pytest.raises(GoneError, match="is gone"):
        frames.load("0.png", 0)


def test_a_copy_that_kept_size_and_time_is_another_file(folder):
    frames = Frames(open_source(folder))
    np.save(folder / "0.npy", np.zeros((20, 30), np.uint8))
    frames.load("0.npy", 0)
    times = (folder / "0.npy").stat()
    with (folder / "0.npy").open("r+b") as file:  # as rsync --inplace --times does
        file.seek(-1, 2)
        file.write(b"M")
    os.utime(folder / "0.npy", ns=(times.st_atime_ns, times.st_mtime_ns))
    assert frames.load("0.npy", 0).pixels[-1, -1] == 77


def test_what_cannot_be_read_is_not_tried_again_until_it_changes(folder, reads):
    (folder / "0.png").write_bytes(b"no image")
    frames = Frames(open_source(folder))
    for _ in range(2):
        with pytest.raises(ImageError, match=r"0\.png"):
            frames.load("0.png", 0)
    assert len(reads) == 1
    assert frames.is_unreadable("0.png")
    save(folder / "0.png", np.full((20, 30), 5, np.uint8))
    assert (frames.load("0.png", 0).pixels == 5).all()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes")
def test_a_pipe_is_not_waited_for(folder):
    os.mkfifo(folder / "p.png")
    with pytest.raises(ImageError, match="a pipe, not a file"):
        Frames(open_source(folder)).load("p.png", 0)


def test_a_drive_that_hangs_costs_a_message_and_not_the_page(folder, monkeypatch):
    hangs, read = threading.Event(), cache.read_frame

    def slow(images, image, frame, content=None):
        if image == "0.png":
            hangs.wait(60)
        return read(images, image, frame, content)

    monkeypatch.setattr(cache, "read_frame", slow)
    monkeypatch.setattr(cache, "AT_ONCE", 1)
    frames = Frames(open_source(folder), patience=0.2)
    try:
        with pytest.raises(ImageError, match=r"0\.png: it is not read within 0\.2 s"):
            frames.load("0.png", 0)
        assert (frames.load("1.png", 0).pixels == 1).all()
    finally:
        hangs.set()


def test_many_ask_at_once_and_one_decodes(folder, reads):
    frames = Frames(open_source(folder))
    got = []
    threads = [threading.Thread(target=lambda: got.append(frames.load("3.png", 0))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 8
    assert len({id(frame) for frame in got}) == 1
    assert len(reads) == 1


def test_frames_are_read_ahead(folder, reads):
    frames = Frames(open_source(folder))
    (folder / "1.png").write_bytes(b"no image")
    frames.read_ahead([("1.png", 0), ("none.png", 0), ("2.png", 0)])
    for thread in threading.enumerate():
        if thread.name == "ahead":
            thread.join()
    assert frames.peek("2.png", 0) is not None
