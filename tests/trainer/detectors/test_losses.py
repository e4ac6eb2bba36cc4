"""Losses on cases small enough to work out by hand."""

import math

import pytest

torch = pytest.importorskip("torch")

from pointmask_trainer.config import LossConfig
from pointmask_trainer.detectors.base import Auxiliary
from pointmask_trainer.detectors.losses import bce, edge_enhanced, focal, label_edges, loss_of_maps, soft_iou


def logit(p):
    return math.log(p / (1 - p))


HALF = torch.zeros(1, 1, 2, 2)
ONE = torch.tensor([[[[1.0, 0.0], [0.0, 0.0]]]])


def test_soft_iou_by_hand():
    # q = 1/2 everywhere: sum qy = .5, sum q = 2, sum y = 1
    assert soft_iou(HALF, ONE).item() == pytest.approx(1 - 1.5 / (2 + 1 - 0.5 + 1))
    # no target: 1 - 1 / (sum q + 1)
    assert soft_iou(HALF, torch.zeros_like(ONE)).item() == pytest.approx(1 - 1 / 3)


def test_bce_by_hand():
    assert bce(HALF, ONE).item() == pytest.approx(math.log(2))


def test_focal_by_hand():
    # q = 1/2: near = .25 log 2 at one pixel, far = .25 log 2 at three; one labelled pixel
    assert focal(HALF, ONE).item() == pytest.approx(math.log(2))
    soft = 0.5 * torch.ones(1, 1, 2, 2)
    pixel = 0.5 * 0.25 * math.log(2) + 0.5**4 * 0.25 * math.log(2)
    assert focal(HALF, soft).item() == pytest.approx(4 * pixel / 2)


def test_focal_by_hand_with_both_divisors():
    q = torch.tensor([[[[0.9, 0.5], [0.2, 0.1]]]])
    labels = torch.tensor([[[[1.0, 0.5], [0.0, 0.0]]]])
    sums = 0.00105361 + 0.09747382 + 0.00892574 + 0.00105361
    assert focal(torch.logit(q), labels).item() == pytest.approx(0.072338, abs=1e-6)
    assert focal(torch.logit(q), labels, "ones").item() == pytest.approx(sums, abs=1e-6)


def test_the_divisor_of_lesps_is_of_the_whole_batch():
    logits = torch.linspace(-2, 2, 3 * 16).view(3, 1, 4, 4)
    labels = torch.zeros(3, 1, 4, 4)
    labels[0, 0, 1, 1:3] = 1
    labels[1, 0, 2, 2] = 1
    labels[2, 0, 0, 0] = 0.999
    alone = torch.stack([focal(logits[[k]], torch.zeros(1, 1, 4, 4), "ones") for k in range(3)])
    assert torch.equal(alone.flatten(), focal(logits, torch.zeros_like(labels)))  # divided by one
    q = torch.sigmoid(logits)
    terms = labels * (1 - q) ** 2 * q.log() + (1 - labels) ** 4 * q**2 * (1 - q).log()
    published = -terms.sum() / 3  # three pixels are exactly 1
    assert focal(logits, labels, "ones").mean().item() == pytest.approx(published.item(), rel=1e-5)


def test_edge_enhanced_by_hand():
    logits = torch.full((1, 1, 6, 6), logit(0.2))
    labels = torch.zeros(1, 1, 6, 6)
    labels[..., 0, 0] = 1
    edges = label_edges(labels)
    expected = torch.zeros(6, 6)
    expected[:2, :2] = 1
    assert torch.equal(edges[0, 0], expected)
    # Hardest 4 of 36: the target at weight 4, its three neighbours at weight 4.
    value = (4 * -math.log(0.2) + 3 * 4 * -math.log(0.8)) / 4
    assert edge_enhanced(logits, labels, 4.0, 4 / 36).item() == pytest.approx(value, rel=1e-5)


def test_edges_of_four_neighbours_leave_out_corners():
    labels = torch.zeros(1, 1, 7, 7)
    labels[..., 2:5, 2:5] = 1
    eight, four = label_edges(labels)[0, 0], label_edges(labels, 4)[0, 0]
    assert torch.equal(eight.nonzero().min(0).values, torch.tensor([1, 1]))
    assert int((eight - four).sum()) == 4
    assert [float(four[corner]) for corner in ((1, 1), (1, 5), (5, 1), (5, 5))] == [0.0] * 4
    assert float(four[3, 3]) == float(eight[3, 3]) == 0
    # Slow twin: both sides within distance 1.
    for row in range(7):
        for col in range(7):
            near = [
                labels[0, 0, r, c].item()
                for r, c in ((row, col), (row - 1, col), (row + 1, col), (row, col - 1), (row, col + 1))
                if 0 <= r < 7 and 0 <= c < 7
            ]
            assert four[row, col].item() == max(near) - min(near)


@pytest.mark.parametrize("name", ["softiou", "bce", "focal", "eedm"])
def test_each_image_has_its_own_loss_and_right_answers_cost_least(name):
    labels = torch.zeros(3, 1, 12, 12)
    labels[0, 0, 3:6, 3:6] = 1
    labels[1, 0, 8, 2] = 1
    config = LossConfig(name=name)

    def of(logits):
        return loss_of_maps({"logits": logits, "aux": []}, labels, config)

    together = of(torch.randn(3, 1, 12, 12, generator=torch.Generator().manual_seed(0)))
    assert together.shape == (3,)
    right, wrong = of(20 * (2 * labels - 1)), of(20 * (1 - 2 * labels))
    assert bool((right < 0.05).all())
    assert bool((right < wrong).all())
    assert bool(torch.isfinite(of(torch.full_like(labels, 200.0))).all())
    alone = loss_of_maps(
        {"logits": torch.randn(3, 1, 12, 12, generator=torch.Generator().manual_seed(0))[:1], "aux": []},
        labels[:1],
        config,
    )
    torch.testing.assert_close(alone, together[:1])


def test_auxiliary_maps_are_trained_on_their_own_targets():
    labels = torch.zeros(1, 1, 8, 8)
    labels[..., 4, 4] = 1
    kinds = (Auxiliary("quarter", 4), Auxiliary("outline", 1, "edge"))
    big = 20.0
    quarter = torch.full((1, 1, 2, 2), -big)
    quarter[..., 1, 1] = big  # the pixel's cell
    outline = big * (2 * label_edges(labels) - 1)
    maps = {"logits": big * (2 * labels - 1), "aux": [quarter, outline]}
    config = LossConfig(name="bce")
    assert loss_of_maps(maps, labels, config, kinds).item() < 1e-6
    maps["aux"][0] = -quarter
    mean, total = (
        loss_of_maps(maps, labels, LossConfig(name="bce", deep=deep), kinds) for deep in ("mean", "sum")
    )
    assert mean.item() == pytest.approx(big / 3, rel=1e-3)
    assert total.item() == pytest.approx(big, rel=1e-3)


def test_gradients_reach_confident_mistakes():
    logits = torch.full((1, 1, 4, 4), -30.0, requires_grad=True)
    labels = torch.ones(1, 1, 4, 4)
    for name in ("bce", "focal"):
        (grad,) = torch.autograd.grad(
            loss_of_maps({"logits": logits, "aux": []}, labels, LossConfig(name=name)).sum(), logits
        )
        assert bool((grad < -0.01).all()), name
