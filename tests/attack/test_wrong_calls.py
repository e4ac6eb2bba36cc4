"""Plausible wrong calls, each answered with what was meant."""

import shlex
import shutil

import pytest
from click.testing import CliRunner

pytest.importorskip("torch")

from tools.trainer.training import TINY, make_folder

from pointmask.cli import main
from pointmask.io.formats.registry import layouts

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
    "predict run data/images": "Add it: pointmask predict run data/images --out detections-2",
    "export run": "Add it: pointmask export run --onnx detector.onnx",
    "merge labels": "Add it: pointmask merge labels --out merged",
    "predict": "It needs: pointmask predict [OPTIONS] RUN|WEIGHTS|builtin IMAGES",
    "train data --lr 0.1": "--set optim.lr=VALUE",
    "train data --batch-size 4": "--set batch=VALUE",
    "train data --set learning_rate=0.1": "here it is optim.lr",
    "train data --model unett --out r": "did you mean 'uiunet'?",
    "train data --preset cpuu --out r": "did you mean 'cpu'?",
    "train data --set train.epochz=3 --out r": "train.epochz is no setting; did you mean epochs?",
    "train data --config lesps_anotator --out r": "did you mean 'lesps_annotator'?",
    "convert labels b.json --to cocoo": "did you mean 'coco'?",
    "convert labels b.txt --to via-csv": "format 'via-csv' cannot be written; did you mean 'csv'?",
    "annotate data/images --points data/points.csv --out o --save sofft": "did you mean 'soft'?",
    "annotate data/images --points data/points.csv --out o --theta defualt": "did you mean 'default'?",
    "annotate data/images --points data/points.csv --out o --style tihgt": "did you mean 'tight'?",
    "bench data/images --masks data/masks --methods our": "did you mean 'ours'?",
    "score labels --truth data/masks --by sise": "did you mean 'size'?",
    # the other way round, or one of two
    "score data/masks --truth labels --out s": "exchange the two: pointmask score labels --truth data/masks",
    "score data --truth detections --out s": "exchange the two: pointmask score detections --truth data",
    "score labels --truth data/images --out s": "these are in data/masks: pointmask score labels --truth",
    "score detections data/masks --out s": "pointmask score detections --out s --truth data/masks",
    "bench data --out b": "pointmask bench data/images --out b --masks data/masks",
    "predict run": "pointmask predict run data/images --out detections-2",
    "predict data/images --out o": "pointmask predict builtin data/images --out o",
    "evaluate run": "pointmask evaluate run data",
    "annotate data/images --points data/points.csv --simulate coarse --out o": "leave out --simulate",
    # what would change nothing
    "annotate data/images --points data/points.csv --seed 3 --out o": "--seed is for --simulate,",
    "annotate data/images --points data/points.csv --threads 2 --scheduler a --out o": "on others; give one",
    "check data/images --simulate coarse": "--simulate says how --points is read; leave it out, or give both",
    "check data/images --points-format csv": "--points-format says how --points is read",
    "click data/images --publish --points-format csv --out o": "--points-format says how --points is read",
    "click data/images --publish --overlap 20 --out o": "--overlap is for the parts of --shard",
    # names that are nearly right
    "annotate data/imgaes/ --points data/points.csv --out o": "pointmask annotate data/images --points",
    "annotate data/images --points data/point.csv --out o": "--points data/points.csv --out o",
    "annotate data/images --points=data/point.csv --out o": "--points=data/points.csv --out o",
    "train dta --out r": "Did you mean: pointmask train data --out r",
    "predict rum data/images --out o": "Did you mean: pointmask predict run data/images --out o",
    "check Data/images": "Did you mean: pointmask check data/images",
    "train data --masks lables --out r": "Did you mean: pointmask train data --masks labels --out r",
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


def test_only_formats_that_can_be_written_are_offered(base, monkeypatch):
    monkeypatch.chdir(base)
    for wrong in ("cvta", "visdrone"):
        done = CliRunner().invoke(main, ["convert", "labels", "b", "--to", wrong])
        offered = done.stderr.rstrip().partition("choose one of ")[2].split(", ")
        assert set(offered) == set(layouts()), done.stderr


def test_masks_of_ours_may_be_the_truth(base, monkeypatch, tmp_path):
    monkeypatch.chdir(base)
    foreign = tmp_path / "foreign"
    shutil.copytree(base / "data/masks", foreign)
    done = CliRunner().invoke(
        main, ["score", str(foreign), "--truth", "labels", "--out", str(tmp_path / "s")]
    )
    assert done.exit_code == 0, done.output
    assert "exchange the two (labels)" in done.stderr
