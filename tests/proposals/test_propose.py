"""Proposals of one image: planted targets, invariances, and frames in which there is nothing to find."""

import numpy as np
import pytest

import pointmask
from pointmask.errors import ImageError
from pointmask.proposals.candidates import find_candidates, normalised
from pointmask.proposals.propose import apart, propose

PLANTED = [(30, 40), (70, 20), (90, 100)]


def scene(seed=0, places=PLANTED, shape=(120, 128), amplitude=60.0):
    """Noise on a ramp, with spots of a few pixels."""
    rng = np.random.default_rng(seed)
    rows, cols = np.mgrid[: shape[0], : shape[1]]
    image = 1000 + 0.5 * rows + rng.normal(0, 4, shape)
    for row, col in places:
        image += amplitude * np.exp(-((rows - row) ** 2 + (cols - col) ** 2) / 3.0)
    return np.rint(image)


def places(proposals):
    return np.array([(p.row, p.col) for p in proposals]).reshape(-1, 2)


def same(ours, theirs):
    """Whether two sets of places agree."""
    return len(ours) == len(theirs) and all(np.hypot(*(theirs - p).T).min() < 1e-6 for p in ours)


def test_planted_targets_come_first_and_are_sub_pixel():
    found = propose(scene(), count=10)
    assert len(found) == 10
    scores = [p.score for p in found]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    for row, col in PLANTED:
        assert min(np.hypot(p.row - row, p.col - col) for p in found[:3]) < 0.6
    assert scores[2] > 0.5 > scores[3]
    for p in found[:3]:
        held = np.argwhere(p.target.mask) + p.target.window[:2]
        np.testing.assert_allclose((p.row, p.col), held.mean(axis=0))


@pytest.mark.parametrize("count", [1, 2, 5, 40])
def test_count_and_least_score(count):
    every = {(p.row, p.col): p.score for p in propose(scene(), count=80)}
    found = propose(scene(), count=count)
    assert len(found) == min(count, len(every))
    scores = {(p.row, p.col): p.score for p in found}
    common = every.keys() & scores.keys()
    assert len(common) >= min(count, 3)
    assert all(every[place] == scores[place] for place in common)
    sure = propose(scene(), count=count, min_score=0.5)
    assert [p.score for p in sure] == [p.score for p in found if p.score >= 0.5]


def test_no_two_proposals_are_near():
    found = places(propose(scene(amplitude=0), count=40))
    distance = np.hypot(*(found[:, None] - found[None]).transpose(2, 0, 1))
    assert distance[~np.eye(len(found), dtype=bool)].min() > 3


@pytest.mark.parametrize(
    ("turn", "back"),
    [
        (np.flipud, lambda p, s: np.stack([s[0] - 1 - p[:, 0], p[:, 1]], 1)),
        (np.fliplr, lambda p, s: np.stack([p[:, 0], s[1] - 1 - p[:, 1]], 1)),
        (np.transpose, lambda p, s: p[:, ::-1]),
    ],
)
def test_a_turned_frame_gives_turned_proposals(turn, back):
    image = scene(3) + np.random.default_rng(1).random((120, 128))  # without ties
    first, second = propose(image), propose(turn(image))
    assert same(places(first), back(places(second), image.shape))
    np.testing.assert_allclose([p.score for p in first], [p.score for p in second], rtol=1e-9)


@pytest.mark.parametrize(
    "change",
    [
        lambda image: image * 4 - 17,
        lambda image: image / 1024,
        lambda image: image.astype(np.uint16),
        lambda image: image.astype(np.float32),
        lambda image: image.astype(np.int64) << 20,
        lambda image: image[::-1, ::-1].copy()[::-1, ::-1],
        lambda image: image * 1e200,
    ],
)
def test_gain_offset_and_type_do_not_matter(change):
    first, second = propose(scene()), propose(change(scene()))
    assert same(places(first), places(second))
    np.testing.assert_allclose([p.score for p in first], [p.score for p in second], rtol=1e-6)


