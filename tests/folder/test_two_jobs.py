"""Two annotate jobs on one output folder: the second is refused, whoever does what part."""

import json
import subprocess
import sys

import pytest
from tools.folders import scenes, tree

from pointmask.errors import LockedError
from pointmask.folder.job import annotate_folder

folder = pytest.fixture(scenes)

# Stops while it has the folder, until it is told to go on.
JOB = """
import json, sys
from pointmask.folder import worker
from pointmask.folder.job import annotate_folder
from pointmask.io.points.points import Point, Points
work = worker.ImageSource.open
def wait(self, name):
    if name == "05.png":
        print("held", flush=True)
        sys.stdin.readline()
    return work(self, name)
worker.ImageSource.open = wait
source, points, out, shard = json.loads(sys.argv[1])
points = Points({name: tuple(Point(*point) for point in listed) for name, listed in points.items()})
annotate_folder(source, points, out, shard=shard)
"""


def _started(source, points, out, shard):
    listed = {name: [(p.row, p.col) for p in points.by_image[name]] for name in points.by_image}
    arguments = json.dumps([str(source), listed, str(out), shard])
    process = subprocess.Popen(
        [sys.executable, "-c", JOB, arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    return process


def _shard_of(name):
    from pointmask.folder.records.shards import Shard

    return next(index for index in (1, 2) if Shard(index, 2).owns(name))


@pytest.mark.parametrize("shared", [False, True])
def test_a_second_job_is_refused_and_the_first_ends_as_if_alone(folder, tmp_path, shared):
    source, points = folder
    out = tmp_path / "out"
    theirs = _shard_of("05.png")
    first = _started(source, points, out, (theirs, 2) if shared else None)
    try:
        for shard in (None, (theirs, 2)):
            with pytest.raises(LockedError, match=r"another pointmask job is writing to .*wait for it"):
                annotate_folder(source, points, out, shard=shard)
        if shared:
            summary = annotate_folder(source, points, out, shard=(3 - theirs, 2))
            assert summary.missing_shards == (theirs,)
    finally:
        first.communicate("go\n")
    assert first.returncode == 0
    annotate_folder(source, points, tmp_path / "alone")
    assert tree(out) == tree(tmp_path / "alone")


def test_a_job_that_was_killed_leaves_the_folder_free(folder, tmp_path):
    source, points = folder
    first = _started(source, points, tmp_path / "out", None)
    first.kill()
    first.communicate()
    assert annotate_folder(source, points, tmp_path / "out").resumed > 2
    annotate_folder(source, points, tmp_path / "alone")
    assert tree(tmp_path / "out") == tree(tmp_path / "alone")
