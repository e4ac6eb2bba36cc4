"""Runs of spire from clicks to points, masks and figures, with the commands that use them."""

import csv
import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

torch = pytest.importorskip("torch")

from tools.trainer.runs import StopError, assert_same_run, metrics_of, stop_after

from pointmask.cli import main
from pointmask.io.images.array import encode_png
from pointmask.io.layout import POINTS
from pointmask_trainer.config import load_config
from pointmask_trainer.errors import ConfigError
from pointmask_trainer.inference.evaluate_folder import evaluate_folder
from pointmask_trainer.recipes import PRESETS
from pointmask_trainer.run.checkpoint import load_model
from pointmask_trainer.run.choice import best_of
from pointmask_trainer.training.train import Source, train

TINY = ("run.device=cpu", "run.threads=1", "batch=4", "augment.crop=32", "strategy.name=spire")
OPTIONS = ("model.options.input_scale=2",)


def make_blobs(root, count=20, side=48):
    """Write a training folder of noise with two bright blobs in each frame."""
    rng, rows = np.random.default_rng(0), ["image,x,y"]
    for name in ("images", "masks", "img_idx"):
        (root / name).mkdir(parents=True)
    ys, xs = np.indices((side, side))
    names = [f"frame_{k:02d}" for k in range(count)]
    for name in names:
        image, mask = rng.normal(60, 4, (side, side)), np.zeros((side, side), bool)
        for row, col in rng.integers(4, side - 4, (2, 2)):
            blob = np.exp(-((ys - row) ** 2 + (xs - col) ** 2) / (2 * 1.5**2))
            image, mask = image + 120 * blob, mask | (blob > 0.5)
            rows.append(f"{name},{col},{row}")
        (root / "images" / f"{name}.png").write_bytes(encode_png(image.clip(0, 255).astype(np.uint8)))
        (root / "masks" / f"{name}.png").write_bytes(encode_png(mask))
    (root / "points.csv").write_text("\n".join(rows) + "\n")
    (root / "img_idx" / "train_blobs.txt").write_text("\n".join(names[:-4]) + "\n")
    (root / "img_idx" / "val_blobs.txt").write_text("\n".join(names[-4:]) + "\n")
    return root


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_blobs(tmp_path_factory.mktemp("data") / "blobs")


def source_of(folder):
    return Source(root=folder, points=folder / "points.csv")


def config_of(*settings, model="hrpe"):
    return load_config(settings=[*TINY, f"model.name={model}", *settings])


