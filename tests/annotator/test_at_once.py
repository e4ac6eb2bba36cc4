"""A target solved in one call is the target that its steps give, to the last bit."""

import numpy as np
import pytest

from pointmask.annotator.operator import Operator, assemble
from pointmask.annotator.point import solve_point
from pointmask.synth.scenes import make_scenes
from pointmask.theta import Theta


def clicks(scene):
    height, width = scene.image.shape
    for k, (row, col) in enumerate(scene.points):
        yield row, col  # on the target, then beside it, then where the window is cut by the border
        yield min(row + 2, height - 1), max(col - 3, 0)
        yield (0, col) if k % 2 else (height - 3, width - 2)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"settle_moves": 0, "recentre": 0.0},
        {"half_size": 9, "superpixel": "grid", "superpixel_step": 5, "alpha": 0.6},
        {"level": 0.9, "reach": 0},
        {"style": 1.0},
    ],
    ids=lambda changes: ",".join(changes) or "default",
)
@pytest.mark.parametrize("polarity", ["bright", "auto"])
def test_one_call_gives_what_its_steps_give(changes, polarity, monkeypatch):
    operator = assemble(Theta.load("default").with_(**changes))
    jobs = [(scene.image, click) for scene in make_scenes(4, 8, shape=(96, 110)) for click in clicks(scene)]
    image = jobs[0][0].astype(np.float64)
    image[40:50, 40:50] = 17.0  # no contrast in the middle of it
    image[5:8, 5:9] = np.nan
    jobs += [(image, (45, 45)), (image, (6, 10)), (np.full((9, 12), 5), (3, 3))]
    assert operator.at_once
    once = [solve_point(image, *click, operator, polarity) for image, click in jobs]
    monkeypatch.setattr(Operator, "at_once", False)
    for found, (image, click) in zip(once, jobs, strict=True):
        stepwise = solve_point(image, *click, operator, polarity)
        for name in ("point", "window", "area", "box", "confidence", "flags", "centre", "octave"):
            assert getattr(found.target, name) == getattr(stepwise.target, name)
        for name in ("soft", "mask"):
            np.testing.assert_array_equal(getattr(found.target, name), getattr(stepwise.target, name))
        for name in ("soft", "fine"):
            np.testing.assert_array_equal(getattr(found, name), getattr(stepwise, name))


def test_thetas_whose_level_or_values_follow_from_the_window_go_step_by_step():
    assert not assemble(Theta.load("paper")).at_once
    assert not assemble(Theta.load("default").with_(level=0.0)).at_once
