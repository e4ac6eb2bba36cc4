"""MSDA-Net: multi-scale direction-aware attention from Haar wavelets (Zhao et al., TGRS 2025)."""

from typing import ClassVar

import torch
from torch import Tensor, nn

from pointmask_trainer.detectors.base import Detector
from pointmask_trainer.detectors.blocks.attention import SpatialWeight, SqueezeExcite
from pointmask_trainer.detectors.blocks.common import conv, conv_norm, conv_norm_relu, max_pool, upscale
from pointmask_trainer.detectors.blocks.contrast import BiasedResidual, Down, head, initialise, stem
from pointmask_trainer.detectors.blocks.haar import decimated, stationary
from pointmask_trainer.errors import DetectorError

_WIDTHS = (16, 32, 64, 64, 64)


class MSDANet(Detector):
    """Five stages of direction-aware attention; the image's high-frequency bands are input to the second.

    Convolutions of stem, residual and down-sampling blocks, gathering, fusions, head and attention are
    initialised by `blocks.contrast.initialise`, the others have PyTorch's default initialisation.

    Parameters
    ----------
    in_channels : int, default 1
        Channels of the image, at most 10: each occupies three of the second stage's 32 channels. For numbers
        other than the published 3, the remaining channels of the stage change accordingly.
    dead_weights : bool, default False
        Also create the published network's 14,048 unused weights, so that parameter counts agree.

    Raises
    ------
    DetectorError
        If `in_channels` is not 1 to 10.
    """

    stride: ClassVar[int] = 16

    def __init__(self, in_channels: int = 1, *, dead_weights: bool = False) -> None:
        super().__init__(in_channels)
        if in_channels > 10:
            raise DetectorError(
                f"in_channels = {in_channels} must be at most 10 for MSDANet, whose second stage gives three "
                "of its 32 channels to each: choose fewer channels or another detector"
            )
        entries = (
            nn.Sequential(stem(in_channels), BiasedResidual(16)),
            Down(16, 32 - 3 * in_channels),
            Down(32, 64),
            Down(64, 64),
            Down(64, 64),
        )
        self.entries = nn.ModuleList(entries)
        self.attention = nn.ModuleList(
            nn.Sequential(DirectionAttention(c), DirectionAttention(c)) for c in _WIDTHS
        )
        self.gather = Gather()
        self.contrast = nn.ModuleList(Contrast(c, dead_weights=dead_weights) for c in _WIDTHS)
        self.fusions = nn.ModuleList(Fusion(a, b) for a, b in ((64, 64), (64, 64), (64, 32), (32, 16)))
        self.head = head(16)
        for part in (self.entries, self.gather, self.fusions, self.head):
            part.apply(initialise)

    def forward_maps(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """See `Detector.forward_maps`; there are no auxiliary maps."""
        levels: list[Tensor] = []
        for entry, attend in zip(self.entries, self.attention, strict=True):
            y = entry(levels[-1] if levels else x)
            if len(levels) == 1:
                bands = decimated(x)
                y = torch.cat((bands.down, bands.right, bands.diagonal, y), 1)
            levels.append(attend(y))
        levels[-1] = self.gather(levels)
        *shallow, y = (part(level) for part, level in zip(self.contrast, levels, strict=True))
        for fuse, level in zip(self.fusions, reversed(shallow), strict=True):
            y = fuse(y, level)
        return self.head(y), []


class Branches(nn.Module):
    """Parallel chains of convolutions, concatenated and joined by a 3×3 convolution; no biases.

    Parameters
    ----------
    channels : int
        Channels of input and output.
    chains : tuple of tuple of (kernel, dilation)
        The convolutions of each chain.
    """

    def __init__(self, channels: int, chains: tuple[tuple[tuple[int, int], ...], ...]) -> None:
        super().__init__()
        self.chains = nn.ModuleList(
            nn.Sequential(*(conv_norm_relu(channels, channels, k, dilation=d, bias=False) for k, d in chain))
            for chain in chains
        )
        self.join = conv_norm_relu(len(chains) * channels, channels, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, H, W), same shape."""
        return self.join(torch.cat([chain(x) for chain in self.chains], 1))


class DirectionAttention(nn.Module):
    """Multi-scale direction-aware block: four receptive fields, then direction and channel weights."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            Branches(channels, (((1, 1),), ((1, 1), (3, 1)), ((3, 1), (3, 3)), ((5, 1), (3, 5)))),
            FrequencyAttention(channels),
            SqueezeExcite(channels),
            conv_norm_relu(channels, channels, bias=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, H, W), same shape."""
        return (x + self.body(x)).relu()


class FrequencyAttention(nn.Module):
    """Weight each pixel by spatial attention on the map's four Haar sub-bands."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weights = nn.ModuleList(SpatialWeight(bias=True, max_first=True) for _ in range(4))
        self.post = conv_norm(channels, channels)
        self.apply(initialise)

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, H, W), same shape."""
        weight = torch.cat([w(band) for w, band in zip(self.weights, stationary(x), strict=True)], 1)
        return (x + self.post(x * weight.sum(1, keepdim=True))).relu()


class Gather(nn.Module):
    """Combine all five levels at the size of the deepest; the result replaces the deepest level."""

    def __init__(self) -> None:
        super().__init__()
        self.shrink = nn.ModuleList(nn.Sequential(conv(c, 16, 1), nn.ReLU()) for c in _WIDTHS[:-1])
        self.join = nn.Sequential(conv(128, 128, 1), nn.ReLU(), conv(128, 64, 1), nn.ReLU())

    def forward(self, levels: list[Tensor]) -> Tensor:
        """Five maps, the largest first → (N, 64, h, w) of the last one's size."""
        *shallow, deepest = levels
        parts = [deepest]
        for halvings, shrink in zip(range(1, 5), reversed(self.shrink), strict=True):
            y = shallow[-halvings]
            for _ in range(halvings):
                y = max_pool(y)
            parts.append(shrink(y))
        return self.join(torch.cat(parts, 1))


class Contrast(Branches):
    """Multi-scale local contrast with three receptive fields.

    Parameters
    ----------
    channels : int
        Channels of input and output.
    dead_weights : bool
        Also create the convolution that the published code builds but never uses.
    """

    def __init__(self, channels: int, *, dead_weights: bool) -> None:
        super().__init__(channels, (((1, 1),), ((3, 1), (3, 3)), ((5, 1), (3, 5))))
        if dead_weights:
            self.dead = conv_norm_relu(channels, channels, 1, bias=False)


class Fusion(nn.Module):
    """Upsample a deep map by 2, add a correction computed from both maps, and add it to the shallow one.

    Parameters
    ----------
    deep, shallow : int
        Channels of the two maps; the result has those of the shallow one.
    """

    def __init__(self, deep: int, shallow: int) -> None:
        super().__init__()
        self.correct = nn.Sequential(conv_norm_relu(deep + shallow, deep, 1), conv_norm_relu(deep, deep))
        self.reduce = conv_norm_relu(deep, shallow, 1)

    def forward(self, deep: Tensor, shallow: Tensor) -> Tensor:
        """Fuse (N, deep, H / 2, W / 2) and (N, shallow, H, W)."""
        deep = upscale(deep, 2, corners=True)
        return shallow + self.reduce(deep + self.correct(torch.cat((deep, shallow), 1)))
