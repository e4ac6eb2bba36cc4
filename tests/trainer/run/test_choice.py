"""The best epoch is the last that is as good as the largest figure, as far as so few images can tell."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch")

from pointmask_trainer.run.choice import Choice, best_of


def epochs(*ious):
    return [{"epoch": k, "iou": iou} for k, iou in enumerate(ious, 1)]


def chosen(ious, images):
    return best_of(epochs(*ious), lambda line: line["iou"], images).get("epoch")


@pytest.mark.parametrize(
    ("ious", "images", "expected"),
    [
        ((0.80, 0.79, 0.78), 10, 3),  # 0.02 says nothing about ten images
        ((0.80, 0.79, 0.78), 10_000, 1),
        ((0.5, 0.8, 0.1, 0.2), 10, 2),  # labels that collapse
        ((0.80, 0.76, 0.72), 10, 2),  # measured from the largest, however slowly figures fall
        ((None, None, 0.0), 10, 3),
        ((None, None), 10, 2),
        ((0.3, None), 10, 1),
        ((), 10, None),
    ],
)
def test_it_is_the_last_within_the_margin(ious, images, expected):
    assert chosen(ious, images) == expected


@given(st.lists(st.floats(0, 1) | st.none(), min_size=1, max_size=12), st.integers(1, 4000), st.data())
def test_a_resumed_run_chooses_alike(ious, images, data):
    lines = epochs(*ious)
    cut = data.draw(st.integers(0, len(lines)))
    first = Choice(lambda line: line["iou"], images)
    for line in lines[:cut]:
        first.take(line)
    second = Choice(lambda line: line["iou"], images, first.best, first.top, first.stale)
    told = [second.take(line) for line in lines[cut:]]
    assert second.best["epoch"] == chosen(ious, images)
    if any(told):
        assert second.best["epoch"] == cut + max(k for k, is_best in enumerate(told, 1) if is_best)


def test_staleness_counts_from_the_largest_figure():
    choice = Choice(lambda line: line["iou"], 10)
    assert [(choice.take(line), choice.stale) for line in epochs(0.5, 0.5, 0.49, 0.6, 0.2)] == [
        (True, 0), (True, 1), (True, 2), (True, 0), (False, 1),
    ]  # fmt: skip
