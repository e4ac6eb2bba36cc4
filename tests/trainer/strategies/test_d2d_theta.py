"""Theta's branch: the windows are the annotator's, the gradient is that of differences, labels follow."""

import time

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tools.trainer.d2d import blobs, make_loop, split_of

from pointmask.annotator.fuse import enlarge_octaves
from pointmask.annotator.image import annotate
from pointmask.annotator.window import _sample
from pointmask.synth.scenes import make_scenes
from pointmask.theta import Theta
from pointmask_trainer.distributed import ProcessGroup
from pointmask_trainer.operator.forward import WindowBatch, soft_labels
from pointmask_trainer.operator.theta import ThetaTensors
from pointmask_trainer.strategies.d2d_options import D2DOptions
from pointmask_trainer.strategies.labels.annotating import Regeneration, label_of, quality
from pointmask_trainer.strategies.labels.theta import ThetaBranch, draw_images, window_loss
from pointmask_trainer.strategies.labels.windows import WindowPlace, find_windows, response

# Small windows and few steps: the same operator in a tenth of the time.
SMALL = {"half_size": 8, "steps": (3, 4)}


def scenes_split():
    scenes = list(make_scenes(8, seed=5, shape=(96, 96)))
    points = [np.array(scene.points, np.int64).reshape(-1, 2) for scene in scenes]
    return split_of("val", [np.ascontiguousarray(scene.image) for scene in scenes], points)


@pytest.mark.parametrize("octaves", [0, 2])
def test_windows_are_those_in_which_the_annotator_solves(octaves):
    """The torch operator in them gives the annotator's own soft labels."""
    split = scenes_split()
    theta = Theta.load("default").with_(octaves=octaves, finer_share=0.0)
    windows, places = find_windows(split, range(len(split)), theta, "bright")
    labels = soft_labels(WindowBatch.of(windows, theta), ThetaTensors.of(theta))[:, 0].double().numpy()
    compared = 0
    for index in range(len(split)):
        found = annotate(split.images.stored(index), split.points[index].tolist(), theta=theta)
        mine = [k for k, place in enumerate(places) if place.index == index]
        targets = [target for target in found.targets if "flat" not in target.flags]
        assert [places[k].centre for k in mine] == [target.centre for target in targets]
        for k, target in zip(mine, targets, strict=True):
            fine = enlarge_octaves(labels[k], target.octave)
            corner = [c - theta.half_size * places[k].pitch for c in places[k].centre]
            top, left, bottom, right = target.window
            cut = fine[top - corner[0] : bottom - corner[0], left - corner[1] : right - corner[1]]
            np.testing.assert_allclose(cut, target.soft, atol=2e-5)
            compared += 1
    assert compared > 8


@pytest.mark.parametrize("octave", [0, 1, 2])
@pytest.mark.parametrize("centre", [(20, 30), (1, 38)])
def test_a_response_is_sampled_like_an_image(octave, centre):
    image = np.random.default_rng(0).random((40, 40))
    expected = _sample(image, *centre, 6, octave)[0]
    place = WindowPlace(0, centre, 2**octave, np.ones((13, 13), bool))
    found = response(torch.from_numpy(image), place).numpy()
    inside = [
        (np.arange(-6, 7) * 2**octave + c >= 4) & (np.arange(-6, 7) * 2**octave + c < 36) for c in centre
    ]
    pick = np.ix_(*inside)
    np.testing.assert_allclose(found[pick], expected[pick], atol=1e-12)


def test_samples_nearer_to_another_point_do_not_count():
    image = np.zeros((40, 40), np.uint8)
    image[18:21, 10:13] = image[18:21, 24:27] = 200
    split = split_of("val", [image], [np.array([(19, 11), (19, 25)])])
    theta = Theta.load("default").with_(**SMALL, settle_moves=0, recentre=0.0, octaves=0)
    _, places = find_windows(split, [0], theta, "bright")
    assert [place.centre for place in places] == [(19, 11), (19, 25)]
    left, right = (place.own for place in places)
    # Column 18 lies midway and counts for both.
    np.testing.assert_array_equal(left, np.broadcast_to(np.arange(3, 20) <= 18, (17, 17)))
    np.testing.assert_array_equal(right, np.broadcast_to(np.arange(17, 34) >= 18, (17, 17)))


def branch_of(loop, **changes):
    options = D2DOptions(**{"theta_images": 8, **changes})
    return ThetaBranch(Theta.load("default").with_(**SMALL), options, loop.device)


