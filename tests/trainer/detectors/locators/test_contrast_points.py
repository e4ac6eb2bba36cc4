"""The light detector as a network that finds points."""

import pytest

torch = pytest.importorskip("torch")

from pointmask_trainer.config import ModelConfig
from pointmask_trainer.detectors.base import parameter_count
from pointmask_trainer.detectors.registry import build, build_network
from pointmask_trainer.errors import CheckpointError
from pointmask_trainer.run.checkpoint import BUILTIN_WEIGHTS, load_weights, read_weights
from pointmask_trainer.training.prepare import first_weights


@pytest.mark.parametrize("size", [(1, 1), (33, 41), (64, 48)], ids=str)
def test_the_heat_is_the_detector_s_probability(size):
    torch.manual_seed(0)
    detector, locator = build("contrast_unet").eval(), build_network("contrast_points").eval()
    load_weights(locator, locator.adopted(detector.state_dict()), "detector")
    x = torch.randn(2, 1, *size)
    with torch.no_grad():
        heat, logits = locator(x)["logits"], detector(x)["logits"]
    assert heat.shape == (2, 1, *size)
    torch.testing.assert_close(heat, logits.sigmoid(), rtol=0, atol=1e-6)
    assert parameter_count(locator) == parameter_count(detector)


def test_it_starts_from_the_weights_of_the_package_and_from_its_own():
    said = []
    config = ModelConfig(name="contrast_points", init="builtin", normalisation="image")
    locator = first_weights(config, said.append)
    weights, _ = read_weights(BUILTIN_WEIGHTS)
    own = locator.state_dict()
    assert all(torch.equal(own[f"net.{name}"], value.float()) for name, value in weights.items())
    assert "builtin" in said[0]
    assert locator.adopted(own) is own


def test_weights_of_other_networks_are_refused():
    locator = build_network("contrast_points")
    with pytest.raises(CheckpointError, match="another model than ContrastPoints"):
        load_weights(locator, locator.adopted(build_network("hrpe").state_dict()), "hrpe")
