"""Blocks of the local-contrast family: MLCL-Net, ALCL-Net, GGL-Net and MSDA-Net."""

from collections.abc import Iterable, Sequence

from torch import Tensor, nn

from pointmask_trainer.detectors.blocks.common import conv, conv_norm, conv_norm_relu

WIDTHS = (16, 32, 64, 128, 256)
"""Channels of the five stages of ALCL-Net and GGL-Net, each half the size of the one before."""


def stem(in_channels: int) -> nn.Sequential:
    """Build the stem of all four networks: two 3×3 convolutions at full size, 16 channels."""
    return nn.Sequential(conv_norm_relu(in_channels, 16), conv_norm_relu(16, 16))


class BiasedResidual(nn.Module):
    """Residual block of two 3×3 convolutions with biases."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(conv_norm_relu(channels, channels), conv_norm(channels, channels))

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, H, W), same shape."""
        return (self.body(x) + x).relu()


class Down(nn.Module):
    """Halve the size and change the channels `a` → `b`, as the sum of a pooled and a strided branch."""

    def __init__(self, a: int, b: int) -> None:
        super().__init__()
        self.pooled = nn.Sequential(conv_norm_relu(a, b), nn.MaxPool2d(2), conv_norm(b, b))
        self.strided = conv_norm_relu(a, b, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """(N, a, H, W) → (N, b, H / 2, W / 2), for even H and W."""
        return (self.pooled(x) + self.strided(x)).relu()


def local_contrast(channels: int) -> nn.Sequential:
    """Build the local-contrast module of ALCL-Net and GGL-Net: a 1×1 and a 3×3 convolution, no norm."""
    return nn.Sequential(conv(channels, channels, 1), nn.ReLU(), conv(channels, channels), nn.ReLU())


def join_upwards(fusions: Iterable[nn.Module], levels: Sequence[Tensor]) -> Tensor:
    """Fuse the maps of all levels, from the deepest to the first.

    Parameters
    ----------
    fusions : iterable of Module
        ``fusions[i](deep, levels[i])`` fuses the result of all deeper levels with level ``i``.
    levels : sequence of Tensor
        Maps from the shallowest to the deepest level, one more than `fusions`.

    Returns
    -------
    Tensor
        Output of ``fusions[0]``.
    """
    *upper, joined = levels
    for fuse, level in reversed(list(zip(fusions, upper, strict=True))):
        joined = fuse(joined, level)
    return joined


def head(channels: int) -> nn.Sequential:
    """Build the head that maps `channels` to one logit per pixel."""
    return nn.Sequential(conv(channels, channels, 1), nn.ReLU(), conv(channels, 1, 1))


def initialise(module: nn.Module) -> None:
    """Initialise a convolution as the authors of the family do: Kaiming normal, fan-out, zero biases.

    Norms and linear layers keep PyTorch's default initialisation. For use with ``module.apply``.
    """
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
