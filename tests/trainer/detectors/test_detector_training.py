"""Detectors learn: gradients reach every weight, a step lowers the loss, eight images can be learnt."""

import pytest

torch = pytest.importorskip("torch")

from tools.trainer.detector_fixtures import HEAVY_MACS, Fixture, each_fixture
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from pointmask_trainer.detectors.base import Detector, Maps

SIDE = 32
IMAGES = 8
MOST_STEPS = 600
WIDTH = 3.0  # of the blobs, in pixels: a map made at a quarter of the size cannot outline much smaller ones


def scenes() -> tuple[Tensor, Tensor]:
    """Make eight noisy images with one or two blobs each, and their masks."""
    draw = torch.Generator().manual_seed(0)
    rows, columns = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    clean = torch.zeros(IMAGES, 1, SIDE, SIDE)
    for image in range(IMAGES):
        for _ in range(1 + image % 2):
            y, x = torch.randint(5, SIDE - 5, (2,), generator=draw)
            clean[image, 0] += torch.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * WIDTH**2))
    return 3 * clean + 0.3 * torch.randn(clean.shape, generator=draw), (clean > 0.3).float()


def loss_of(net: Detector, out: Maps, masks: Tensor) -> Tensor:
    """Cross-entropy and soft IoU of the main map, cross-entropy of the others."""
    main = out["logits"]
    chance = main.sigmoid()
    overlap = (chance * masks).sum() / (chance + masks - chance * masks).sum()
    loss = F.binary_cross_entropy_with_logits(main, masks) + 1 - overlap
    for kind, part in zip(net.auxiliary, out["aux"], strict=True):
        target = F.max_pool2d(masks, kind.scale, ceil_mode=True)
        loss = loss + 0.3 * F.binary_cross_entropy_with_logits(part, target)
    return loss


def build_without_dropout(fixture: Fixture) -> Detector:
    torch.manual_seed(3)
    net = fixture.build_alive(1)
    for module in net.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return net


@torch.no_grad()
def settle(net: Detector, images: Tensor) -> None:
    """Let the norms' running statistics be those of the images now, instead of lagging behind the weights."""
    norms = [module for module in net.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain average: UIU-Net passes some norms twice per image
    net(images)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


def iou(net: Detector, images: Tensor, masks: Tensor) -> float:
    settle(net, images)
    net.eval()
    with torch.no_grad():
        found = net(images)["logits"] > 0
    net.train()
    return float((found & (masks > 0)).sum() / (found | (masks > 0)).sum())


@each_fixture()
def test_gradients_reach_every_parameter(fixture: Fixture):
    torch.manual_seed(0)
    net = fixture.build_alive(1)
    images, masks = scenes()
    loss_of(net, net(images), masks).backward()
    without = [
        name for name, p in net.named_parameters() if p.grad is None or not bool(p.grad.isfinite().all())
    ]
    assert without == []


@each_fixture()
def test_one_step_lowers_the_loss(fixture: Fixture):
    net = build_without_dropout(fixture)
    images, masks = scenes()
    optimiser = torch.optim.SGD(net.parameters(), lr=1e-3)
    before = loss_of(net, net(images), masks)
    before.backward()
    optimiser.step()
    with torch.no_grad():
        after = loss_of(net, net(images), masks)
    assert after < before


@each_fixture(norms=False)
def test_learns_eight_images(fixture: Fixture):
    net = build_without_dropout(fixture)
    images, masks = scenes()
    # Larger networks diverge, or take longer, where the small ones learn fastest.
    rate = 5e-3 if fixture.macs["1"] > HEAVY_MACS else 2e-2
    optimiser = torch.optim.Adam(net.parameters(), lr=rate, fused=True)  # a third of the time of 50 M weights
    for step in range(MOST_STEPS):
        optimiser.zero_grad()
        loss_of(net, net(images), masks).backward()
        optimiser.step()
        if step % 5 == 4 and iou(net, images, masks) >= 0.9:
            return
    pytest.fail(f"IoU {iou(net, images, masks):.3f} on its training images, 0.9 was wanted")
