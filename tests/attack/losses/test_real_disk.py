"""Power fails on a real ext4: its loop device is copied while a job runs, and the copy is what is left.

Needs root and loop devices. `power.py` attacks everywhere, and harder, but in no order of a real file system.
"""

import os
import random
import shutil
import subprocess
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from tools.folders import scenes, tree
from tools.kill_job import jobs

from pointmask.folder.records.manifest import read_manifest
from pointmask.folder.records.sealed import FILES, is_intact
from pointmask.io.formats.tables.csv import Csv
from pointmask.io.images.array import read_mask

LOSSES = int(os.environ.get("POINTMASK_LOSSES", "1"))
SIZE = 48 * 2**20  # bytes of a device


class Disk:
    """An ext4 in a file in memory, which may lose its power."""

    def __init__(self, base):
        self._image, self._copy, self._place = base / "disk", base / "copy", base / "mounted"
        self._place.mkdir()

    @contextmanager
    def new(self):
        with self._image.open("wb") as file:
            file.truncate(SIZE)
        subprocess.run(["mkfs.ext4", "-qF", str(self._image)], check=True, capture_output=True)
        with self._mounted(self._image) as place:
            yield place

    @contextmanager
    def failing_after(self, seconds):
        """Copy the device so long after the beginning of the block, and not later than its end."""
        early = threading.Event()

        def fail():
            early.wait(seconds)
            self._copy.write_bytes(self._content())

        thread = threading.Thread(target=fail)
        thread.start()
        try:
            yield
        finally:
            early.set()
            thread.join()

    def _content(self):
        """Read the device twice alike: a copy that takes long holds older blocks beside newer ones."""
        last = b""
        for _ in range(50):
            now = self._image.read_bytes()
            if now == last:
                break
            last = now
        return now

    def left(self):
        """What the device held when the power failed, mounted; its journal is replayed."""
        return self._mounted(self._copy)

    @contextmanager
    def _mounted(self, image):
        subprocess.run(["mount", "-o", "loop", str(image), str(self._place)], check=True, capture_output=True)
        try:
            yield self._place
        finally:
            subprocess.run(["umount", str(self._place)], check=True)


@pytest.fixture
def disk(tmp_path):
    fast = Path("/dev/shm")  # a copy there takes milliseconds, so it is nearly of one moment
    base = (fast if fast.is_dir() else tmp_path) / f"pointmask-{os.getpid()}"
    base.mkdir()
    try:
        disk = Disk(base)
        try:
            with disk.new():
                pass
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"no ext4 can be mounted: {error}")
        yield disk
    finally:
        shutil.rmtree(base)


def check_told(out):
    """Every result that the manifest names is there, and whole."""
    if (out / "manifest.jsonl").exists():
        for entry in read_manifest(out):
            read_mask(out / entry["mask"])
            for path, seal in entry.get(FILES, {}).items():
                assert is_intact(out / path, seal)


def test_annotate(disk, tmp_path):
    draw = random.Random(11)
    source, points = scenes(tmp_path)
    Csv().write(points, tmp_path / "points.csv")
    job = {"images": str(source), "points": str(tmp_path / "points.csv"), "save": ["mask", "soft", "coco"]}
    with jobs("annotate") as run:
        whole = run(job={**job, "out": str(tmp_path / "whole")})
        assert whole["status"] == 0, whole["error"]
        for _ in range(LOSSES):
            with disk.new() as place, disk.failing_after(draw.uniform(0, whole["seconds"])):
                assert run(job={**job, "out": str(place / "out")})["status"] == 0
            with disk.left() as place:
                check_told(place / "out")
                again = run(job={**job, "out": str(place / "out")})
                assert again["status"] == 0, again["error"]
                assert tree(place / "out") == tree(tmp_path / "whole")


@pytest.mark.slow
def test_train(disk, tmp_path):
    pytest.importorskip("torch")
    from tools.trainer.runs import assert_same_run
    from tools.trainer.training import TINY, make_folder

    draw = random.Random(12)
    job = {"data": str(make_folder(tmp_path / "data")), "settings": [*TINY, "strategy.name=full", "epochs=3"]}
    with jobs("train") as run:
        whole = run(job={**job, "out": str(tmp_path / "whole")})
        assert whole["status"] == 0, whole["error"]
        for _ in range(LOSSES):
            with disk.new() as place, disk.failing_after(draw.uniform(0, whole["seconds"])):
                run(job={**job, "out": str(place / "run")}, seconds=draw.uniform(0, 2 * whole["seconds"]))
            with disk.left() as place:
                again = run(job={**job, "out": str(place / "run")})
                assert again["status"] == 0, again["error"]
                assert_same_run(tmp_path / "whole", place / "run")
                assert tree(place / "run").keys() == tree(tmp_path / "whole").keys()