@pytest.fixture(scope="module")
def run(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("run") / "run"
    optim = ("optim.lr=5e-3", "optim.schedule=cosine", "optim.warmup=1", "optim.average=0.9")
    config = config_of("epochs=10", *optim, "run.validate_every=5", *OPTIONS)
    train(config, source_of(folder), out)
    return out


def test_it_learns_where_targets_are(run):
    lines = metrics_of(run)
    points = [line["val_points"] for line in lines if "val_points" in line]
    assert points[-1]["recall"] > 0.8
    assert points[-1]["false_per_image"] < 1
    journal = [json.loads(line) for line in (run / "strategy.jsonl").read_text().splitlines()]
    assert journal[-1]["largest_heat"] > 0.3
    page = (run / "report.html").read_text()
    assert "val F1, clicks" in page
    assert "Points on the validation list" in page


def test_the_best_epoch_is_that_of_f1(run):
    state = json.loads((run / "last" / "state.json").read_text())
    validated = [line for line in metrics_of(run) if "val_points" in line]
    expected = best_of(validated, lambda line: line["val_points"]["f1"], images=4)
    assert state["best"]["epoch"] == expected["epoch"]


def test_predict_writes_points_and_the_annotator_s_masks(run, folder, tmp_path):
    out = tmp_path / "out"
    done = CliRunner().invoke(
        main, ["predict", str(run), str(folder / "images"), "--out", str(out), "--soft"]
    )
    assert done.exit_code == 0, done.output
    with (out / POINTS).open() as file:
        rows = [row for row in csv.DictReader(file) if row["x"]]
    assert rows
    assert all(0.5 < float(row["score"]) <= 1 for row in rows)
    for row in rows:
        mask = np.asarray(Image.open((out / "masks" / row["image"]).with_suffix(".png")))
        assert mask[round(float(row["y"])), round(float(row["x"]))] == 255
    soft = np.asarray(Image.open(next((out / "soft").iterdir())))
    assert soft.dtype.itemsize >= 2


def test_evaluate_gives_figures_of_masks_and_of_points(run, folder, tmp_path):
    scored = evaluate_folder(run, folder, "val").evaluation
    assert scored.network is None
    assert scored.whole.points.recall > 0.8
    assert scored.whole.score.iou > 0.3
    out = tmp_path / "out"
    done = CliRunner().invoke(main, ["evaluate", str(run), str(folder), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "Targets within 5 px" in done.output
    written = json.loads((out / "metrics.json").read_text())
    figures = written["all"]["points"]
    assert written["within"] == 5
    nearer = evaluate_folder(run, folder, "val", within=0.2).evaluation
    assert nearer.within == 0.2
    assert nearer.whole.points.hits < scored.whole.points.hits
    assert nearer.whole.points.error <= 0.2
    assert figures["f1"] == pytest.approx(scored.whole.points.f1)
    assert figures["average_precision"] > 0.8
    found = [point["recall"] for point in figures["curve"]]
    assert found == sorted(found, reverse=True)
    refused = CliRunner().invoke(
        main, ["evaluate", str(run), str(folder), "--out", str(tmp_path / "other"), "--masks-by", "network"]
    )
    assert refused.exit_code == 2
    assert "the operator draws them" in " ".join(refused.output.split())


@pytest.mark.parametrize("model", ["contrast_points", "hrpe", "sshd"])
def test_a_resumed_run_ends_like_an_uninterrupted_one(folder, tmp_path, model):
    config = config_of("epochs=3", "strategy.options.target=matched", model=model)
    train(config, source_of(folder), tmp_path / "whole")
    with pytest.raises(StopError):
        train(config, source_of(folder), tmp_path / "parts", watcher=stop_after(1))
    train(config, source_of(folder), tmp_path / "parts", resume=True)
    assert_same_run(tmp_path / "whole", tmp_path / "parts")


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (("model.name=acm_unet",), "spire trains networks that find points.*contrast_points, hrpe, sshd"),
        (("strategy.name=masks",), "strategy masks trains detectors.*hrpe finds points"),
        (("model.prior=0.02",), "set model.prior to 0.5"),
        (("strategy.options.loss=focal",), "heat between 0 and 1, which HRPE does not give.*contrast_points"),
    ],
)
def test_what_does_not_go_together_is_named(folder, tmp_path, settings, says):
    source = Source(root=folder, points=folder / "points.csv", masks=folder / "masks")
    with pytest.raises(ConfigError, match=says):
        train(config_of(*settings), source, tmp_path / "run")


@pytest.mark.slow
@pytest.mark.parametrize("model", ["contrast_points", "hrpe", "sshd"])
def test_the_exported_heat_is_torch_s(folder, tmp_path, model):
    pytest.importorskip("onnxruntime")
    run = tmp_path / "run"
    options = () if model == "contrast_points" else OPTIONS
    train(config_of("epochs=1", *options, model=model), source_of(folder), run)
    done = CliRunner().invoke(main, ["export", str(run), "--onnx", str(tmp_path / "net.onnx")])
    assert done.exit_code == 0, done.output
    assert "Checked: heat differs" in done.output


def test_the_preset_for_processors_finds_most_at_once(folder, tmp_path):
    """It starts from the weights of the package, which know what a target is."""
    config = load_config(preset="cpu", settings=[*TINY, "epochs=3", "augment.crop=48"])
    assert (config.model.name, config.model.init) == ("contrast_points", "builtin")
    best = train(config, source_of(folder), tmp_path / "run")
    assert best["val_points"]["f1"] > 0.5  # 0 of networks with fresh weights
    _, card = load_model(tmp_path / "run")
    assert card.model.options["threshold"] == best["val_points"]["threshold"]
    scored = evaluate_folder(tmp_path / "run", folder, "val").evaluation
    assert scored.whole.points.f1 == pytest.approx(best["val_points"]["f1"]), "the threshold goes along"


def test_the_preset_trains_a_locator():
    assert "spire" in PRESETS
    config = load_config(preset="spire")
    assert (config.strategy.name, config.model.name) == ("spire", "hrpe")
