"""How the benchmarks of proposals judge."""

import numpy as np
import pytest


@pytest.fixture
def recall(part):
    return part("proposed.recall")


def frame_of(part, *places, group="a"):
    labels = np.zeros((40, 40), np.uint8)
    for row, col in places:
        labels[row : row + 2, col : col + 2] = 1
    return part("masks.data").Frame("x.png", group, "", labels, labels, {}, {})


def test_centroids_are_those_of_the_components(part, recall):
    frame = frame_of(part, (3, 5), (20, 30))
    assert recall.centroids(frame).tolist() == [[3.5, 5.5], [20.5, 30.5]]
    assert recall.centroids(frame_of(part)).shape == (0, 2)


def test_a_proposal_finds_one_target_within_three_px(recall):
    true = np.array([[10.0, 10.0], [10.0, 14.0]])
    assert recall.found_by(np.array([[10.0, 13.0]]), true) == {0}
    assert recall.found_by(np.array([[10.0, 12.0], [10.0, 11.0]]), true) == {0, 1}
    assert recall.found_by(np.array([[10.0, 6.9], [13.1, 10.0]]), true) == set()
    assert recall.found_by(np.empty((0, 2)), true) == set()
    assert recall.found_by(true, np.empty((0, 2))) == set()


def test_recall_counts_targets_by_data_set(part, recall):
    first, second = frame_of(part, (3, 5), (20, 30)), frame_of(part, (8, 8), group="b")
    far = [35.0, 2.0]
    ranked = [(first, np.array([[3.5, 5.5], far, [20.5, 30.5]])), (second, np.array([far]))]
    table = recall.recall_table(ranked)
    assert table["all"] == {"targets": 3, "1": 1 / 3, "3": 2 / 3, "5": 2 / 3, "10": 2 / 3}
    assert table["a"] == {"targets": 2, "1": 0.5, "3": 1.0, "5": 1.0, "10": 1.0}
    assert table["b"]["10"] == 0


def test_the_fit_separates_what_can_be_separated(part):
    fit = part("fit_proposals")
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(400, 12))
    truth = (2 * inputs[:, 3] - inputs[:, 7] + 0.3 * rng.normal(size=400) > 1).astype(float)
    sample = fit.Sample(frame_of(part), inputs, np.zeros((400, 2)), truth, 0)
    weights = fit.fitted([sample])
    assert weights[4] > 3
    assert weights[8] < -1.5
    assert max(abs(np.delete(weights[1:], [3, 7]))) < 1
    scored = fit.scores(inputs, weights)
    assert scored.mean() == pytest.approx(truth.mean(), abs=1e-3)
    assert ((scored > 0.5) == truth).mean() > 0.93


def test_false_alarms_are_counted_above_a_score(part):
    fit = part("fit_proposals")
    frame = frame_of(part, (3, 5))
    places = np.array([[3.5, 5.5], [30.0, 30.0], [30.0, 10.0], [31.0, 30.0]])
    sample = fit.Sample(frame, np.zeros((4, 12)), places, np.array([1.0, 0, 0, 0]), 0)
    scored = np.array([0.9, 0.8, 0.4, 0.7])  # the last is near a better one, so it is not proposed
    assert dict(fit.false_alarms([(sample, scored)]))[1] == 0.4
    assert dict(fit.false_alarms([(sample, scored)]))[0.3] == 0.8
