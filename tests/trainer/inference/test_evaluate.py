"""Figures of a detector: worked by hand on a few pixels, then whole through the command."""

import json
import math
import shutil

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from tools.trainer.training import TINY, make_folder

from pointmask.cli import main
from pointmask.metrics.counters import Score, score
from pointmask.metrics.data_sets import data_set_of
from pointmask.metrics.points import PointScore
from pointmask.metrics.targets import score_detections
from pointmask_trainer.config import load_config
from pointmask_trainer.data.folder import find_images
from pointmask_trainer.errors import DataError
from pointmask_trainer.inference.evaluate import (
    HALF,
    THRESHOLDS,
    EvaluationTally,
    area_under,
    curve_of,
    false_pixel_rate,
)
from pointmask_trainer.inference.evaluate_folder import listed_ids
from pointmask_trainer.training.train import Source, train

MAPS = arrays(np.float32, (12, 12), elements=st.floats(0, 1, width=32))
MASKS = arrays(np.bool_, (12, 12), elements=st.booleans())


def frame(*boxes, side=20):
    """A mask with the given (top, left, bottom, right) boxes."""
    mask = np.zeros((side, side), bool)
    for top, left, bottom, right in boxes:
        mask[top:bottom, left:right] = True
    return mask


def test_thresholds_rise_and_hold_one_half():
    assert THRESHOLDS[HALF] == 0.5
    assert all(np.diff(THRESHOLDS) > 0)


def test_a_curve_worked_by_hand():
    """A target found at 0.9 but for one pixel at 0.3, and a false blob of 4 px at 0.6."""
    truth = frame((2, 2, 4, 4))
    probabilities = np.zeros((20, 20), np.float32)
    probabilities[truth] = 0.9
    probabilities[3, 3] = 0.3
    probabilities[10:12, 10:12] = 0.6
    curve = dict(zip(THRESHOLDS, curve_of(probabilities, truth), strict=True))
    for threshold, intersection, union, matched, false in [
        (0.2, 4, 8, 1, 4),
        (0.5, 3, 8, 1, 4),
        (0.7, 3, 4, 1, 0),
        (0.95, 0, 4, 0, 0),
    ]:
        found = next(one for level, one in curve.items() if level >= threshold)
        assert (found.intersection, found.union) == (intersection, union)
        assert (found.matched, found.false_pixels) == (matched, false)


def counted(false, matched, pixels=100_000):
    """A score of one set: 10 true targets of one pixel, and as many false pixels beside them as away."""
    return Score(
        union=10 + 2 * false,
        truth_pixels=10,
        truth_targets=10,
        matched=matched,
        false_pixels=false,
        pixels=pixels,
    )


def test_the_area_worked_by_hand():
    """Pd 0 up to 2e-5, 0.6 up to 6e-5, then 0.8; a worse Pd at a higher rate does not count."""
    curve = [counted(2, 6), counted(6, 8), counted(7, 5), counted(900, 10)]
    assert area_under(curve, 1e-4) == pytest.approx((0 * 2 + 0.6 * 4 + 0.8 * 4) / 10)
    assert area_under(curve, 0.5e-4) == pytest.approx((0 * 2 + 0.6 * 3) / 5)
    assert area_under(curve, 1e-5) == 0
    assert area_under(curve, 2e-4, false_pixel_rate) == pytest.approx(area_under(curve, 1e-4))
    assert math.isnan(area_under([Score(pixels=9)], 1e-4))


def test_a_perfect_detector_has_area_one():
    truth = frame((2, 2, 4, 4), (9, 9, 12, 12))
    assert area_under(curve_of(truth.astype(np.float32), truth), 1e-4) == 1


@settings(max_examples=40, deadline=None)
@given(MAPS, MASKS)
def test_curves_follow_the_metrics_and_fall_where_they_must(probabilities, truth):
    curve = curve_of(probabilities, truth)
    for k in (0, 7, HALF, 33, len(THRESHOLDS) - 1):
        assert curve[k] == score(probabilities > THRESHOLDS[k], truth)
    assert all(np.diff([false_pixel_rate(one) for one in curve]) <= 0)
    assert all(np.diff([one.intersection for one in curve]) <= 0)
    if truth.any():
        assert 0 <= area_under(curve, 0.5e-4) <= area_under(curve, 1e-4) <= 1


