"""Fitting theta to a user's masks: it learns a style, it never ends worse, it says what it did."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from scipy import ndimage as ndi

from pointmask import cli
from pointmask.annotator.image import annotate
from pointmask.calibrate.fit import BUDGET, Calibration, Gain, calibrate
from pointmask.cli import calibrate as command
from pointmask.errors import ImageError, PointsError
from pointmask.io.formats.folders.masks import centroid_points
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


def test_masks_drawn_larger_are_learnt(scenes, learnt):
    assert learnt.kept
    image, points = scenes[0]
    areas = [annotate(image, points, theta=theta).mask.sum() for theta in (FIXED, learnt.theta)]
    assert areas[1] > areas[0]
    for gain in (learnt.fitted, learnt.held_out):
        assert gain.pooled[1] > gain.pooled[0] + 0.05
        assert gain.mean[1] > gain.mean[0] + 0.05
        assert gain.pooled_interval[0] <= gain.pooled[1] - gain.pooled[0] <= gain.pooled_interval[1]
    assert any("is kept" in line for line in learnt.lines)


def test_masks_drawn_at_a_lower_level_lower_the_level(scenes):
    start = FIXED.with_(level=0.7)
    found = calibrate(drawn(scenes, FIXED.with_(level=0.3)), theta=start, budget=150)
    assert found.kept
    assert found.theta.level < start.level


def test_the_default_can_take_on_a_style(scenes):
    found = calibrate(drawn(scenes, "default", ndi.binary_dilation), budget=150)
    assert found.fitted.pooled[1] > found.fitted.pooled[0] + 0.05
    assert found.fitted.mean[1] > found.fitted.mean[0] + 0.05


def test_the_figures_are_those_of_the_metrics(scenes, dilated, learnt):
    everything = (
        calibrate(dilated, theta=FIXED, budget=2).fitted,
        calibrate(dilated, theta=FIXED, budget=2).held_out,
    )
    assert sum(gain.images for gain in everything) == len(dilated)
    pooled, tally = image_score(np.zeros((1, 1), bool), np.zeros((1, 1), bool)), TargetTally()
    for image, points, truth in dilated:
        found = annotate(image, points, theta=FIXED)
        pooled += image_score(found.mask, truth)
        scores = score_targets(found, *true_targets(truth, points))
        tally += TargetTally.of([one for one in scores if one is not None])
    assert sum(gain.targets for gain in everything) == tally.count
    mean = sum(gain.targets * gain.mean[0] for gain in everything) / tally.count
    assert mean == pytest.approx(tally.mean_iou, abs=1e-12)
    ious = sorted(gain.pooled[0] for gain in everything)
    assert ious[0] <= pooled.iou <= ious[1]


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
    results = [calibrate(pairs, theta=FIXED, budget=25) for pairs in (far, near)]
    assert results[0] == results[1]


def test_true_pixels_beyond_every_window_count_as_missed(dilated):
    image, points, truth = dilated[0]
    missed = truth.copy()
    missed[:4, :4] = True
    before = calibrate(dilated, theta=FIXED, budget=2)
    after = calibrate([(image, points, missed), *dilated[1:]], theta=FIXED, budget=2)
    parts = [
        (a.pooled[0], b.pooled[0])
        for a, b in ((before.fitted, after.fitted), (before.held_out, after.held_out))
    ]
    assert sum(b < a for a, b in parts) == 1


@pytest.mark.parametrize("theta", [FIXED, "default"], ids=["paper", "default"])
def test_a_perfect_start_is_returned(scenes, theta):
    found = calibrate(drawn(scenes, theta), theta=theta, budget=60)
    assert found.theta is found.start
    assert found.settings == {}
    assert found.fitted.pooled == (1.0, 1.0)
    assert "unchanged" in found.lines[-1]


def test_a_fit_that_fails_on_the_held_out_images_is_refused(dilated):
    """Give the held-out images another style than the fitted ones."""
    order = np.random.default_rng((0, 0)).permutation(len(dilated))  # the split of seed 0
    held = set(order[: round(0.3 * len(dilated))].tolist())
    pairs = [
        (image, points, annotate(image, points, theta=FIXED).mask if k in held else truth)
        for k, (image, points, truth) in enumerate(dilated)
    ]
    found = calibrate(pairs, theta=FIXED, budget=150)
    assert found.settings
    assert found.held_out.pooled[1] < found.held_out.pooled[0] == 1.0
    assert found.theta is found.start
    assert "does not clearly gain" in found.lines[-1]


def test_same_input_same_outcome(dilated, learnt):
    assert calibrate(iter(dilated), theta=FIXED, budget=150) == learnt


def test_other_seeds_split_otherwise(dilated):
    splits = {calibrate(dilated, theta=FIXED, budget=2, seed=seed).held_out.pooled[0] for seed in range(4)}
    assert len(splits) > 1


def test_budget_is_kept_and_reported(dilated):
    seen = []
    found = calibrate(dilated, theta=FIXED, budget=17, tick=seen.append)
    assert seen == list(range(1, 18))
    assert found.tried == 17


def test_images_without_points_are_passed_over(dilated, learnt):
    image, _, truth = dilated[0]
    assert calibrate([(image, (), truth), *dilated], theta=FIXED, budget=150) == learnt


@pytest.mark.parametrize("images", [0, 7])
def test_too_few_masks(dilated, images):
    with pytest.raises(PointsError, match=rf"in {images} images.*needs at least 10 targets in 8 images"):
        calibrate(dilated[:images], theta=FIXED)


def test_points_off_every_target_do_not_count(dilated):
    pairs = [(image, [(0, 0)], np.zeros_like(truth)) for image, _, truth in dilated]
    with pytest.raises(PointsError, match=r"^0 targets"):
        calibrate(pairs, theta=FIXED)


def test_a_mask_of_another_size(dilated):
    image, points, truth = dilated[0]
    with pytest.raises(ImageError, match="same size"):
        calibrate([(image, points, truth[1:])], theta=FIXED)


@pytest.mark.parametrize("options", [{"held_out": 0.0}, {"held_out": 1.0}, {"budget": 1}])
def test_bad_options(dilated, options):
    with pytest.raises(ValueError, match=str(next(iter(options)))):
        calibrate(dilated, theta=FIXED, **options)


# knobs


# the search, on made-up counters


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


# the command


def run(*arguments):
    return CliRunner().invoke(cli.main, ["calibrate", *map(str, arguments)])


@pytest.fixture
def folders(dilated, tmp_path):
    """Images, masks and a point list on disk; one image has no mask."""
    rows = ["image,x,y"]
    for k, (image, _, truth) in enumerate(dilated):
        for name, array in (("images", image), ("masks", truth.astype(np.uint8) * 255)):
            (tmp_path / name).mkdir(exist_ok=True)
            Image.fromarray(array).save(tmp_path / name / f"{k:02d}.png")
        rows += [f"{k:02d},{point.col},{point.row}" for point in centroid_points(truth)]
    Image.fromarray(dilated[0][0]).save(tmp_path / "images" / "unmasked.png")
    (tmp_path / "points.csv").write_text("\n".join([*rows, "unmasked,3,3"]))
    (tmp_path / "start.toml").write_text(FIXED.to_toml())
    return tmp_path


def words(base, *more):
    return (
        base / "images", "--masks", base / "masks", "--theta", base / "start.toml",
        "--out", base / "new" / "theta.toml", "--budget", 100, *more,
    )  # fmt: skip


def test_command_writes_what_it_found(folders):
    done = run(*words(folders, "--points", folders / "points.csv"))
    assert done.exit_code == 0, done.output
    assert "is kept" in done.stdout
    assert "held out, 4 images" in done.stdout
    path = folders / "new" / "theta.toml"
    assert Theta.load(path) != FIXED
    assert "held out" in path.read_text()
    assert [item.name for item in path.parent.iterdir()] == ["theta.toml"]


def test_simulated_clicks_equal_the_list_of_the_same_clicks(folders):
    listed = run(*words(folders, "--points", folders / "points.csv"))
    clicked = run(*words(folders, "--simulate", "centroid", "--overwrite"))
    of_points = run(*words(folders, "--simulate", "centroid", "--points", folders / "masks", "--overwrite"))
    assert listed.stdout == clicked.stdout == of_points.stdout


def test_out_is_not_overwritten(folders):
    out = folders / "new" / "theta.toml"
    out.parent.mkdir()
    out.write_text("precious")
    for overwrite in ((), ("--overwrite",)):
        done = run(*words(folders, "--simulate", "centroid", *overwrite))
        assert done.exit_code == 2
        assert "not what this command writes" in done.stderr
        assert out.read_text() == "precious"
    out.write_text("# pointmask calibrate\n")
    done = run(*words(folders, "--simulate", "centroid"))
    assert done.exit_code == 2
    assert "--overwrite" in done.stderr


def test_no_mask_belongs_to_an_image(folders):
    for k, path in enumerate(sorted((folders / "masks").iterdir())):
        path.rename(path.with_name(f"{chr(ord('a') + k) * 5}.png"))
    done = run(*words(folders, "--points", folders / "points.csv"))
    assert done.exit_code == 2
    assert "names must agree" in done.stderr


def test_too_few_targets_on_the_command_line(folders):
    for path in sorted((folders / "masks").iterdir())[3:]:
        path.unlink()
    done = run(*words(folders, "--simulate", "centroid"))
    assert done.exit_code == 2
    assert "needs at least" in done.stderr
    assert not (folders / "new").exists()


def test_bad_files_are_left_out_and_named(folders):
    (folders / "images" / "00.png").write_bytes(b"no image")
    with (folders / "points.csv").open("a") as file:
        file.write("\n01,500,3")
    done = run(*words(folders, "--points", folders / "points.csv"))
    assert done.exit_code == 3, done.output
    assert "left out: 00.png" in done.stderr
    assert "left out: 01.png" in done.stderr
    assert (folders / "new" / "theta.toml").exists()


def test_points_are_needed(folders):
    done = run(*words(folders))
    assert done.exit_code == 2
    assert "--simulate" in done.stderr


def test_help_knows_the_budget_and_loads_nothing_heavy():
    assert command.BUDGET == BUDGET
    code = (
        "import sys; from click.testing import CliRunner; from pointmask.cli import main;"
        "done = CliRunner().invoke(main, ['calibrate', '--help']); assert not done.exit_code;"
        "print(sorted({'numpy', 'numba', 'rich', 'scipy', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_lines_say_when_the_gain_may_be_chance(learnt):
    figures = {"pooled": (0.5, 0.6), "mean": (0.5, 0.6)}
    intervals = {"pooled_interval": (-0.1, 0.2), "mean_interval": (0.0, 0.2)}
    gain = Gain(images=9, targets=9, **figures, **intervals, error=0.05)
    doubtful = Calibration(
        theta=learnt.theta, start=learnt.start, settings={"level": 0.5}, fitted=gain, held_out=gain, tried=3
    )
    assert "chance" in doubtful.lines[-1]


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
