"""Sequences as sensors and users make them: bad pixels, joined clips, missing frames, forgotten clicks."""

import numpy as np
import pytest
from click.testing import CliRunner
from tools.folders import save

from pointmask.cli import main
from pointmask.io.images.open import open_source
from pointmask.io.points.points import Point, Points
from pointmask.synth.scenes import KINDS
from pointmask.synth.sequence import Mover, make_sequence
from pointmask.tracking.reading import missing_between, without_bad_pixels
from pointmask.tracking.scene_change import SceneChange
from pointmask.tracking.sequences import carry


def scene_of(kind="clouds", seed=3, count=16, **options):
    movers = [
        Mover(start=(30, 30), velocity=(0.6, 0.8), snr=8),
        Mover(start=(90, 100), velocity=(-0.3, -0.9), snr=8),
    ]
    return make_sequence(kind, movers, count=count, seed=seed, **options)


def first_points(scene, frame=0):
    return tuple(Point(round(row), round(col)) for row, col in scene.paths[:, frame].tolist())


def carried_through(folder, frames, points, names=None):
    for k, frame in enumerate(frames):
        save(folder / (f"f{k}.png" if names is None else names[k]), frame)
    source = open_source(folder)
    return carry(Points(points), source, source.names())


def hot(frames, rng):
    frames[:, rng.random(frames.shape[1:]) < 0.002] = 16383


def dead(frames, rng):
    frames[:, rng.random(frames.shape[1:]) < 0.002] = 0


def column(frames, rng):
    frames[:, :, 35] = 0


@pytest.mark.parametrize("damage", [hot, dead, column])
def test_no_track_clings_to_a_bad_pixel(tmp_path, damage):
    scene = scene_of()
    frames = scene.frames.copy()
    damage(frames, np.random.default_rng(0))
    carried = carried_through(tmp_path, frames, {"f0.png": first_points(scene)})
    off = [
        np.hypot(point.row - row, point.col - col)
        for k in range(16)
        for point, (row, col) in zip(
            carried.points.by_image.get(f"f{k}.png", ()), scene.paths[:, k].tolist(), strict=True
        )
    ]
    assert len(off) == 32
    assert max(off) < 2.5


def test_a_moving_target_of_one_pixel_is_no_bad_pixel():
    frames = np.random.default_rng(0).normal(1000, 3, (6, 40, 40)).round().astype(np.uint16)
    frames[:, 5, 5] = 4000  # a bad one
    for k in range(6):
        frames[k, 20, 10 + k] = 1500
    mended = list(without_bad_pixels(iter(frames), [(20, 10)], "bright"))
    for k, frame in enumerate(mended):
        assert frame[20, 10 + k] == 1500
        assert frame[5, 5] < 1100
        assert frames[k, 5, 5] == 4000  # what was given stays


@pytest.mark.parametrize("kind", KINDS)
def test_another_scene_is_told_and_glitches_are_not(kind):
    one, other = scene_of(kind, count=8), scene_of(KINDS[KINDS.index(kind) - 1], seed=70, count=8)

    def changes(frames):
        scene = SceneChange()
        return [k for k, frame in enumerate(frames) if scene.between(frame)]

    assert changes([*one.frames, *other.frames]) in ([9], [])
    black = one.frames.copy()
    black[4] = 0
    shaking = scene_of(kind, jitter=1.5, brightness=0.3, pan=(2.0, -1.0))
    for frames in (one.frames, black, shaking.frames, np.zeros((5, 64, 64), np.uint8)):
        assert changes(frames) == []


def test_tracks_end_with_their_scene(tmp_path):
    one, other = scene_of(count=8), scene_of("sea", seed=70, count=8)
    carried = carried_through(tmp_path, [*one.frames, *other.frames], {"f0.png": first_points(one)})
    assert set(carried.points.by_image) == {f"f{k}.png" for k in range(8)}
    assert [at for at, _ in carried.lost] == [("f8.png", 0)] * 2
    assert carried.ended == {("f8.png", 0): "the scene changes"}


def test_a_target_that_is_not_clicked_again_is_told(tmp_path):
    scene = scene_of()
    first, second = first_points(scene)
    again, late = first_points(scene, 8)
    carried = carried_through(tmp_path, scene.frames, {"f0.png": (first, second), "f8.png": (late,)})
    assert [at for at, _ in carried.dropped] == [("f8.png", 0)]
    assert np.hypot(carried.dropped[0][1].row - again.row, carried.dropped[0][1].col - again.col) < 4
    source = open_source(tmp_path)
    for clicks in ((again, late), ()):  # all of them, or said to be empty
        points = Points({"f0.png": (first, second), "f8.png": clicks})
        assert carry(points, source, source.names()).dropped == ()


@pytest.mark.parametrize(
    ("before", "after", "missing"),
    [("f_9.png", "f_10.png", 0), ("f_6.png", "f_12.png", 5), ("f_6.png", "f_2.png", 0),
     ("a_1.png", "b_9.png", 0), ("x.png", "y.png", 0), ("2026-1.tif", "2026-4.tif", 2)],
)  # fmt: skip
def test_missing_numbers(before, after, missing):
    assert missing_between(before, after) == missing


def test_the_command_line_says_why(tmp_path):
    scene = scene_of()
    for k, frame in enumerate(scene.frames):
        if not 6 <= k < 11:
            save(tmp_path / "gap" / f"f_{k}.png", frame)
        save(tmp_path / "size" / f"f_{k}.png", frame if k != 5 else frame[:100])
        save(tmp_path / "whole" / f"f_{k}.png", frame)
    (first, second), (_, late) = first_points(scene), first_points(scene, 8)
    lines = ["image,x,y", f"f_0.png,{first.col},{first.row}", f"f_0.png,{second.col},{second.row}"]
    (tmp_path / "points.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "two.csv").write_text("\n".join([*lines, f"f_8.png,{late.col},{late.row}"]) + "\n")

    def said(name, points="points.csv"):
        words = [
            "annotate",
            tmp_path / name,
            "--points",
            tmp_path / points,
            "--out",
            tmp_path / f"out-{name}",
        ]
        done = CliRunner().invoke(main, [*map(str, words), "--track"])
        assert done.exit_code == 0, done.output
        return done.output

    assert "(5 numbers are missing before it)" in said("gap")
    assert "(its size is 128 x 100, after 128 x 128)" in said("size")
    assert "Not clicked on again (1):\n  f_8.png: seen before" in said("whole", "two.csv")
