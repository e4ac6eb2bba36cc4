"""HRPE of SPIRE: a heat map with peaks at targets, at a quarter of the image's size (Ni et al., 2025)."""

from typing import Literal

import torch
from torch import Tensor, nn

from pointmask_trainer.detectors.blocks.common import conv, conv_norm, conv_norm_relu, norm2d
from pointmask_trainer.detectors.locators.base import Decoding, HeatMaps, Locator, heat_layer


class HRPE(Locator):
    """High-resolution probability encoder: 0.3 million weights, for points instead of masks.

    It regresses a heat map (mean squared error) in which peaks, not areas, are meaningful: upsampled by 4,
    the map has no meaningful outlines. Weights have PyTorch's default initialisation, but the last bias is 0,
    as almost all of a heat map is.

    Parameters
    ----------
    in_channels : int, default 1
        Channels of the image.
    input_scale : int
        See `Locator`.
    threshold, gap, limit, refine
        See `Decoding`.
    """

    def __init__(
        self,
        in_channels: int = 1,
        *,
        input_scale: int = 1,
        threshold: float = 0.35,
        gap: float = 1.0,
        limit: int = 0,
        refine: Literal["parabola", "quarter"] = "parabola",
    ) -> None:
        decoding = Decoding(threshold=threshold, gap=gap, limit=limit, refine=refine)
        super().__init__(in_channels, input_scale=input_scale, decoding=decoding)
        self.net = nn.Sequential(
            conv_norm_relu(in_channels, 64, stride=2, bias=False),
            conv_norm_relu(64, 64, stride=2, bias=False),
            Bottleneck(),
            *(ShuffleUnit(256) for _ in range(3)),
            conv_norm_relu(256, 32, bias=False),
            Stage(32),
            Stage(32),
            heat_layer(32),
        )

    def forward_heat(self, x: Tensor) -> HeatMaps:
        """Compute the heat map alone; see `Locator.forward_heat`."""
        return {"logits": self.net(x), "aux": []}


class Bottleneck(nn.Module):
    """Bottleneck residual block, 64 → 256 channels."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv_norm_relu(64, 64, 1, bias=False),
            conv_norm_relu(64, 64, bias=False),
            conv_norm(64, 256, 1, bias=False),
        )
        self.shortcut = conv_norm(64, 256, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 64, H, W) → (N, 256, H, W)."""
        return (self.body(x) + self.shortcut(x)).relu()


class HalfUnit(nn.Module):
    """Transform half of the channels, then interleave both halves.

    Parameters
    ----------
    body : nn.Module
        Applied to the second half; must preserve the shape.
    """

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W), same shape; C even."""
        identity, transformed = x.chunk(2, dim=1)
        return torch.stack((identity, self.body(transformed)), 2).flatten(1, 2)


class ShuffleUnit(HalfUnit):
    """1×1, depth-wise 3×3 and 1×1 convolutions on half of the channels."""

    def __init__(self, channels: int) -> None:
        half = channels // 2
        super().__init__(
            nn.Sequential(
                conv_norm_relu(half, half, 1, bias=False),
                conv(half, half, groups=half, bias=False),
                norm2d(half),
                conv_norm_relu(half, half, 1, bias=False),
            )
        )


class WeightedUnit(HalfUnit):
    """Depth-wise convolution and channel weights on half of the channels.

    Parameters
    ----------
    channels : int
        A multiple of 8.
    local : bool
        Whether a further depth-wise convolution follows.
    """

    def __init__(self, channels: int, *, local: bool) -> None:
        half = channels // 2
        after = [conv(half, half, groups=half, bias=False)] if local else []
        super().__init__(
            nn.Sequential(
                conv(half, half, groups=half, bias=False), norm2d(half), _ChannelGate(half, half // 4), *after
            )
        )


class Stage(nn.Module):
    """Weighting, local weighting and shuffling in sequence; doubled, as the published fusion adds twice."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            WeightedUnit(channels, local=False), WeightedUnit(channels, local=True), ShuffleUnit(channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, H, W), same shape."""
        return (2 * self.body(x)).relu()


class _ChannelGate(nn.Module):
    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.weigh = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            conv(channels, hidden, 1, bias=False),
            nn.ReLU(),
            conv(hidden, channels, 1, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weigh(x)
