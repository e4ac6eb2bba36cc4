"""Following targets through sequences whose truth is known, and the parts it is made of."""

from itertools import pairwise

import numpy as np
import pytest
from tools.naive import tracking as naive

from pointmask.synth.sequence import Mover, make_sequence
from pointmask.tracking.appearance import WIDTHS, blob, crop, filter_response, own_shape
from pointmask.tracking.camera_motion import levels_of, shift_between
from pointmask.tracking.follow import follow
from pointmask.tracking.kernels import beam
from pointmask.tracking.kernels.seek import correlate, outside, peaks
from pointmask.tracking.kernels.shift import shift_sums

TIGHT = {"rtol": 1e-9, "atol": 1e-9}


def clicks(scene):
    return [(round(row), round(col)) for row, col in scene.paths[:, 0].tolist()]


def errors(scene, tracks):
    """Distance from the truth for all steps that are neither lost nor given."""
    return [
        np.hypot(*(path[step.frame] - (step.row, step.col)))
        for path, steps in zip(scene.paths, tracks, strict=True)
        for step in steps
        if step.state in ("tracked", "crossing")
    ]


# --- kernels against their twins --------------------------------------


def test_correlate():
    rng = np.random.default_rng(0)
    window, shape, out = rng.random((9, 11)), rng.random((3, 4)), np.empty((7, 8))
    correlate(window, shape, out)
    np.testing.assert_allclose(out, naive.correlate(window, shape), **TIGHT)


@pytest.mark.parametrize("levels", [2, 3, 100])
def test_peaks(levels):
    field = np.random.default_rng(levels).integers(0, levels, (13, 15)).astype(float)
    places, heights = np.empty((200, 2)), np.empty(200)
    listed, found = peaks(field, 0.5, places, heights)
    expected = naive.peaks(field, 0.5)
    assert listed == found == len(expected)
    np.testing.assert_allclose(np.column_stack([heights, places])[:listed], expected, **TIGHT)
    few, top = np.empty((3, 2)), np.empty(3)
    assert peaks(field, 0.5, few, top) == (min(3, found), found)
    np.testing.assert_array_equal(top[: min(3, found)], heights[: min(3, found)])


def test_outside():
    field = np.random.default_rng(1).normal(size=(6, 7))
    out = np.empty(42)
    count = outside(field, 2.5, 3.0, 2.2, out)
    np.testing.assert_array_equal(out[:count], naive.outside(field, 2.5, 3.0, 2.2))


@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.3, -0.7), (-1.6, 2.2)])
@pytest.mark.parametrize(("scale", "stride"), [(np.inf, 1), (0.4, 2)])
def test_shift_sums(shift, scale, stride):
    rng = np.random.default_rng(2)
    before, after, ignored = rng.random((12, 14)), rng.random((12, 14)), rng.random((12, 14)) < 0.2
    sums = np.empty(10)
    shift_sums(before, after, ignored, *shift, scale, stride, sums)
    np.testing.assert_allclose(sums, naive.shift_sums(before, after, ignored, *shift, scale, stride), **TIGHT)


@pytest.mark.parametrize("room", [4, 40])
def test_extend(room):
    rng = np.random.default_rng(3)
    model = np.array([0.01, 0.01, 0.0025, 0.15, 3.5, np.log(0.97), np.log(0.03), 5.0])
    state = np.zeros((6, beam.COLUMNS))
    state[:, :4] = rng.normal(0, 1, (6, 4))
    state[:, beam.VAR], state[:, beam.COVAR], state[:, beam.SPEED_VAR] = 1.0, 0.2, 0.5
    state[:, beam.HEIGHT], state[:, beam.HEIGHT_VAR] = rng.uniform(3, 6, 6), 1.0
    state[:, beam.MISSES], state[:, beam.SCORE] = [0, 0, 5, 1, 0, 0], rng.normal(0, 3, 6)
    expected_state = naive.predict(state, 0.3, -0.2, model)
    beam.predict(state, 6, 0.3, -0.2, model)
    np.testing.assert_allclose(state, expected_state, **TIGHT)
    places, heights = rng.normal(0, 2, (5, 2)), rng.uniform(1, 6, 5)
    children, parents, sources = np.empty((room, beam.COLUMNS)), np.empty(room, int), np.empty(room, int)
    before = np.array([0, 0.8, 1.1, 0.3, 0]) * heights
    made = beam.extend(state, 6, places, heights, before, 1.0, 0.05, 1.2, model, children, parents, sources)
    expected = naive.extend(state, places, heights, before, 1.0, 0.05, 1.2, model, room)
    assert made == len(expected)
    assert list(zip(parents[:made], sources[:made], strict=True)) == [(p, s) for p, s, _ in expected]
    np.testing.assert_allclose(children[:made], [child for _, _, child in expected], **TIGHT)


# --- camera and appearance --------------------------------------------


