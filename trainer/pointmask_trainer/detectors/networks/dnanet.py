"""DNA-Net: dense nested attention (Li et al., TIP 2023)."""

from typing import ClassVar

import torch
from torch import Tensor, nn

from pointmask_trainer.detectors.base import Auxiliary, Detector
from pointmask_trainer.detectors.blocks.attention import AttentionResidual, attention_chain
from pointmask_trainer.detectors.blocks.common import conv, max_pool, resize, size_of, upscale

WIDTHS = (16, 32, 64, 128, 256)
DEPTH = len(WIDTHS)


class DNANet(Detector):
    """A triangle of nodes (level, column), each fed by its own and both neighbouring levels.

    Weights have PyTorch's default initialisation.

    Parameters
    ----------
    in_channels : int, default 1
        Channels of the image.
    """

    stride: ClassVar[int] = 16
    auxiliary: ClassVar[tuple[Auxiliary, ...]] = (Auxiliary("x01"), Auxiliary("x02"), Auxiliary("x03"))
    last_layers: ClassVar[tuple[str, ...]] = ("side_heads", "head")

    def __init__(self, in_channels: int = 1) -> None:
        super().__init__(in_channels)
        self.nodes = nn.ModuleDict(
            {
                _key(level, column): attention_chain(
                    _input_channels(level, column, in_channels), WIDTHS[level], blocks=1 if level == 0 else 2
                )
                for level, column in _order()
            }
        )
        self.laterals = nn.ModuleList([conv(width, 16, 1) for width in WIDTHS[1:]])
        self.final = AttentionResidual(16 * DEPTH, 16)
        self.head = conv(16, 1, 1)
        self.side_heads = nn.ModuleList([conv(16, 1, 1) for _ in self.auxiliary])

    def forward_maps(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """See `Detector.forward_maps`; auxiliary maps are computed at nodes (0, 1), (0, 2) and (0, 3)."""
        outputs: dict[tuple[int, int], Tensor] = {}
        for level, column in _order():
            outputs[level, column] = self.nodes[_key(level, column)](_input(outputs, level, column, x))
        deepest_first = [
            upscale(self.laterals[level - 1](outputs[level, DEPTH - 1 - level]), 2**level, corners=True)
            for level in range(DEPTH - 1, 0, -1)
        ]
        y = self.final(torch.cat([*deepest_first, outputs[0, DEPTH - 1]], 1))
        return self.head(y), [head(outputs[0, 1 + i]) for i, head in enumerate(self.side_heads)]


def _key(level: int, column: int) -> str:
    return f"{level}_{column}"


def _order() -> list[tuple[int, int]]:
    """Return the nodes in topological order."""
    return [(total - column, column) for total in range(DEPTH) for column in range(total + 1)]


def _input_channels(level: int, column: int, in_channels: int) -> int:
    if column == 0:
        return in_channels if level == 0 else WIDTHS[level - 1]
    above = WIDTHS[level - 1] if level > 0 else 0
    return column * WIDTHS[level] + WIDTHS[level + 1] + above


def _input(outputs: dict[tuple[int, int], Tensor], level: int, column: int, image: Tensor) -> Tensor:
    """Concatenate the inputs of node (level, column): its level so far, and both neighbouring levels."""
    if column == 0:
        return image if level == 0 else max_pool(outputs[level - 1, 0])
    parts = [outputs[level, earlier] for earlier in range(column)]
    parts.append(upscale(outputs[level + 1, column - 1], 2, corners=True))
    if level > 0:
        parts.append(resize(outputs[level - 1, column], size_of(parts[0]), corners=True))
    return torch.cat(parts, 1)
