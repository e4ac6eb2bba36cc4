"""Fitting theta to a user's masks: it learns a style, it never ends worse, it says what it did."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage as ndi
from tools.folders import one, save, spot

from pointmask.annotator.image import annotate
from pointmask.calibrate import fit
from pointmask.calibrate.fit import KnobFit, calibrate
from pointmask.calibrate.gain import Gain
from pointmask.calibrate.pairs import judge_pairs, read_pairs
from pointmask.errors import ImageError, PointsError
from pointmask.io.notes import gathering, note
from pointmask.io.points.points import Points
from pointmask.metrics.counters import score as image_score
from pointmask.metrics.targets import TargetTally, score_targets, true_targets
from pointmask.synth.scenes import make_scenes
from pointmask.theta import Theta

FIXED = Theta.load("paper").with_(level=0.5, half_size=10, steps=(40,))


@pytest.fixture(scope="module")
def scenes():
    made = make_scenes(14, seed=5, shape=(96, 96), kinds=("sky", "sea"))
    return [(scene.image, scene.points) for scene in made if scene.points]


def drawn(scenes, theta, style=lambda mask: mask):
    """Pairs whose true masks are what a theta gives, in a user's style."""
    return [(image, points, style(annotate(image, points, theta=theta).mask)) for image, points in scenes]


@pytest.fixture(scope="module")
def dilated(scenes):
    return drawn(scenes, FIXED, ndi.binary_dilation)


@pytest.fixture(scope="module")
def learnt(dilated):
    return calibrate(dilated, theta=FIXED, budget=150)


@pytest.fixture
def few_suffice(monkeypatch):
    """Let the other knobs be fitted to as few images as there are here."""
    monkeypatch.setattr(fit, "KNOB_IMAGES", 8)


def test_masks_drawn_larger_are_learnt_as_a_style(scenes, learnt):
    assert learnt.kept
    assert learnt.theta.style > 0.3
    assert learnt.theta == FIXED.with_(style=learnt.theta.style, confidence=learnt.theta.confidence)
    image, points = scenes[0]
    areas = [annotate(image, points, theta=theta).mask.sum() for theta in (FIXED, learnt.theta)]
    assert areas[1] > areas[0]
    gain = learnt.style.gain
    assert gain.pooled[1] > gain.pooled[0] + 0.05
    assert gain.mean[1] > gain.mean[0] + 0.05
    assert gain.pooled_interval[0] <= gain.pooled[1] - gain.pooled[0] <= gain.pooled_interval[1]
    assert any("kept" in line for line in learnt.lines)
    assert learnt.knobs is None
    assert any("no other knob" in line for line in learnt.lines)


def test_five_masks_are_enough_for_the_default_to_take_on_a_style(scenes):
    for style, sign in ((ndi.binary_dilation, 1), (lambda mask: ndi.binary_dilation(mask, iterations=2), 1)):
        found = calibrate(drawn(scenes, "default", style)[:5])
        assert found.kept
        assert sign * found.theta.style > 0.3


def test_a_style_starts_where_theta_is(scenes):
    start = Theta.load("default").drawn("halo")
    found = calibrate(drawn(scenes, "default")[:6], theta=start)
    assert found.style.start == 0.8
    assert found.theta.style == 0
    assert found.style.gain.mean[1] > found.style.gain.mean[0]


def test_the_confidence_is_that_of_the_given_masks(scenes):
    def off(mask):
        return ndi.binary_dilation(np.roll(mask, 2, axis=1))  # masks that no style draws

    found = calibrate(drawn(scenes, "default", off))
    fitted = found.confidence
    assert fitted.before > fitted.true + 0.1
    assert fitted.after == pytest.approx(fitted.true, abs=0.05)
    image, points = scenes[0]
    before, after = (annotate(image, points, theta=theta) for theta in (found.start, found.theta))
    for old, new in zip(before.targets, after.targets, strict=True):
        assert new.confidence < old.confidence
        assert found.kept or np.array_equal(old.mask, new.mask)


def test_other_knobs_are_tried_with_enough_images(scenes, few_suffice):
    start = FIXED.with_(level=0.7)
    found = calibrate(drawn(scenes, FIXED.with_(level=0.3)), theta=start, budget=60)
    assert found.knobs is not None
    assert found.knobs.fitted.pooled[1] >= found.knobs.fitted.pooled[0]
    assert found.knobs.kept == (found.theta.with_(**same_style(found)) != start.with_(**same_style(found)))


