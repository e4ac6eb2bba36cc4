"""Defective pixels are replaced in trainings and predictions alike, and the user is told."""

import json

import numpy as np
import pytest

pytest.importorskip("torch")

from click.testing import CliRunner
from tools.trainer.training import TINY, make_folder

from pointmask.cli import main
from pointmask.io.images.array import encode_png
from pointmask.io.images.open import open_source
from pointmask.io.notes import gathering
from pointmask.io.points.points import Point, Points
from pointmask_trainer.data.points import pair_points
from pointmask_trainer.data.split import load_split
from pointmask_trainer.inference.frames import read_frames


@pytest.fixture
def folder(tmp_path):
    image = np.random.default_rng(0).normal(100, 4, (48, 52)).astype(np.uint8)
    image[5, 6], image[20, 20], image[30, 30] = 0, 255, 255
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.png").write_bytes(encode_png(image))
    return tmp_path


def test_a_training_replaces_them_but_no_clicked_target_of_one_pixel(folder):
    files, said = {"a": folder / "images" / "a.png"}, []
    without = load_split("train", ["a"], files, None, say=said.append).images.stored(0)
    assert [int(without[place]) in range(80, 120) for place in ((5, 6), (20, 20), (30, 30))] == [True] * 3
    paired = pair_points(Points({"a": (Point(20, 20),)}), files, folder)
    clicked = load_split("train", ["a"], files, paired, say=said.append).images.stored(0)
    assert [int(clicked[place]) in range(80, 120) for place in ((5, 6), (20, 20), (30, 30))] == [
        True,
        False,
        True,
    ]
    assert ["3 dead, hot or stuck pixels in 1 frames" in said[0], "2 dead" in said[1]] == [True, True]
    assert all(line.endswith("(first a: row 5, column 6)") for line in said)


def test_a_prediction_replaces_them(folder):
    with gathering() as notes:
        (frame,) = read_frames(open_source(folder / "images"), ["a.png"], iter(()), lambda frame: False)
    assert frame.pixels[5, 6] in range(80, 120)
    assert notes.lines()[0].endswith("(first a.png: row 5, column 6)")


def test_they_are_kept_where_that_is_asked_for(folder):
    files = {"a": folder / "images" / "a.png"}
    kept = load_split("train", ["a"], files, None, dead_pixels="keep").images.stored(0)
    assert [int(kept[place]) for place in ((5, 6), (20, 20), (30, 30))] == [0, 255, 255]
    source, places = open_source(folder / "images"), iter(())
    with gathering() as notes:
        (frame,) = read_frames(source, ["a.png"], places, lambda frame: False, dead_pixels="keep")
    assert [int(frame.pixels[place]) for place in ((5, 6), (20, 20), (30, 30))] == [0, 255, 255]
    assert not notes.lines()


def test_a_detector_keeps_them_as_it_was_trained(tmp_path):
    data = make_folder(tmp_path / "data", 8)
    image = np.random.default_rng(0).normal(100, 4, (48, 48)).astype(np.uint8)
    image[24, 24] = 255
    (data / "images/scene_007.png").write_bytes(encode_png(image))  # of the validation list
    settings = ["--preset", "none", "--set", *TINY, "epochs=1", "--trust-labels", "--dead-pixels", "keep"]

    def call(*words):
        done = CliRunner().invoke(main, [*map(str, words)])
        assert done.exit_code in (0, 3), done.output
        return done.stderr

    said = [call("train", data, "--strategy", "full", *settings, "--out", tmp_path / "run")]
    said.append(call("evaluate", tmp_path / "run", data, "--out", tmp_path / "e"))
    said.append(call("predict", tmp_path / "run", data / "images", "--out", tmp_path / "p"))
    assert not any("dead" in text for text in said)
    assert json.loads((tmp_path / "e/metrics.json").read_text())["dead_pixels"] == "keep"
    given = ("--dead-pixels", "replace", "--out", tmp_path / "q")
    assert "--dead-pixels keep leaves them" in call("predict", tmp_path / "run", data / "images", *given)
