"""`compat` against the published evaluations, step by step, to all digits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tools.naive.evaluations import published

from pointmask.metrics.counters import Score, score
from pointmask.metrics.rules import RULES

RELEASED = {"basicirstd": False, "lesps": False, "basicirstd-2023": True, "dnanet": True}


def boxes(*places, shape=(24, 30)):
    image = np.zeros(shape, np.uint8)
    for row, col, height, width, value in places:
        image[row : row + height, col : col + width] = value
    return image


CASES = {
    "a hit, a miss, and a false alarm as large as the hit": (
        boxes((2, 2, 2, 2, 255), (15, 20, 2, 2, 255)),
        boxes((2, 2, 2, 2, 255), (8, 8, 3, 3, 255)),
    ),
    "exactly 3 px away": (boxes((5, 8, 1, 1, 255)), boxes((5, 5, 1, 1, 255))),
    "just below 3 px": (boxes((7, 7, 1, 1, 255)), boxes((5, 5, 1, 1, 255))),
    "two targets, one component between them": (
        boxes((5, 6, 1, 1, 255)),
        boxes((5, 4, 1, 1, 255), (5, 8, 1, 1, 255)),
    ),
    "soft edges of the truth": (
        boxes((4, 4, 4, 4, 255)),
        boxes((3, 3, 6, 6, 200), (4, 4, 4, 4, 255), (3, 3, 1, 6, 100)),
    ),
    "a target that is grey throughout": (
        boxes((4, 4, 3, 3, 255), (15, 15, 2, 2, 255)),
        boxes((4, 4, 3, 3, 254), (15, 15, 2, 2, 255)),
    ),
    "probabilities around the half": (
        boxes((4, 4, 2, 2, 127), (9, 9, 2, 2, 128)),
        boxes((4, 4, 2, 2, 255), (9, 9, 2, 2, 255)),
    ),
    "diagonal neighbours are one target": (
        boxes((4, 4, 2, 2, 255), (6, 6, 2, 2, 255)),
        boxes((4, 4, 2, 2, 255), (6, 6, 2, 2, 255)),
    ),
}


def figures(masks, truths, name):
    total = sum((score(m, t, compat=name) for m, t in zip(masks, truths, strict=True)), Score())
    return total.recall, total.iou, total.pd, total.fa


@pytest.mark.parametrize("name", RELEASED)
@pytest.mark.parametrize("case", CASES)
def test_a_hand_made_case_has_the_published_figures(case, name):
    mask, truth = CASES[case]
    assert figures([mask], [truth], name) == published([mask], [truth], areas_by_value=RELEASED[name])


@given(st.integers(0, 2**32 - 1))
def test_random_sets_have_the_published_figures(seed):
    rng = np.random.default_rng(seed)
    masks, truths = [], []
    for _ in range(3):
        truth, mask = np.zeros((14, 18), np.uint8), np.zeros((14, 18), np.uint8)
        truth[0, 0] = 255  # a target of the set, and a value that says that it is no list of numbers
        for _ in range(3):
            row, col, *size = rng.integers(1, (9, 12, 4, 4))
            place = slice(row, row + size[0]), slice(col, col + size[1])
            truth[place] = rng.choice([255, 255, 254, 128, 127])
            mask[place[0], slice(max(col - rng.integers(0, 4), 0), col + size[1])] = rng.choice([255, 128])
        masks.append(mask)
        truths.append(truth)
    for name, areas_by_value in RELEASED.items():
        assert figures(masks, truths, name) == published(masks, truths, areas_by_value=areas_by_value)


def test_every_rule_but_ours_differs_from_ours():
    assert all(rule != RULES[None] for name, rule in RULES.items() if name is not None)
