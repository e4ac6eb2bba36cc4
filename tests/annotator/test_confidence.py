"""The predicted IoU: its range, what it must fall with, and what it is worth on real images."""

import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage as ndi
from scipy.stats import spearmanr

from pointmask import annotate
from pointmask.annotator.confidence import measure, predicted, predicted_iou
from pointmask.annotator.window import Window
from pointmask.io.formats import read_points
from pointmask.io.images.array import read, read_mask
from pointmask.measurements import CONFIDENCE_MEASUREMENTS
from pointmask.theta import Theta

DEFAULT = Theta.load("default")
SIZE = 2 * DEFAULT.half_size + 1
NAMES = CONFIDENCE_MEASUREMENTS


def blob(sigma=1.2, noise=0.0, seed=0, size=64, height=100.0):
    """A Gaussian target in the middle of a plain with noise."""
    rows, cols = np.indices((size, size)) - size // 2
    rng = np.random.default_rng(seed)
    return 50 + height * np.exp(-(rows**2 + cols**2) / (2 * sigma**2)) + rng.normal(0, noise, (size, size))


def confidence_of(image, theta="default", point=None):
    return annotate(image, [point or (image.shape[0] // 2,) * 2], theta=theta).targets[0].confidence


def window_of(values, **changes):
    return replace(Window(values, 1.0, 0.1, 1.0, 1.0, dark=False, finite=True), **changes)


def disk(radius, size=SIZE):
    rows, cols = np.indices((size, size)) - size // 2
    return rows**2 + cols**2 <= radius**2


def measured(values, mask, theta=DEFAULT):
    soft = mask.astype(float)
    return dict(zip(NAMES, measure(window_of(values), soft, soft, mask, theta), strict=True))


def test_every_measurement_has_a_weight_and_is_finite():
    rng = np.random.default_rng(0)
    for values in (np.zeros((SIZE, SIZE)), np.full((SIZE, SIZE), -3.0), rng.uniform(-3, 3, (SIZE, SIZE))):
        for mask in (disk(0), disk(3), disk(100), rng.random((SIZE, SIZE)) > 0.5):
            found = measured(values, mask)
            assert len(found) == len(DEFAULT.confidence)
            assert np.isfinite(list(found.values())).all()


def test_measurements_of_a_disk_on_a_plain():
    mask = disk(3)
    found = measured(mask.astype(float), mask)
    assert found["one"] == 1
    assert found["steepness"] == pytest.approx(1 / 1.05)  # everything happens at the rim
    assert found["separation"] == pytest.approx(np.log(6.3))  # no deviation: at its bound
    rim = np.count_nonzero(mask & ~ndi.binary_erosion(mask, np.ones((3, 3))))
    assert found["outline"] == pytest.approx(rim / np.sqrt(mask.sum()))
    assert found["texture_squared"] == 0
    for name in ("separation", "outline"):
        assert found[f"{name}_squared"] == pytest.approx(found[name] ** 2)


def test_an_image_of_one_value_in_the_window_is_no_edge():
    found = measured(np.full((SIZE, SIZE), 0.5), disk(3))
    assert found["steepness"] == 0
    assert found["separation"] == np.log(0.3)
    assert found["blur_squared"] == pytest.approx(1)


@pytest.mark.parametrize("theta", ["default", "paper"])
def test_probability_for_whatever_there_is(theta):
    rng = np.random.default_rng(3)
    for image in (rng.normal(size=(50, 50)), blob(), blob(sigma=8), rng.integers(0, 2, (20, 30))):
        for point in ((0, 0), (10, 10), (image.shape[0] - 1, image.shape[1] - 1)):
            assert 0 <= confidence_of(image, theta, point) <= 1


def test_scores_beyond_the_range_of_exp_are_bounded():
    mask = disk(2)
    soft = mask.astype(float)
    for weight, expected in ((1e6, 1.0), (-1e6, 0.0)):
        theta = replace(DEFAULT, confidence=(weight,) + (0.0,) * (len(NAMES) - 1))
        got = predicted_iou(window_of(soft), soft, soft, mask, theta)
        assert got == pytest.approx(expected, abs=1e-12)


def test_falls_with_noise():
    means = [
        np.mean([confidence_of(blob(noise=noise, seed=seed)) for seed in range(8)]) for noise in (2, 15, 40)
    ]
    assert means[0] > means[1] > means[2]
    assert means[0] - means[2] > 0.1


def test_noise_alone_is_less_sure_than_a_target():
    rng = np.random.default_rng(5)
    strays = [confidence_of(rng.normal(50, 10, (64, 64))) for _ in range(8)]
    assert np.mean(strays) < confidence_of(blob(noise=10)) - 0.1


def test_does_not_depend_on_gain_and_offset():
    image = np.rint(blob(noise=5)).astype(np.int64)
    assert confidence_of(image) == confidence_of(image * 64 + 1000)


@pytest.mark.parametrize("turn", [np.flipud, np.fliplr, np.transpose])
def test_does_not_depend_on_orientation(turn):
    image = np.rint(blob(noise=10, size=65)).astype(np.int64)
    assert confidence_of(turn(image)) == pytest.approx(confidence_of(image), abs=1e-9)


def test_a_target_at_the_border_is_measured_as_one_inside():
    image = blob(noise=3, size=81)
    inside = confidence_of(image, point=(40, 40))
    cut = confidence_of(image[30:], point=(10, 40))  # its window is cut, its target is not
    assert cut == pytest.approx(inside, abs=0.05)


def test_masks_of_a_coarser_window_are_measured_at_its_samples():
    mask = disk(4)
    soft = np.where(mask, 1.0, 0.0)
    wide = np.kron(mask, np.ones((2, 2), bool))[: 2 * SIZE - 1, : 2 * SIZE - 1]
    corner = wide[SIZE - 1 :, SIZE - 1 :]  # as large as the window, and still not its samples
    expected = measure(window_of(soft), soft, soft, mask, DEFAULT)
    for cut in (wide, corner):
        assert measure(window_of(soft), soft, cut.astype(float), cut, DEFAULT) == expected
    empty = np.zeros_like(soft)
    assert dict(zip(NAMES, measure(window_of(soft), empty, wide * 0.0, wide, DEFAULT), strict=True))[
        "outline"
    ] == pytest.approx(1)  # nothing reached the level: the point's own pixel


@pytest.fixture
def fit(monkeypatch):
    """Import the script that fits the weights."""
    folder = Path(__file__).parents[2] / "benchmarks"
    monkeypatch.syspath_prepend(str(folder))
    spec = importlib.util.spec_from_file_location("benchmark_fit_confidence", folder / "fit_confidence.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def made_up(fit, templates, iou, inputs):
    n = len(iou)
    words = (np.full(n, "train"), np.full(n, "SIRST-v1"), np.full(n, "centroid"))
    return fit.Samples(inputs, 1000 * iou, np.full(n, 1000.0), templates, *words)


def test_fit_finds_the_weights_in_natural_units(fit):
    rng = np.random.default_rng(0)
    inputs = np.column_stack([np.ones(400), rng.normal(5, 0.1, 400), rng.normal(0, 30, 400)])
    truth = np.array([-14.0, 3.0, 0.02])
    samples = made_up(fit, np.arange(400), fit.logistic(inputs @ truth), inputs)
    found = fit.fitted(samples, np.ones(400, bool))
    np.testing.assert_allclose(found, truth, rtol=0.02)
    weights, held_out = fit.cross_validated(samples)
    np.testing.assert_allclose(weights, found, rtol=1e-4)
    row = fit.judged(samples, np.ones(400, bool), held_out)
    assert row["spearman"]["all"] > 0.999
    assert row["spearman"]["NUDT"] is None
    assert row["error"] < 0.01
    assert row["kept"]["0%"] < row["kept"]["5%"] < row["kept"]["20%"]


def test_the_measurements_of_the_kept_solution_are_fitted(fit):
    target = annotate(blob(), [(32, 32)]).targets[0]
    rng = np.random.default_rng(1)
    others = [tuple(row) for row in rng.normal(size=(4, len(NAMES)))]
    kept = others[1]
    own = replace(target, confidence=predicted(kept, DEFAULT))
    assert fit.chosen_measurements(others, own, DEFAULT) == kept


def test_many_targets_of_one_template_weigh_as_five(fit):
    iou = np.array([0.2] * 5 + [0.8] * 95)
    one = np.ones((100, 1))
    templates = np.array([*range(5), *[7] * 95])
    weight = fit.fitted(made_up(fit, templates, iou, one), np.ones(100, bool))
    assert fit.logistic(weight).item() == pytest.approx(0.5, abs=1e-3)


@pytest.mark.data
def test_fit_runs_on_real_images(tmp_path):
    sirst3()
    script = Path(__file__).parents[2] / "benchmarks" / "fit_confidence.py"
    command = [sys.executable, str(script), "--quick", "--results", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "confidence-default.json").read_text())
    assert len(result["weights"]) == len(NAMES)
    assert set(result["tables"]) == {"held out", "train", "val"}
    assert f"confidence = {result['weights']}" in done.stdout


@pytest.mark.data
def test_ranks_real_targets_by_their_iou():
    folder = sirst3()
    stems = set((folder / "splits/val.txt").read_text().split()[::3])
    predicted, true = [], []
    for name, points in read_points(folder / "points_coarse.csv"):
        if Path(name).stem not in stems:
            continue
        image = read(folder / "images" / name)
        labels, _ = ndi.label(read_mask(folder / "masks" / name), np.ones((3, 3)))
        for point in points:
            if own := labels[point.row, point.col]:
                found = annotate(image, [(point.row, point.col)])
                truth = labels == own
                predicted.append(found.targets[0].confidence)
                true.append((found.mask & truth).sum() / (found.mask | truth).sum())
    assert len(true) > 200
    assert spearmanr(predicted, true)[0] > 0.3
    assert np.mean(predicted) == pytest.approx(np.mean(true), abs=0.05)


def sirst3():
    if not os.environ.get("POINTMASK_SIRST3"):
        pytest.skip("set POINTMASK_SIRST3 to the folder of the SIRST3 images")
    return Path(os.environ["POINTMASK_SIRST3"])
