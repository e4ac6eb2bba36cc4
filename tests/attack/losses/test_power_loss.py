"""The power fails in the middle, again and again: nothing that was said to be done is missing or damaged."""

import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from attack.losses import power
from tools.folders import copies, tree
from tools.kill_job import jobs

from pointmask.folder.records.manifest import parse
from pointmask.io.files import write_whole
from pointmask.io.formats.tables.csv import Csv
from pointmask.io.images.array import read_mask
from pointmask.io.lines import append_line
from pointmask.io.points.points import Points

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="files are seen through /proc")

LOSSES = int(os.environ.get("POINTMASK_LOSSES", "6"))
IMAGES = 40


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    base = tmp_path_factory.mktemp("power")
    listed = copies(base, IMAGES)
    Csv().write(Points(listed), base / "points.csv")
    Csv().write(Points({name: listed[name][:1] for name in list(listed)[::2]}), base / "fewer.csv")
    return base


@pytest.fixture(scope="module")
def run(folder):
    """Do a job in a fork of a process that has everything loaded; see `tools.kill_job`."""
    with jobs("annotate") as zygote:

        def ask(out, points="points.csv", *, event=None, watch=None, **options):
            job = {
                "images": str(folder / "images"),
                "points": str(folder / points),
                "out": str(out),
                **options,
            }
            return zygote(job=job, event=event, watch=None if watch is None else str(watch))

        yield ask


def check_manifest(out):
    """Every mask that the manifest names is there, and whole."""
    if not (out / "manifest.jsonl").exists():
        return
    for line in (out / "manifest.jsonl").read_bytes().splitlines():
        entry = parse(line)
        assert entry is not None
        if entry["status"] == "done" and entry["mask"]:
            read_mask(out / entry["mask"])


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"save": ["mask", "soft", "rle"], "threads": 2},
        {"png": False},
        {"save": ["mask", "labelme", "coco"]},
    ],
    ids=["masks", "more", "lines", "documents"],
)
def test_annotate_goes_on_after_the_power_failed(run, tmp_path, options):
    draw = random.Random(5)
    changes = run(tmp_path / "whole", **options)["changes"]
    whole = tree(tmp_path / "whole")
    out, mirror = tmp_path / "out", tmp_path / "mirror"
    for _ in range(LOSSES):
        shutil.rmtree(out, ignore_errors=True)
        for _ in range(draw.randrange(1, 4)):  # the second failure falls into the recovery from the first
            out.mkdir(exist_ok=True)
            answer = run(out, event=draw.randrange(1, changes), watch=mirror, **options)
            power.lose(out, mirror, draw)
            if not answer["killed"]:
                check_manifest(out)
        answer = run(out, **options)
        assert answer["status"] == 0, answer["error"]
        assert tree(out) == whole


def test_what_is_replaced_is_not_vouched_for(run, tmp_path):
    """With --overwrite, the old manifest must not name masks that are new, or lost."""
    draw = random.Random(6)
    run(tmp_path / "old")
    changes = run(tmp_path / "whole", "fewer.csv", theta="paper", save=["mask"])["changes"]
    whole = tree(tmp_path / "whole")
    out, mirror = tmp_path / "out", tmp_path / "mirror"
    for _ in range(LOSSES):
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(tmp_path / "old", out)
        new = {"points": "fewer.csv", "theta": "paper", "save": ["mask"]}
        overwrite = True
        for _ in range(draw.randrange(1, 3)):
            answer = run(out, event=draw.randrange(1, changes), watch=mirror, overwrite=overwrite, **new)
            power.lose(out, mirror, draw)
            check_manifest(out)
            overwrite = not (out / "theta.toml").exists() or b"paper" not in (out / "theta.toml").read_bytes()
        answer = run(out, overwrite=True, **new)
        assert answer["status"] == 0, answer["error"]
        assert tree(out) == whole


def test_a_training_state_is_the_old_one_or_the_new_one(tmp_path):
    """After each failure, the last checkpoint that was said to be saved is there, or a later one."""
    pytest.importorskip("torch")
    code = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from pathlib import Path
from attack.losses import power
from pointmask_trainer.config import ModelConfig
from pointmask_trainer.data.normalisation import Normalisation
from pointmask_trainer.detectors.registry import build
from pointmask_trainer.run.checkpoint import ModelCard, TrainingState, load_last, save_last
from pointmask_trainer.run.journal import EpochJournal
from pointmask_trainer.run.progress import Progress
import os, random, torch
torch.set_num_threads(1)
run, mirror, seed = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
model = build("acm_unet")
card = ModelCard(ModelConfig(name="acm_unet"), Normalisation(1.0, 1.0), {{}})
found = load_last(run, model)
epoch = 0 if found is None else found.progress.epoch
journal = EpochJournal(run / "metrics.jsonl")
lines = [line["epoch"] for line in journal.read()]
assert lines[:epoch] == list(range(1, epoch + 1)), (epoch, lines)
assert found is None or float(found.optimiser["x"][0]) == epoch
print("read", epoch, flush=True)
power.watch(run, mirror)
journal.cut(epoch)
draw, left = random.Random(seed), None
left = draw.randrange(1, 60)
def count(name, arguments):
    global left
    if name in ("os.rename", "os.remove", "os.rmdir") or (name == "open" and arguments[2] & 3):
        left -= 1
        if not left:
            os.kill(os.getpid(), 9)
sys.addaudithook(count)
while True:
    epoch += 1
    journal.append(epoch, {{"loss": 1.0}})
    save_last(run, model, card, TrainingState({{"x": torch.full((9,), float(epoch))}}, Progress(epoch=epoch)))
    print("saved", epoch, flush=True)
"""
    run, mirror, draw, saved = tmp_path / "run", tmp_path / "mirror", random.Random(1), 0
    run.mkdir()
    for seed in range(LOSSES):
        done = subprocess.run(
            [sys.executable, "-c", code, str(run), str(mirror), str(seed)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == -signal.SIGKILL, done.stderr
        said = [line.split() for line in done.stdout.splitlines()]
        assert said[0][0] == "read"
        assert int(said[0][1]) >= saved, "a checkpoint that was said to be saved is gone"
        saved = int(said[-1][1])
        power.lose(run, mirror, draw)


def test_the_disk_that_forgets_does_forget(tmp_path):
    """Else the tests above would prove nothing: a file that nobody waited for is lost now and then."""
    code = f"""
import os, sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from pathlib import Path
from attack.losses import power
from pointmask.io.files import write_whole
power.watch(Path(sys.argv[1]), Path(sys.argv[2]))
for k in range(20):
    write_whole(Path(sys.argv[1]) / f"safe{{k}}", b"new")
    write_whole(Path(sys.argv[1]) / f"hasty{{k}}", b"new", durable=False)
os._exit(0)
"""
    out, mirror = tmp_path / "out", tmp_path / "mirror"
    write_whole(out / "safe0", b"old")
    append_line(out / "lines", b"old\n")
    subprocess.run([sys.executable, "-c", code, str(out), str(mirror)], check=True)
    power.lose(out, mirror, random.Random(3))
    found = tree(out)
    assert all(found[f"safe{k}"] == b"new" for k in range(20))
    assert len([name for name, data in found.items() if name.startswith("hasty") and data == b"new"]) < 18
