"""ALCL-Net: attention-based local contrast learning (Yu et al., GRSL 2022)."""

from itertools import pairwise
from typing import ClassVar

from torch import Tensor, nn

from pointmask_trainer.detectors.base import Detector
from pointmask_trainer.detectors.blocks.common import conv_norm, conv_norm_relu, upscale
from pointmask_trainer.detectors.blocks.contrast import (
    WIDTHS,
    BiasedResidual,
    Down,
    head,
    initialise,
    join_upwards,
    local_contrast,
    stem,
)


class ALCLNet(Detector):
    """Five stages with local contrast on each, fused from deep to shallow with attention.

    All weights are initialised by `blocks.contrast.initialise`.

    Parameters
    ----------
    in_channels : int, default 1
        Channels of the image.
    """

    stride: ClassVar[int] = 16
    taps: ClassVar[tuple[str, ...]] = tuple(f"contrasts.{k}" for k in range(5))

    def __init__(self, in_channels: int = 1) -> None:
        super().__init__(in_channels)
        self.stages = nn.ModuleList(
            [nn.Sequential(stem(in_channels), *(BiasedResidual(16) for _ in range(3)))]
            + [nn.Sequential(Down(a, b), BiasedResidual(b), BiasedResidual(b)) for a, b in pairwise(WIDTHS)]
        )
        self.contrasts = nn.ModuleList([local_contrast(c) for c in WIDTHS])
        self.fusions = nn.ModuleList([AttentionFusion(b, a) for a, b in pairwise(WIDTHS)])
        self.head = head(16)
        self.apply(initialise)

    def forward_maps(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """See `Detector.forward_maps`; there are no auxiliary maps."""
        levels = []
        for stage, contrast in zip(self.stages, self.contrasts, strict=True):
            x = stage(x)
            levels.append(contrast(x))
        return self.head(join_upwards(self.fusions, levels)), []


class AttentionFusion(nn.Module):
    """Upsample a deep map by 2 and add it to a shallow one, weighted per pixel and channel by the latter.

    Parameters
    ----------
    deep, shallow : int
        Channels of the two maps; the result has those of the shallow one.
    """

    def __init__(self, deep: int, shallow: int) -> None:
        super().__init__()
        self.reduce = conv_norm_relu(deep, shallow, 1)
        self.gate = nn.Sequential(conv_norm(shallow, shallow, 1), nn.Sigmoid())

    def forward(self, deep: Tensor, shallow: Tensor) -> Tensor:
        """Fuse (N, deep, H / 2, W / 2) and (N, shallow, H, W)."""
        return shallow + self.reduce(upscale(deep, 2, corners=True)) * self.gate(shallow)