@pytest.mark.parametrize("kind", ["clouds", "sea", "vegetation"])
def test_the_camera_is_followed_to_a_tenth_of_a_pixel(kind):
    scene = make_sequence(kind, [], count=5, seed=1, jitter=1.0)
    levels = [levels_of(frame) for frame in scene.frames]
    for k, truth in enumerate(np.diff(scene.camera, axis=0)):
        shift = shift_between(levels[k], levels[k + 1])
        assert shift.reliable
        assert np.hypot(shift.row - truth[0], shift.col - truth[1]) < 0.15


def test_noise_tells_no_motion():
    rng = np.random.default_rng(4)
    levels = [levels_of(rng.normal(1000, 5, (128, 128)).astype(np.uint16)) for _ in range(12)]
    assert not any(shift_between(a, b).reliable for a, b in pairwise(levels))


@pytest.mark.parametrize(
    "image", [np.zeros((20, 20)), np.full((64, 64), np.nan), np.zeros((64, 64), np.uint8)]
)
def test_frames_without_structure_tell_no_motion(image):
    assert not shift_between(levels_of(image), levels_of(image)).reliable


@pytest.mark.parametrize("width", WIDTHS)
def test_a_blob_answers_with_its_height_and_is_blind_to_slopes(width):
    rows, cols = np.indices((64, 64))
    spot = 7 * np.exp(-((rows - 30.3) ** 2 + (cols - 33.6) ** 2) / (2 * width**2))
    seen = filter_response(spot + 5 * rows - 3 * cols, 30.0, 33.0, 1, blob(width))
    assert seen.heights[0] == pytest.approx(7, rel=0.08)
    np.testing.assert_allclose(seen.places[0], (30.3, 33.6), atol=0.1)
    dark = filter_response(-spot, 30.0, 33.0, -1, blob(width))
    np.testing.assert_allclose(dark.places[0], seen.places[0], atol=0.05)


def test_own_shape_is_centred_on_its_light_and_can_be_subtracted():
    rows, cols = np.indices((33, 33))
    target = 50.0 * ((abs(rows - 16) <= 1) & (cols >= 14) & (cols <= 21))
    shape = own_shape(target + 100)
    assert shape is not None
    np.testing.assert_allclose(shape.middle, (0, 1.5), atol=0.2)
    assert abs(shape.kernel.sum()) < 1e-9
    assert (shape.kernel * shape.body).sum() == pytest.approx(1)
    left = target.copy()
    shape.subtract_from(left, 16 + shape.middle[0], 16 + shape.middle[1], 1.0)
    assert np.abs(left).max() < 5
    assert own_shape(np.full((33, 33), 3.0)) is None


def test_crop_repeats_the_border_and_fills_gaps():
    image = np.arange(12.0).reshape(3, 4)
    image[1, 1] = np.nan
    part = crop(image, (0, 0), 2)
    assert part[0, 0] == part[2, 2] == 0
    assert np.isfinite(part).all()


# --- tracks -----------------------------------------------------------


@pytest.mark.parametrize(("snr", "least"), [(4, 0.93), (8, 0.98)])
def test_frames_within_a_pixel(snr, least):
    near, total = 0, 0
    cases = [
        ("sky", 0, 2.4, "point"),
        ("clouds", 1, 3, "point"),
        ("sea", 2, 4, "ellipse"),
        ("sky", 3, 3, "point"),
        ("clouds", 3, 6, "blob"),
        ("sky", 1.5, 9, "blob"),
    ]
    for seed, (kind, speed, size, shape) in enumerate(cases):
        angle = 0.9 * seed
        velocity = speed * np.sin(angle), speed * np.cos(angle)
        start = tuple(np.array([64.3, 63.8]) - np.array(velocity) * 10)
        mover = Mover(start=start, velocity=velocity, turn=0.5, size=size, shape=shape, snr=snr)
        scene = make_sequence(kind, [mover], count=20, seed=seed, jitter=0.5, brightness=0.15)
        found = errors(scene, follow(scene.frames, clicks(scene)))
        near, total = near + sum(error <= 1 for error in found), total + 19
    assert near >= least * total


def test_a_target_that_vanishes_is_lost_where_it_does():
    for seed, stop in enumerate((6, 11, 15)):
        mover = Mover(start=(40, 30), velocity=(0.8, 1.7), size=3, snr=8, hidden=((stop, 24),))
        scene = make_sequence("clouds", [mover], count=24, seed=seed)
        (steps,) = follow(scene.frames, clicks(scene))
        assert [step.frame for step in steps] == list(range(len(steps)))
        assert [step.state for step in steps[:-1]] == ["given", *["tracked"] * (len(steps) - 2)]
        assert steps[-1].state == "lost"
        assert abs(steps[-1].frame - stop) <= 1
        assert steps[-1].score == 0


def test_a_target_that_comes_back_soon_is_found_again_and_that_is_said():
    mover = Mover(start=(40, 30), velocity=(0.8, 1.7), size=3, snr=8, hidden=((9, 12),))
    scene = make_sequence("sky", [mover], count=24, seed=3)
    (steps,) = follow(scene.frames, clicks(scene))
    assert [step.frame for step in steps if step.state == "lost"] == [9, 10, 11]
    assert [step.frame for step in steps if "refound" in step.flags] == [12]
    assert steps[-1].frame == 23
    hidden = Mover(start=(40, 30), velocity=(0.8, 1.7), size=3, snr=8, hidden=((9, 18),))
    scene = make_sequence("sky", [hidden], count=24, seed=3)
    (steps,) = follow(scene.frames, clicks(scene))
    assert (steps[-1].frame, steps[-1].state) == (9, "lost")


