"""Output of a detector before training.

With freshly initialised weights every pixel has a probability of about 0.5. The union in soft IoU is then
half the image, and hundreds of steps pass until the network has learned that targets are rare: on SIRST-v1,
ALCNet started at 0.02 reaches after 16 epochs what it reaches after 60 when started at 0.5.
"""

import math

import torch
from torch import Tensor, nn

from pointmask_trainer.detectors.base import Detector
from pointmask_trainer.detectors.quiet import unrecorded

_IMAGES, _SIDE = 4, 64  # number and side of the noise images


@torch.no_grad()
def start_from(model: Detector, probability: float) -> None:
    """Shift the biases of a detector's last layers so that all maps have a given mean logit on noise.

    Only `Detector.last_layers` change. The noise is the same in every process and on every machine.

    Parameters
    ----------
    model : Detector
        Freshly initialised, in training mode.
    probability : float
        In (0, 1); its logit becomes the mean logit of the maps.
    """
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(_IMAGES, model.in_channels, _SIDE, _SIDE, generator=generator)
    noise = noise.to(next(model.parameters()).device)
    target = math.log(probability / (1 - probability))
    for layer in _last_convolutions(model):
        outputs: list[Tensor] = []
        handle = layer.register_forward_hook(
            lambda module, inputs, output, outputs=outputs: outputs.append(output)
        )
        try:
            with unrecorded(model, dropout=False):
                model(noise)
        finally:
            handle.remove()
        assert layer.bias is not None
        layer.bias += target - torch.cat([output.flatten() for output in outputs]).mean()


def _last_convolutions(model: Detector) -> list[nn.Conv2d]:
    """Return the convolutions to logits with a bias in the last layers, in order of execution."""
    return [
        module
        for name in model.last_layers
        for module in model.get_submodule(name).modules()
        if isinstance(module, nn.Conv2d)
        and module.out_channels == model.logit_channels
        and module.bias is not None
    ]
