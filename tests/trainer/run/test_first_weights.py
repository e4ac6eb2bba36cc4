"""Weights to start from, and those that come with the package."""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from click.testing import CliRunner
from safetensors import safe_open
from tools.trainer.training import make_folder

from pointmask.cli import main
from pointmask.metrics.counters import Score, score
from pointmask.synth.scenes import make_scene
from pointmask_trainer.config import load_config
from pointmask_trainer.inference.operator_masks import OperatorMasks
from pointmask_trainer.inference.tiles import predict
from pointmask_trainer.run.checkpoint import BUILTIN_WEIGHTS, load_model
from pointmask_trainer.training.prepare import first_weights

STILL = (
    "--set", "optim.lr=0", "--set", "optim.average=0", "--set", "augment.crop=32", "--set", "run.threads=1",
    "--set", "masks.by=network", "--device", "cpu", "--strategy", "full", "--epochs", "1",
    "--preset", "none",
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_folder(tmp_path_factory.mktemp("data"), 6)


def run(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(value, b[key]) for key, value in a.items())


def test_the_file_is_small_half_precise_and_says_what_it_saw():
    assert BUILTIN_WEIGHTS.stat().st_size <= 4 << 20
    with safe_open(BUILTIN_WEIGHTS, framework="pt") as file:
        assert {file.get_tensor(name).dtype for name in file.keys()} == {torch.float16}  # noqa: SIM118
    model, card = load_model("builtin")
    assert {value.dtype for value in model.parameters()} == {torch.float32}
    assert "no real image" in card.facts["trained_on"]
    assert card.masks.by == "operator"


@pytest.mark.parametrize("bits", [8, 14])
def test_they_find_targets_of_scenes_that_they_have_not_seen(bits):
    model, card = load_model("builtin")
    operator = OperatorMasks.of(card.masks, card.model.name)
    total = Score()
    for kind in ("sky", "clouds", "sea", "horizon"):
        scene = make_scene(kind, seed=(701, 1), bits=bits, contrast=15)
        image = torch.from_numpy(scene.image.astype(np.float32))[None, None]
        found = operator(scene.image, predict(model, image, card.normalisation)[0].numpy())
        total += score(found > 0.5, scene.mask)
    assert total.pd > 0.7
    assert total.iou > 0.5


def test_training_starts_from_them(folder, tmp_path):
    """A rate of 0 leaves weights as they were."""
    first = tmp_path / "first"
    done = run("train", folder, "--model", "contrast_unet", "--init", "builtin", *STILL, "--out", first)
    assert done.exit_code == 0, done.output
    assert "starting from the weights of" in done.output
    assert 'trained with model.normalisation = "image", now it is "list"' in done.output
    trained, _ = load_model(first)
    given, _ = load_model("builtin")
    assert same(trained.state_dict(), given.state_dict())
    again = run(
        "train", folder, "--config", first / "config.toml", "--init", first, *STILL, "--out", tmp_path / "b"
    )
    assert again.exit_code == 0, again.output
    assert same(load_model(tmp_path / "b")[0].state_dict(), given.state_dict())


def test_the_settings_name_them_whatever_the_folder(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(BUILTIN_WEIGHTS.parent)
    out = tmp_path / "run"
    words = ("--model", "contrast_unet", "--init", BUILTIN_WEIGHTS.name, *STILL, "--out", out)
    assert run("train", folder, *words).exit_code == 0
    assert load_config(file=out / "config.toml").model.init == str(BUILTIN_WEIGHTS)


def test_first_weights_of_another_detector_are_discarded_with_it_or_refused(folder, tmp_path):
    settings = ["model.name=contrast_unet", "model.init=builtin"]
    assert load_config(settings=settings).model.init == "builtin"
    assert load_config(settings=[*settings, "model.name=acm_unet"]).model.init == ""
    given, _ = load_model("builtin")
    assert same(first_weights(load_config(settings=settings).model, print).state_dict(), given.state_dict())
    without = load_config(settings=settings[:1]).model
    assert not same(first_weights(without, print).state_dict(), given.state_dict())
    done = run("train", folder, "--model", "acm_unet", "--init", "builtin", *STILL, "--out", tmp_path / "run")
    assert done.exit_code != 0
    assert "another model than ACMUNet" in done.output
    missing = run("train", folder, "--init", tmp_path / "none", *STILL, "--out", tmp_path / "run")
    assert missing.exit_code != 0
    assert "builtin" in missing.output
    assert not (tmp_path / "run" / "config.toml").exists()


def test_predict_takes_them_by_name_and_nothing_else_that_does_not_exist(folder, tmp_path):
    done = run("predict", "builtin", folder / "images", "--out", tmp_path / "found", "--device", "cpu")
    assert done.exit_code in (0, 3), done.output
    line = json.loads((tmp_path / "found" / "predictions.jsonl").read_text().splitlines()[0])
    assert line["made_with"]["masks"] == "operator"
    refused = run("predict", "builtinn", folder / "images", "--out", tmp_path / "found")
    assert refused.exit_code == 2
    assert "does not exist" in refused.output
