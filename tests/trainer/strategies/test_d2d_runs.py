"""Whole runs of strategy d2d: neutral settings change nothing, resumed runs end alike, labels follow."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from tools.trainer.d2d import BUSY, config_of, journal_of

torch = pytest.importorskip("torch")

from tools.trainer.runs import PROCESSES, StopError, assert_same_run, stop_after, weights_of
from tools.trainer.training import TINY, make_folder

from pointmask.annotator.image import annotate
from pointmask.errors import PointsError
from pointmask.io.formats import read_points
from pointmask.io.images.array import encode_png, read, read_mask
from pointmask.theta import Theta
from pointmask_trainer.config import load_config
from pointmask_trainer.data.labels import LabelStore
from pointmask_trainer.errors import ConfigError, DataError
from pointmask_trainer.recipes import ABLATIONS
from pointmask_trainer.run.checkpoint import load_model
from pointmask_trainer.run.journal import EpochJournal
from pointmask_trainer.run.state_file import read_tree
from pointmask_trainer.strategies.registry import make_strategy
from pointmask_trainer.training.train import Source, train

NEUTRAL = ("warmup=0", "beta=0", "alpha=off", "theta=frozen", "response=0")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_folder(tmp_path_factory.mktemp("data"), 10)


@pytest.fixture(scope="module")
def bare(folder, tmp_path_factory):
    """Only images and points."""
    root = tmp_path_factory.mktemp("bare")
    (root / "images").symlink_to(folder / "images")
    return root


@pytest.fixture(scope="module")
def pseudo_masks(folder, tmp_path_factory):
    """Masks of the annotator with its default theta, as a folder."""
    root = tmp_path_factory.mktemp("labels")
    for name, points in read_points(folder / "points.csv"):
        image = read(next((folder / "images").glob(f"{name.partition('.')[0]}.*")))
        mask = annotate(image, [(p.row, p.col) for p in points]).mask
        (root / f"{name.partition('.')[0]}.png").write_bytes(encode_png(mask))
    return root


def test_without_any_branch_it_is_strategy_masks_bit_for_bit(folder, pseudo_masks, tmp_path):
    settings = ["epochs=3", "model.name=alclnet"]
    ours = config_of(*NEUTRAL, settings=settings)
    train(ours, Source(root=folder, points=folder / "points.csv"), tmp_path / "d2d")
    theirs = config_of(settings=settings, strategy="masks")
    train(theirs, Source(root=folder, points=folder / "points.csv", masks=pseudo_masks), tmp_path / "masks")
    assert_same_run(tmp_path / "d2d", tmp_path / "masks")


def test_before_the_warmup_ends_neither_weights_nor_theta_are_learned(folder, pseudo_masks, tmp_path):
    source = Source(root=folder, points=folder / "points.csv", masks=pseudo_masks)
    train(config_of("warmup=2", "beta=0"), source, tmp_path / "d2d")
    train(config_of(strategy="masks"), source, tmp_path / "masks")
    assert_same_run(tmp_path / "d2d", tmp_path / "masks")


def test_the_validation_loss_takes_part_from_the_first_step(folder, pseudo_masks, tmp_path):
    source = Source(root=folder, points=folder / "points.csv", masks=pseudo_masks)
    for name, beta, every in (("with", 0.5, 2), ("without", 0, 2), ("never due", 0.5, 1000)):
        options = (f"beta={beta}", f"val_every={every}", "warmup=2")
        train(config_of(*options, settings=["epochs=1"]), source, tmp_path / name)
    weights = {name: weights_of(tmp_path / name) for name in ("with", "without", "never due")}
    same = {
        name: all(torch.equal(weights["without"][key], value) for key, value in found.items())
        for name, found in weights.items()
    }
    assert same == {"with": False, "without": True, "never due": True}


@pytest.mark.parametrize("extra", [(), ("alpha_form=exact", "alpha_fresh=true", "labels=soft")])
@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")
def test_a_resumed_run_ends_like_an_uninterrupted_one(folder, tmp_path, extra):
    """Broken off in the warm-up, while labels are in the making, and after they were swapped."""
    config = config_of(*BUSY, *extra, settings=["epochs=6", "optim.schedule=cosine"])
    source = Source(root=folder, points=folder / "points.csv")
    train(config, source, tmp_path / "whole")
    for epochs in (1, 2, 3, 5):
        with pytest.raises(StopError):
            train(config, source, tmp_path / "parts", resume=True, watcher=stop_after(epochs))
    train(config, source, tmp_path / "parts", resume=True)
    assert_same_run(tmp_path / "whole", tmp_path / "parts")
    cards = [load_model(tmp_path / run / "last")[1].masks for run in ("whole", "parts")]
    assert cards[0] == cards[1]
    assert journal_of(tmp_path / "whole") == journal_of(tmp_path / "parts")
    states = [read_tree(tmp_path / run / "last" / "optimiser.safetensors") for run in ("whole", "parts")]
    assert equal(*states)


def equal(a, b):
    """Whether two trees of tensors and plain values are the same to the last bit; nan is nan."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(equal(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(equal, a, b))
    if isinstance(a, torch.Tensor):
        return a.shape == b.shape and torch.equal(a.nan_to_num(7.5), b.nan_to_num(7.5))
    return a == b


