"""What `evaluate` takes if nothing is said: the run's own choice in its folder, everything in another."""

import json
import shutil

import pytest
from click.testing import CliRunner

pytest.importorskip("torch")

from tools.trainer.training import TINY, make_folder

from pointmask.cli import main


def call(*words, code=0):
    done = CliRunner().invoke(main, [*map(str, words)])
    assert done.exit_code == code, done.output
    return done


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_folder(tmp_path_factory.mktemp("defaults") / "data", 12)


@pytest.fixture(scope="module")
def run(folder, tmp_path_factory):
    """Trained on some of the names alone, with lists of its own."""
    out = tmp_path_factory.mktemp("defaults") / "run"
    (out.parent / "train.txt").write_text("".join(f"scene_{k:03d}\n" for k in range(5)))
    (out.parent / "val.txt").write_text("".join(f"scene_{k:03d}\n" for k in range(5, 12)))
    settings = ["--preset", "none", "--set", *TINY, "epochs=1", "--include", "scene_00*", "--trust-labels"]
    lists = ["--train-list", out.parent / "train.txt", "--val-list", out.parent / "val.txt"]
    call("train", folder, "--strategy", "full", *lists, *settings, "--out", out)
    return out


def scored(out):
    found = json.loads((out / "metrics.json").read_text())
    return found["all"]["images"], found["list"], found["include"]


def test_in_its_own_folder_the_run_s_validation_images_are_evaluated(folder, run, tmp_path):
    shown = call("evaluate", run, folder, "--out", tmp_path)
    assert scored(tmp_path) == (5, "val", "*")
    assert "evaluated is the run's own validation list: 5 images" in shown.stderr


def test_another_list_keeps_the_pattern_of_the_run(folder, run, tmp_path):
    shown = call("evaluate", run, folder, "--list", "all", "--out", tmp_path / "1")
    assert scored(tmp_path / "1") == (10, "all", "scene_00*")
    assert "only names that the run was given, --include 'scene_00*': 10 images" in shown.stderr
    call("evaluate", run, folder, "--list", "all", "--include", "*", "--out", tmp_path / "2")
    assert scored(tmp_path / "2")[0] == 12


def test_in_a_new_folder_all_images_are_evaluated_and_that_is_said(folder, run, tmp_path):
    shutil.copytree(folder / "images", tmp_path / "new/images")
    shutil.copytree(folder / "masks", tmp_path / "new/masks")
    shown = call("evaluate", run, tmp_path / "new", "--out", tmp_path / "out")
    assert scored(tmp_path / "out") == (12, "all", "*")
    assert "evaluated are all images, as" in shown.stderr
    assert "trained on" in shown.stderr  # the copies are known all the same
    shutil.copy(run / "best/model.safetensors", tmp_path / "alone.safetensors")
    shown = call("evaluate", tmp_path / "alone.safetensors", folder, "--out", tmp_path / "alone")
    assert scored(tmp_path / "alone")[:2] == (12, "all")
    assert "no run says which list" in shown.stderr
