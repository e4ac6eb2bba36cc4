"""Lists that are right raise no alarm, and every planted error is named with what undoes it."""

import numpy as np
import pytest

from pointmask.judgement.evidence import Clicked
from pointmask.judgement.statistic import Standout
from pointmask.judgement.transformations import named, scaled, shifted
from pointmask.judgement.verdict import judge
from pointmask.synth.scenes import KINDS, make_scene

NONE = np.empty((0, 2), np.int64)


def scenes(count, contrast=None, seed=11, side=128):
    made = []
    for index in range(count):
        scene = make_scene(
            KINDS[index % len(KINDS)], shape=(side, side), seed=(seed, index), targets=2, contrast=contrast
        )
        made.append((Standout(scene.image), np.array(scene.points), scene.instances))
    return made


@pytest.fixture(scope="module")
def clear():
    return scenes(20, contrast=8)


def clicked(made, clicks):
    neighbours = [NONE, *clicks, NONE]
    return [
        Clicked(standout, own, before, after)
        for (standout, *_), own, before, after in zip(made, clicks, neighbours, neighbours[2:], strict=False)
    ]


def rounded(places):
    return np.floor(np.asarray(places, float) + 0.5).astype(np.int64)


def each(made, change):
    return [rounded(np.stack(change(*points.T.astype(float), *image.shape), 1)) for image, points, _ in made]


ERRORS = {
    "swapped": lambda r, c, h, w: (c, r),
    "mirrored": lambda r, c, h, w: (r, w - 1 - c),
    "upside down": lambda r, c, h, w: (h - 1 - r, c),
    "turned by 180 degrees": lambda r, c, h, w: (h - 1 - r, w - 1 - c),
    "turned by 90 degrees": lambda r, c, h, w: (c, h - 1 - r),
    "scaled": lambda r, c, h, w: (r * 1.25, c * 1.25),
    "percents": lambda r, c, h, w: (100 * r / h, 100 * c / w),
    "fractions": lambda r, c, h, w: (r / h, c / w),
    "shifted": lambda r, c, h, w: (r + 9, c - 5),
    "counted from 1": lambda r, c, h, w: (r + 1, c + 1),
}


@pytest.mark.parametrize("name", ERRORS)
def test_a_planted_error_is_named(clear, name):
    clicks = each(clear, ERRORS[name])
    verdict = judge(clicked(clear, clicks))
    assert verdict.is_wrong
    assert verdict.cause is not None
    assert verdict.cause.name == name
    assert verdict.cause.what in str(verdict)
    assert verdict.fix == verdict.cause.fix
    assert verdict.makes_sense == (name == "counted from 1")


@pytest.mark.parametrize(
    "name", ["swapped", "mirrored", "turned by 90 degrees", "scaled", "percents", "shifted"]
)
def test_what_the_cause_changes_brings_clicks_back(clear, name):
    verdict = judge(clicked(clear, each(clear, ERRORS[name])))
    for (image, points, _), wrong in zip(clear, each(clear, ERRORS[name]), strict=True):
        rows, cols = verdict.cause.change(*wrong.T.astype(float), image.shape)
        assert np.abs(np.stack([rows, cols], 1) - points).max() <= 2
    assert verdict.mended > 0.8 * verdict.clicks > 2 * verdict.on_target


@pytest.mark.parametrize("step", [1, -1])
def test_names_that_are_off_by_one(clear, step):
    clicks = [points for _, points, _ in clear]
    verdict = judge(clicked(clear, [*clicks[step:], *clicks[:step]]))
    assert verdict.cause is not None
    assert verdict.cause.name == "names off by one"
    assert ("after" if step == 1 else "before") in verdict.cause.what


def test_corners_of_boxes(clear):
    clicks = []
    for _, points, instances in clear:
        places = [np.argwhere(instances == k + 1).min(axis=0) for k in range(len(points))]
        clicks.append(np.array(places))
    verdict = judge(clicked(clear, clicks))
    assert verdict.cause is not None
    assert verdict.cause.name == "corner of the box"
    assert "half its width" in verdict.fix


@pytest.mark.parametrize("contrast", [2, -2, 4, None])
@pytest.mark.parametrize("count", [5, 20])
def test_right_clicks_raise_no_alarm(contrast, count):
    made = scenes(count, contrast, seed=5)
    clicks = [points for _, points, _ in made]
    assert judge(clicked(made, clicks)).kind == "fits"


@pytest.mark.parametrize("seed", range(3))
def test_careless_clicks_raise_no_alarm(clear, seed):
    rng = np.random.default_rng(seed)
    clicks = [points + rng.integers(-2, 3, points.shape) for _, points, _ in clear]
    assert judge(clicked(clear, clicks)).kind == "fits"


@pytest.mark.parametrize("seed", range(3))
def test_clicks_by_chance_show_no_target_and_nothing_explains_them(clear, seed):
    rng = np.random.default_rng(seed)
    clicks = [rng.integers(0, 128, (3, 2)) for _ in clear]
    verdict = judge(clicked(clear, clicks))
    assert verdict.kind == "nowhere"
    assert not verdict.makes_sense
    assert verdict.fix


