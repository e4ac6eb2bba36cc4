"""The network detects, the operator draws: candidates, their evidence, and the maps made of both."""

import json
import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tools.trainer.training import TINY, make_folder

from pointmask import annotate
from pointmask.annotator.operator import assemble
from pointmask.cli import main
from pointmask.theta import Theta
from pointmask_trainer.config import load_config
from pointmask_trainer.errors import ConfigError
from pointmask_trainer.inference.evidence import MEASUREMENTS, OTHERS, Evidence, find_candidates
from pointmask_trainer.inference.operator_masks import OperatorMasks
from pointmask_trainer.inference.tasks.masks import MaskTask
from pointmask_trainer.run.checkpoint import load_model
from pointmask_trainer.run.mask_settings import MaskSettings
from pointmask_trainer.training.train import Source, train

DEFAULT = Theta.load("default")
CERTAIN = Evidence.of(dict.fromkeys(MEASUREMENTS, 0.0) | {"bias": 20.0})


def scene(*targets, shape=(80, 90), seed=0):
    """Noise with blobs of 3 x 4 px at (row, col), of the given height."""
    rng = np.random.default_rng(seed)
    image = 1000 + 5 * rng.standard_normal(shape)
    for row, col, height in targets:
        image[row - 1 : row + 2, col - 1 : col + 3] += height
    return image.round().astype(np.uint16)


def response(*blobs, shape=(80, 90)):
    """A network's map: squares of 2 px of a probability around (row, col)."""
    probabilities = np.full(shape, 0.01, np.float32)
    for row, col, probability in blobs:
        probabilities[row : row + 2, col : col + 2] = probability
    return probabilities


def candidates_of(image, probabilities, polarity="bright"):
    return find_candidates(image, probabilities, assemble(DEFAULT), polarity)


def test_masks_are_those_of_annotate_at_the_components_centres():
    image = scene((20, 30, 80), (60, 50, 60))
    drawn = OperatorMasks(DEFAULT, evidence=CERTAIN)(image, response((20, 30, 0.9), (60, 50, 0.3)))
    points = [(round(row + 0.5), round(col + 0.5)) for row, col in ((20, 30), (60, 50))]
    assert np.array_equal(drawn > 0.5, annotate(image, points).mask)
    assert drawn.dtype == np.float32


def test_nothing_is_drawn_where_the_network_finds_nothing():
    drawn = OperatorMasks(DEFAULT)(scene((20, 30, 80)), response((20, 30, 0.09)))
    assert not drawn.any()


def test_a_target_is_probable_and_noise_is_not():
    """Both have the same response of the network; the annotator's evidence parts them."""
    image = scene((20, 30, 80))
    drawn = OperatorMasks(DEFAULT)(image, response((20, 30, 0.7), (60, 60, 0.7)))
    assert drawn[20, 30] > 0.5
    assert drawn[50:70, 50:70].max() < 0.5


def test_measurements_worked_by_hand():
    """A square of 2 x 2 above 0.5 at a corner of a plateau that the annotator draws whole."""
    image = np.zeros((64, 64), np.uint8)
    image[30:34, 30:34] = 200
    probabilities = response((30, 30, 0.8), shape=(64, 64))
    (candidate,) = candidates_of(image, probabilities)
    measured = dict(zip(MEASUREMENTS, candidate.measurements, strict=True))
    assert candidate.target.area == 16
    mean = (4 * 0.8 + 12 * 0.01) / 16
    assert measured["bias"] == 1
    assert measured["response"] == pytest.approx(math.log(mean / (1 - mean)), rel=1e-5)
    assert measured["confidence"] == candidate.target.confidence
    assert measured["agreement"] == 4 / 16
    assert measured["relative"] == 0  # the only one of its frame
    noise = 0.01 * float(image.std())  # nothing but the target has structure
    assert measured["contrast"] == pytest.approx(math.log1p(200 / noise))
    assert measured["rise"] == 1.0
    assert measured["area"] == math.log(16)


def test_the_weaker_of_two_candidates_stands_back():
    image = scene((20, 30, 80), (60, 50, 80))
    found = candidates_of(image, response((20, 30, 0.9), (60, 50, 0.2)))
    relative = [candidate.measurements[MEASUREMENTS.index("relative")] for candidate in found]
    assert relative[0] == 0
    assert relative[1] < -1


def test_probabilities_follow_the_weights():
    (candidate,) = candidates_of(scene((20, 30, 80)), response((20, 30, 0.9)))
    weights = dict(zip(MEASUREMENTS, np.linspace(-0.4, 0.3, len(MEASUREMENTS)), strict=True))
    odds = sum(
        weights[name] * value for name, value in zip(MEASUREMENTS, candidate.measurements, strict=True)
    )
    assert candidate.probability(Evidence.of(weights)) == pytest.approx(1 / (1 + math.exp(-odds)))


@pytest.mark.parametrize("name", ["response", "altogether new"])
def test_evidence_has_one_weight_for_each_measurement(name):
    weights = dict.fromkeys(MEASUREMENTS, 1.0)
    weights = {key: value for key, value in weights.items() if key != name} | (
        {} if name in weights else {name: 1.0}
    )
    with pytest.raises(ConfigError, match=name):
        Evidence.of(weights)