@settings(max_examples=40, deadline=None)
@given(MASKS, MASKS)
def test_targets_found_are_those_that_pd_counts(mask, truth):
    for match in ("first", "nearest", "hungarian"):
        detections = score_detections(mask, truth, match=match)
        total = score(mask, truth, match=match)
        assert len(detections) == total.truth_targets
        assert sum(found.found for found in detections) == total.matched
        assert sum(found.score.truth_area for found in detections) == total.truth_pixels


def test_sizes_worked_by_hand():
    """A target of 9 px found whole, one of 16 px found by half, one of 100 px missed."""
    truth = frame((1, 1, 4, 4), (1, 10, 5, 14), (9, 1, 19, 11))
    mask = frame((1, 1, 4, 4), (1, 10, 5, 12))
    tally = EvaluationTally()
    tally.add(
        curve_of(mask.astype(np.float32), truth), score_detections(mask, truth), PointScore(hits=2, missed=1)
    )
    assert tally.points.recall == pytest.approx(2 / 3)
    small, middle, _, large = tally.sizes.values()
    assert (small.fits.count, small.pd, small.fits.mean_iou) == (1, 1, 1)
    assert (middle.fits.count, middle.pd, middle.fits.mean_iou) == (1, 1, 0.5)
    assert (large.fits.count, large.pd, large.fits.mean_iou) == (1, 0, 0)
    assert math.isnan(tally.sizes["26-81"].pd)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Misc_12", "SIRST-v1"),
        ("sub/000123.png", "NUDT-SIRST"),
        ("XDU7.png", "IRSTD-1k"),
        ("sea/a/17", "sea/a"),
        ("scene_003", "scene"),
        ("0001", "other"),
    ],
)
def test_data_sets_are_told_by_name(name, expected):
    assert data_set_of(name) == expected


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_folder(tmp_path_factory.mktemp("data"), 10)


@pytest.fixture(scope="module")
def run(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "run"
    train(load_config(settings=[*TINY, "strategy.name=full"]), Source(root=folder), out)
    return out


def evaluate(*arguments):
    return CliRunner().invoke(main, ["evaluate", *map(str, arguments), "--device", "cpu"])


def test_the_command_repeats_what_training_measured(folder, run, tmp_path):
    out, maps = tmp_path / "out", tmp_path / "maps"
    done = evaluate(run, folder, "--out", out, "--save-predictions", maps)
    assert done.exit_code == 0, done.output
    found = json.loads((out / "metrics.json").read_text())
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    trained = next(line for line in lines if line["epoch"] == found["epoch"])
    assert {key: found["all"][key] for key in trained["val_truth"]} == trained["val_truth"]
    assert (
        found["all"]["images"] == len((run / "val.txt").read_text().split()) == len(list(maps.glob("*.png")))
    )
    assert found["data_sets"]["scene"] == found["all"]
    assert found["all"]["curve"][HALF]["iou"] == found["all"]["iou"]
    for name in ("curves.png", "sizes.png"):
        with Image.open(out / name) as picture:
            assert min(picture.size) > 500
    first = sorted(maps.glob("*.png"))[0]
    with Image.open(first) as picture, Image.open(folder / "images" / first.name) as image:
        assert picture.size == image.size
        assert picture.mode.startswith("I;16")


def test_nothing_is_replaced_unasked(folder, run, tmp_path):
    (tmp_path / "metrics.json").write_text("mine")
    for overwrite in ((), ("--overwrite",)):
        refused = evaluate(run, folder, "--out", tmp_path, *overwrite)
        assert refused.exit_code == 2
        assert "no metrics.json beside it" in refused.output
        assert (tmp_path / "metrics.json").read_text() == "mine"
    (tmp_path / "metrics.json").unlink()
    maps = ("--save-predictions", tmp_path / "maps")
    assert evaluate(run, folder, "--out", tmp_path, *maps).exit_code == 0
    (tmp_path / "maps" / "mine.txt").write_text("mine")
    refused = evaluate(run, folder, "--out", tmp_path)
    assert refused.exit_code == 2
    assert "--overwrite" in refused.output
    assert evaluate(run, folder, "--out", tmp_path, *maps, "--overwrite").exit_code == 0
    assert "curve" in (tmp_path / "metrics.json").read_text()
    assert (tmp_path / "maps" / "mine.txt").read_text() == "mine"


def test_lists_are_those_asked_for(folder, run, tmp_path):
    images = find_images(folder)
    assert len(listed_ids(folder, images, "all")) == 10
    assert len(listed_ids(folder, images, "train")) == 8
    (tmp_path / "mine.txt").write_text("scene_001\n")
    assert listed_ids(folder, images, str(tmp_path / "mine.txt")) == ["scene_001"]
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "images").symlink_to(folder / "images")
    assert listed_ids(bare, images, "val", run=run) == listed_ids(folder, images, "val")
    with pytest.raises(DataError, match=r"no val list.*--list all"):
        listed_ids(bare, images, "val")
    with pytest.raises(DataError, match="--include 'XDU"):
        listed_ids(folder, images, "all", include="XDU*")


