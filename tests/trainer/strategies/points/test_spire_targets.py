"""Heat that points are to give, and the losses of networks that find points."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from pointmask_trainer.data.pool import AffineViews, Pool
from pointmask_trainer.strategies.points.losses import focal_loss, locator_losses, offset_loss, threshold_loss
from pointmask_trainer.strategies.points.options import SpireOptions
from pointmask_trainer.strategies.points.targets import heat_target

BLANK = np.zeros((64, 64))


def target(points, image=BLANK, **options):
    return heat_target(image, np.array(points, np.float64).reshape(-1, 2), SpireOptions(**options))


def target_of(pitch, points):
    return heat_target(BLANK, np.array(points, np.float64), SpireOptions(), pitch)


def test_the_gaussian_is_centred_on_the_point_or_on_its_cell():
    exact = target([(21, 30)])
    assert exact.shape == (16, 16)
    assert exact[5, 7] == exact[5, 8] == pytest.approx(0.9617, abs=1e-4)
    rounded = target([(21, 30)], rounded=True)
    assert rounded[5, 8] == 1
    assert rounded[5, 7] == pytest.approx(0.8825, abs=1e-4)
    kernel = target([(32, 32)])[2:15, 2:15]
    assert kernel[0, 0] == pytest.approx(1.234e-4, rel=1e-3)
    assert kernel[0, 6] == pytest.approx(0.011109, rel=1e-3)
    assert kernel.sum() == pytest.approx(25.0813, abs=1e-3)


def test_overlapping_targets_take_the_larger_and_points_outside_reach_in():
    one, other = target([(20, 20)]), target([(20, 32)])
    assert np.array_equal(target([(20, 20), (20, 32)]), np.maximum(one, other))
    assert target([(-8, 20)]).max() == pytest.approx(np.exp(-4 / 8), abs=1e-4)
    assert not target([(-40, 20)]).any()
    assert not target([]).any()
    assert target([(0, 0)])[0, 0] == 1


@pytest.mark.parametrize("kind", ["gauss", "matched"])
def test_symmetries_of_image_and_points_are_those_of_the_target(kind):
    image = np.random.default_rng(0).random((61, 61))
    points = np.array([(20.0, 12.0), (33.0, 41.0)])
    heat = target(points, image, target=kind)
    turned = target(points[:, ::-1], image.T, target=kind)
    assert np.allclose(turned, heat.T)
    flipped = target(np.column_stack([60 - points[:, 0], points[:, 1]]), image[::-1], target=kind)
    assert np.allclose(flipped, heat[::-1], atol=1e-6)


def test_the_matched_target_follows_the_contrast():
    image = np.zeros((64, 64))
    image[30:35, 30:35] = 1
    heat, plain = target([(32, 32)], image, target="matched"), target([(32, 32)])
    assert heat[8, 8] == 1
    assert heat.max() == 1
    far = np.s_[8, 11]
    assert heat[far] == pytest.approx(plain[far] / 2)
    assert np.array_equal(target([(32, 32)], target="matched"), plain)  # nothing stands out


def test_the_released_target_has_no_nan_and_its_peak_at_the_centre():
    assert not target([(20, 20)], target="released").any()  # a flat patch
    image = np.zeros((64, 64))
    image[32, 32] = 1
    heat = target([(30, 30)], image, target="released")
    assert np.isfinite(heat).all()
    assert np.unravel_index(heat.argmax(), heat.shape) == (8, 8)
    assert heat.max() == 1
    for corner in ((0, 0), (63, 63)):
        assert np.isfinite(target([corner], image, target="released")).all()


def maps_of(heat, **others):
    return {"logits": torch.from_numpy(heat)[None, None], "aux": [], **others}


def test_the_loss_of_the_heat():
    heat = target([(21, 30)])
    wanted = torch.from_numpy(heat)[None, None]
    assert locator_losses(maps_of(heat), wanted, [torch.tensor([[21.0, 30.0]]) / 4], SpireOptions()) == 0
    off = locator_losses(maps_of(heat + np.float32(0.5)), wanted, [torch.empty(0, 2)], SpireOptions())
    assert off.tolist() == pytest.approx([0.5])


def test_offsets_are_learned_at_the_points_cells():
    offset = torch.zeros(2, 16, 16, requires_grad=True)
    loss = offset_loss(offset, torch.tensor([[21.0, 30.0], [-50.0, 3.0]]) / 4)
    assert loss.item() == pytest.approx((0.5 * 0.25**2 + 0.5 * 0.5**2) / 2)
    loss.backward()
    cells = offset.grad.nonzero().tolist()
    assert cells == [[0, 5, 8], [1, 5, 8]]
    perfect = torch.zeros(2, 16, 16)
    perfect[:, 5, 8] = torch.tensor([0.25, -0.5])
    assert offset_loss(perfect, torch.tensor([[21.0, 30.0]]) / 4) == 0
    assert offset_loss(offset, torch.empty(0, 2)) == 0


def test_the_threshold_moves_between_two_groups_of_peaks():
    heat = torch.zeros(32, 32)
    for k in range(4):
        heat[4, 4 + 7 * k], heat[20, 4 + 7 * k] = 0.8, 0.3
    tau = torch.tensor(0.2, requires_grad=True)
    optimiser = torch.optim.SGD([tau], 0.005)
    for _ in range(200):
        optimiser.zero_grad()
        threshold_loss(heat, tau, 4).backward()
        optimiser.step()
    assert 0.35 < tau.item() < 0.75
    assert heat.grad is None


def test_cells_of_one_pixel():
    exact = target_of(1, [(21.25, 30.0)])
    assert exact.shape == BLANK.shape
    assert exact[21, 30] == pytest.approx(np.exp(-(0.25**2) / 8))
    assert exact[21, 33] == pytest.approx(np.exp(-(0.25**2 + 9) / 8))
    assert np.array_equal(target_of(4, [(20, 32)]), target_of(1, [(5, 8)])[:16, :16])


def test_heat_beyond_a_border_is_a_reflection():
    """A crop far larger than its image has as much heat at each reflection as within the image."""
    own, start = np.array([(1.3, 4.0), (14.0, 19.6)]), [[[1.0, 0, -20], [0, 1, -20]]]
    views = AffineViews(torch.tensor(start, dtype=torch.float64), (64, 64), whole=True)
    places, _ = views.points(0, torch.from_numpy(own), (24, 24), reach=7.0)
    heat = target_of(1, places.numpy())
    index, within = torch.zeros(1, dtype=torch.int64), heat[20:44, 20:44]
    np.testing.assert_allclose(heat, Pool([within]).crops(index, views)[0, 0], atol=1e-6)


def test_the_focal_loss_is_nothing_at_the_heat_and_a_sum_over_points():
    heat = torch.tensor([[[[1.0, 0.5, 0.0, 0.0]]], [[[0.0] * 4]]])
    wrong = torch.tensor([[[[0.5, 0.5, 0.5, 0.0]]], [[[0.5, 0.0, 0.0, 0.0]]]])
    assert focal_loss(heat, heat, [1, 0]).tolist() == pytest.approx([0, 0], abs=1e-5)
    one = 0.25 * np.log(2)  # squared error times cross-entropy of a pixel that is off by a half
    assert focal_loss(wrong, heat, [2, 0]).tolist() == pytest.approx([one, one], rel=1e-4)
    found = wrong.clone().requires_grad_()
    focal_loss(found, heat, [2, 0]).sum().backward()
    assert found.grad[0, 0, 0, 0] < 0 < found.grad[1, 0, 0, 0]
