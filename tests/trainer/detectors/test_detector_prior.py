"""An untrained detector that knows how rare targets are."""

import math

import pytest

torch = pytest.importorskip("torch")

from pointmask_trainer.detectors.prior import start_from
from pointmask_trainer.detectors.registry import DETECTORS, build


def maps_of(net, images):
    with torch.no_grad():
        out = net(images)
    return [out["logits"], *out["aux"]]


@pytest.mark.parametrize("name", DETECTORS.ours)
def test_every_map_starts_from_the_probability(name):
    torch.manual_seed(0)
    net = build(name)
    before = {key: value.clone() for key, value in net.state_dict().items()}
    start_from(net, 0.02)
    after = net.state_dict()
    changed = [key for key in before if not torch.equal(before[key], after[key])]
    assert changed
    assert all(key.endswith("bias") and after[key].numel() == net.logit_channels for key in changed)
    torch.manual_seed(1)
    found = maps_of(net, torch.randn(4, 1, 64, 64))
    wanted = math.log(0.02 / 0.98)
    for made, kind in zip(found[1:], net.auxiliary, strict=True):
        if kind.target == "mask":
            assert float(made.mean()) == pytest.approx(wanted, abs=0.8), kind.name
    assert float(found[0].mean()) == pytest.approx(wanted, abs=0.8)


def test_it_is_the_same_for_the_same_weights_and_reaches_other_channels():
    nets = []
    for _ in range(2):
        torch.manual_seed(3)
        nets.append(build("alcnet", in_channels=3))
        torch.manual_seed(len(nets))  # what comes between must not matter
        start_from(nets[-1], 0.1)
    first, second = (net.state_dict() for net in nets)
    assert all(torch.equal(first[key], second[key]) for key in first)