def test_labels_are_made_with_the_learned_theta_and_swapped_an_epoch_later(folder, tmp_path):
    run = tmp_path / "run"
    train(
        config_of(*BUSY, "theta_lr=1.0", "response=0", settings=["epochs=6"]),
        Source(root=folder, points=folder / "points.csv"),
        run,
    )
    lines = journal_of(run)
    assert [line["epoch"] for line in lines] == [1, 2, 3, 4, 5, 6]
    assert [line["epoch"] for line in lines if "theta" in line] == [2, 4]
    assert [(line["epoch"], line["labels"]["version"]) for line in lines if "labels" in line] == [
        (1, 0),
        (3, 1),
        (5, 2),
    ]
    metrics = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [line["labels"] for line in metrics] == [0, 0, 1, 1, 2, 2]
    # The journal alone gives theta back, and theta the labels.
    learned = {k: tuplified(v) for k, v in lines[3]["theta"].items() if k in Theta.__dataclass_fields__}
    theta = Theta.load("default").with_(**learned)
    assert theta != Theta.load("default")
    assert load_model(run / "last")[1].masks.theta == theta  # what draws detected targets, too
    ids = (folder / "img_idx" / "train_scenes.txt").read_text().split()
    points = dict(read_points(folder / "points.csv"))
    shapes = [read(folder / "images" / f"{name}.png").shape for name in ids]
    store = LabelStore(
        {"train": [np.zeros(shape, bool) for shape in shapes], "val": [np.zeros((48, 48), bool)] * 2}
    )
    store.load(run / "labels" / "0002.npz")
    both = either = 0
    for index, name in enumerate(ids):
        image = read(folder / "images" / f"{name}.png")
        mask = annotate(image, [(p.row, p.col) for p in points[name]], theta=theta).mask
        np.testing.assert_array_equal(store.label("train", index) > 0.5, mask)
        truth = read_mask(folder / "masks" / f"{name}.png")
        both, either = both + (mask & truth).sum(), either + (mask | truth).sum()
    assert lines[4]["labels"]["train"] == pytest.approx(both / either)


def tuplified(value):
    return tuple(map(tuplified, value)) if isinstance(value, list) else value


def test_weights_and_losses_are_logged_by_image(folder, tmp_path):
    train(
        config_of(*BUSY, settings=["epochs=4"]),
        Source(root=folder, points=folder / "points.csv"),
        tmp_path / "run",
    )
    lines = journal_of(tmp_path / "run")
    assert all(len(line["loss"]) == len(line["alpha"]) == 8 for line in lines)
    assert lines[0]["alpha"] == [None] * 8
    last = lines[3]["alpha"]
    assert np.mean(last) == pytest.approx(1, abs=1e-4)
    assert np.std(last) > 0
    assert 0.19 < min(last) <= max(last) < 5.01


