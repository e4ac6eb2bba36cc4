"""Features of a detector at every pixel of its crops, of unit length, and the teacher that may give them."""

import copy
import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - as everybody writes it
from torch.optim.swa_utils import get_ema_multi_avg_fn

from pointmask_trainer.detectors.base import ImageNetwork
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

    It normalises by running statistics, so that the features of a crop do not depend on the others: only
    crops with a point are looked at.

    Parameters
    ----------
    model : ImageNetwork
    projection : nn.Module or None
    decay : float
        Per step.
    """

    def __init__(self, model: ImageNetwork, projection: nn.Module | None, decay: float) -> None:
        followed: list[nn.Module] = [model, *([] if projection is None else [projection])]
        self._model, self._projection = copy.deepcopy(model), copy.deepcopy(projection)
        self._average = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
        for part in self._parts:
            part.requires_grad_(requires_grad=False)
            part.eval()
        # Listed once: to look up all names in every step takes a tenth of a step.
        pairs = list(zip(_tensors(self._parts), _tensors(followed), strict=True))
        self._averaged = [pair for pair in pairs if pair[0].is_floating_point()]
        self._copied = [pair for pair in pairs if not pair[0].is_floating_point()]

    @property
    def _parts(self) -> list[nn.Module]:
        return [self._model, *([] if self._projection is None else [self._projection])]

    @torch.no_grad()
    def features(self, images: Tensor, crops: Tensor, precision: torch.dtype | None) -> Tensor:
        """Compute the features of some of (B, C, H, W) crops, whose indices are given."""
        with (
            reading(self._model, self._model.embedding) as seen,
            torch.autocast(images.device.type, precision, enabled=precision is not None),
        ):
            self._model(images[crops])
        size = (images.shape[2], images.shape[3])
        return embedded(seen[0], self._projection, size, self._model.stride)

    @torch.no_grad()
    def follow(self) -> None:
        """Move towards the present weights and statistics."""
        mine, its = zip(*self._averaged, strict=True)
        self._average(mine, its, 0)
        for own, present in self._copied:
            own.copy_(present)

    def state_dict(self) -> dict[str, dict[str, Tensor]]:
        """Return weights and statistics of both parts."""
        return {str(number): part.state_dict() for number, part in enumerate(self._parts)}

    def load_state_dict(self, state: dict[str, dict[str, Tensor]]) -> None:
        """Restore `state_dict`."""
        for number, part in enumerate(self._parts):
            part.load_state_dict(state[str(number)])


def _tensors(modules: list[nn.Module]) -> list[Tensor]:
    """List parameters and buffers."""
    return [tensor for module in modules for tensor in (*module.parameters(), *module.buffers())]
