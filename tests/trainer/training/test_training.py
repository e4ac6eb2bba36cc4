"""Whole runs on built-in scenes: they resume alike, keep what is good, and say what is wrong."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from tools.trainer.runs import PROCESSES, StopError, assert_same_run, metrics_of, stop_after, weights_of

torch = pytest.importorskip("torch")

from tools.trainer.training import TINY, make_folder

from pointmask.io.images.array import encode_png
from pointmask.metrics.counters import Score, score
from pointmask_trainer.config import load_config
from pointmask_trainer.data.folder import find_images, split_ids
from pointmask_trainer.data.split import load_masks, load_split
from pointmask_trainer.detectors.registry import build
from pointmask_trainer.errors import CheckpointError, DataError, TrainingError
from pointmask_trainer.inference.tiles import predict_pool
from pointmask_trainer.run.checkpoint import load_model
from pointmask_trainer.run.choice import best_of
from pointmask_trainer.run.layout import RunFolder
from pointmask_trainer.training.loop import Loop
from pointmask_trainer.training.optimiser import make_optimiser, set_rate
from pointmask_trainer.training.train import Source, Watcher, train


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_folder(tmp_path_factory.mktemp("data"), 10)


def config_of(*settings, strategy="full"):
    return load_config(settings=[*TINY, f"strategy.name={strategy}", *settings])


@pytest.mark.parametrize("strategy", ["full", "masks", "point"])
def test_a_run_writes_what_it_says(folder, tmp_path, strategy):
    source = Source(root=folder, masks=folder if strategy == "masks" else None, points=folder / "points.csv")
    best = train(config_of(strategy=strategy), source, tmp_path / "run")
    assert sorted(p.name for p in (tmp_path / "run").iterdir()) == [
        "best",
        "config.toml",
        "last",
        "metrics.jsonl",
        "report.html",
        "source.json",
        "train.txt",
        "val.txt",
    ]
    metrics = metrics_of(tmp_path / "run")
    assert [line["epoch"] for line in metrics] == [1, 2]
    assert {"val_labels", "val_truth"} <= set(metrics[0])
    count = len((tmp_path / "run" / "val.txt").read_text().split())
    chosen = best_of(metrics, lambda line: line["val_labels"]["iou"], count)
    assert (best["epoch"], best["val_labels"]) == (chosen["epoch"], chosen["val_labels"])
    model, card = load_model(tmp_path / "run")
    assert card.facts["epoch"] == best["epoch"]
    assert not model.training


def test_the_same_seed_gives_the_same_weights_and_another_does_not(folder, tmp_path):
    source = Source(root=folder)
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        train(config_of(f"seed={seed}"), source, tmp_path / name)
    assert_same_run(tmp_path / "a", tmp_path / "b")
    first, other = weights_of(tmp_path / "a"), weights_of(tmp_path / "c")
    assert any(not torch.equal(first[key], other[key]) for key in first)


@pytest.mark.parametrize("extra", [(), ("optim.average=0.9", "model.normalisation=image")])
def test_a_resumed_run_ends_like_an_uninterrupted_one(folder, tmp_path, extra):
    settings = ("epochs=4", "optim.schedule=cosine", "augment.scale=0.2", "augment.noise=0.1")
    config = config_of(*settings, *extra)
    source = Source(root=folder)
    train(config, source, tmp_path / "whole")
    for epochs in (1, 3):
        with pytest.raises(StopError):
            train(config, source, tmp_path / "parts", resume=True, watcher=stop_after(epochs))
    train(config, source, tmp_path / "parts", resume=True)
    assert_same_run(tmp_path / "whole", tmp_path / "parts")


def test_a_killed_run_goes_on_to_the_same_bits(folder, tmp_path):
    """kill -9 at three moments, wherever the run is then."""
    settings = [*TINY, "strategy.name=full", "epochs=5"]
    train(load_config(settings=settings), Source(root=folder), tmp_path / "whole")
    flags = [flag for setting in settings for flag in ("--set", setting)]
    command = [
        sys.executable,
        "-m",
        "pointmask",
        "train",
        str(folder),
        *flags,
        "--preset",
        "none",
        "--resume",
    ]
    run = tmp_path / "killed"
    for line_count in (1, 2, 3):
        process = subprocess.Popen(
            [*command, "--out", str(run)], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 120
        metrics = run / "metrics.jsonl"
        while not (metrics.exists() and len(metrics.read_text().splitlines()) >= line_count):
            assert process.poll() is None, "it ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.002)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    train(load_config(settings=settings), Source(root=folder), run, resume=True)
    assert_same_run(tmp_path / "whole", run)


def test_settings_and_data_of_a_run_cannot_change_under_it(folder, tmp_path):
    run = tmp_path / "run"
    source = Source(root=folder)
    train(config_of("epochs=1"), source, run)
    with pytest.raises(CheckpointError, match="--resume"):
        train(config_of("epochs=1"), source, run)
    with pytest.raises(CheckpointError, match="optim"):
        train(config_of("epochs=1", "optim.lr=0.5"), source, run, resume=True)
    with pytest.raises(CheckpointError, match="other labels"):
        train(config_of("epochs=1"), Source(root=folder, include="scene_00[1-9]"), run, resume=True)


def test_a_loss_that_is_no_number_names_its_images_and_keeps_the_checkpoint(folder, tmp_path, monkeypatch):
    run, config, source = tmp_path / "run", config_of("epochs=3"), Source(root=folder)
    with pytest.raises(StopError):
        train(config, source, run, watcher=stop_after(1))
    good = weights_of(run)
    losses = Loop.losses

    def broken(loop, batch):
        values, maps = losses(loop, batch)
        return torch.where(batch.indices == 5, torch.nan, values), maps

    monkeypatch.setattr(Loop, "losses", broken)
    with pytest.raises(TrainingError, match=r"scene_005 is not a finite number in epoch 2.*--resume"):
        train(config, source, run, resume=True)
    assert all(torch.equal(good[key], value) for key, value in weights_of(run).items())


def test_weights_of_another_model_are_refused(folder, tmp_path):
    run = tmp_path / "run"
    train(config_of("epochs=1"), Source(root=folder), run)
    text = (run / "config.toml").read_text()
    (run / "config.toml").write_text(text.replace("acm_unet", "mlclnet_small"))
    with pytest.raises(CheckpointError, match="another model than MLCLNet"):
        train(config_of("epochs=1", "model.name=mlclnet_small"), Source(root=folder), run, resume=True)


@pytest.mark.parametrize("name", ["model.safetensors", "optimiser.safetensors", "state.json"])
def test_damaged_checkpoints_are_explained(folder, tmp_path, name):
    run = tmp_path / "run"
    train(config_of("epochs=1"), Source(root=folder), run)
    path = run / "last" / name
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(CheckpointError, match="damaged"):
        train(config_of("epochs=1"), Source(root=folder), run, resume=True)


def test_nothing_is_unpickled_from_a_checkpoint(folder, tmp_path):
    run = tmp_path / "run"
    train(config_of("epochs=1"), Source(root=folder), run)
    marker = tmp_path / "was_run"

    class Evil:
        def __reduce__(self):
            return Path.touch, (marker,)

    torch.save({"optimiser": Evil()}, run / "last" / "optimiser.pt")  # as runs of versions up to 0.1 have it
    with pytest.raises(CheckpointError, match=r"optimiser\.pt needs .* to be read.*can run code"):
        train(config_of("epochs=1"), Source(root=folder), run, resume=True)
    assert not marker.exists()


def test_training_without_targets_is_refused(tmp_path):
    folder = make_folder(tmp_path / "data", 6)
    for file in (folder / "masks").iterdir():
        file.write_bytes(encode_png(np.zeros((48, 48), bool)))
    with pytest.raises(DataError, match="empty"):
        train(config_of(), Source(root=folder), tmp_path / "run")
    assert not (tmp_path / "run" / "last").exists()


def test_it_learns(folder, tmp_path):
    """A short training finds most pixels of the targets that it has seen."""
    still = ("augment.flip=false", "augment.transpose=false", "augment.crop=48")
    config = config_of("epochs=150", "batch=8", "run.validate_every=150", *still)
    train(config, Source(root=folder), tmp_path / "run")
    model, card = load_model(tmp_path / "run" / "last")
    images = find_images(folder)
    split = load_split("train", split_ids(folder, images)[0], images, None)
    masks, total = load_masks(split, folder), Score()
    for index, probabilities in predict_pool(model, split.images, card.normalisation):
        total += score(probabilities.numpy() > 0.5, masks[index])
    assert total.iou > 0.5


@pytest.mark.parametrize(
    ("schedule", "half", "end"), [("constant", 1, 1), ("cosine", 0.505, 0.01), ("steps", 0.1, 0.01)]
)
def test_rates_follow_their_schedule(schedule, half, end):
    config = config_of(f"optim.schedule={schedule}", "optim.lr=1.0").optim
    optimiser = make_optimiser(config, build("acm_unet"))
    assert set_rate(optimiser, config, 0, 100) == pytest.approx(1)
    assert set_rate(optimiser, config, 50, 100) == pytest.approx(half)
    assert set_rate(optimiser, config, 100, 100) == pytest.approx(end)


def test_warmup_rises_from_almost_nothing():
    config = config_of("optim.warmup=2", "optim.lr=1.0").optim
    optimiser = make_optimiser(config, build("acm_unet"))
    rates = [set_rate(optimiser, config, epoch, 100) for epoch in (0, 1, 2, 3)]
    assert rates[0] < 0.01
    assert rates[1] == pytest.approx(0.5, abs=0.01)
    assert rates[2:] == [1, 1]


def test_the_ema_of_the_weights_is_evaluated_and_saved(folder, tmp_path):
    """Two steps: the first is taken as it is, the second mixed in by 9 parts of 11."""
    values = {}
    for epochs in (1, 2):
        run = tmp_path / str(epochs)
        flags = (f"epochs={epochs}", "batch=8", "optim.average=0.99", "run.validate_every=1000")
        train(config_of(*flags, "optim.schedule=constant"), Source(root=folder), run)
        values[epochs] = weights_of(run), weights_of(run, "best")
    first, second = values[1][0], values[2][0]
    name = next(key for key in first if key.endswith("weight"))
    assert torch.equal(values[1][1][name], first[name])
    expected = (2 * first[name] + 9 * second[name]) / 11
    torch.testing.assert_close(values[2][1][name], expected)
    assert load_model(tmp_path / "2")[0].state_dict().keys() == first.keys()


def test_tiles_are_part_of_what_is_known_of_weights(folder, tmp_path):
    train(config_of("epochs=1", "model.tile=40"), Source(root=folder), tmp_path / "run")
    assert load_model(tmp_path / "run")[0].tile == 40


def test_bf16_trains(folder, tmp_path):
    best = train(config_of("run.precision=bf16", "epochs=1"), Source(root=folder), tmp_path / "run")
    assert np.isfinite(best["loss"])
    assert all(v.dtype in (torch.float32, torch.int64) for v in weights_of(tmp_path / "run").values())


def test_two_processes_train_like_one(folder, tmp_path):
    """Same global batch, no dropout in the network: the same losses within 1e-4."""
    settings = [
        *TINY,
        "model.name=mlclnet_small",
        "strategy.name=full",
        "epochs=3",
        "optim.lr=0.001",
        "augment.crop=16",
    ]
    script = tmp_path / "run.py"
    script.write_text(PROCESSES)
    train(load_config(settings=settings), Source(root=folder), tmp_path / "one")
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    finished = subprocess.run(
        [*launch, str(script), str(folder), str(tmp_path / "two"), *settings],
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert finished.returncode == 0, finished.stderr[-2000:]
    one, two = metrics_of(tmp_path / "one"), metrics_of(tmp_path / "two")
    assert len(two) == 3
    for ours, theirs in zip(one, two, strict=True):
        assert theirs["loss"] == pytest.approx(ours["loss"], abs=1e-4)


def test_a_run_needs_no_masks_of_the_validation_list(folder, tmp_path):
    (masks := tmp_path / "labels").mkdir()
    for file in (folder / "masks").iterdir():
        (masks / file.name).write_bytes(file.read_bytes())
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "images").symlink_to(folder / "images")
    (bare / "img_idx").symlink_to(folder / "img_idx")
    best = train(config_of("epochs=1", strategy="masks"), Source(root=bare, masks=masks), tmp_path / "run")
    assert "val_truth" not in best
    assert RunFolder(tmp_path / "run").metrics.is_file()


def test_a_second_training_on_one_folder_is_refused(folder, tmp_path):
    config, source, out = config_of(), Source(root=folder), tmp_path / "run"
    refused = []

    def epoch(metrics):
        """While this process trains, another asks for the same folder."""
        if not refused:
            arguments = [str(folder), str(out), *TINY, "--resume"]
            code = (
                "import sys\nfrom pathlib import Path\nfrom pointmask_trainer.config import load_config\n"
                "from pointmask_trainer.training.train import Source, train\n"
                "train(load_config(settings=sys.argv[3:-1]), Source(root=Path(sys.argv[1])), "
                "Path(sys.argv[2]), resume=True)\n"
            )
            other = subprocess.run(
                [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
            )
            refused.append(other.stderr)

    train(config, source, out, watcher=Watcher(epoch=epoch))
    assert "LockedError: another pointmask job is writing to" in refused[0]
    train(config, source, tmp_path / "alone")
    assert_same_run(out, tmp_path / "alone")
    assert not [path.name for path in out.iterdir() if path.name.startswith(".")]


def test_what_a_kill_left_in_a_run_goes_when_it_goes_on(folder, tmp_path):
    config, source, out = config_of(), Source(root=folder), tmp_path / "run"
    with pytest.raises(StopError):
        train(config, source, out, watcher=stop_after(1))
    names = (".pointmask-run-0.tmp", "best/.pointmask-run-1.tmp", ".pointmask-run-2.tmp/state.json")
    for name in (*names, ".last.123/state.json"):
        (out / name).parent.mkdir(exist_ok=True)
        (out / name).write_bytes(b"half")
    (out / "last").rename(out / ".last.old")  # killed between two renames
    train(config, source, out, resume=True)
    train(config, source, tmp_path / "alone")
    assert_same_run(out, tmp_path / "alone")
    assert not list(out.rglob(".*"))


def test_data_that_are_refused_leave_no_run_folder(tmp_path):
    with pytest.raises(DataError):
        train(config_of(), Source(root=tmp_path / "none"), tmp_path / "run")
    assert not (tmp_path / "run").exists()
