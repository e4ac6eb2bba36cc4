"""Every detector is the function that its literature's code computes, to the last parameter."""

import pytest

torch = pytest.importorskip("torch")

from tools.trainer.detector_fixtures import (
    FIXTURES,
    Fixture,
    deviation,
    each_fixture,
    fill,
    gen,
    running_sums,
    shape_histogram,
)

from pointmask_trainer.detectors.base import parameter_count
from pointmask_trainer.detectors.registry import DETECTORS, build

TOLERANCE = 1e-10
# The deepest batch norms of uiunet see a few values per channel, and divide rounding by hardly any deviation:
# 4e-7 on a processor with AVX-512 and AMX, below 1e-10 on others. Mistakes make 1e-3 and more.
IN_TRAINING = {"uiunet": 1e-5}


def test_every_detector_has_a_fixture():
    assert {fixture.detector for fixture in FIXTURES} == set(DETECTORS.ours)


@each_fixture()
@pytest.mark.parametrize("channels", [1, 3])
def test_parameter_count(fixture: Fixture, channels: int):
    assert parameter_count(fixture.build(channels)) == fixture.parameters[str(channels)]
    assert parameter_count(fixture.build_alive(channels)) == fixture.alive[str(channels)]


@each_fixture()
def test_weight_shapes(fixture: Fixture):
    assert shape_histogram(fixture.build(3)) == fixture.weight_shapes


@each_fixture()
@pytest.mark.parametrize("channels", [1, 3])
def test_function(fixture: Fixture, channels: int):
    net = fixture.build(channels).double()
    fill(net)
    expected = fixture.numeric[str(channels)]
    x = gen("x", (2, channels, 64, 48)).requires_grad_()

    net.eval()
    main, aux = net.forward_maps(x)
    for got, wanted in zip([main, *aux], expected["eval"], strict=False):  # aux may be left out in eval mode
        assert deviation(got, wanted) < TOLERANCE
    (gradient,) = torch.autograd.grad((main * gen("c", tuple(main.shape))).sum(), x)
    assert deviation(gradient, expected["input_gradient"]) < TOLERANCE

    net.train()
    tolerance = IN_TRAINING.get(fixture.detector, TOLERANCE)
    with torch.no_grad():
        out = net(x)
    for got, wanted in zip([out["logits"], *out["aux"]], expected["train"], strict=True):
        assert deviation(got, wanted) < tolerance
    assert running_sums(net) == pytest.approx(expected["running"], rel=tolerance)


def test_a_mistake_is_seen():
    (fixture,) = (f for f in FIXTURES if f.name == "acm_fpn_fullres")
    net = fixture.build(1).double().eval()
    fill(net)
    net.body.corners = False
    main, _ = net.forward_maps(gen("x", (2, 1, 64, 48)))
    assert deviation(main, fixture.numeric["1"]["eval"][0]) > 1e-3


@pytest.mark.parametrize("name", sorted({f.detector for f in FIXTURES if "dead_weights" in f.options}))
def test_no_gradient_reaches_dead_weights(name: str):
    net = build(name, dead_weights=True)
    out = net(torch.randn(2, 1, 32, 32))
    sum(part.sum() for part in [out["logits"], *out["aux"]]).backward()
    reached = sum(p.numel() for p in net.parameters() if p.grad is not None)
    assert reached == parameter_count(build(name)) < parameter_count(net)