def test_a_network_s_own_evidence_judges_what_it_finds():
    own, others = Evidence.of_network("contrast_unet"), Evidence.of_network(OTHERS)
    assert not np.array_equal(own.weights, others.weights)
    assert np.array_equal(Evidence.of_network("alcnet").weights, others.weights)
    by_operator = MaskSettings("operator")
    for name, evidence in (("contrast_unet", own), ("alcnet", others)):
        masks = OperatorMasks.of(by_operator, name)
        assert masks is not None
        assert np.array_equal(masks.evidence.weights, evidence.weights)
    assert OperatorMasks.of(by_operator, "alcnet", "network") is None


@settings(deadline=None, max_examples=15)
@given(st.floats(0.1, 20), st.integers(-500, 500), st.sampled_from([np.float32, np.float64]))
def test_gain_and_offset_do_not_matter(gain, offset, dtype):
    image, probabilities = scene((20, 30, 80), (60, 50, 30)), response((20, 30, 0.9), (60, 50, 0.4))
    first = candidates_of(image, probabilities)
    other = candidates_of((gain * image.astype(np.float64) + offset).astype(dtype), probabilities)
    for one, two in zip(first, other, strict=True):
        np.testing.assert_allclose(one.measurements, two.measurements, rtol=1e-3, atol=2e-3)


def test_a_dark_target_is_measured_as_its_negative():
    image = scene((20, 30, 80))
    probabilities = response((20, 30, 0.9))
    (bright,) = candidates_of(image, probabilities)
    (dark,) = candidates_of(60_000 - image, probabilities, "dark")
    np.testing.assert_allclose(dark.measurements, bright.measurements, rtol=1e-9)


@pytest.mark.parametrize("kind", ["constant", "not finite", "one pixel"])
def test_frames_without_contrast_give_finite_measurements(kind):
    shape = (1, 1) if kind == "one pixel" else (40, 40)
    image = np.full(shape, np.nan if kind == "not finite" else 7.0)
    probabilities = np.full(shape, 0.8, np.float32)
    (candidate,) = candidates_of(image, probabilities)
    assert np.isfinite(candidate.measurements).all()
    drawn = OperatorMasks(DEFAULT)(image, probabilities)
    assert np.isfinite(drawn).all()


def test_a_flooded_frame_costs_a_bounded_number_of_masks():
    probabilities = np.zeros((80, 90), np.float32)
    probabilities[::2, ::2] = np.random.default_rng(2).uniform(0.2, 0.9, (40, 45))
    found = candidates_of(scene(), probabilities)
    assert len(found) == 100 + 80 * 90 // 2000


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    """A short run whose detected targets are drawn by the operator."""
    folder = tmp_path_factory.mktemp("operator")
    make_folder(folder / "data", 6)
    config = load_config(
        settings=[*TINY, "strategy.name=full", "masks.by=operator", "masks.theta=paper", "epochs=2"]
    )
    train(config, Source(root=folder / "data"), folder / "run")
    return folder


def test_a_run_validates_both_kinds_of_masks_and_its_card_says_who_draws(run_folder):
    lines = (run_folder / "run" / "metrics.jsonl").read_text().splitlines()
    last = json.loads(lines[-1])
    assert {"val_labels", "val_network_labels"} <= set(last)
    _, card = load_model(run_folder / "run")
    assert (card.masks.by, card.masks.theta) == ("operator", Theta.load("paper"))


def test_of_epochs_that_find_the_same_targets_the_one_whose_network_draws_better_is_best():
    def epoch(operator, network=None):
        found = {"val_labels": {"iou": operator}}
        return found if network is None else {**found, "val_network_labels": {"iou": network}}

    rank = MaskTask(None).rank
    assert rank(epoch(0.8, 0.6)) > rank(epoch(0.8, 0.5)) > rank(epoch(0.75, 0.5))
    assert rank(epoch(0.8)) == 0.8
    assert rank(epoch(None, None)) is None


def test_settings_survive_the_card():
    given_settings = MaskSettings("operator", "auto", Theta.load("paper"))
    assert MaskSettings.from_table(json.loads(json.dumps(given_settings.to_table()))) == given_settings


def test_evaluate_scores_both_kinds_and_predict_draws_as_told(run_folder):
    common = [str(run_folder / "run"), str(run_folder / "data")]
    out = run_folder / "evaluation"
    done = CliRunner().invoke(
        main, ["evaluate", *common, "--list", "all", "--out", str(out), "--device", "cpu"]
    )
    assert done.exit_code == 0, done.output
    table = json.loads((out / "metrics.json").read_text())
    assert table["masks_by"] == "operator"
    assert table["network"]["all"]["images"] == table["all"]["images"]
    images = str(run_folder / "data" / "images")
    maps = {}
    for by in ("operator", "network"):
        target = run_folder / by
        call = ["predict", common[0], images, "--out", str(target), "--masks-by", by, "--device", "cpu"]
        done = CliRunner().invoke(main, [*call, "--threshold", "0.05"])
        assert done.exit_code in (0, 3), done.output
        maps[by] = [np.asarray(Image.open(path)) for path in sorted((target / "masks").rglob("*.png"))]
        line = json.loads((target / "predictions.jsonl").read_text().splitlines()[0])
        assert line["made_with"]["masks"] == by
    other = ["predict", common[0], images, "--out", str(run_folder / "operator"), "--masks-by", "network"]
    refused = CliRunner().invoke(main, [*other, "--threshold", "0.05", "--device", "cpu"])
    assert refused.exit_code != 0
    assert "masks" in refused.output
