"""The optimiser of a detector's weights, its rate over the epochs, and the moving average of the weights."""

import math

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from pointmask_trainer.config import OptimConfig

_FALLS_TO = 0.01  # share of the rate at which a cosine ends


def make_optimiser(config: OptimConfig, model: nn.Module) -> torch.optim.Optimizer:
    """Make the optimiser of a model's weights."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if config.name == "sgd":
        return torch.optim.SGD(parameters, config.lr, momentum=0.9, weight_decay=config.weight_decay)
    kind = torch.optim.AdamW if config.name == "adamw" else torch.optim.Adam
    return kind(parameters, config.lr, weight_decay=config.weight_decay)


def set_rate(optimiser: torch.optim.Optimizer, config: OptimConfig, epoch: float, epochs: int) -> float:
    """Set and return the learning rate; `epoch` may be fractional, within an epoch."""
    rate = config.lr * min(1.0, (epoch + 1e-3) / config.warmup) if config.warmup else config.lr
    past = min(1.0, epoch / epochs)
    if config.schedule == "cosine":
        rate *= _FALLS_TO + (1 - _FALLS_TO) * 0.5 * (1 + math.cos(math.pi * past))
    elif config.schedule == "steps":
        rate *= 0.1 ** ((past >= 0.5) + (past >= 0.75))
    for group in optimiser.param_groups:
        group["lr"] = rate
    return rate


def make_ema(config: OptimConfig, model: nn.Module) -> AveragedModel | None:
    """Begin an exponential moving average (EMA) of a model's weights and statistics; None if it is off.

    The decay grows with the number n of updates, as (1 + n) / (10 + n) up to ``config.average``: a short
    training would otherwise end on an average of its first steps.
    """
    if not config.average:
        return None

    def update(ema: tuple[Tensor, ...] | list[Tensor], values: object, count: Tensor | int) -> None:
        share = 1 - torch.as_tensor((1 + count) / (10 + count)).clamp(max=config.average)
        assert isinstance(values, (tuple, list))
        for average, value in zip(ema, values, strict=True):
            if average.is_floating_point():
                average.lerp_(value, share.to(average.dtype))
            else:
                average.copy_(value)

    return AveragedModel(model, multi_avg_fn=update, use_buffers=True)
