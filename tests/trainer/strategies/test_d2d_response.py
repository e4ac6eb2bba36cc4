"""Labels joined with a detector's response: pixel by pixel, one point at a time, and in whole runs."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tools.trainer.d2d import BUSY, config_of
from tools.trainer.training import make_folder

from pointmask.annotator.image import annotate
from pointmask.io.formats import read_points
from pointmask.io.images.array import read
from pointmask.synth.scenes import make_scenes
from pointmask.theta import Theta
from pointmask_trainer.data.labels import LabelStore
from pointmask_trainer.run.checkpoint import load_model
from pointmask_trainer.strategies.labels.joining import joined
from pointmask_trainer.training.train import Source, train

DEFAULT = Theta.load("default")


@pytest.fixture(scope="module")
def annotated():
    """Frames, their annotations, and responses that err in extent and place."""
    rng, made = np.random.default_rng(2), []
    for scene in make_scenes(6, seed=4, shape=(96, 96)):
        found = annotate(scene.image, scene.points, theta=DEFAULT)
        shifted = np.roll(scene.mask, rng.integers(-1, 2, 2), (0, 1)).astype(np.float32)
        noise = rng.random(shifted.shape, np.float32)
        made.append((scene.image, found, 0.7 * shifted + 0.3 * noise))
    return made


def slow_mask(target, others, probabilities, level, reach, share):
    """Flood from the admitted pixel nearest to the point."""
    top, left, bottom, right = target.window

    def admitted(row, col):
        if not (top <= row < bottom and left <= col < right):
            return False
        mine = (row - target.point[0]) ** 2 + (col - target.point[1]) ** 2
        if any((row - r) ** 2 + (col - c) ** 2 < mine for r, c in others):
            return False
        value = (1 - share) * float(target.soft[row - top, col - left]) + share * float(
            probabilities[row, col]
        )
        return value > (1 - share) * level + share * 0.5

    pixels = [(r, c) for r in range(top, bottom) for c in range(left, right) if admitted(r, c)]
    far = [(r - target.point[0]) ** 2 + (c - target.point[1]) ** 2 for r, c in pixels]
    if not pixels or min(far) > reach**2:
        return None
    found, front = set(), [pixels[int(np.argmin(far))]]
    while front:
        row, col = front.pop()
        if (row, col) in found or not admitted(row, col):
            continue
        found.add((row, col))
        front += [(row + i, col + j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    return found


@pytest.mark.parametrize("share", [0.3, 0.5, 1.0])
def test_every_pixel_is_mixed_and_cut_as_equation_4_extended_says(annotated, share):
    changed = 0
    for _, found, probabilities in annotated:
        mixed = joined(found, probabilities, DEFAULT, share)
        for before, after in zip(found.targets, mixed.targets, strict=True):
            others = [target.point for target in found.targets if target is not before]
            slow = slow_mask(before, others, probabilities, DEFAULT.level, DEFAULT.reach, share)
            rows, cols = np.nonzero(after.mask)
            top, left = after.window[:2]
            fast = set(zip((rows + top).tolist(), (cols + left).tolist(), strict=True))
            if slow is None:
                assert after is before
            else:
                assert fast == slow
                assert after.area == len(slow)
                assert after.box[:2] == tuple(np.min(list(slow), 0))
            changed += not np.array_equal(before.mask, after.mask)
    assert changed > 2


def test_a_response_that_agrees_changes_nothing(annotated):
    for _, found, _ in annotated:
        mixed = joined(found, found.mask.astype(np.float32), DEFAULT, 0.5)
        for before, after in zip(found.targets, mixed.targets, strict=True):
            if "shared" not in before.flags:
                np.testing.assert_array_equal(after.mask, before.mask)


def test_a_silent_detector_takes_no_target_away(annotated):
    for _, found, probabilities in annotated:
        mixed = joined(found, np.zeros_like(probabilities), DEFAULT, 1.0)
        assert all(a is b for a, b in zip(mixed.targets, found.targets, strict=True))


def test_only_the_train_list_follows_the_detector(tmp_path):
    folder = make_folder(tmp_path / "data", 10)
    points = dict(read_points(folder / "points.csv"))
    source = Source(root=folder, points=folder / "points.csv")
    settings = ["epochs=4", "optim.lr=0.02"]
    train(config_of(*BUSY, "theta=frozen", "response=0.9", settings=settings), source, tmp_path / "run")
    kept = {name: (tmp_path / "run" / f"{name}.txt").read_text().split() for name in ("train", "val")}
    images = {name: [read(folder / "images" / f"{key}.png") for key in keys] for name, keys in kept.items()}
    store = LabelStore({name: [np.zeros(image.shape, bool) for image in own] for name, own in images.items()})
    store.load(tmp_path / "run" / "labels" / "0001.npz")
    same = {
        name: [
            np.array_equal(
                store.label(name, k) > 0.5, annotate(image, [(p.row, p.col) for p in points[key]]).mask
            )
            for k, (key, image) in enumerate(zip(keys, images[name], strict=True))
        ]
        for name, keys in kept.items()
    }
    assert all(same["val"])
    assert not all(same["train"])
    assert load_model(tmp_path / "run" / "last")[1].masks.theta == DEFAULT
