"""Output of a detector before training.

With fresh weights every pixel is a target by half. Soft IoU then has a union of half the image, and spends
hundreds of steps on nothing but finding out that targets are rare: on SIRST-v1, ALCNet from 0.02 is after 16
epochs where it is from 0.5 after 60.
"""

import math

import torch
from torch import Tensor, nn

from pointmask_trainer.detectors.base import Detector
from pointmask_trainer.detectors.quiet import unrecorded

_IMAGES, _SIDE = 4, 64  # of noise


@torch.no_grad()
def start_from(model: Detector, probability: float) -> None:
    """Shift the biases of a detector's last layers until all maps have a mean logit on noise.

    Only `Detector.last_layers` change. Every process and machine makes the same noise.

    Parameters
    ----------
    model : Detector
        With fresh weights, in training mode.
    probability : float
        In (0, 1); its logit is what the maps get.
    """
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(_IMAGES, model.in_channels, _SIDE, _SIDE, generator=generator)
    noise = noise.to(next(model.parameters()).device)
    wanted = math.log(probability / (1 - probability))
    for layer in _last_convolutions(model):
        made: list[Tensor] = []
        handle = layer.register_forward_hook(lambda module, given, out, made=made: made.append(out))
        try:
            with unrecorded(model, dropout=False):
                model(noise)
        finally:
            handle.remove()
        assert layer.bias is not None
        layer.bias += wanted - torch.cat([out.flatten() for out in made]).mean()


def _last_convolutions(model: Detector) -> list[nn.Conv2d]:
    """Biased convolutions to one channel in the last layers, as they follow each other."""
    return [
        module
        for name in model.last_layers
        for module in model.get_submodule(name).modules()
        if isinstance(module, nn.Conv2d) and module.out_channels == 1 and module.bias is not None
    ]