def test_crossing_targets_keep_who_they_are_by_motion():
    movers = [
        Mover(start=(40, 30), velocity=(1.6, 2.0), size=3, snr=8),
        Mover(start=(86, 32), velocity=(-1.4, 2.0), size=4, snr=9, shape="ellipse"),
    ]
    scene = make_sequence("clouds", movers, count=30, seed=5)
    tracks = follow(scene.frames, clicks(scene))
    assert all(steps[-1].frame == 29 for steps in tracks)
    assert max(errors(scene, tracks)) < 2
    gaps = np.hypot(*(scene.paths[0] - scene.paths[1]).T)
    crossing = [{step.frame for step in steps if step.state == "crossing"} for steps in tracks]
    assert crossing[0] == crossing[1] >= set(np.flatnonzero(gaps < 3).tolist())
    assert len(crossing[0]) < 12
    assert not any("identity" in step.flags for steps in tracks for step in steps)


def test_targets_that_travel_together_are_said_to_be_doubtful():
    movers = [
        Mover(start=(60, 20), velocity=(0.0, 2.0), size=3, snr=9),
        Mover(start=(64.5, 12), velocity=(-0.12, 2.3), size=3, snr=9),
    ]
    scene = make_sequence("sky", movers, count=45, shape=(128, 160), seed=6)
    tracks = follow(scene.frames, clicks(scene))
    flagged = [
        step.frame for steps in tracks for step in steps if "identity" in step.flags or step.state == "lost"
    ]
    assert flagged or all(steps[-1].state == "crossing" for steps in tracks)


def test_two_clicks_on_one_target_share_it():
    scene = make_sequence(
        "sky", [Mover(start=(60, 40), velocity=(0, 1.5), size=5, shape="ellipse", snr=9)], count=12
    )
    tracks = follow(scene.frames, [(60, 40), (61, 41)])
    for steps in tracks:
        assert [step.state for step in steps] == ["given", *["tracked"] * 11]
    assert np.hypot(tracks[0][-1].row - tracks[1][-1].row, tracks[0][-1].col - tracks[1][-1].col) < 1.5


def test_leaving_the_frame_is_a_loss_and_no_place_lies_outside():
    scene = make_sequence(
        "sky", [Mover(start=(60, 100), velocity=(0.2, 2.0), size=4, shape="ellipse", snr=9)], count=25
    )
    (steps,) = follow(scene.frames, clicks(scene))
    assert steps[-1].state == "lost"
    assert steps[-1].frame == pytest.approx(14, abs=2)
    assert all(0 <= step.row <= 127 and 0 <= step.col <= 127 for step in steps)


def test_same_input_same_track_at_any_gain_and_offset():
    scene = make_sequence("clouds", [Mover(start=(60, 40), velocity=(0.5, 1.5), snr=6)], count=15, seed=8)
    plain = follow(scene.frames, clicks(scene))
    assert plain == follow(iter(scene.frames), clicks(scene))
    scaled = follow([frame * 0.25 + 3.0 for frame in scene.frames.astype(float)], clicks(scene))
    for one, other in zip(plain[0], scaled[0], strict=True):
        assert one.state == other.state
        np.testing.assert_allclose((one.row, one.col), (other.row, other.col), atol=0.02)


@pytest.mark.parametrize("polarity", ["dark", "auto"])
def test_dark_targets(polarity):
    scene = make_sequence(
        "sky", [Mover(start=(60, 40), velocity=(0.5, 1.5), size=3, snr=-8)], count=15, seed=9
    )
    tracks = follow(scene.frames, clicks(scene), polarity=polarity)
    assert len(errors(scene, tracks)) == 14
    assert max(errors(scene, tracks)) < 1


def test_frames_are_read_no_further_than_needed():
    read = []

    def frames():
        for k, frame in enumerate(
            make_sequence("sky", [Mover(start=(60, 60), snr=12, hidden=((3, 60),))], count=60).frames
        ):
            read.append(k)
            yield frame

    follow(frames(), [(60, 60)])
    assert len(read) < 20


def test_what_cannot_be_followed_is_refused():
    with pytest.raises(ValueError, match="without a frame"):
        follow([], [(1, 1)])
    with pytest.raises(ValueError, match="frames of one shape"):
        follow([np.zeros((40, 40)), np.zeros((40, 41))], [(1, 1)])


def test_flat_and_nan_frames_lose_the_target():
    flat = np.full((64, 64), 7.0)
    spot = flat.copy()
    spot[30:33, 30:33] = 90
    for rest in (flat, np.full((64, 64), np.nan)):
        (steps,) = follow([spot, rest, rest, rest], [(31, 31)])
        assert [(step.frame, step.state) for step in steps] == [(0, "given"), (1, "lost")]
