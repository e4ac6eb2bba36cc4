"""What the foundation model sees of a frame turned into factors and shifts of the detector's stages."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from pointmask_trainer.detectors.base import ImageNetwork
from pointmask_trainer.detectors.quiet import unrecorded
from pointmask_trainer.errors import ConfigError

_SIDE = 64  # px of the image on which stages are measured


class Modulator(nn.Module):
    """Layers of the foundation model mixed, and mapped to a factor and a shift for every channel.

    It starts as the identity: the last layer is 0, so that teacher and student are alike at first.

    Parameters
    ----------
    layers, width : int
        Hidden states of the foundation model, and their channels.
    channels : sequence of int
        Of each modulated stage.
    hidden : int
    """

    def __init__(self, layers: int, width: int, channels: Sequence[int], hidden: int) -> None:
        super().__init__()
        self._channels = list(channels)
        total = sum(channels)
        self.mix = nn.Parameter(torch.zeros(layers))
        self.gate = nn.Parameter(torch.ones(total))
        last = nn.Linear(hidden, 2 * total)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.map = nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), last)

    def forward(self, states: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Turn (B, layers, width) mean tokens into factor and shift of each stage, (B, channels) each."""
        mixed = torch.einsum("k,bkc->bc", torch.softmax(self.mix, 0), states)
        parts = torch.split(self.map(mixed), [2 * count for count in self._channels], 1)
        gates = torch.split(self.gate, self._channels)
        stages = []
        for part, gate in zip(parts, gates, strict=True):
            factor, shift = part.chunk(2, 1)
            stages.append((1 + torch.tanh(gate * factor), shift))
        return stages


@contextmanager
def modulating(
    model: ImageNetwork, stages: Sequence[tuple[Tensor, Tensor]], strength: float
) -> Iterator[None]:
    """Modulate what the taps of a detector read, as long as the context lasts.

    Parameters
    ----------
    model : ImageNetwork
        Not compiled.
    stages : sequence of (B, C) Tensor pairs
        Factor and shift of each tap, for B images, or for one that stands for all of a batch.
    strength : float
        s in ``(1 + s (factor - 1)) f + s shift``.
    """
    handles = []
    try:
        for name, (factor, shift) in zip(model.taps, stages, strict=True):
            scale, add = (
                values[:, :, None, None] for values in (1 + strength * (factor - 1), strength * shift)
            )

            def change(
                module: nn.Module, inputs: tuple[Tensor, ...], scale: Tensor = scale, add: Tensor = add
            ) -> tuple[Tensor, ...]:
                return (inputs[0] * scale.to(inputs[0].dtype) + add.to(inputs[0].dtype), *inputs[1:])

            handles.append(model.get_submodule(name).register_forward_pre_hook(change))
        yield
    finally:
        for handle in handles:
            handle.remove()


@torch.no_grad()
def tap_channels(model: ImageNetwork) -> list[int]:
    """Return the channels of the stages that a detector's taps read.

    Raises
    ------
    ConfigError
        If the detector has no taps.
    """
    if not model.taps:
        raise ConfigError(
            f"strategy priors modulates the encoder's stages, and {type(model).__name__} names none; "
            "set --model to alclnet, gglnet, mlclnet or mlclnet_small"
        )
    found: list[int] = []
    handles = [
        model.get_submodule(name).register_forward_pre_hook(
            lambda _, inputs: found.append(inputs[0].shape[1])
        )
        for name in model.taps
    ]
    device = next(model.parameters()).device
    try:
        with unrecorded(model, dropout=False):
            model(torch.zeros(2, model.in_channels, _SIDE, _SIDE, device=device))
    finally:
        for handle in handles:
            handle.remove()
    return found
