"""Moving scenes: targets are where the paths say, to a tenth of a pixel, and the seed decides every byte."""

import numpy as np
import pytest

from pointmask.synth.scenes import KINDS
from pointmask.synth.sequence import Mover, make_sequence

SMALL = (64, 64)


def centroid(frame, row, col, half=6):
    """Brightness centroid round a place, above the window's median."""
    top, left = round(row) - half, round(col) - half
    part = frame[top : top + 2 * half + 1, left : left + 2 * half + 1].astype(float)
    light = np.maximum(part - np.median(part) - 0.02 * (part.max() - np.median(part)), 0)
    at = np.arange(2 * half + 1)
    return (
        np.array([light.sum(1) @ at + top * light.sum(), light.sum(0) @ at + left * light.sum()])
        / light.sum()
    )


@pytest.mark.parametrize("kind", KINDS)
def test_same_seed_same_bytes(kind):
    movers = [Mover(start=(20, 20), velocity=(0.4, 1.1))]
    one, same, other = (
        make_sequence(kind, movers, count=3, shape=SMALL, seed=seed, jitter=0.5) for seed in (4, 4, 5)
    )
    assert one.frames.tobytes() == same.frames.tobytes() != other.frames.tobytes()
    np.testing.assert_array_equal(one.paths, same.paths)


@pytest.mark.parametrize(("size", "shape"), [(2.2, "point"), (3, "point"), (5, "ellipse"), (9, "blob")])
def test_a_target_is_where_its_path_says_to_a_fraction_of_a_pixel(size, shape):
    movers = [Mover(start=(20.3, 24.8), velocity=(0.7, -0.45), size=size, shape=shape, snr=2000)]
    scene = make_sequence("sky", movers, count=12, shape=SMALL, seed=1, jitter=0.6)
    errors = [centroid(frame, *at) - at for frame, at in zip(scene.frames, scene.paths[0], strict=True)]
    assert np.abs(errors).max() < 0.15
    assert np.ptp(scene.paths[0] - scene.camera, axis=0) == pytest.approx([7.7, 4.95])


def test_the_camera_moves_scene_and_targets_alike():
    moved = make_sequence("clouds", [], count=2, shape=SMALL, seed=3, pan=(3, -2))
    np.testing.assert_array_equal(moved.camera, [[0, 0], [3, -2]])
    before, after = moved.frames[0].astype(float), moved.frames[1].astype(float)
    same = np.corrcoef(before[8:-8, 8:-8].ravel(), after[11:-5, 6:-10].ravel())[0, 1]
    unmoved = np.corrcoef(before[8:-8, 8:-8].ravel(), after[8:-8, 8:-8].ravel())[0, 1]
    assert same > 0.97
    assert same > unmoved + 0.01


def test_contrast_is_what_was_asked_for():
    mover = Mover(start=(32, 32), size=5, shape="ellipse", snr=8)
    shown, empty = (
        make_sequence("sky", [m], count=40, shape=SMALL, seed=2).frames.astype(float)
        for m in (mover, Mover(start=(32, 32), size=5, shape="ellipse", snr=8, hidden=((0, 40),)))
    )
    light = (shown - empty).mean(axis=0)
    mask = light > light.max() / 2
    around = empty[:, 25:40, 25:40].std(axis=(1, 2)).mean()
    assert light[mask].mean() / around == pytest.approx(8, rel=0.2)


def test_hidden_and_outside_targets_have_no_place():
    movers = [
        Mover(start=(30, 30), hidden=((2, 4),)),
        Mover(start=(30, 60), velocity=(0, 1.5)),
        Mover(start=(10, 10), velocity=(1, 0), turn=90),
    ]
    scene = make_sequence("sky", movers, count=6, shape=SMALL)
    assert np.isnan(scene.paths[:, :, 0]).tolist() == [
        [False, False, True, True, False, False],
        [False, False, False, True, True, True],
        [False] * 6,
    ]
    np.testing.assert_allclose(scene.paths[2, 4], [10, 10], atol=1e-9)


def test_what_cannot_be_made_is_refused():
    with pytest.raises(ValueError, match="no scene is called"):
        make_sequence("fog", [])
    with pytest.raises(ValueError, match="at least 1 frame of 32 x 32"):
        make_sequence("sky", [], count=0)
    with pytest.raises(ValueError, match="aeroplane of 3 pixels"):
        make_sequence("sky", [Mover(start=(9, 9), size=3, shape="aeroplane")])
