"""The validation batch of a step: its loss and gradient, and how much each sample helps it."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from pointmask_trainer.data.batch import Batch
from pointmask_trainer.detectors.base import Maps
from pointmask_trainer.detectors.quiet import unrecorded
from pointmask_trainer.strategies.d2d_options import D2DOptions
from pointmask_trainer.strategies.training import Training
from pointmask_trainer.strategies.weights.hypergradient import (
    alignments,
    exact_alignments,
    residual_agreement,
    validation_gradient,
)

_ORDER = 5  # what a derived seed is for


@dataclass(frozen=True, slots=True, eq=False)
class Validation:
    """A validation batch at the detector's present weights.

    Attributes
    ----------
    loss : () Tensor
        This process's part.
    gradient : list of Tensor
        Of that part, one per trainable parameter.
    residual : (1, h, w) Tensor
        Probability less label, mean over the whole batch, at the crops' pixels.
    """

    loss: Tensor
    gradient: list[Tensor]
    residual: Tensor


def validate(training: Training) -> Validation:
    """Run the step's validation batch through the network, without updating running statistics."""
    batch = validation_batch(training)
    with unrecorded(training.model):
        losses, maps = training.losses(batch)
    loss = losses.sum() / batch.total
    gradient = validation_gradient(loss, parameters_of(training.model))
    residual = (torch.sigmoid(maps["logits"].detach().float()) - batch.labels).sum(0) / batch.total
    return Validation(loss.detach(), gradient, training.group.sum(residual))


def benefits(
    training: Training, batch: Batch, maps: Maps, validation: Validation, options: D2DOptions
) -> Tensor:
    """Return how much each image of a step lowers the validation loss, in arbitrary units.

    Parameters
    ----------
    training : Training
    batch : Batch
        Of the step.
    maps : Maps
        The detector's maps of it.
    validation : Validation
    options : D2DOptions
        Its signal and form.

    Returns
    -------
    (B,) Tensor
        Of this process's images.
    """
    if options.alpha_signal == "residual":
        residuals = torch.sigmoid(maps["logits"].detach().float()) - batch.labels
        return residual_agreement(residuals, validation.residual)
    direction = _summed(training, validation.gradient)
    model = training.model
    # Neither dropout, nor half precision, nor a compiled model: differences of losses are small.
    with unrecorded(model, dropout=False):
        if options.alpha_form == "exact":
            names = [name for name, parameter in model.named_parameters() if parameter.requires_grad]
            return exact_alignments(
                model,
                lambda forward: training.losses_of(forward(batch.images), batch),
                dict(zip(names, direction, strict=True)),
            )
        return alignments(
            lambda: training.losses_of(model(batch.images), batch),
            parameters_of(model),
            direction,
        )


def with_gradient(model: nn.Module, validation: Validation) -> Tensor:
    """Return a term with the value and gradient of the validation loss, without a second backward pass."""
    pairs = zip(parameters_of(model), validation.gradient, strict=True)
    linear = torch.stack([(parameter * grad).sum() for parameter, grad in pairs]).sum()
    return validation.loss + linear - linear.detach()


def parameters_of(model: nn.Module) -> list[nn.Parameter]:
    """Return the trainable parameters of a network."""
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def validation_batch(training: Training) -> Batch:
    """Return crops of validation images, in turn and in an order that is drawn for each epoch."""
    count, size = len(training.splits["val"]), training.config.batch
    order = np.random.default_rng([training.config.seed, _ORDER, training.epoch]).permutation(count)
    places = np.arange(training.step * size, (training.step + 1) * size) % count
    return training.batch("val", torch.from_numpy(order[places]), (training.epoch, training.step))


def _summed(training: Training, gradient: list[Tensor]) -> list[Tensor]:
    if training.group.size == 1:
        return gradient
    flat = training.group.sum(torch.cat([part.reshape(-1) for part in gradient]))
    parts = torch.split(flat, [part.numel() for part in gradient])
    return [part.view_as(like) for part, like in zip(parts, gradient, strict=True)]
