"""Channel and spatial attention, and the residual block of DNA-Net and MSHNet."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - as everybody writes it

from pointmask_trainer.detectors.blocks.common import conv, conv_norm, conv_norm_relu


class SqueezeExcite(nn.Module):
    """Squeeze-and-excitation: two linear layers compute channel weights from the channels' means.

    Parameters
    ----------
    channels : int
    reduction : int
        The hidden layer has ``channels // reduction`` units.
    """

    def __init__(self, channels: int, reduction: int = 4) -> None:
        super().__init__()
        self.squeeze = nn.Linear(channels, channels // reduction, bias=False)
        self.excite = nn.Linear(channels // reduction, channels, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, H, W), weighted."""
        weight = self.excite(self.squeeze(x.mean((2, 3))).relu()).sigmoid()
        return x * weight[:, :, None, None]


class ChannelWeight(nn.Module):
    """Channel weights from the mean and the maximum over the map, through a shared bottleneck.

    Parameters
    ----------
    channels : int
    reduction : int
        The bottleneck has ``channels // reduction`` channels.
    """

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        self.shared = nn.Sequential(
            conv(channels, channels // reduction, 1, bias=False),
            nn.ReLU(),
            conv(channels // reduction, channels, 1, bias=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return weights in (0, 1), (N, channels, 1, 1)."""
        mean, peak = F.adaptive_avg_pool2d(x, 1), F.adaptive_max_pool2d(x, 1)
        return (self.shared(mean) + self.shared(peak)).sigmoid()


def mean_and_max(x: Tensor) -> Tensor:
    """Return the mean and the maximum over the channels, (N, 2, H, W)."""
    return torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], 1)


class SpatialWeight(nn.Module):
    """Pixel weights from the mean and the maximum over the channels.

    Parameters
    ----------
    bias : bool
        Whether the 7×7 convolution has a bias.
    max_first : bool
        Order of the convolution's two input channels: the mean first by default, the maximum first for
        networks whose published weights expect it.
    """

    def __init__(self, *, bias: bool = False, max_first: bool = False) -> None:
        super().__init__()
        self.conv = conv(2, 1, 7, bias=bias)
        self.max_first = max_first

    def forward(self, x: Tensor) -> Tensor:
        """Return weights in (0, 1), (N, 1, H, W)."""
        pooled = mean_and_max(x)
        return self.conv(pooled.flip(1) if self.max_first else pooled).sigmoid()


class AttentionResidual(nn.Module):
    """Residual block of two 3×3 convolutions, weighted per channel and then per pixel.

    Parameters
    ----------
    a, b : int
        Channels in and out, `b` a multiple of 16; if they differ, the shortcut is a 1×1 convolution.
    """

    def __init__(self, a: int, b: int) -> None:
        super().__init__()
        self.body = nn.Sequential(conv_norm_relu(a, b), conv_norm(b, b))
        self.channel = ChannelWeight(b, 16)
        self.spatial = SpatialWeight()
        self.shortcut: nn.Module = nn.Identity() if a == b else conv_norm(a, b, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, a, H, W) → (N, b, H, W)."""
        y = self.body(x)
        y = y * self.channel(y)
        y = y * self.spatial(y)
        return (y + self.shortcut(x)).relu()


def attention_chain(a: int, b: int, blocks: int = 2) -> nn.Sequential:
    """Build a chain of `blocks` attention residual blocks, the first of which changes the channels."""
    return nn.Sequential(AttentionResidual(a, b), *(AttentionResidual(b, b) for _ in range(blocks - 1)))
