"""Predicting and training are killed, or the power fails, again and again: nothing that was done is lost."""

import json
import os
import random
import shutil
from pathlib import Path

import pytest
from attack.losses import power
from tools.folders import save, tree
from tools.kill_job import jobs

pytest.importorskip("torch")

from tools.trainer.runs import assert_same_files, assert_same_run
from tools.trainer.training import TINY, make_folder

from pointmask.synth.scenes import make_scenes

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="files are seen through /proc")

LOSSES = int(os.environ.get("POINTMASK_LOSSES", "2"))
MANY = LOSSES > 2  # which takes minutes
WAYS = ("kill", "power")
STRATEGIES = {  # labels that are learnt have files of their own; gsacp has a teacher
    "full": (),
    "lesps": ("begin=0", "every=1"),
    "d2d": ("warmup=1", "theta_every=1", "val_every=1", "alpha_every=1", "theta_images=3"),
    "gsacp": ("probe_every=1", "ramp=0"),
}


@pytest.fixture(scope="module")
def predict(tmp_path_factory):
    base = tmp_path_factory.mktemp("predict")
    for k, scene in enumerate(make_scenes(24, 3, shape=(64, 64))):
        save(base / f"images/{k:02d}.png", scene.image)
    with jobs("predict") as ask:
        yield lambda out, **request: ask(job={"images": str(base / "images"), "out": str(out)}, **request)


@pytest.fixture(scope="module")
def train(tmp_path_factory):
    data = make_folder(tmp_path_factory.mktemp("train") / "data")
    with jobs("train") as ask:

        def run(out, settings, **request):
            return ask(job={"data": str(data), "out": str(out), "settings": settings}, **request)

        yield run


def interrupt(run, out, whole, way, draw, *arguments):
    """Do a job until it is killed, and lose what the disk does not hold; return the answer."""
    mirror, watch = out.with_name("mirror"), {}
    if way == "power":
        watch = {"watch": str(mirror)}
        out.mkdir(exist_ok=True)
    moment = {"seconds": draw.uniform(0, whole["seconds"])}
    if way == "power" or draw.random() < 0.5:
        moment = {"event": draw.randrange(1, whole["changes"])}
    answer = run(out, *arguments, **moment, **watch)
    assert answer["killed"] or not answer["status"], answer["error"]
    if way == "power":
        power.lose(out, mirror, draw)
    return answer


@pytest.mark.parametrize("way", WAYS)
def test_predict(predict, tmp_path, way):
    draw, kills = random.Random(2), 0
    whole = predict(tmp_path / "whole")
    expected = tree(tmp_path / "whole")
    while kills < LOSSES:
        out = tmp_path / "out"
        shutil.rmtree(out, ignore_errors=True)
        for _ in range(draw.randrange(1, 4)):
            kills += interrupt(predict, out, whole, way, draw)["killed"]
        last = predict(out)
        assert last["status"] == 0, last["error"]
        assert tree(out) == expected


@pytest.mark.parametrize("strategy", STRATEGIES if MANY else ("full", "lesps"))
@pytest.mark.parametrize("way", WAYS)
def test_train(train, tmp_path, strategy, way):
    options = [f"strategy.options.{option}" for option in STRATEGIES[strategy]]
    settings = [*TINY, f"strategy.name={strategy}", "epochs=4", *options]
    draw, kills = random.Random(3), 0
    whole = train(tmp_path / "whole", settings)
    assert whole["status"] == 0, whole["error"]
    while kills < LOSSES:
        out, told = tmp_path / "out", 0
        shutil.rmtree(out, ignore_errors=True)
        for _ in range(draw.randrange(1, 4)):
            answer = interrupt(train, out, whole, way, draw, settings)
            kills += answer["killed"]
            told = max(told, answer["done"])
            assert last_epoch(out) >= told, "an epoch that was said to be done is lost"
        answer = train(out, settings)
        assert answer["status"] == 0, answer["error"]
        assert_same_run(tmp_path / "whole", out)
        assert_same_files(tmp_path / "whole", out)


def last_epoch(out):
    """The epoch of the last checkpoint; one of its two names is there."""
    for name in ("last", ".last.old"):
        if (out / name / "state.json").exists():
            return json.loads((out / name / "state.json").read_text())["epoch"]
    return 0
