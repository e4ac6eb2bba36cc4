"""Which hard images join, by hand; how the bound rises; what may be asked of the options."""

import numpy as np
import pytest

pytest.importorskip("torch")

from pointmask_trainer.errors import ConfigError
from pointmask_trainer.strategies.evolving.admission import admission_label
from pointmask_trainer.strategies.evolving.options import LESPSOptions, PALOptions
from pointmask_trainer.strategies.registry import make_strategy


def predicted(*boxes, shape=(60, 60)):
    found = np.zeros(shape, np.float32)
    for top, left, bottom, right in boxes:
        found[top:bottom, left:right] = 0.9
    return found


def admit(probabilities, points, *, most_missed=0.2, most_false=5.0):
    places = np.array(points, np.int64).reshape(-1, 2)
    return admission_label(probabilities, places, most_missed=most_missed, most_false=most_false)


def test_half_of_two_points_must_be_allowed_to_be_missed():
    points, found = [(10, 10), (40, 40)], predicted((9, 9, 12, 12))
    assert admit(found, points, most_missed=0.49) is None
    label = admit(found, points, most_missed=0.5)
    assert label is not None
    assert int(label.sum()) == 9 + 1
    assert label[40, 40]


def test_too_many_false_components_keep_an_image_out():
    boxes = [(5 + 8 * k, 30, 7 + 8 * k, 32) for k in range(6)]
    target = (20, 9, 23, 12)
    assert admit(predicted(target, *boxes), [(21, 10)]) is None  # (7 - 1) / 1 = 6 > 5
    label = admit(predicted(target, *boxes[:5]), [(21, 10)])
    assert label is not None
    assert int(label.sum()) == 9  # without the false ones


def test_an_image_without_points_joins_at_once():
    label = admit(predicted((1, 1, 9, 9)), [])
    assert label is not None
    assert not label.any()


def test_adjacent_points_are_one_target_and_holes_are_filled():
    ring = predicted((10, 10, 15, 15))
    ring[11:14, 11:14] = 0.1
    label = admit(ring, [(12, 12), (12, 13)], most_missed=0.0)
    assert label is not None
    assert int(label.sum()) == 25
    assert admit(predicted(), [(12, 12), (12, 13)], most_missed=1.0) is not None
    assert admit(predicted(), [(12, 12), (12, 13)], most_missed=0.99) is None


def test_the_bound_on_missed_targets_rises_as_published():
    options = PALOptions()
    found = [options.most_missed(epoch, 400) for epoch in (85, 90, 320)]
    assert found == pytest.approx([0.2200, 0.2367, 1.0033], abs=5e-5)


@pytest.mark.parametrize(
    ("epochs", "expected"),
    [(400, [51, *range(55, 401, 5)]), (60, [9, *range(10, 61, 2)]), (10, [2, 4, 6, 8, 10])],
)
def test_labels_evolve_at_the_published_epochs(epochs, expected):
    options = LESPSOptions()
    assert [n for n in range(1, epochs + 1) if options.is_due(n, epochs)] == expected
    assert len([n for n in range(1, 401) if options.is_due(n, 400)]) == 71


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("lesps", {"window": 32}, "window = 32 is even"),
        ("lesps", {"start": "masks"}, "start"),
        ("pal", {"core": 4}, "core = 4 is even"),
        ("pal", {"strict_core": True}, "strict_core"),
    ],
)
def test_options_are_checked(name, options, said):
    with pytest.raises(ConfigError, match=said):
        make_strategy(name, options)


def test_what_is_pinned_and_labelled_follows_what_is_easy():
    published, ours = PALOptions(), PALOptions(easy="annotator")
    assert (published.from_annotator, published.pins_saturated) == (False, True)
    assert (ours.from_annotator, ours.pins_saturated) == (True, False)
    mixed = PALOptions(start="annotator", pin="saturated")
    assert (mixed.from_annotator, mixed.pins_saturated) == (True, True)