def test_thetas_gradient_equals_differences():
    loop = make_loop(8, 8, options=["alpha=off"])
    branch = branch_of(loop)
    windows, offline, responses, own = branch._data(loop)
    doubles = (getattr(windows, name).double() for name in ("values", "facts", "superpixel", "pitch"))
    windows = WindowBatch(*doubles)
    learnable = branch._learnable
    rng = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in learnable.parameters():
            parameter.copy_(0.3 * torch.randn(parameter.shape, generator=rng, dtype=torch.float64))

    def objective():
        first, second = branch._losses(windows, offline.double(), responses.double(), own.double())
        return (first + 0.7 * second).mean()

    parameters = list(learnable.parameters())
    gradient = torch.autograd.grad(objective(), parameters, materialize_grads=True)
    for _ in range(4):
        along = [torch.randn(p.shape, generator=rng, dtype=torch.float64) for p in parameters]
        slope = sum(float((g * a).sum()) for g, a in zip(gradient, along, strict=True))
        sides = []
        for sign in (1, -1):
            with torch.no_grad():
                for p, a in zip(parameters, along, strict=True):
                    p.add_(a, alpha=sign * 1e-6)
                sides.append(float(objective()))
                for p, a in zip(parameters, along, strict=True):
                    p.sub_(a, alpha=sign * 1e-6)
        assert slope == pytest.approx((sides[0] - sides[1]) / 2e-6, rel=1e-4, abs=1e-8)


def test_updates_come_closer_to_both_and_stay_within_bounds():
    loop = make_loop(8, 8, options=["alpha=off"])
    branch = branch_of(loop, theta_steps=15, theta_lr=0.05)
    first = branch.update(loop)
    later = branch.update(loop)
    assert first["windows"] == 8
    assert later["offline"] + later["detector"] < first["offline"] + first["detector"]
    start = Theta.load("default")
    assert branch.theta() != start.with_(**SMALL)
    assert abs(branch.theta().rho - start.rho) <= 0.05
    assert all(abs(a / b - 1) <= 0.3 + 1e-9 for a, b in zip(branch.theta().D0, start.D0, strict=True))


def test_window_loss_by_hand():
    labels, targets = torch.tensor([[[[1.0, 0.5, 1.0]]]]), torch.tensor([[[[1.0, 0.0, 0.0]]]])
    assert float(window_loss(labels, targets, torch.tensor([[[[1.0, 1.0, 0.0]]]]))) == pytest.approx(
        1 - 2 / 2.5
    )


def test_an_update_without_any_window_leaves_theta():
    images, _, points = blobs(4)
    loop = make_loop(8, 4, options=["alpha=off"])
    loop.splits["val"] = split_of("val", [np.full_like(image, 9) for image in images], points)
    branch = branch_of(loop)
    before = branch.theta()
    assert branch.update(loop) == {"windows": 0}
    assert branch.theta() == before


def test_images_are_drawn_among_those_with_points():
    images, _, points = blobs(6)
    points[2] = np.empty((0, 2), np.int64)
    split = split_of("val", images, points)
    assert draw_images(split, 9, (0, 1)) == [0, 1, 3, 4, 5]
    some = draw_images(split, 3, (0, 1))
    assert some == sorted(some)
    assert len({tuple(draw_images(split, 3, (0, k))) for k in range(20)}) > 3


@pytest.mark.parametrize("kind", ["hard", "soft"])
def test_labels_in_the_making_are_the_annotators(kind):
    split, theta = scenes_split(), Theta.load("default").with_(level=0.3)
    made = Regeneration({"train": split, "val": split}, theta, "bright", ProcessGroup()).labels(kind)
    for name in ("train", "val"):
        assert list(made[name]) == list(range(len(split)))
        for index, label in made[name].items():
            found = annotate(split.images.stored(index), split.points[index].tolist(), theta=theta)
            np.testing.assert_array_equal(label, label_of(found, kind))
            assert label.dtype == (np.bool_ if kind == "hard" else np.float32)


def test_labels_that_nobody_waits_for_are_not_made(monkeypatch):
    begun = []

    def slow(*image):
        begun.append(image)
        time.sleep(0.05)

    monkeypatch.setattr("pointmask_trainer.strategies.labels.annotating.annotate_image", slow)
    made = Regeneration({"train": range(1000)}, Theta.load("default"), "bright", ProcessGroup())
    made.close()
    assert len(begun) < 100


def test_quality_by_hand():
    label, truth = np.array([[1, 1, 0.4]], np.float32), np.array([[True, False, True]])
    assert quality([label], [truth]) == pytest.approx(1 / 3)
    assert quality([np.zeros((2, 2), np.float32)], [np.zeros((2, 2), bool)]) is None
