"""Whole runs of lesps and pal: they resume alike, in several processes too; labels follow, points stay."""

import json
import os
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from tools.trainer.d2d import config_of, journal_of

torch = pytest.importorskip("torch")

from tools.trainer.runs import PROCESSES, StopError, assert_same_run, stop_after
from tools.trainer.training import TINY, make_folder

from pointmask.io.formats import read_points
from pointmask_trainer.config import load_config
from pointmask_trainer.data.saved_labels import open_labels
from pointmask_trainer.errors import DataError
from pointmask_trainer.recipes import VARIANTS
from pointmask_trainer.strategies.evolving.pal import PAL
from pointmask_trainer.strategies.registry import make_strategy
from pointmask_trainer.training.train import Source, train

RUNS = {
    "lesps": ("begin=1", "every=2"),
    "lesps from masks": ("begin=1", "every=2", "start=annotator", "order=union", "decay=0.9"),
    "lesps by loss": ("begin_loss=1e6", "every=2", "stop_area=20"),
    "pal": ("every=1", "easy_confidence=0"),
    "pal from masks": ("every=1", "easy=annotator", "easy_confidence=0.6"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_folder(tmp_path_factory.mktemp("data"), 12)


def settings_of(name, *settings):
    return config_of(*RUNS[name], settings=["epochs=6", *settings], strategy=name.split()[0])


def source_of(folder):
    return Source(root=folder, points=folder / "points.csv")


def labels_of(run, version):
    """Labels of the train list as they are stored, by their index."""
    count = len((run / "train.txt").read_text().split())
    with open_labels(run / "labels" / f"{version:04d}.npz") as saved:
        return [saved.stored("train", k) for k in range(count)]


@pytest.mark.parametrize("name", RUNS)
def test_a_resumed_run_ends_like_an_uninterrupted_one(folder, tmp_path, name):
    config, source = settings_of(name), source_of(folder)
    train(config, source, tmp_path / "whole")
    for epochs in (1, 3, 4):
        with pytest.raises(StopError):
            train(config, source, tmp_path / "parts", resume=True, watcher=stop_after(epochs))
    train(config, source, tmp_path / "parts", resume=True)
    assert_same_run(tmp_path / "whole", tmp_path / "parts")
    assert journal_of(tmp_path / "whole") == journal_of(tmp_path / "parts")
    last = json.loads((tmp_path / "whole" / "metrics.jsonl").read_text().splitlines()[-1])["labels"]
    assert last >= 2
    for ours, theirs in zip(*(labels_of(tmp_path / run, last) for run in ("whole", "parts")), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_lesps_keeps_its_points_and_validation_labels_never_change(folder, tmp_path):
    train(settings_of("lesps"), source_of(folder), tmp_path / "run")
    ids = (tmp_path / "run" / "train.txt").read_text().split()
    points = dict(read_points(folder / "points.csv"))
    first, last = labels_of(tmp_path / "run", 0), labels_of(tmp_path / "run", 3)
    for name, before, after in zip(ids, first, last, strict=True):
        places = tuple(np.array([(p.row, p.col) for p in points[name]]).T)
        assert (after[places] == 65535).all()
        assert int((before > 0).sum()) == len(np.unique(np.stack(places), axis=1).T)
    assert any((a != b).any() for a, b in zip(first, last, strict=True))
    with (
        open_labels(tmp_path / "run" / "labels" / "0000.npz") as one,
        open_labels(tmp_path / "run" / "labels" / "0003.npz") as other,
    ):
        for k in range(2):
            np.testing.assert_array_equal(one.stored("val", k), other.stored("val", k))
            assert (one.stored("val", k) > 0).sum() > 4  # masks, and no bare points
    lines = journal_of(tmp_path / "run")
    assert [line["epoch"] for line in lines if "labels" in line] == [1, 2, 4, 6]
    assert [line["labels"]["version"] for line in lines if "labels" in line] == [0, 1, 2, 3]
    assert lines[0]["labels"]["area"] == pytest.approx(1, abs=0.05)
    assert set(lines[0]["labels"]) == {"version", "area", "train"}


def test_a_growing_label_is_stopped(folder, tmp_path):
    options = ("begin=1", "every=1", "start=annotator", "stop_area=1e-6")
    train(config_of(*options, settings=["epochs=3"], strategy="lesps"), source_of(folder), tmp_path / "run")
    first, last = labels_of(tmp_path / "run", 0), labels_of(tmp_path / "run", 2)
    assert all((a == b).all() for a, b in zip(first, last, strict=True))


class Watched(PAL):
    """Notes what is trained on and what is active, epoch by epoch."""

    def start(self, training):
        super().start(training)
        self.seen, self.pools = {}, {}

    def after_step(self, training, batch, maps, losses):
        super().after_step(training, batch, maps, losses)
        self.seen.setdefault(training.epoch, set()).update(batch.indices.tolist())
        self.pools[training.epoch] = set(self.active(training))


def test_hard_images_are_not_trained_on_and_none_that_joined_leaves(folder, tmp_path, monkeypatch):
    made = []

    def make(name, options):
        strategy = make_strategy(name, options)
        made.append(Watched(strategy.options))
        return made[-1]

    monkeypatch.setattr("pointmask_trainer.training.prepare.make_strategy", make)
    options = ("every=1", "miss=1", "false=1000", "easy=annotator", "easy_confidence=0.75")
    train(config_of(*options, settings=["epochs=5"], strategy="pal"), source_of(folder), tmp_path / "run")
    (strategy,) = made
    pools = [strategy.pools[epoch] for epoch in range(5)]
    assert all(strategy.seen[epoch] <= pools[epoch] for epoch in range(5))
    assert all(earlier <= later for earlier, later in pairwise(pools))
    assert 0 < len(pools[0]) < len(pools[4]) == 10
    lines = journal_of(tmp_path / "run")
    counts = [line["pool"] for line in lines]
    assert [sum(count.values()) for count in counts] == [10] * 5
    assert counts[0]["admitted"] == 0 < counts[-1]["admitted"]
    assert lines[-1]["hard_images"] == []
    assert {epoch for epoch in lines[-1]["admission"] if epoch > 0} <= {2, 3, 4}


def test_without_an_easy_image_it_says_what_helps(folder, tmp_path):
    with pytest.raises(DataError, match="set it to annotator"):
        train(config_of("canny_high=4000", strategy="pal"), source_of(folder), tmp_path / "run")


@pytest.mark.parametrize("name", ["lesps", "pal"])
def test_without_points_it_says_so(folder, tmp_path, name):
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "images").symlink_to(folder / "images")
    rows = [f"scene_{k:03d},," for k in range(12)]
    (tmp_path / "points.csv").write_text("\n".join(["image,x,y", *rows]) + "\n")
    with pytest.raises(DataError, match="train list has a point"):
        train(
            config_of(strategy=name),
            Source(root=tmp_path / "bare", points=tmp_path / "points.csv"),
            tmp_path / "run",
        )


SHORT = {
    "lesps": ("begin=0", "every=1"),
    "pal": ("every=1", "miss=1", "false=1000", "easy=annotator", "easy_confidence=0.75"),
}


@pytest.mark.parametrize("name", SHORT)
def test_two_processes_learn_like_one(folder, tmp_path, name):
    options = [f"strategy.options.{option}" for option in SHORT[name]]
    # Adam would turn rounding errors of gradients near 0 into whole steps.
    settings = ["epochs=3", "optim.name=sgd", "optim.lr=0.001", "loss.focal_norm=ones", "augment.crop=16"]
    settings += ["model.name=mlclnet_small"]  # without dropout
    flags = [*TINY, f"strategy.name={name}", *options, *settings]
    points = folder / "points.csv"
    train(load_config(settings=flags), source_of(folder), tmp_path / "one")
    script = tmp_path / "run.py"
    script.write_text(
        PROCESSES.replace("Path(sys.argv[1]))", f"Path(sys.argv[1]), points=Path({str(points)!r}))")
    )
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    finished = subprocess.run(
        [*launch, str(script), str(folder), str(tmp_path / "two"), *flags],
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert finished.returncode == 0, finished.stderr[-2000:]
    one, two = journal_of(tmp_path / "one"), journal_of(tmp_path / "two")
    for ours, theirs in zip(one, two, strict=True):
        lists = [np.array(line["loss"], float) for line in (ours, theirs)]  # None: not drawn
        # lesps: labels agree (below), but rounding may decide which are exactly 1; `ones` divides by these.
        np.testing.assert_allclose(*lists, rtol=1e-2 if name == "lesps" else 1e-3, atol=1e-4)
        assert theirs.get("pool") == ours.get("pool")
    if name == "pal":
        assert one[-1]["pool"]["admitted"] > 0
    version = max(line["labels"]["version"] for line in one if "labels" in line)
    assert version >= 1
    for ours, theirs in zip(*(labels_of(tmp_path / run, version) for run in ("one", "two")), strict=True):
        assert np.abs(ours.astype(int) - theirs.astype(int)).max() <= 7  # 1e-4 of 65535


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_is_a_config(name):
    config = load_config(preset="cpu", file=name, settings=["epochs=7"])
    assert config.epochs == 7
    make_strategy(config.strategy.name, config.strategy.options)


@pytest.mark.parametrize(("name", "loss"), [("lesps", "focal"), ("pal", "eedm")])
def test_a_strategy_brings_its_loss_unless_another_is_set(name, loss):
    settings = [f"strategy.name={name}"]
    assert load_config(preset="cpu", settings=settings).loss.name == loss
    assert load_config(settings=[*settings, "loss.name=bce"]).loss.name == "bce"
    assert load_config(preset=name).loss.name == loss
    assert load_config(preset=name).strategy.name == name


def test_labels_of_scenes_grow_towards_the_truth(tmp_path):
    folder = make_folder(tmp_path / "data", 24)
    options = ("begin=10", "every=2")
    settings = ["epochs=30", "model.prior=0.02", "augment.positive=1.0"]
    train(config_of(*options, settings=settings, strategy="lesps"), source_of(folder), tmp_path / "run")
    scores = [line["labels"]["train"] for line in journal_of(tmp_path / "run") if "labels" in line]
    assert max(scores) > 2 * scores[0]