@pytest.mark.parametrize(("contrast", "other"), [(8, "dark"), (-8, "bright"), (3, "dark"), (-3, "bright")])
def test_targets_of_the_polarity_that_is_not_looked_for(contrast, other):
    made = scenes(12, contrast, seed=6)
    frames = clicked(made, [points for _, points, _ in made])
    verdict = judge(frames, polarity=other)
    own = "bright" if contrast > 0 else "dark"
    assert (verdict.kind, verdict.is_wrong, verdict.makes_sense) == ("polarity", True, False)
    assert verdict.opposite == verdict.on_target > 15
    assert verdict.wanted == own
    assert verdict.fix == f"give --polarity {own}"
    assert f"on {own} targets" in str(verdict)
    assert judge(frames, polarity=own).kind == judge(frames).kind == "fits"


def test_some_dark_targets_among_bright_ones(clear):
    made = [*clear, *scenes(4, -8, seed=7)]
    frames = clicked(made, [points for _, points, _ in made])
    verdict = judge(frames, polarity="bright")
    assert (verdict.kind, verdict.is_wrong, verdict.makes_sense) == ("polarity", True, True)
    assert 6 <= verdict.opposite <= 8
    assert "--polarity auto" in verdict.fix
    assert judge(frames[:20], polarity="bright").kind == "fits"


def test_no_clicks_and_few_say_nothing(clear):
    assert judge([]).kind == "few"
    assert judge(clicked(clear, [NONE] * len(clear))).kind == "few"
    one = judge([Clicked(clear[0][0], np.array([[3, 3]]))])
    assert (one.kind, one.is_wrong, one.makes_sense, one.fix) == ("few", False, True, "")


def test_a_place_that_many_frames_click_on_tells_but_once(clear):
    standout = clear[0][0]
    frames = [Clicked(standout, np.array([[5, 5], [6, 90]]))] * 100
    verdict = judge(frames)
    assert (verdict.kind, verdict.clicks) == ("few", 2)


@pytest.mark.parametrize(("count", "least"), [(8, 0.75), (20, 1)])
def test_few_clicks_by_chance_show_no_target(clear, count, least):
    told = []
    for seed in range(20):
        rng = np.random.default_rng((seed, count))
        clicks = [rng.integers(0, 128, (2, 2)) for _ in range(count // 2)]
        told.append(judge(clicked(clear[: count // 2], clicks)).kind)
    assert set(told) <= {"nowhere", "few", "fits"}
    assert told.count("fits") <= 2  # now and then, clicks by chance are lucky
    assert told.count("nowhere") >= least * len(told)


@pytest.mark.parametrize("contrast", [2, -2])
@pytest.mark.parametrize("count", [2, 3, 4])
def test_few_clicks_on_dim_targets_raise_no_alarm(contrast, count):
    made = scenes(40, contrast, seed=9, side=64)
    for first in range(0, 40 - count, count):
        some = made[first : first + count]
        assert not judge(clicked(some, [points for _, points, _ in some])).is_wrong


def test_one_lucky_click_saves_no_list(clear):
    rng = np.random.default_rng(1)
    clicks = [rng.integers(0, 128, (2, 2)) for _ in clear]
    clicks[0] = clear[0][1]
    assert judge(clicked(clear, clicks)).kind == "nowhere"


def test_masks_are_judged_by_their_middles_and_mended_as_masks(clear):
    verdict = judge(clicked(clear, each(clear, ERRORS["swapped"])), "masks")
    assert verdict.fix == "transpose each mask: rows are columns; or give the images that they were drawn on"
    assert "middles of targets in the masks" in str(verdict)
    shift = judge(clicked(clear, each(clear, ERRORS["shifted"])), "masks")
    assert shift.fix.startswith("export the masks again")


def test_pixels_and_what_was_made_of_them_are_judged_alike():
    made = [make_scene("clouds", shape=(64, 64), seed=k, targets=2, contrast=8) for k in range(4)]
    plain = [Clicked(s.image, np.array(s.points)) for s in made]
    ready = [Clicked(Standout(s.image), np.array(s.points)) for s in made]
    assert judge(plain) == judge(ready)


def test_named_errors_leave_out_what_changes_nothing():
    causes = [cause.what for cause in named({(512, 640)})]
    assert not any("640 x 512" in what for what in causes)
    assert any("512 x 512" in what for what in causes)


@pytest.mark.parametrize(
    ("down", "right", "name", "words"),
    [
        (-1, -1, "counted from 1", "subtract 1"),
        (3, 4, "corner of the box", "add +4 to x and +3 to y"),
        (3, -4, "shifted", "add -4 to x and +3 to y"),
        (0, 9, "shifted", "add +9 to x and +0 to y"),
    ],
)
def test_shifts_have_names(down, right, name, words):
    cause = shifted(down, right)
    assert cause.name == name
    assert words in cause.fix


def test_a_scale_says_by_what_to_multiply():
    cause = scaled(0.5)
    assert "2 times as large" in cause.what
    assert cause.fix == "multiply x and y by 0.5"
