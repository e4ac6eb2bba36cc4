"""Which samples help: inner products of gradients, against brute force."""

import copy
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tools.trainer.d2d import TwoLayers, first_batch, make_loop

from pointmask_trainer.detectors.quiet import unrecorded
from pointmask_trainer.detectors.registry import build
from pointmask_trainer.strategies.d2d_options import D2DOptions
from pointmask_trainer.strategies.weights.hypergradient import (
    alignments,
    residual_agreement,
    validation_gradient,
)
from pointmask_trainer.strategies.weights.validation import (
    benefits,
    parameters_of,
    validate,
    validation_batch,
    with_gradient,
)

# torch loads its rules of forward mode through a function that it has deprecated itself.
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")


def losses_of(loop, model, batch):
    with unrecorded(model, dropout=False):
        return loop.strategy.losses(model(batch.images), batch, loop.config.loss, model.auxiliary)


def stepped_without(loop, batch, left_out, rate):
    """The detector after one plain step on all samples of the batch but one."""
    model = copy.deepcopy(loop.model).double()
    losses = losses_of(loop, model, batch)
    kept = torch.ones_like(losses)
    if left_out is not None:
        kept[left_out] = 0
    gradient = validation_gradient((kept * losses).mean(), parameters_of(model))
    with torch.no_grad():
        for parameter, grad in zip(parameters_of(model), gradient, strict=True):
            parameter -= rate * grad
    return model


@pytest.mark.parametrize("form", ["difference", "exact"])
@pytest.mark.parametrize("network", ["two layers", "acm_unet"])
def test_benefits_are_what_leaving_a_sample_out_costs(form, network):
    """Every sample left out of one step in turn: how much higher is the validation loss then?"""
    model = TwoLayers(dropout=0.0) if network == "two layers" else build("acm_unet")
    loop = make_loop(12, 12, settings=["batch=12", "optim.lr=0.02"], model=model)
    loop.train_epoch()
    model.train()
    batch, validation = first_batch(loop), validate(loop)
    options = D2DOptions(alpha_form=form)
    found = benefits(loop, batch, {}, validation, options).double().numpy()

    val_batch, rate = validation_batch(loop), 2e-3
    # Costs of a millionth: float32 would round them to one digit.
    exact, val_exact = (
        replace(part, images=part.images.double(), labels=part.labels.double()) for part in (batch, val_batch)
    )
    stepped = [stepped_without(loop, exact, k, rate) for k in [None, *range(12)]]
    with torch.no_grad():
        costs = [float(losses_of(loop, one, val_exact).mean()) for one in stepped]
    brute = np.array(costs[1:]) - costs[0]
    assert np.corrcoef(found, brute)[0, 1] >= 0.99
    np.testing.assert_allclose(found * rate / 12, brute, atol=0.15 * np.abs(brute).max())


@pytest.mark.parametrize("form", ["difference", "exact"])
def test_benefits_are_inner_products_with_each_samples_gradient(form):
    loop = make_loop(model=TwoLayers())
    batch, validation = first_batch(loop), validate(loop)
    found = benefits(loop, batch, {}, validation, D2DOptions(alpha_form=form))
    losses = losses_of(loop, loop.model, batch)
    for k, loss in enumerate(losses):
        gradient = torch.autograd.grad(loss, parameters_of(loop.model), retain_graph=True)
        product = sum(float((a * b).sum()) for a, b in zip(gradient, validation.gradient, strict=True))
        assert float(found[k]) == pytest.approx(product, rel=1e-2 if form == "difference" else 1e-4, abs=1e-5)


def test_differences_leave_weights_to_the_last_bit_even_when_a_pass_fails():
    model = TwoLayers()
    before = [parameter.clone() for parameter in model.parameters()]
    direction = [torch.randn_like(parameter) for parameter in before]

    def fails():
        raise RuntimeError

    with pytest.raises(RuntimeError):
        alignments(fails, list(model.parameters()), direction)
    alignments(lambda: model.last.weight.sum()[None], list(model.parameters()), direction)
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


def test_no_direction_no_alignment():
    model = TwoLayers()
    nowhere = [torch.zeros_like(parameter) for parameter in model.parameters()]
    found = alignments(lambda: model.last.weight.flatten()[:3], list(model.parameters()), nowhere)
    assert found.tolist() == [0, 0, 0]


def test_the_linear_term_has_the_losss_value_and_gradient():
    loop = make_loop(model=TwoLayers(dropout=0.0))
    validation = validate(loop)
    term = with_gradient(loop.model, validation)
    assert float(term.detach()) == pytest.approx(float(validation.loss), abs=1e-6)
    for ours, theirs in zip(
        torch.autograd.grad(term, parameters_of(loop.model)), validation.gradient, strict=True
    ):
        torch.testing.assert_close(ours, theirs)


def test_residual_agreement_by_hand():
    mean = torch.tensor([[[0.5, -0.5]]])
    residuals = torch.tensor([[[[1.0, -1.0]]], [[[-1.0, 1.0]]], [[[1.0, 0.0]]]])
    assert residual_agreement(residuals, mean).tolist() == [0.5, 0, 0.25]


def test_quiet_passes_use_the_batchs_statistics_and_record_nothing():
    model, x = TwoLayers(dropout=0.5).train(), torch.randn(4, 1, 8, 8)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with unrecorded(model, dropout=False):
        quiet, again = model(x)["logits"], model(x)["logits"]
    assert torch.equal(quiet, again)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    with unrecorded(model):
        assert not torch.equal(model(x)["logits"], model(x)["logits"])  # dropout is on
    model.drop.p = 0.0
    assert torch.equal(model(x)["logits"], TwoLayersOf(before, x))
    assert not torch.equal(before["norm.running_mean"], model.norm.running_mean)


def TwoLayersOf(state, x):
    model = TwoLayers(dropout=0.0).train()
    model.load_state_dict(state)
    with unrecorded(model):
        return model(x)["logits"]


def test_quiet_passes_in_evaluation_are_those_of_evaluation():
    model, x = TwoLayers().eval(), torch.randn(2, 1, 8, 8)
    expected = model(x)["logits"]
    with unrecorded(model):
        assert torch.equal(model(x)["logits"], expected)
    assert model.norm.track_running_stats