def test_two_processes_learn_like_one(folder, tmp_path):
    """Up to theta's first update: there, Adam turns rounding errors of a gradient near 0 into whole steps."""
    options = ("warmup=1", "val_every=1", "alpha_every=1")
    settings = ["model.name=mlclnet_small", "epochs=4", "optim.lr=0.001", "augment.crop=16"]
    flags = [*TINY, "strategy.name=d2d", *[f"strategy.options.{o}" for o in options], *settings]
    points = folder / "points.csv"
    train(load_config(settings=flags), Source(root=folder, points=points), tmp_path / "one")
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
    assert len(one) == len(two) == 4
    for ours, theirs in zip(one[:3], two[:3], strict=True):
        assert theirs["loss"] == pytest.approx(ours["loss"], abs=1e-3)
        assert theirs.keys() == ours.keys()
    assert np.std(one[2]["alpha"]) > 1e-2
    assert two[2]["alpha"] == pytest.approx(one[2]["alpha"], abs=3e-3)
    assert two[1]["theta"]["windows"] == one[1]["theta"]["windows"] > 0
    for part in ("offline", "detector"):
        assert two[1]["theta"][part] == pytest.approx(one[1]["theta"][part], abs=1e-3)
    assert two[2]["labels"]["version"] == 1
    assert two[2]["labels"]["train"] == pytest.approx(one[2]["labels"]["train"], abs=0.02)


@pytest.mark.parametrize("extra", [("alpha_signal=residual",), ("beta=0",), ("alpha=off", "labels=soft")])
def test_images_and_points_are_enough(bare, folder, tmp_path, extra):
    source = Source(root=bare, points=folder / "points.csv")
    best = train(config_of(*BUSY, *extra, settings=["epochs=4"]), source, tmp_path / "run")
    assert "val_truth" not in best
    assert journal_of(tmp_path / "run")[0]["labels"] == {"version": 0}
    assert (tmp_path / "run" / "labels" / "0001.npz").exists()


def test_without_points_it_says_so(bare, tmp_path):
    with pytest.raises(PointsError, match="--points"):
        train(config_of(), Source(root=bare), tmp_path / "run")
    rows = [f"scene_{k:03d},," for k in range(10)]
    (tmp_path / "points.csv").write_text("\n".join(["image,x,y", *rows]) + "\n")
    with pytest.raises(DataError, match="train list has a point"):
        train(config_of(), Source(root=bare, points=tmp_path / "points.csv"), tmp_path / "run")


@pytest.mark.parametrize("option", ["warmup=-1", "rho=1.5", "theta_steps=0", "alpha=maybe", "betta=1"])
def test_options_are_checked(option):
    with pytest.raises(ConfigError, match=option.partition("=")[0]):
        make_strategy("d2d", config_of(option).strategy.options)


@pytest.mark.parametrize("name", ABLATIONS)
def test_every_ablation_is_a_config(name):
    config = load_config(preset="cpu", file=name, settings=["epochs=7"])
    assert config.epochs == 7
    make_strategy(config.strategy.name, config.strategy.options)


def test_a_journal_is_cut_and_survives_a_cut_line(tmp_path):
    journal = EpochJournal(tmp_path / "j.jsonl")
    journal.cut(3)
    journal.append(0, {})
    assert not journal.path.exists()
    for epoch in (1, 2, 3):
        journal.append(epoch, {"value": epoch / 2})
    with journal.path.open("a") as file:
        file.write('{"epoch": 4, "val')
    journal.cut(2)
    assert journal.read() == [{"epoch": 1, "value": 0.5}, {"epoch": 2, "value": 1.0}]


@pytest.mark.parametrize(("epochs", "expected"), [(400, (80, 20)), (60, (12, 5)), (20, (4, 3)), (1, (0, 3))])
def test_branches_begin_after_a_fifth_of_the_epochs_as_published(epochs, expected):
    assert make_strategy("d2d", {}).options.timing(epochs) == expected
    assert make_strategy("d2d", {"warmup": 7, "theta_every": 2}).options.timing(epochs) == (7, 2)
