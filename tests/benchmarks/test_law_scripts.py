"""The scripts that fit a law and measure calibration: what they draw, and that they run."""

import importlib
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from pointmask.annotator.image import annotate
from pointmask.calibrate.samples import Judged, cut
from pointmask.synth.scenes import make_scenes
from pointmask.theta import Theta

pytest.importorskip("torch")

SCRIPTS = Path(__file__).parents[2] / "benchmarks"
SMALL = Theta.load("default").with_(half_size=9, steps=(2, 3))


@pytest.fixture(scope="module")
def law():
    """The modules under test."""
    names = {
        "draws": "calibration_draws",
        "script": "fit_law",
        "fitting": "law.fitting",
        "windows": "law.windows",
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SCRIPTS))
        yield SimpleNamespace(**{key: importlib.import_module(name) for key, name in names.items()})


@pytest.fixture(scope="module")
def samples(law):
    return list(law.windows.of_scenes(8, 4, SMALL, 0.2))


def test_samples_are_windows_with_true_masks_in_a_style(samples):
    assert len(samples) >= 8
    for sample in samples:
        assert sample.truth.shape == sample.window.values.shape == (19, 19)
        assert sample.truth.any()
        inside, outside = sample.window.values[sample.truth], sample.window.values[~sample.truth]
        assert np.median(inside) > np.median(outside)
    assert any(sample.style for sample in samples)


def test_the_outline_of_scenes_grows(law, samples):
    exact = list(law.windows.of_scenes(8, 4, SMALL, 0.0))
    assert len(exact) == len(samples)
    assert all(np.all(a.truth <= b.truth) for a, b in zip(exact, samples, strict=True))
    assert sum(s.truth.sum() for s in samples) > sum(s.truth.sum() for s in exact)


@pytest.mark.parametrize("seed", range(6))
def test_degraded_copies_keep_their_targets(law, seed):
    scene = next(make_scenes(1, seed=2))
    image, labels = law.windows.degraded(
        scene.image.astype(float), scene.instances.astype(np.int32), np.random.default_rng(seed)
    )
    assert image.shape == labels.shape
    assert set(np.unique(labels)) <= set(np.unique(scene.instances).tolist())
    assert labels.any()


def test_a_fit_begins_at_nothing_known_and_lowers_its_loss(law, samples):
    start = law.fitting.blank(SMALL, seed=1)
    assert law.fitting.blank(SMALL, seed=1) == start
    assert start.law_weights != SMALL.law_weights
    losses = []
    found = law.fitting.fit(
        start, samples, epochs=8, seed=0, batch=8, report=lambda _, loss: losses.append(loss)
    )
    assert losses[-1] < losses[0]
    differ = {name for name in Theta.__slots__ if getattr(found, name) != getattr(start, name)}
    assert differ <= set(law.fitting.LEARNED)
    assert law.script.with_confidence(found, 6, seed=5).confidence != found.confidence


def test_the_confidence_is_a_logistic_regression(law):
    rng = np.random.default_rng(0)
    inputs = np.concatenate([np.ones((4000, 1)), rng.normal(2, 1, (4000, 8))], axis=1)
    true = np.array([0.5, 1, -1, 0.5, 0, 0, 0.2, 0, -0.5])
    ious = 1 / (1 + np.exp(-inputs @ true))
    weights = np.array(law.script.logistic_weights(inputs, ious, penalty=law.script.PENALTY))
    assert np.abs(1 / (1 + np.exp(-inputs @ weights)) - ious).mean() < 0.03


def test_draws_of_another_style_gain_and_of_the_own_do_not(law):
    theta = Theta.load("default")
    scenes = [scene for scene in make_scenes(16, seed=4, shape=(96, 96)) if scene.points]
    rows = {}
    for style in ("as drawn", "grown 1"):
        pairs = [
            (scene.image, scene.points, law.draws.STYLES[style](annotate(scene.image, scene.points).mask))
            for scene in scenes
        ]
        (rows[style], *_) = law.draws.measured(style, [cut(*pair, theta) for pair in pairs], theta, draws=2)
    assert rows["as drawn"]["kept"] == 0
    assert rows["grown 1"]["kept"] == 2
    assert rows["grown 1"]["worst"] > 0.1
    assert rows["as drawn"]["masks"] == 5


def test_the_gap_of_the_confidence_is_closed_on_the_rest(law):
    theta = Theta.load("default")
    judged = [[Judged(0.8, 0.5, is_beside=False)] for _ in range(60)]
    before, after = law.draws.gap(theta, judged, np.arange(30), np.arange(30, 60))
    assert before == pytest.approx(0.3)
    assert abs(after) < 0.05


@pytest.mark.slow
def test_the_fit_writes_a_theta(tmp_path):
    out = tmp_path / "law.toml"
    words = [
        sys.executable,
        str(SCRIPTS / "fit_law.py"),
        "--scenes",
        "10",
        "--epochs",
        "1",
        "--out",
        str(out),
    ]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert Theta.load(out).half_size == 20
