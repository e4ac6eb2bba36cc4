"""Every detector names the module that reads its last feature map, and some those that read its stages."""

import pytest

torch = pytest.importorskip("torch")

from pointmask_trainer.detectors.reading import reading
from pointmask_trainer.detectors.registry import DETECTORS, build


@pytest.mark.parametrize("name", DETECTORS.ours)
def test_the_embedding_is_one_map_from_which_a_convolution_makes_logits(name):
    torch.manual_seed(0)
    net = build(name).eval()
    images = torch.randn(2, 1, 64, 64)
    with torch.no_grad(), reading(net, net.embedding) as seen:
        before = net(images)["logits"]
    (features,) = seen
    count, channels, height, width = features.shape
    assert count == 2
    assert channels >= 8
    assert height == width
    assert 64 % height == 0
    # The main logits depend on nothing behind the map but this module: zeros there leave nothing of an image.
    handle = net.get_submodule(net.embedding).register_forward_pre_hook(
        lambda module, inputs: (torch.zeros_like(inputs[0]),)
    )
    with torch.no_grad():
        after = net(images)["logits"]
    handle.remove()
    assert not torch.equal(before, after)
    if len(net.last_layers) == 1 and name != "isnet":
        assert float((after[0] - after[1]).abs().max()) < 1e-5


@pytest.mark.parametrize(("name", "widths"), [("alclnet", 5), ("gglnet", 5), ("mlclnet", 3)])
def test_taps_read_the_stages_from_fine_to_coarse(name, widths):
    net = build(name).eval()
    sides = []
    for tap in net.taps:
        with torch.no_grad(), reading(net, tap) as seen:
            net(torch.randn(1, 1, 64, 64))
        assert len(seen) == 1
        sides.append(seen[0].shape[-1])
    assert len(sides) == widths
    assert sides == sorted(sides, reverse=True)
    assert len(set(sides)) == widths


def test_reading_ends_with_its_context_and_passes_gradients():
    net = build("acm_unet")
    with reading(net, net.embedding) as seen:
        net(torch.randn(2, 1, 32, 32))
    seen[0].sum().backward()
    assert any(p.grad is not None for p in net.stem.parameters())
    net(torch.randn(2, 1, 32, 32))
    assert len(seen) == 1
