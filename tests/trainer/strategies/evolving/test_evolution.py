"""Updates of one label against numbers worked out by hand, and against a slow twin."""

import numpy as np
import pytest
from scipy import ndimage as ndi

pytest.importorskip("torch")

from pointmask_trainer.strategies.evolving.evolution import evolve, label_windows
from pointmask_trainer.strategies.evolving.options import LESPSOptions, PALOptions

LESPS, PAL = LESPSOptions(), PALOptions()


def peak(shape=(64, 64), centre=(32, 32), height=0.8):
    rows, cols = np.indices(shape)
    return height * np.exp(-((rows - centre[0]) ** 2 + (cols - centre[1]) ** 2) / 8)


def point(shape=(64, 64), *places):
    label = np.zeros(shape)
    for place in places or ((32, 32),):
        label[place] = 1
    return label


def updates(label, probabilities, rule, count):
    """Labels after each update; pinned is what was exactly 1."""
    for _ in range(count):
        label = evolve(label, probabilities, label == 1, rule)
        yield label


def twin(label, predicted, pinned, rule):
    """The same, pixel by pixel."""
    height, width = label.shape
    regions, count = ndi.label(label > 0.5, np.ones((3, 3)))
    now, raised = label.copy(), np.zeros(label.shape, bool)
    for number in range(1, count + 1):
        own = np.argwhere(regions == number)
        row, col = (own.sum(0) // len(own)).tolist()

        def near(y, x, side, row=row, col=col):
            return abs(y - row) <= side // 2 and abs(x - col) <= side // 2

        inside = [(y, x) for y in range(height) for x in range(width) if near(y, x, rule.window)]
        highest = max(predicted[p] for p in inside)
        share = rule.growth * (1 - rule.base) * len(own) / (rule.limit * height * width)
        high = {p for p in inside if predicted[p] > highest * (rule.base + share)}
        groups, left = [], set(high)
        while left:
            group, todo = set(), [left.pop()]
            while todo:
                y, x = todo.pop()
                group.add((y, x))
                around = {(y + i, x + j) for i in (-1, 0, 1) for j in (-1, 0, 1)} & left
                left -= around
                todo += around
            groups.append(group)
        if len(groups) > 1 or rule.strict_core:
            groups = [g for g in groups if any(near(y, x, rule.core) for y, x in g)]
        for p in set().union(*groups):
            raised[p] = True
            if rule.order == "sequential":
                now[p] = (now[p] + predicted[p]) / 2
    for p in np.ndindex(label.shape):
        if rule.order == "union" and raised[p]:
            now[p] = (now[p] + predicted[p]) / 2
        if not raised[p]:
            now[p] *= rule.decay
        if pinned[p]:
            now[p] = 1
    return now


def test_a_point_grows_as_worked_out_by_hand():
    found = list(updates(point(), peak(), LESPS, 6))
    assert [int((label > 0.5).sum()) for label in found] == [1, 5, 9, 9, 9, 9]
    sums = [4.6285, 6.4428, 7.1073, 7.2838, None, 7.4162]
    first = [0.3530, 0.5295, 0.6177, 0.6619, None, 0.6950]
    second = [0.2426, 0.3639, 0.3639, 0.3639, None, 0.3639]
    for label, total, one, two in zip(found, sums, first, second, strict=True):
        if total is not None:
            assert label.sum() == pytest.approx(total, abs=5e-5)
            assert label[32, 33] == pytest.approx(one, abs=5e-5)
            assert label[32, 34] == pytest.approx(two, abs=5e-5)
    pixels = [13, 13, 9, 5]  # of N: of the label before, those that the update moves, and the point
    before = [point(), *found[:3]]
    changed = [int((a != b).sum()) + 1 for a, b in zip(before, found, strict=False)]
    assert changed == pixels


def test_growth_depends_on_the_size_of_the_frame():
    label = point((256, 256), (128, 128))
    found = list(updates(label, peak((256, 256), (128, 128)), LESPS, 3))
    assert int((found[0] > 0).sum()) == int((found[2] > 0).sum()) == 21


def test_a_stray_block_alone_is_taken_unless_the_core_is_strict():
    predicted = np.zeros((64, 64))
    predicted[32:34, 40:42] = 0.9
    label = point()
    assert evolve(label, predicted, label == 1, LESPS)[32, 40] == pytest.approx(0.45)
    strict = LESPSOptions(strict_core=True)
    assert evolve(label, predicted, label == 1, strict)[32, 40] == 0


def test_pixels_in_two_windows_are_averaged_twice_unless_all_are_updated_at_once():
    predicted = np.zeros((64, 64))
    predicted[32, 20:50] = 0.8
    label = point((64, 64), (32, 24), (32, 42))
    assert evolve(label, predicted, label == 1, LESPS)[32, 33] == pytest.approx(0.6)
    assert evolve(label, predicted, label == 1, LESPSOptions(order="union"))[32, 33] == pytest.approx(0.4)


def test_a_label_of_twice_the_limit_grows_no_further_and_with_decay_fades():
    label = np.zeros((64, 64))
    label[20:30, 20:30] = 0.8
    predicted = np.random.default_rng(0).random((64, 64))
    none = np.zeros((64, 64), bool)
    np.testing.assert_array_equal(evolve(label, predicted, none, LESPS), label)
    np.testing.assert_allclose(evolve(label, predicted, none, PAL), 0.97 * label)


def test_fading_by_hand():
    found = list(updates(point(), peak(), PAL, 6))
    sums = [4.6285, 6.4428, 7.0636, 7.1324, 7.1161, 7.0588]
    assert [label.sum() for label in found] == pytest.approx(sums, abs=5e-5)
    assert [int((label > 0.5).sum()) for label in found] == [1, 5, 9, 9, 9, 5]
    label = np.zeros((64, 64))
    label[20:30, 20:30] = 0.8
    assert evolve(label, label, label > 1, PAL)[25, 25] == pytest.approx(0.776)


def test_a_sure_pixel_needs_two_updates_up_and_thirteen_down():
    found = updates(point((3, 3), (1, 1)), np.full((3, 3), 0.99), PALOptions(limit=1), 4)
    assert [label[0, 0] for label in found] == pytest.approx([0.495, 0.7425, 0.8662, 0.9281], abs=1e-4)
    value, decays = 0.7425, 0
    while value > 0.5:
        value, decays = value * PAL.decay, decays + 1
    assert decays == 13


def test_points_stay_and_nothing_appears_without_one():
    predicted = np.random.default_rng(1).random((40, 40))
    assert not evolve(np.zeros((40, 40)), predicted, np.zeros((40, 40), bool), LESPS).any()
    label = point((40, 40), (0, 0), (39, 12))
    found = evolve(label, np.zeros((40, 40)), label == 1, PAL)
    np.testing.assert_array_equal(found, label)
    assert evolve(np.ones((1, 1)), np.full((1, 1), 0.5), np.ones((1, 1), bool), LESPS)[0, 0] == 1


def test_the_arguments_stay_as_they_are():
    label, predicted = point(), peak()
    before = label.copy(), predicted.copy()
    evolve(label, predicted, label == 1, PAL)
    np.testing.assert_array_equal(label, before[0])
    np.testing.assert_array_equal(predicted, before[1])


@pytest.mark.parametrize("rule", [LESPS, PAL, LESPSOptions(order="union", window=9, core=5, decay=0.9)])
@pytest.mark.parametrize("seed", range(3))
def test_it_is_the_slow_twin(rule, seed):
    rng = np.random.default_rng(seed)
    label = ndi.gaussian_filter(rng.random((30, 41)), 1.5)
    label = np.clip((label - label.mean()) * 6, 0, 1)
    label[tuple(rng.integers(0, 30, (2, 4)))] = 1
    predicted = ndi.gaussian_filter(rng.random((30, 41)), 1)
    predicted /= predicted.max()
    pinned = label == 1
    np.testing.assert_allclose(evolve(label, predicted, pinned, rule), twin(label, predicted, pinned, rule))


@pytest.mark.parametrize("rule", [LESPS, PAL])
def test_flipped_and_transposed_images_give_flipped_and_transposed_labels(rule):
    label, predicted = point((41, 41), (20, 20)), peak((41, 41), (20.0, 21.0), 0.9)
    found = evolve(label, predicted, label == 1, rule)
    for turn in (lambda x: x[::-1], lambda x: x[:, ::-1], np.transpose):
        turned = np.ascontiguousarray(turn(label))
        again = evolve(turned, np.ascontiguousarray(turn(predicted)), turned == 1, rule)
        np.testing.assert_array_equal(again, turn(found))


@pytest.mark.parametrize("rule", [LESPS, PAL])
def test_a_prediction_matters_within_the_windows_alone(rule):
    rng = np.random.default_rng(5)
    label = point((90, 120), (2, 3), (50, 60), (51, 61), (88, 119))
    predicted = rng.random((90, 120))
    elsewhere = np.zeros((90, 120))
    windows = label_windows(label, rule.window)
    assert windows == [(0, 0, 19, 20), (34, 44, 67, 77), (72, 103, 90, 120)]
    for top, left, bottom, right in windows:
        elsewhere[top:bottom, left:right] = predicted[top:bottom, left:right]
    found = (evolve(label, values, label == 1, rule) for values in (predicted, elsewhere))
    np.testing.assert_array_equal(*found)