def test_images_that_the_run_knows_are_named_and_the_unseen_come_first(folder, run, tmp_path):
    done = evaluate(run, folder, "--list", "all", "--out", tmp_path / "all")
    assert "all 10 images are known to this run: 8 it trained on (scene_000, scene_001, scene_002 ...)" in (
        done.output
    )
    assert "2 it was chosen by, its validation list (scene_008, scene_009)" in done.output
    figures = json.loads((tmp_path / "all/metrics.json").read_text())
    assert figures["known"]["images"] == 10
    assert "unseen" not in figures
    wider = tmp_path / "wider"
    shutil.copytree(folder, wider)
    for part in ("images", "masks"):
        shutil.copy(wider / part / "scene_003.png", wider / part / "new.png")
    done = evaluate(run / "best/model.safetensors", wider, "--list", "all", "--out", tmp_path / "wide")
    assert "10 of 11 images are known to this run" in done.output
    assert done.output.index("unseen") < done.output.index("\u2502 all ")
    figures = json.loads((tmp_path / "wide/metrics.json").read_text())
    assert list(figures).index("unseen") < list(figures).index("all")
    assert (figures["unseen"]["images"], figures["all"]["images"]) == (1, 11)
    assert figures["known"]["val"] == ["scene_008", "scene_009"]


def test_other_images_of_the_same_names_are_not_taken_for_known(folder, run, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    for number in range(1, 10):  # each gets the content of the one before
        source = folder / f"images/scene_{number - 1:03d}.png"
        shutil.copy(source, other / f"images/scene_{number:03d}.png")
    done = evaluate(run, other, "--list", "all", "--out", tmp_path / "out")
    assert "1 of 10 images are known to this run: 1 it trained on (scene_000)" in done.output
    assert json.loads((tmp_path / "out/metrics.json").read_text())["unseen"]["images"] == 9


def test_a_list_of_unseen_images_gets_no_note(folder, run, tmp_path):
    wider = tmp_path / "wider"
    shutil.copytree(folder, wider)
    for part in ("images", "masks"):
        shutil.copy(wider / part / "scene_003.png", wider / part / "new.png")
    (wider / "img_idx/test_scenes.txt").write_text("new\n")
    done = evaluate(run, wider, "--list", "test", "--out", tmp_path / "out")
    assert done.exit_code == 0
    assert "known to this run" not in done.output
    assert not {"known", "unseen"} & json.loads((tmp_path / "out/metrics.json").read_text()).keys()


def test_bad_input_is_explained(folder, run, tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"no weights")
    out = ("--out", tmp_path / "out")
    for arguments, words in [
        ((tmp_path / "model.safetensors", folder, *out), "damaged"),
        ((tmp_path, tmp_path, *out), "damaged"),
        ((run, folder, "--list", "test", *out), "no test list"),
        ((run, folder, "--list", tmp_path / "none.txt", *out), "cannot be read"),
        ((run, folder, "--masks", run, *out), "no mask"),
    ]:
        done = evaluate(*arguments)
        assert done.exit_code == 2, done.output
        assert words in done.output
    assert not (tmp_path / "out").exists()


def test_an_unknown_device_is_explained(folder, run, tmp_path):
    done = CliRunner().invoke(main, ["evaluate", str(run), str(folder), "--device", "gpu7"])
    assert done.exit_code == 2
    assert "'gpu7'" in done.output
