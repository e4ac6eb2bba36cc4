"""``kill -9`` at any moment: nothing half-written under a final name, and the same bytes after a resume."""

import os
import random
import shutil
from pathlib import Path

import pytest
from tools.folders import copies, tree
from tools.kill_job import jobs

from pointmask.folder.records.manifest import parse
from pointmask.io.formats.tables.csv import Csv
from pointmask.io.images.array import read_mask
from pointmask.io.points.points import Points
from pointmask.theta import Theta

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="jobs are forked")

KILLS = int(os.environ.get("POINTMASK_KILLS", "20"))
IMAGES = 120


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of copies of one scene, and its points."""
    base = tmp_path_factory.mktemp("kill")
    Csv().write(Points(copies(base, IMAGES)), base / "points.csv")
    return base


@pytest.fixture(scope="module")
def run(folder):
    """Do a job in a fork of a process that has everything loaded."""
    with jobs("annotate") as zygote:

        def ask(out, moment=None, **options):
            job = {
                "images": str(folder / "images"),
                "points": str(folder / "points.csv"),
                "out": str(out),
                **options,
            }
            return zygote(job=job, **(moment or {}))

        ask(folder / "first")  # writes caches that no later job writes
        yield ask


def _check_whole(out: Path, whole: dict[str, bytes]) -> None:
    """Everything that bears a final name is complete, and what it will be in the end."""
    for name, data in tree(out).items():
        last = Path(name).name
        if last.startswith("."):
            assert last.startswith((".pointmask-", ".journal", ".documents.json"))
            continue
        assert data == whole[name], f"{name} is not what it will be"
        if name.endswith(".png"):
            assert read_mask(out / name).shape == (64, 64)
        elif name.endswith(".jsonl"):
            assert data.endswith(b"\n")
            assert name == "masks.jsonl" or all(parse(line) for line in data.splitlines())
        elif name.endswith(".toml"):
            assert Theta.load(out / name)


@pytest.mark.parametrize(
    "options",
    [{}, {"png": False}, {"threads": 2, "save": ["soft", "rle"], "report": True}],
    ids=["images", "lines", "both"],
)
def test_killed_at_random_moments(run, tmp_path, options):
    draw = random.Random(7)
    first = run(tmp_path / "whole", **options)
    assert first["status"] == 0
    whole = tree(tmp_path / "whole")
    out, kills, finished = tmp_path / "out", 0, 0
    while kills < KILLS or not finished:
        # A third by the clock, a third at any change of the file system, a third while publishing.
        late = first["changes"] - draw.randrange(8)
        moment = (
            draw.choice(
                [
                    {"seconds": draw.uniform(0, 0.6 * first["seconds"])},
                    {"event": draw.randrange(1, first["changes"])},
                    {"event": late if not (out / ".journal.jsonl").exists() else draw.randrange(1, 16)},
                ]
            )
            if kills < KILLS
            else None
        )
        answer = run(out, moment, **options)
        _check_whole(out, whole)
        if answer["killed"]:
            kills += 1
            continue
        assert answer["status"] == 0
        assert tree(out) == whole
        finished += 1
        shutil.rmtree(out)


def test_killed_at_every_step_of_publishing(run, tmp_path):
    """Without mask images all changes of the file system are those of beginning and publishing."""
    first = run(tmp_path / "out", png=False)
    whole = tree(tmp_path / "out")
    for step in range(1, first["changes"] + 1):
        shutil.rmtree(tmp_path / "out")
        assert run(tmp_path / "out", {"event": step}, png=False)["killed"]
        _check_whole(tmp_path / "out", whole)
        # Where the manifest is, the masks are.
        names = set(tree(tmp_path / "out"))
        assert "masks.jsonl" in names or "manifest.jsonl" not in names
        assert run(tmp_path / "out", png=False)["status"] == 0
        assert tree(tmp_path / "out") == whole
