"""UIU-Net: a U-Net of U-Nets with interactive cross attention on its skips (Wu et al., TIP 2023)."""

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - as everybody writes it

from pointmask_trainer.detectors.base import Auxiliary, Detector
from pointmask_trainer.detectors.blocks.attention import mean_and_max
from pointmask_trainer.detectors.blocks.common import Norm, conv, conv_norm, conv_norm_relu, resize, size_of


class UIUNet(Detector):
    """Six encoder and five decoder stages, each itself a U-Net. 50 million weights.

    The auxiliary maps are the side outputs of the decoder's stages, shallow to deep, all at full size; the
    main map is their weighted sum. Weights have PyTorch's default initialisation.

    Parameters
    ----------
    in_channels : int, default 1
        Channels of the image.
    norm : {"bn", "gn"}, default "bn"
        Norm inside the cross attention. ``bn`` cannot train on a single image, see `blocks.BatchNorm`.
    """

    stride: ClassVar[int] = 1
    auxiliary: ClassVar[tuple[Auxiliary, ...]] = tuple(Auxiliary(f"d{k}") for k in range(1, 7))
    last_layers: ClassVar[tuple[str, ...]] = ("sides", "fuse")
    embedding: ClassVar[str] = "sides.0"

    def __init__(self, in_channels: int = 1, *, norm: Norm = "bn") -> None:
        super().__init__(in_channels)
        self.encoder = nn.ModuleList(
            (
                NestedU(in_channels, 32, 64, 7),
                NestedU(64, 32, 128, 6),
                NestedU(128, 64, 256, 5),
                NestedU(256, 128, 512, 4),
                NestedU(512, 256, 512, 4, dilated=True),
                NestedU(512, 256, 512, 4, dilated=True),
            )
        )
        self.joins = nn.ModuleList(
            (
                *(InteractiveAttention(channels, norm=norm) for channels in (512, 512, 256, 128)),
                _Concat(),
            )
        )
        self.decoder = nn.ModuleList(
            (
                NestedU(1024, 256, 512, 4, dilated=True),
                NestedU(1024, 128, 256, 4),
                NestedU(512, 64, 128, 5),
                NestedU(256, 32, 64, 6),
                NestedU(128, 16, 64, 7),
            )
        )
        self.sides = nn.ModuleList(conv(channels, 1) for channels in (64, 64, 128, 256, 512, 512))
        self.fuse = conv(6, 1, 1)

    def forward_maps(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """See `Detector.forward_maps`."""
        skips = [self.encoder[0](x)]
        for part in self.encoder[1:]:
            skips.append(part(_halve(skips[-1])))
        decoded = [skips.pop()]
        for join, part in zip(self.joins, self.decoder, strict=True):
            shallow = skips.pop()
            decoded.append(part(join(_fit(decoded[-1], shallow), shallow)))
        sides = [_fit(side(y), x) for side, y in zip(self.sides, reversed(decoded), strict=True)]
        return self.fuse(torch.cat(sides, 1)), sides


class NestedU(nn.Module):
    """Residual U block: a small U-Net with a residual connection.

    Parameters
    ----------
    a, middle, b : int
        Channels of input, inner levels and output.
    height : int
        Number of levels, including the dilated bottom.
    dilated : bool, default False
        Increase the dilation from level to level instead of halving the map.
    """

    def __init__(self, a: int, middle: int, b: int, height: int, *, dilated: bool = False) -> None:
        super().__init__()
        levels = range(height - 1)
        dilations = [2**k if dilated else 1 for k in levels]
        self.dilated = dilated
        self.entry = conv_norm_relu(a, b)
        self.down = nn.ModuleList(
            conv_norm_relu(middle if k else b, middle, dilation=dilations[k]) for k in levels
        )
        self.bottom = conv_norm_relu(middle, middle, dilation=2 * dilations[-1])
        self.up = nn.ModuleList(
            conv_norm_relu(2 * middle, middle if k else b, dilation=dilations[k]) for k in reversed(levels)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, a, H, W) → (N, b, H, W)."""
        entry = self.entry(x)
        skips: list[Tensor] = []
        y = entry
        for k, step in enumerate(self.down):
            y = step(y if self.dilated or k == 0 else _halve(y))
            skips.append(y)
        y = self.bottom(y)
        for step, skip in zip(self.up, reversed(skips), strict=True):
            y = step(torch.cat((_fit(y, skip), skip), 1))
        return y + entry


class InteractiveAttention(nn.Module):
    """Interactive cross attention: the deep map weights channels, the shallow map weights pixels.

    Parameters
    ----------
    channels : int
        Channels of each map, a multiple of 4; the result has twice as many.
    norm : {"bn", "gn"}
        Norm after every convolution.
    """

    def __init__(self, channels: int, *, norm: Norm) -> None:
        super().__init__()
        self.entry = conv_norm_relu(channels, channels, 1, norm=norm)
        self.per_channel = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            conv_norm_relu(channels, channels // 4, 1, norm=norm),
            conv_norm(channels // 4, channels, 1, norm=norm),
            nn.Sigmoid(),
        )
        self.squeeze = conv_norm_relu(channels, channels // 4, 1, norm=norm)
        self.per_pixel = conv(2, 1, bias=False)
        self.post = conv_norm_relu(channels, channels, norm=norm)  # shared by both halves, as published

    def forward(self, deep: Tensor, shallow: Tensor) -> Tensor:
        """Two maps (N, channels, H, W) → (N, 2 channels, H, W)."""
        deep = self.entry(deep)
        weighted = shallow * self.per_channel(deep)
        pixel_weights = self.per_pixel(mean_and_max(self.squeeze(weighted))).sigmoid()
        return torch.cat((self.post(2 * weighted), self.post(2 * deep * pixel_weights)), 1)


class _Concat(nn.Module):
    """Join two maps without attention, at full size."""

    def forward(self, deep: Tensor, shallow: Tensor) -> Tensor:
        return torch.cat((deep, shallow), 1)


def _halve(x: Tensor) -> Tensor:
    """Halve the size by max pooling of 2×2 pixels, rounding up, so that no input is too small."""
    return F.max_pool2d(x, 2, ceil_mode=True)


def _fit(x: Tensor, like: Tensor) -> Tensor:
    """Resize a map to the size of another."""
    return x if size_of(x) == size_of(like) else resize(x, size_of(like), corners=False)
