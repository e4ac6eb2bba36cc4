"""Features of a detector at every pixel of its crops, of unit length, and the teacher that may give them."""

import copy
import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - as everybody writes it

from pointmask_trainer.detectors.base import ImageNetwork
from pointmask_trainer.detectors.quiet import unrecorded
from pointmask_trainer.detectors.reading import reading


def embedded(features: Tensor, projection: nn.Module | None, size: tuple[int, int], stride: int) -> Tensor:
    """Project features, normalise them at each place, and enlarge them to the crops.

    Parameters
    ----------
    features : (B, C, h, w) Tensor
        Input of `ImageNetwork.embedding`, of crops padded to multiples of `stride`.
    projection : nn.Module or None
        From C channels to fewer; None takes the features as they are.
    size : (int, int)
        Of the crops.
    stride : int

    Returns
    -------
    (B, d, H, W) float32 Tensor
        Affinities of enlarged features are the enlarged affinities, as both are linear.
    """
    with torch.autocast(features.device.type, enabled=False):
        values = features.float()
        if projection is not None:
            values = projection(values)
        values = F.normalize(values, dim=1)
        padded = [math.ceil(side / stride) * stride for side in size]
        if list(values.shape[2:]) != padded:
            values = F.interpolate(values, padded, mode="bilinear", align_corners=False)
    return values[:, :, : size[0], : size[1]]


def embedding_channels(model: ImageNetwork) -> int:
    """Return the channels of the feature map that `ImageNetwork.embedding` reads."""
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    with torch.no_grad(), reading(model, model.embedding) as seen:
        model(torch.zeros(1, model.in_channels, model.stride, model.stride, device=device))
    model.train(was_training)
    return int(seen[0].shape[1])


class Teacher:
    """A moving average of a detector and of its projection, which gives features and takes no gradients.

    Parameters
    ----------
    model : ImageNetwork
    projection : nn.Module or None
    decay : float
        Per step.
    """

    def __init__(self, model: ImageNetwork, projection: nn.Module | None, decay: float) -> None:
        self._model, self._projection = copy.deepcopy(model), copy.deepcopy(projection)
        self._decay = decay
        for part in self._parts:
            part.requires_grad_(requires_grad=False)

    @property
    def _parts(self) -> list[nn.Module]:
        return [self._model, *([] if self._projection is None else [self._projection])]

    @torch.no_grad()
    def features(self, images: Tensor, precision: torch.dtype | None) -> Tensor:
        """Compute the features of (B, C, H, W) crops, normalised as in training, without dropout."""
        self._model.train()
        with (
            unrecorded(self._model, dropout=False),
            reading(self._model, self._model.embedding) as seen,
            torch.autocast(images.device.type, precision, enabled=precision is not None),
        ):
            self._model(images)
        size = (images.shape[2], images.shape[3])
        return embedded(seen[0], self._projection, size, self._model.stride)

    @torch.no_grad()
    def follow(self, model: ImageNetwork, projection: nn.Module | None) -> None:
        """Move towards the present weights and statistics."""
        for mine, its in zip(self._parts, [model, projection], strict=False):
            assert its is not None
            present = its.state_dict()
            for name, value in mine.state_dict().items():
                if value.is_floating_point():
                    value.lerp_(present[name], 1 - self._decay)
                else:
                    value.copy_(present[name])

    def state_dict(self) -> dict[str, dict[str, Tensor]]:
        """Return weights and statistics of both parts."""
        return {str(number): part.state_dict() for number, part in enumerate(self._parts)}

    def load_state_dict(self, state: dict[str, dict[str, Tensor]]) -> None:
        """Restore `state_dict`."""
        for number, part in enumerate(self._parts):
            part.load_state_dict(state[str(number)])