def same_style(found):
    return {"style": found.theta.style, "confidence": found.start.confidence}


def test_the_figures_are_those_of_the_metrics(dilated, learnt):
    gain = learnt.style.gain
    assert gain.images == len(dilated)
    pooled, tally = image_score(np.zeros((1, 1), bool), np.zeros((1, 1), bool)), TargetTally()
    for image, points, truth in dilated:
        found = annotate(image, points, theta=FIXED)
        pooled += image_score(found.mask, truth)
        scores = score_targets(found, *true_targets(truth, points))
        tally += TargetTally.of([one for one in scores if one is not None])
    assert gain.targets == tally.count
    assert gain.mean[0] == pytest.approx(tally.mean_iou, abs=1e-12)
    assert gain.pooled[0] == pytest.approx(pooled.iou, abs=1e-12)


def test_cutting_large_frames_changes_no_figure(dilated):
    def framed(array):
        return np.pad(array, ((150, 90), (70, 200)), mode="edge")

    far = [
        (framed(image), [(row + 150, col + 70) for row, col in points], np.pad(truth, ((150, 90), (70, 200))))
        for image, points, truth in dilated
        if min(min(min(p), 95 - max(p)) for p in points) > 2 * FIXED.half_size
    ] * 4
    near = [
        (image[150:-90, 70:-200], [(row - 150, col - 70) for row, col in points], truth[150:-90, 70:-200])
        for image, points, truth in far
    ]
    assert len(near) >= 8
    results = [calibrate(pairs, theta=FIXED) for pairs in (far, near)]
    assert results[0] == results[1]


def test_true_pixels_beyond_every_window_count_as_missed(dilated, learnt):
    image, points, truth = dilated[0]
    missed = truth.copy()
    missed[:4, :4] = True
    after = calibrate([(image, points, missed), *dilated[1:]], theta=FIXED)
    assert after.style.gain.pooled[0] < learnt.style.gain.pooled[0]


@pytest.mark.parametrize("theta", [FIXED, "default"], ids=["paper", "default"])
def test_a_perfect_start_keeps_its_masks(scenes, theta, few_suffice):
    found = calibrate(drawn(scenes, theta), theta=theta, budget=60)
    assert not found.kept
    assert found.knobs.settings == {}
    assert found.style.best == found.start.style
    assert found.knobs.fitted.pooled == (1.0, 1.0)
    assert "as they were" in found.lines[-1]


def test_knobs_that_fail_on_the_held_out_images_are_refused(scenes, few_suffice, monkeypatch):
    """Give the held-out images another level than the fitted ones, which no style bridges."""
    monkeypatch.setattr(fit, "tried_styles", lambda start: (start,))
    order = np.random.default_rng((0, 0)).permutation(len(scenes))  # the split of seed 0
    held = set(order[: round(0.3 * len(scenes))].tolist())
    start = FIXED.with_(level=0.7)
    low = drawn(scenes, FIXED.with_(level=0.3))
    pairs = [
        one if k in held else two for k, (one, two) in enumerate(zip(drawn(scenes, start), low, strict=True))
    ]
    found = calibrate(pairs, theta=start, budget=100)
    assert found.knobs.settings
    assert found.knobs.held_out.pooled[1] < found.knobs.held_out.pooled[0] == 1.0
    assert not found.kept
    assert any("do not clearly gain" in line for line in found.lines)


def test_same_input_same_outcome(dilated, learnt):
    assert calibrate(iter(dilated), theta=FIXED, budget=150) == learnt


def test_budget_is_kept_and_reported_and_seeds_split_otherwise(dilated, few_suffice):
    seen = []
    found = calibrate(dilated, theta=FIXED, budget=17, tick=seen.append)
    assert seen == list(range(1, 18))
    assert found.knobs.tried == 17
    splits = {calibrate(dilated, theta=FIXED, budget=2, seed=seed).knobs.held_out.pooled for seed in range(3)}
    assert len(splits) > 1


def test_images_without_points_are_passed_over(dilated, learnt):
    image, _, truth = dilated[0]
    assert calibrate([(image, (), truth), *dilated], theta=FIXED, budget=150) == learnt


