"""GGL-Net: gradient-guided learning (Zhao et al., GRSL 2023)."""

from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn

from pointmask_trainer.detectors.base import Detector
from pointmask_trainer.detectors.blocks.attention import ChannelWeight, SpatialWeight, SqueezeExcite
from pointmask_trainer.detectors.blocks.common import (
    conv_norm,
    conv_norm_relu,
    differences,
    max_pool,
    upscale,
)
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


class GGLNet(Detector):
    """Five stages, each with injection of the image's gradient magnitude, and fusion by two-way attention.

    Convolutions are initialised by `blocks.contrast.initialise`, those of the attention by PyTorch's default.

    Parameters
    ----------
    in_channels : int, default 1
        Channels of the image.
    """

    stride: ClassVar[int] = 16
    taps: ClassVar[tuple[str, ...]] = tuple(f"contrasts.{k}" for k in range(5))

    def __init__(self, in_channels: int = 1) -> None:
        super().__init__(in_channels)
        first = nn.Sequential(stem(in_channels), BiasedResidual(16), SEResidual(16), SEResidual(16))
        self.stages = nn.ModuleList([first])
        self.stages.extend(
            nn.Sequential(Down(a, b), SEResidual(b), SEResidual(b)) for a, b in pairwise(WIDTHS)
        )
        self.injections = nn.ModuleList([GradientInjection(in_channels, c) for c in WIDTHS])
        self.contrasts = nn.ModuleList([local_contrast(c) for c in WIDTHS])
        self.fusions = nn.ModuleList([TwoWayFusion(b, a) for a, b in pairwise(WIDTHS)])
        self.head = head(16)
        for part in (self.stages, self.injections, self.contrasts, self.head):
            part.apply(initialise)

    def forward_maps(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """See `Detector.forward_maps`; there are no auxiliary maps."""
        gradient = gradient_magnitude(x)
        levels: list[Tensor] = []
        for stage, inject, contrast in zip(self.stages, self.injections, self.contrasts, strict=True):
            if levels:
                gradient = max_pool(gradient)
            x = inject(stage(x), gradient)
            levels.append(contrast(x))
        return self.head(join_upwards(self.fusions, levels)), []


class SEResidual(nn.Module):
    """Residual block of two 3×3 convolutions with squeeze-and-excitation between them."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv_norm_relu(channels, channels), SqueezeExcite(channels), conv_norm(channels, channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, H, W), same shape."""
        return (self.body(x) + x).relu()


class GradientInjection(nn.Module):
    """Add a correction computed from a map and the image's gradient to the map.

    Parameters
    ----------
    image_channels : int
        Channels of the gradient.
    channels : int
        Channels of the map.
    """

    def __init__(self, image_channels: int, channels: int) -> None:
        super().__init__()
        self.edges = nn.Sequential(
            conv_norm_relu(image_channels, channels),
            SqueezeExcite(channels),
            conv_norm_relu(channels, channels),
        )
        self.join = nn.Sequential(
            conv_norm_relu(2 * channels, channels), SqueezeExcite(channels), conv_norm(channels, channels)
        )

    def forward(self, x: Tensor, gradient: Tensor) -> Tensor:
        """(N, channels, H, W) and (N, image_channels, H, W) → (N, channels, H, W)."""
        return (self.join(torch.cat([x, self.edges(gradient)], 1)) + x).relu()


class TwoWayFusion(nn.Module):
    """Upsample a deep map by 2; it weights the shallow one per channel and is weighted by it per pixel.

    Parameters
    ----------
    deep, shallow : int
        Channels of the two maps; the result has those of the shallow one.
    """

    def __init__(self, deep: int, shallow: int) -> None:
        super().__init__()
        self.reduce = conv_norm_relu(deep, shallow, 1)
        self.reduce.apply(initialise)
        self.channel = ChannelWeight(shallow, 8)
        self.spatial = SpatialWeight(bias=True, max_first=True)

    def forward(self, deep: Tensor, shallow: Tensor) -> Tensor:
        """Fuse (N, deep, H / 2, W / 2) and (N, shallow, H, W)."""
        deep = self.reduce(upscale(deep, 2, corners=True))
        return shallow * self.channel(deep) + deep * self.spatial(shallow)


def gradient_magnitude(x: Tensor) -> Tensor:
    """Return the magnitude of central differences per channel, with zero padding.

    Computed as a vector norm, it has a finite derivative, 0, also where the image is constant.
    """
    return torch.linalg.vector_norm(torch.stack(differences(x)), dim=0) / 2
