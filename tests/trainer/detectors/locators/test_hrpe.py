"""SPIRE's heat-map network: the function of its literature, and what it learns."""

import pytest

torch = pytest.importorskip("torch")

from tools.trainer.detector_fixtures import deviation, fill, gen, read, running_sums, shape_histogram
from torch.nn import functional as F  # noqa: N812

from pointmask_trainer.detectors.base import Detector, parameter_count
from pointmask_trainer.detectors.locators.hrpe import HRPE
from pointmask_trainer.detectors.registry import DETECTORS
from pointmask_trainer.errors import DetectorError

FIXTURE = read("spire_hrpe")
TOLERANCE = 1e-10


def test_is_no_detector():
    assert not issubclass(HRPE, Detector)
    assert "spire_hrpe" not in DETECTORS.ours


@pytest.mark.parametrize("channels", [1, 3])
def test_weights(channels: int):
    net = HRPE(channels)
    assert parameter_count(net) == FIXTURE.parameters[str(channels)]
    if channels == 3:
        assert shape_histogram(net) == FIXTURE.weight_shapes


@pytest.mark.parametrize("channels", [1, 3])
def test_function(channels: int):
    net = HRPE(channels).double()
    fill(net)
    expected = FIXTURE.numeric[str(channels)]
    x = gen("x", (2, channels, 64, 48)).requires_grad_()
    heat = net.eval()(x)["logits"]
    assert deviation(heat, expected["eval"][0]) < TOLERANCE
    (gradient,) = torch.autograd.grad((heat * gen("c", tuple(heat.shape))).sum(), x)
    assert deviation(gradient, expected["input_gradient"]) < TOLERANCE
    with torch.no_grad():
        assert deviation(net.train()(x)["logits"], expected["train"][0]) < TOLERANCE
    assert running_sums(net) == pytest.approx(expected["running"], rel=TOLERANCE)


@pytest.mark.parametrize("size", [(1, 1), (256, 256), (320, 200), (217, 301)], ids=str)
def test_sizes(size: tuple[int, int]):
    with torch.no_grad():
        heat = HRPE(1).eval()(torch.randn(1, 1, *size))["logits"]
    assert heat.shape == (1, 1, -(-size[0] // 4), -(-size[1] // 4))


def test_other_images_are_refused():
    with pytest.raises(DetectorError, match=r"HRPE got images of shape \(1, 3, 8, 8\)"):
        HRPE(1)(torch.zeros(1, 3, 8, 8))
    with pytest.raises(DetectorError, match="in_channels = 0"):
        HRPE(0)


def test_learns_where_the_peaks_are():
    torch.manual_seed(0)
    net = HRPE(1)
    images = 0.2 * torch.randn(8, 1, 32, 32)
    heat = torch.zeros(8, 1, 8, 8)
    for n in range(8):
        heat[n, 0, n % 6 + 1, 6 - n % 5] = 1
    images += 3 * F.interpolate(heat, scale_factor=4)
    optimiser = torch.optim.Adam(net.parameters(), lr=5e-3)
    for step in range(200):
        optimiser.zero_grad()
        loss = 2 * F.mse_loss(net(images)["logits"], heat)
        loss.backward()
        if step == 0:
            assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())
        optimiser.step()
    found = net(images)["logits"].detach().flatten(1)
    assert torch.equal(found.argmax(1), heat.flatten(1).argmax(1))
    assert torch.equal((found > 0.35).sum(1), torch.ones(8, dtype=torch.int64))
