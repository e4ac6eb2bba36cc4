"""benchmarks/annotation_quality.py: every part, on scenes of our own laid out like SIRST3."""

import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pointmask.annotator.image import annotate
from pointmask.io.images.array import encode_png
from pointmask.measurements import LOCAL_MEASUREMENTS, TARGET_MEASUREMENTS
from pointmask.metrics.counters import Score, score
from pointmask.metrics.targets import TargetScore
from pointmask.synth.scenes import make_scenes
from pointmask.theta import Theta

FOLDER = Path(__file__).parents[2] / "benchmarks"
NAMES = ("Misc_1", "000001", "XDU1", "Misc_2", "000002", "XDU2")
SPLITS = {"train": NAMES[:3], "val": NAMES[3:]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("sirst3")
    for name in ("images", "masks", "splits"):
        (path / name).mkdir()
    lines = ["image,x,y"]
    for name, scene in zip(NAMES, make_scenes(len(NAMES)), strict=True):
        (path / "images" / f"{name}.png").write_bytes(encode_png(scene.image))
        (path / "masks" / f"{name}.png").write_bytes(encode_png(scene.mask.astype(np.uint8) * 255))
        lines += [f"{name}.png,{col},{row}" for row, col in scene.points]
    for protocol in ("centroid", "coarse"):
        (path / f"points_{protocol}.csv").write_text("\n".join(lines) + "\n")
    for split, names in SPLITS.items():
        (path / "splits" / f"{split}.txt").write_text("\n".join(names) + "\n")
    return path


@pytest.fixture
def frames(part, folder):
    return part("masks.data").read_frames(folder)


@pytest.fixture
def frame(part):
    """One target of 3 x 4 px in a corner, one of a single pixel, and a point that has none."""
    labels = np.zeros((40, 30), np.uint8)
    labels[0:3, 0:4] = 1
    labels[20, 15] = 2
    image = np.where(labels > 0, 200, 20).astype(np.uint8)
    points = {"centroid": [(1, 1), (20, 15), (35, 5)], "coarse": [(2, 2), (20, 15), (35, 5)]}
    ids = {"centroid": [1, 2, 0], "coarse": [1, 2, 0]}
    return part("masks.data").Frame("a", "other", "val", image, labels, points, ids)


def test_one_command_prints_and_writes_every_part(folder, tmp_path):
    sheet = tmp_path / "sheet.png"
    words = ["--data", str(folder), "--results", str(tmp_path), "--sheet", str(sheet)]
    done = subprocess.run(
        [sys.executable, str(FOLDER / "annotation_quality.py"), *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "quality-annotation.json").read_text())
    assert result["command"].startswith("python benchmarks/annotation_quality.py --data")
    assert set(result["quality"]) == {"default", "paper"}
    centroid = result["quality"]["default"]["centroid"]
    assert set(centroid) == {"train", "val", "both"}
    assert [*centroid["both"]["groups"]] == ["all", "SIRST-v1", "NUDT-SIRST", "IRSTD-1k"]
    assert (
        sum(s["targets"] for s in centroid["both"]["sizes"].values())
        == centroid["both"]["groups"]["all"]["targets"]
    )
    assert result["ablation"][0]["centroid"]["groups"]["all"] == centroid["both"]["groups"]["all"]
    assert len(result["clicks"]) == 5
    assert {row["share"] for row in result["invariance"] if "flipped" in row["name"]} == {0.0}
    assert set(result["confidence"]) == {"train", "val", "both"}
    assert result["time"]["all"]["median"] > 0
    document = (tmp_path / "quality-annotation.md").read_text()
    for title in (
        "Quality: default, coarse",
        "Ablation",
        "Click error",
        "Invariance",
        "Reliability",
        "Time per",
    ):
        assert f"## {title}" in document
        assert title in done.stdout
    assert sheet.read_bytes().startswith(b"\x89PNG")


def test_a_lesser_run_leaves_the_recorded_results_alone(part, folder, tmp_path, monkeypatch):
    script = part("annotation_quality")
    monkeypatch.setattr(script, "FOLDER", tmp_path)
    monkeypatch.setattr(sys, "argv", ["x", "--data", str(folder), "--split", "val", "--parts", "time"])
    script.main()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "says"),
    [(["--parts", "time,taste"], "taste is unknown"), (["--data", "/nowhere"], "holds no images/")],
)
def test_bad_arguments_are_named(words, says):
    done = subprocess.run(
        [sys.executable, str(FOLDER / "annotation_quality.py"), *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert says in done.stderr


def test_frames_know_list_data_set_and_targets(frames):
    assert [(f.split, f.group) for f in frames] == [
        (split, group) for split in ("train", "val") for group in ("SIRST-v1", "NUDT-SIRST", "IRSTD-1k")
    ]
    for frame in frames:
        assert frame.points["centroid"]
        assert all(frame.ids["centroid"])
        assert frame.labels.max() == len(set(frame.ids["centroid"]))


def test_every_kth_image_of_each_list(part, folder):
    found = part("masks.data").read_frames(folder, ("train", "val"), every=2)
    assert [f.name for f in found] == ["Misc_1.png", "XDU1.png", "Misc_2.png", "XDU2.png"]


def test_figures_are_those_of_the_metrics(part, frames):
    run = part("masks.run")
    theta = Theta.load("default")
    expected = sum(
        (score(annotate(f.image, f.points["centroid"], theta=theta).mask, f.labels > 0) for f in frames),
        Score(),
    )
    figures = run.figures(run.run(frames, theta))
    assert figures["iou"] == pytest.approx(expected.iou, abs=1e-6)
    assert figures["niou"] == pytest.approx(expected.niou, abs=1e-6)
    assert figures["targets"] == sum(len(f.points["centroid"]) for f in frames)


def test_other_points_stand_for_the_same_targets(part, frame):
    run = part("masks.run")
    (found,) = run.run([frame], Theta.load("default"), points=[[(30, 25), (20, 15), (35, 5)]])
    assert [t.truth_area for t in found.targets] == [12, 1]  # the third point has no true target
    assert found.targets[0].intersection == 0
    assert run.figures([found])["collapsed"] >= 0.5


def test_figures_of_nothing_are_none_and_not_nan(part):
    run = part("masks.run")
    assert run.figures([])["iou"] is None
    assert run.by_size([])["<=9"]["target_iou"] is None


def law_theta(**changes):
    """A theta whose resemblance is positive exactly where the contrast exceeds a half."""
    row = [0.0] * len((*LOCAL_MEASUREMENTS, *TARGET_MEASUREMENTS))
    row[0] = 1.0
    network = {"law_weights": (tuple(row),), "law_bias": (0.0,), "law_gain": (2.0,), "law_offset": -1.0}
    stage = {"steps": (5,), "D0": (0.1,), "beta": (3.0,), "growth": (0.5,), "decay": (0.4,)}
    return Theta(
        half_size=10, rho=0.7, superpixel_step=5, compactness=0.5, level=0.3, **network, **stage, **changes
    )


def test_variants_change_what_they_say_and_skip_what_is_not_there(part):
    ablation = part("masks.ablation")
    found = ablation.variants(law_theta(octaves=1))
    assert found["as it is"] == law_theta(octaves=1)
    assert found["no superpixel"].rho == 1
    assert found["no octaves"] == law_theta()
    assert found["no growth"].growth == (0.0,)
    assert found["no growth"].decay == (0.4,)
    assert "single stage, same steps" not in found  # it has one stage
    assert "source a single pixel" not in found  # it has that already
    assert "network without texture" not in found  # it measures none
    assert not any(
        "network" in name or "resemblance" in name for name in ablation.variants(Theta.load("paper"))
    )


def test_network_inputs_are_taken_away_by_name(part):
    default = Theta.load("default")
    changed = part("masks.ablation").variants(default)["network without target-wide measurements"]
    before, after = np.array(default.law_weights), np.array(changed.law_weights)
    split = len(LOCAL_MEASUREMENTS)
    np.testing.assert_array_equal(after[:, :split], before[:, :split])
    assert not after[:, split:].any()


def test_single_stage_keeps_the_number_of_steps(part):
    default = Theta.load("default")
    single = part("masks.ablation").variants(default)["single stage, same steps"]
    assert single.spacings == (1,)
    assert single.steps == (sum(default.steps),)
    assert single.growth == (default.growth[default.spacings.index(1)],)


def test_no_diffusion_is_the_connected_resemblance(part):
    ablation = part("masks.ablation")
    image = np.full((40, 40), 10.0)
    image[15:20, 12:26] = 50.0  # beyond what five steps reach
    image[22:25, 12:20] = 50.0  # resembles the target, but is not connected with it
    theta = ablation.variants(law_theta())[ablation.NO_DIFFUSION]
    expected = np.zeros(image.shape, bool)
    expected[15:20, 12:26] = True
    np.testing.assert_array_equal(annotate(image, [(17, 18)], theta=theta).mask, expected)


def test_best_level_is_found(part, frames):
    theta = Theta.load("default")
    ablation, run = part("masks.ablation"), part("masks.run")
    best = ablation.best_level(frames, theta)
    reached = run.figures(run.run(frames, theta.with_(level=best)))["iou"]
    assert reached >= run.figures(run.run(frames, theta))["iou"]


def test_moved_clicks_fill_the_disk_and_stay_in_the_frame(part, frame):
    clicks = part("masks.clicks")
    draws = [clicks.moved(frame, radius=3, rng=np.random.default_rng(seed)) for seed in range(400)]
    offsets = {(row - 20, col - 15) for _, (row, col), _ in draws}
    assert len(offsets) == 29  # pixels of a disk of radius 3
    assert max(math.hypot(*o) for o in offsets) == 3
    assert all(0 <= row < 40 and 0 <= col < 30 for draw in draws for row, col in draw)
    assert draws[0] == clicks.moved(frame, radius=3, rng=np.random.default_rng(0))


def test_clicks_outside_are_on_background_near_their_own_target(part, frame):
    clicks = part("masks.clicks")
    own = np.argwhere(frame.labels == 1)
    distances = set()
    for seed in range(100):
        corner, dot, stray = clicks.outside(frame, rng=np.random.default_rng(seed))
        assert frame.labels[corner] == frame.labels[dot] == 0
        distances.add(np.hypot(*(own - corner).T).min())
        assert stray == (35, 5)  # without a true target it stays
    assert distances == {1.0, math.sqrt(2), 2.0}


def test_a_target_without_background_keeps_its_click(part, frame):
    full = replace(frame, labels=np.ones((40, 30), np.uint8), ids={"centroid": [1, 1, 1]})
    assert part("masks.clicks").outside(full, rng=np.random.default_rng(0)) == full.points["centroid"]


def test_loss_is_measured_against_the_published_points(part, frame):
    first, *others = part("masks.clicks").clicks([frame], Theta.load("default"), seeds=1)
    assert first["groups"]["all"]["loss"] == 0
    for row in others:
        group = row["groups"]["all"]
        assert group["loss"] == pytest.approx(first["groups"]["all"]["iou"] - group["iou"], abs=2e-6)


def test_guises_carry_the_points_along(part, frame):
    invariance = part("masks.invariance")
    marked = np.arange(frame.image.size).reshape(frame.image.shape)
    points = frame.points["centroid"]
    for guise in invariance.GUISES:
        turned = guise.place(marked)
        np.testing.assert_array_equal(guise.place(turned), marked)
        placed = invariance._placed(points, marked.shape, guise)
        assert [turned[p] for p in placed] == [marked[p] for p in points]


def test_a_guise_that_matters_is_seen(part, frame, monkeypatch):
    invariance = part("masks.invariance")
    monkeypatch.setattr(invariance, "GUISES", (invariance.Guise("blank", np.zeros_like),))
    (row,) = invariance.invariance([frame], Theta.load("default"))
    assert row["share"] > 0
    assert row["images"] == 1


def found_with(run, frame, ious, predicted):
    targets = [TargetScore(100, 100, round(200 * iou / (1 + iou))) for iou in ious]
    return [run.FrameResult(frame, Score(), targets, list(predicted), 0.1)]


def test_confidence_that_is_right_wrong_and_empty(part, frame):
    run, confidence = part("masks.run"), part("masks.confidence").confidence
    ious = np.linspace(0.05, 0.95, 20)
    right = confidence(found_with(run, frame, ious, ious))
    assert right["spearman"] == pytest.approx(1)
    assert right["error"] < 0.01
    assert right["iou"] < right["kept"]["5%"] < right["kept"]["10%"] < right["kept"]["20%"]
    wrong = confidence(found_with(run, frame, ious, 1 - ious))
    assert wrong["spearman"] == pytest.approx(-1)
    assert wrong["kept"]["20%"] < wrong["iou"]
    constant = confidence(found_with(run, frame, ious, [0.5] * 20))
    assert constant["spearman"] is None
    assert set(constant["kept"].values()) == {None}


def test_reliability_counts_every_prediction_once(part):
    bins = part("masks.confidence").reliability([0.0, 0.05, 0.1, 1.0], [0.2, 0.4, 0.5, 0.9])
    assert [(b["from"], b["targets"]) for b in bins] == [(0.0, 2), (0.1, 1), (0.9, 1)]
    assert bins[0]["true"] == pytest.approx(0.3)


def test_sheet_draws_both_outlines_at_the_border_too(part, frame):
    sheet = part("masks.sheet")
    drawn = sheet.sheet([frame], Theta.load("default"), count=60, seed=0)
    colours = {tuple(colour) for colour in drawn.reshape(-1, 3).tolist()}
    for colour in (sheet.TRUTH_COLOUR, sheet.MASK_COLOUR, sheet.POINT_COLOUR):
        assert sheet.rgb(colour) in colours
    assert drawn.shape == (172, 5 * 500, 3)


def test_sheet_never_lands_in_the_repository(part, frame):
    inside = FOLDER / "sheet.png"
    with pytest.raises(SystemExit, match="no licence"):
        part("masks.sheet").write_sheet(inside, [frame], Theta.load("default"), 1, 0)
    assert not inside.exists()
