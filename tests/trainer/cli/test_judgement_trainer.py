"""`train` refuses labels beside the targets before the first epoch; `predict` judges what it found."""

import shutil

import numpy as np
import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch")

from tools.trainer.training import TINY, make_folder

from pointmask.cli import main
from pointmask.io.images.array import encode_png, read, read_mask
from pointmask_trainer.inference.predict import FEWEST_FRAMES, PredictSummary

SETTINGS = ["--preset", "none", *(word for s in (*TINY, "epochs=1") for word in ("--set", s))]


def run(*arguments, code=0):
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert done.exit_code == code, done.output
    return done.output


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_folder(tmp_path_factory.mktemp("judged") / "data", 24, side=96)


def swap(folder, to):
    """Copy a folder with x and y exchanged, in points and masks."""
    shutil.copytree(folder, to)
    head, *rows = (folder / "points.csv").read_text().split()
    swapped = [",".join((name, y, x)) for name, x, y in (row.split(",") for row in rows)]
    (to / "points.csv").write_text("\n".join((head, *swapped)) + "\n")
    for path in (to / "masks").iterdir():
        path.write_bytes(encode_png(np.ascontiguousarray(read_mask(path).T)))
    return to


@pytest.mark.parametrize(
    ("strategy", "options", "what"),
    [("point", (), "points"), ("full", (), "masks"), ("masks", ("--masks", "masks"), "masks")],
)
def test_labels_beside_the_targets(folder, tmp_path, strategy, options, what):
    data = swap(folder, tmp_path / "data")
    options = [data / word if word == "masks" else word for word in options]
    command = ("train", data, "--strategy", strategy, *options, *SETTINGS, "--out", tmp_path / "run")
    said = " ".join(run(*command, code=2).split())
    assert f"the {what}" in said
    assert "have x and y exchanged" in said
    assert "--trust-labels" in said
    assert not (tmp_path / "run" / "metrics.jsonl").exists()
    run(*command, "--trust-labels")
    run(*command, "--resume")  # a run that began is not judged again


def test_dark_targets_where_bright_ones_are_looked_for(folder, tmp_path):
    data = shutil.copytree(folder, tmp_path / "data")
    for path in (data / "images").iterdir():
        pixels = read(path)
        path.write_bytes(encode_png(np.iinfo(pixels.dtype).max - pixels))
    command = ("train", data, "--strategy", "point", *SETTINGS, "--out", tmp_path / "run")
    said = " ".join(run(*command, "--set", "masks.by=operator", code=2).split())
    assert "are on dark targets" in said
    assert "add --set masks.polarity=dark. If" in said
    run(*command)  # nothing is drawn, and so nothing looked for
    run(*command[:-1], tmp_path / "other", "--set", "masks.by=operator", "--set", "masks.polarity=dark")


@pytest.mark.parametrize("strategy", ["point", "full"])
def test_right_labels_are_trained_on(folder, tmp_path, strategy):
    run("train", folder, "--strategy", strategy, *SETTINGS, "--out", tmp_path / "run")


@pytest.mark.parametrize(("value", "words"), [(0.1, "no target was found"), (0.9, "half of the pixels")])
def test_predictions_that_make_no_sense(folder, tmp_path, monkeypatch, value, words):
    run("train", folder, "--strategy", "full", *SETTINGS, "--out", tmp_path / "run")
    monkeypatch.setattr(
        "pointmask_trainer.inference.tasks.masks.predict",
        lambda model, images, *settings, **options: torch.full_like(images[:, 0], value, dtype=torch.float32),
    )
    command = ("predict", tmp_path / "run", folder / "images", "--device", "cpu")
    said = run(*command, "--out", tmp_path / "out", code=3).splitlines()
    said = [line for line in said if not line.startswith("Note: ")]  # of dead pixels, whenever it comes
    assert said[-2].startswith("WARNING: ")
    assert words in said[-2]
    assert said[-1].startswith("What to do: compare these images")
    assert len(list((tmp_path / "out" / "masks").iterdir())) == 24


def test_few_images_without_a_target_may_be_right():
    assert not PredictSummary(done=FEWEST_FRAMES - 1).why_senseless
    assert PredictSummary(done=FEWEST_FRAMES).why_senseless
    assert not PredictSummary(done=FEWEST_FRAMES, targets=1).why_senseless
    assert not PredictSummary(done=4, targets=9, flooded=2).why_senseless
    assert PredictSummary(done=4, targets=9, flooded=3).why_senseless


def test_a_prediction_that_finds_nothing_says_which_targets_it_looks_for(tmp_path):
    (tmp_path / "images").mkdir()
    frame = np.random.default_rng(0).normal(100, 3, (48, 48))
    frame[20:23, 20:23] -= 60
    for k in range(FEWEST_FRAMES):
        (tmp_path / "images" / f"{k}.png").write_bytes(encode_png(frame.astype(np.uint8)))
    words = ["predict", "builtin", str(tmp_path / "images"), "--out", str(tmp_path / "found")]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 3, done.output
    assert "This detector was made for bright targets" in done.output
    assert f"pointmask propose {tmp_path / 'images'} --polarity dark --out" in done.output.replace("\n", " ")