@pytest.mark.parametrize("images", [0, 4])
def test_too_few_masks(dilated, images):
    with pytest.raises(PointsError, match=rf"in {images} images.*needs at least 5 targets in 5 images"):
        calibrate(dilated[:images], theta=FIXED)


def test_points_off_every_target_do_not_count(dilated):
    pairs = [(image, [(0, 0)], np.zeros_like(truth)) for image, _, truth in dilated]
    with pytest.raises(PointsError, match=r"^0 targets"):
        calibrate(pairs, theta=FIXED)


def test_masks_of_the_next_image(dilated):
    moved = [(image, points, np.roll(mask, (4, 4), axis=(0, 1))) for image, points, mask in dilated]
    with pytest.raises(
        PointsError, match=r"overlap the given ones by 0\.[012]\d .* as if these were of other"
    ):
        calibrate(moved, theta=FIXED)


def test_a_mask_of_another_size(dilated):
    image, points, truth = dilated[0]
    with pytest.raises(ImageError, match="same size"):
        calibrate([(image, points, truth[1:])], theta=FIXED)


@pytest.mark.parametrize("options", [{"held_out": 0.0}, {"held_out": 1.0}, {"budget": 1}])
def test_bad_options(dilated, options):
    with pytest.raises(ValueError, match=str(next(iter(options)))):
        calibrate(dilated, theta=FIXED, **options)


# gains


def test_a_gain_must_be_clear_and_cost_neither_figure():
    common = {
        "images": 9,
        "targets": 9,
        "pooled_interval": (0.0, 0.0),
        "mean_interval": (0.0, 0.0),
        "error": 0.01,
    }
    assert Gain(pooled=(0.5, 0.6), mean=(0.5, 0.5), **common).is_gain
    assert not Gain(pooled=(0.5, 0.9), mean=(0.5, 0.499), **common).is_gain
    assert not Gain(pooled=(0.5, 0.5), mean=(0.5, 0.5), **common).is_gain
    assert not Gain(pooled=(0.5, 0.509), mean=(0.5, 0.509), **common).is_gain


def test_lines_say_when_the_gain_may_be_chance():
    figures = {"pooled": (0.5, 0.6), "mean": (0.5, 0.6)}
    intervals = {"pooled_interval": (-0.1, 0.2), "mean_interval": (0.0, 0.2)}
    gain = Gain(images=9, targets=9, **figures, **intervals, error=0.05)
    doubtful = KnobFit(settings={"level": 0.5}, fitted=gain, held_out=gain, tried=3, kept=True)
    assert "by chance" in doubtful.lines[-1]


@pytest.mark.data
def test_the_benchmark_runs(tmp_path):
    if not os.environ.get("POINTMASK_SIRST3"):
        pytest.skip("set POINTMASK_SIRST3 to the folder of the SIRST3 images")
    script = Path(__file__).parents[2] / "benchmarks" / "calibration.py"
    options = ["--theta", "paper", "--fit", "val", "--images", "10", "--seeds", "1", "--limit", "5"]
    words = [sys.executable, str(script), *options, "--results", str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = json.loads((tmp_path / "calibration-paper-drawn-val-val.json").read_text())["rows"]
    assert {row["group"] for row in rows} == {"SIRST-v1", "NUDT-SIRST", "IRSTD-1k"}
    assert all(row["pooled"][0] == row["pooled"][1] for row in rows if not row["kept"])


def test_what_is_assumed_of_images_that_are_judged_first_is_said_once():
    def pairs():
        for scene in make_scenes(5, 0):
            note("something is assumed", scene.name)
            yield scene.image, scene.points, scene.mask

    with gathering() as notes:
        assert judge_pairs(pairs(), "bright").makes_sense
        assert not notes.lines()


@pytest.mark.parametrize(
    ("most", "expected"), [(None, [0, 1, 2, 3, 4, 5, 6]), (7, [0, 1, 2, 3, 4, 5, 6]), (3, [0, 3, 6])]
)
def test_the_pairs_that_are_judged_are_spread_over_all(tmp_path, most, expected):
    points = {}
    for number in range(7):
        save(tmp_path / f"images/{number}.png", np.add(spot(), number, dtype=np.uint8))
        save(tmp_path / f"masks/{number}.png", spot() > 100)
        points[f"{number}.png"] = one()
    read = read_pairs(tmp_path / "images", tmp_path / "masks", Points(points, "test"), [], most=most)
    assert [int(np.min(image)) - 40 for image, _, _ in read] == expected
