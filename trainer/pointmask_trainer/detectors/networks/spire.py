"""SPIRE's HRPE: a heat map whose peaks are targets, at a quarter of the image's size (Ni et al., 2025)."""

import torch
from torch import Tensor, nn

from pointmask_trainer.detectors.base import ImageNetwork
from pointmask_trainer.detectors.blocks.common import conv, conv_norm, conv_norm_relu, norm2d


class HRPE(ImageNetwork):
    """High-resolution probability encoder: 0.3 million weights, for points instead of masks.

    It is no `Detector`, and so not in the table of them: it regresses a heat map (mean squared error) whose
    peaks, not whose area, mean something. Its values are no logits, 0 is no threshold, and a map enlarged
    four times outlines nothing; losses, masks and IoU that hold for every detector would be meaningless
    here, and the strategy that trains it brings its own target and decoder. It shares the checks of input.

    Weights start as PyTorch's defaults.

    Parameters
    ----------
    in_channels : int, default 1
        Channels of the image.
    """

    def __init__(self, in_channels: int = 1) -> None:
        super().__init__(in_channels)
        self.net = nn.Sequential(
            conv_norm_relu(in_channels, 64, stride=2, bias=False),
            conv_norm_relu(64, 64, stride=2, bias=False),
            Bottleneck(),
            *(ShuffleUnit(256) for _ in range(3)),
            conv_norm_relu(256, 32, bias=False),
            Stage(32),
            Stage(32),
            conv(32, 1, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Make the heat map of images of any size.

        Parameters
        ----------
        x : Tensor, (N, in_channels, H, W), floating point
            Normalised images.

        Returns
        -------
        Tensor, (N, 1, ceil(H / 4), ceil(W / 4))
            Heat, unbounded; 1 is what a target's peak is trained to.

        Raises
        ------
        DetectorError
            As `Detector.forward`.
        """
        self.check(x)
        return self.net(x)


class Bottleneck(nn.Module):
    """Residual block 64 → 256 channels through a narrow 3×3 convolution."""

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
    """Treat half of the channels, then interleave both halves.

    Parameters
    ----------
    body : nn.Module
        What the second half goes through; keeps the shape.
    """

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W), same shape; C even."""
        kept, treated = x.chunk(2, dim=1)
        return torch.stack((kept, self.body(treated)), 2).flatten(1, 2)


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
    """A depth-wise convolution and a weight per channel on half of the channels.

    Parameters
    ----------
    channels : int
        Of the map; a multiple of 8.
    local : bool
        A further depth-wise convolution in the end.
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
    """Weighting, local weighting and shuffling in a row; doubled, as the published fusion adds it twice."""

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