def test_dark_targets_are_bright_ones_of_the_negative():
    image = scene()
    bright, dark = propose(image), propose(3000 - image, polarity="dark")
    assert same(places(bright), places(dark))
    assert all("dark" in p.target.flags for p in dark)
    both = propose(image + scene(0, [(50, 60)], amplitude=-60) - scene(0, []), polarity="auto")
    found = {(round(p.row), round(p.col)): "dark" in p.target.flags for p in both[:4]}
    assert found == {**dict.fromkeys(PLANTED, False), (50, 60): True}


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((40, 50)),
        np.full((40, 50), 7, np.uint8),
        np.ones((1, 1)),
        np.full((8, 8), np.nan),
        np.full((8, 8), np.inf),
    ],
)
def test_nothing_is_proposed_where_nothing_is(image):
    assert propose(image) == ()


@pytest.mark.parametrize("shape", [(1, 2), (2, 1), (3, 3), (1, 40), (5, 7)])
def test_tiny_frames(shape):
    image = np.zeros(shape)
    image[shape[0] // 2, shape[1] // 2] = 5.0
    for p in propose(image):
        assert 0 <= p.row <= shape[0] - 1
        assert 0 <= p.col <= shape[1] - 1
    assert len(propose(image)) <= 1


def test_a_constant_frame_with_one_spot():
    image = np.zeros((64, 64), np.uint8)
    image[20:22, 30:32] = 200
    (best, *_) = propose(image)
    assert (best.row, best.col) == (20.5, 30.5)


def test_missing_pixels_are_no_targets_and_hide_none():
    image = scene()
    holed = image.copy()
    holed[:, 60:64] = np.nan
    holed[5:9, 5:9] = np.inf
    holed[100, 20] = -np.inf
    found = propose(holed, count=10)
    for row, col in PLANTED:
        assert min(np.hypot(p.row - row, p.col - col) for p in found[:3]) < 0.6
    assert found[3].score < 0.5
    for place in find_candidates(holed, 100, dark=False).places:
        assert np.isfinite(holed[tuple(place)])


def test_a_frame_is_filled_from_what_is_near():
    image = np.arange(400.0).reshape(20, 20)
    image[8:11, 8:11] = np.nan
    values, missing = normalised(image, dark=False)
    assert missing is not None
    assert missing.sum() == 9
    assert np.isfinite(values).all()
    around = values[6:13, 6:13]
    assert around[2:5, 2:5].min() > around[~missing[6:13, 6:13]].min()
    assert around[2:5, 2:5].max() < around[~missing[6:13, 6:13]].max()
    assert np.median(values[~missing]) == pytest.approx(0, abs=1e-6)


def test_a_masked_array_is_read_as_missing():
    image = scene()
    hidden = np.ma.array(image, mask=np.zeros(image.shape, bool))
    hidden[28:33, 38:43] = np.ma.masked
    assert not any(np.hypot(p.row - 30, p.col - 40) < 3 for p in propose(hidden))


def test_large_frames_get_more_candidates():
    spots = [(r, c) for r in range(20, 500, 60) for c in range(20, 500, 60)]
    image = scene(5, spots, (512, 512))
    found = propose(image, count=len(spots))
    assert sum(min(np.hypot(p.row - r, p.col - c) for p in found) < 1 for r, c in spots) == len(spots)


def test_the_best_of_near_places_is_kept():
    assert apart([(0, 0), (0, 2), (0, 4), (9, 9)], [0.5, 0.9, 0.6, 0.1], 4) == [1, 3]
    assert apart([(0, 0), (0, 4)], [0.5, 0.5], 4) == [0, 1]
    assert apart([(0, 0), (0, 4)], [0.5, 0.6], 1) == [1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"count": 0}, "count is 0"),
        ({"min_score": 1.5}, r"min_score is 1\.5"),
        ({"min_score": float("nan")}, "min_score is nan"),
        ({"polarity": "white"}, "'white' is unknown"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        propose(scene(), **arguments)


def test_an_image_of_five_bands_is_refused():
    with pytest.raises(ImageError, match="one band"):
        propose(np.zeros((4, 4, 5)))


def test_the_public_name():
    assert pointmask.propose is propose
