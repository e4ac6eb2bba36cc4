"""The locator after SSHD-Net: sizes, ledger, and what its switches change."""

import re

import pytest

torch = pytest.importorskip("torch")

from pointmask_trainer.detectors.base import parameter_count
from pointmask_trainer.detectors.locators import sshd
from pointmask_trainer.detectors.locators.sshd import SSHD

SWITCHES = {"threshold": "learns_threshold"}


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return SSHD().eval()


def test_the_ledger_is_the_network_s(net):
    rows = re.findall(r"^(\w[\w/, ]*?)  .* ([\d,]+)$", sshd.__doc__, re.MULTILINE)
    ledger = {name: int(count.replace(",", "")) for name, count in rows}
    cascade = net.cascade
    assert ledger == {
        "stem": parameter_count(net.stem),
        **{f"cascade, stage {k + 1}": parameter_count(stage) for k, stage in enumerate(cascade.stages)},
        "step to 1/8": parameter_count(cascade.steps[0]),
        "step to 1/16": parameter_count(cascade.steps[1]),
        "exchange": parameter_count(cascade.exchanges[1]),  # the last of two rows of that name
        "merging": parameter_count(net.merge),
        "fusion": parameter_count(net.fusion),
        "heat": parameter_count(net.head),
        "offset": parameter_count(net.offset),
        "threshold": parameter_count(net.threshold),
    }
    assert parameter_count(cascade.exchanges[0]) == 20_672
    assert parameter_count(net) == sum(ledger.values()) + 20_672 == 1_523_700
    assert parameter_count(SSHD(3)) == 1_524_276


@pytest.mark.parametrize("size", [(1, 1), (64, 48), (50, 37)], ids=str)
def test_sizes(net, size):
    with torch.no_grad():
        maps = net(torch.randn(2, 1, *size))
    rows, cols = -(-size[0] // 4), -(-size[1] // 4)
    assert maps["logits"].shape == (2, 1, rows, cols)
    assert maps["offset"].shape == (2, 2, rows, cols)
    assert maps["threshold"].shape == (2,)
    assert ((maps["threshold"] > 0.1) & (maps["threshold"] < 0.9)).all()
    assert maps["aux"] == []


def test_images_of_a_batch_do_not_meet(net):
    images = torch.randn(2, 1, 40, 40)
    with torch.no_grad():
        both, alone = net(images), net(images[1:])
    torch.testing.assert_close(both["logits"][1:], alone["logits"], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("switch", ["fusion", "offset", "threshold"])
def test_a_switch_changes_its_part_alone(net, switch):
    other = SSHD(**{SWITCHES.get(switch, switch): False}).eval()
    missing = set(net.state_dict()) - set(other.state_dict())
    assert {name.partition(".")[0] for name in missing} == {switch}
    other.load_state_dict({k: v for k, v in net.state_dict().items() if k not in missing})
    images = torch.randn(1, 1, 32, 32)
    with torch.no_grad():
        ours, theirs = net(images), other(images)
    same = torch.equal(ours["logits"], theirs["logits"])
    assert same == (switch != "fusion")
    assert set(ours) - set(theirs) == {switch} - {"fusion"}


def test_everything_learns(net):
    torch.manual_seed(0)
    learner = SSHD()
    maps = learner(torch.randn(2, 1, 48, 48))
    (maps["logits"].square().sum() + maps["offset"].square().sum() + maps["threshold"].sum()).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in learner.parameters())
    assert any(p.grad.abs().sum() > 0 for p in learner.cascade.steps[1].parameters())
