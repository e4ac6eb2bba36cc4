"""Plausible wrong calls, each answered with what was meant."""

import shlex
import shutil

import pytest
from click.testing import CliRunner

pytest.importorskip("torch")

from tools.trainer.training import TINY, make_folder

from pointmask.cli import main

CALLS = {
    # other folders than were meant
    "annotate data --points data/points.csv --out o": "give the images: data/images",
    "annotate data/masks --points data/points.csv --out o": "holds masks, not images",
    "annotate labels --points data/points.csv --out o": "holds masks that pointmask made, not images",
    "annotate detections --points data/points.csv --out o": "holds what pointmask predict found, not images",
    "annotate run --points data/points.csv --out o": "is a run of pointmask train",
    "propose data --out p.csv": "give the images: data/images",
    "check data": "give the images: data/images",
    "bench data --masks data/masks": "give the images: data/images",
    "calibrate data --masks data/masks --simulate centroid --out t": "give the images: data/images",
    "click data --publish": "give the images: data/images",
    "predict run data --out o": "give the images: data/images",
    "train labels --strategy masks --out r": "pointmask train DATA --strategy masks --masks labels",
    "train run --out r": "is a run of pointmask train; give the folder of images and labels",
    "train data/images --strategy d2d --out r": "is a part of a training folder; give it whole: data",
    "evaluate run data/masks": "is a part of a training folder; give it whole: data",
    # images for masks, masks for points
    "train data --strategy full --masks data/images --out r": "are the images themselves",
    "evaluate run data --masks data/images": "are the images themselves; true masks are in data/masks",
    "score data/images --truth data/masks --out s": "as a picture has them, not a mask",
    "calibrate data/images --masks data/images --simulate centroid --out t": "give the folder of the masks",
    "annotate data/images --points data/images --out o": "pointmask click data/images",
    "annotate data/images --points data/masks --out o": "--simulate centroid",
    # weights that are none
    "predict data/images run --out o": "is no run, but run is: exchange the two",
    "evaluate data run": "is no run, but run is: exchange the two",
    "predict begun data/images --out o": "pointmask train {data} --out begun --resume",
    "export labels --onnx x.onnx": "no weights; give the folder that pointmask train wrote",
    # words
    "segment data/images": "Did you mean: pointmask annotate data/images",
    "evalute run data": "Did you mean: pointmask evaluate run data",
    "test run data": "Did you mean: pointmask evaluate run data",
    "frobnicate": "All commands: pointmask --help",
    "annotate data/images data/points.csv --out o": "annotate data/images --points data/points.csv --out o",
    "annotate --images data/images --points data/points.csv": "pointmask annotate data/images --points",
    "annotate data/images --out o": "or find places with pointmask propose",
    "predict run data/images": "Add it: pointmask predict run data/images --out OUT",
    "export run": "Add it: pointmask export run --onnx detector.onnx",
    "merge labels": "Add it: pointmask merge labels --out OUT",
    "predict run": "It needs: pointmask predict [OPTIONS] RUN|WEIGHTS|builtin IMAGES",
    "train data --lr 0.1": "--set optim.lr=VALUE",
    "train data --batch-size 4": "--set batch=VALUE",
    "train data --set learning_rate=0.1": "here it is optim.lr",
    "train data --model unett --out r": "did you mean 'uiunet'?",
    "convert labels b.json --to cocoo": "did you mean 'coco'?",
}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A training folder, masks, a run, a run without weights, and detections."""
    base = tmp_path_factory.mktemp("calls")
    data = make_folder(base / "data", 8)

    def call(*words):
        done = CliRunner().invoke(main, [*map(str, words)])
        assert done.exit_code in (0, 3), done.output

    call("annotate", data / "images", "--points", data / "points.csv", "--out", base / "labels")
    settings = ["--preset", "none", "--set", *TINY, "epochs=1", "--trust-labels"]
    call("train", data, "--strategy", "full", *settings, "--out", base / "run")
    call("predict", base / "run", data / "images", "--out", base / "detections")
    (base / "begun").mkdir()
    for name in ("config.toml", "source.json"):
        shutil.copy(base / "run" / name, base / "begun" / name)
    return base


@pytest.mark.parametrize("call", CALLS)
def test_a_wrong_call_is_answered_with_what_was_meant(base, monkeypatch, call):
    monkeypatch.chdir(base)
    before = sorted(base.rglob("*"))
    done = CliRunner().invoke(main, shlex.split(call), prog_name="pointmask")
    assert done.exit_code == 2, done.output
    assert isinstance(done.exception, SystemExit)
    assert CALLS[call].format(data=base / "data") in " ".join(done.stderr.split())
    assert sorted(base.rglob("*")) == before


def test_there_are_thirty_of_them():
    assert len(CALLS) >= 30
