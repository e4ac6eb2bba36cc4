"""Blocks of ACM, ALCNet and ISNet: a narrow residual network, its stems and its head."""

from torch import Tensor, nn

from pointmask_trainer.detectors.blocks.common import BatchNorm, conv, conv_norm, conv_norm_relu


class Residual(nn.Module):
    """Residual block of two 3×3 convolutions without bias; a 1×1 convolution adapts the shortcut.

    Parameters
    ----------
    a, b : int
        Channels in and out.
    stride : int
        Stride of the first convolution.
    momentum : float
        Momentum of the running statistics of the shortcut's norm.
    """

    def __init__(self, a: int, b: int, stride: int = 1, *, momentum: float = 0.1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv_norm_relu(a, b, stride=stride, bias=False), conv_norm(b, b, bias=False)
        )
        self.shortcut: nn.Module = nn.Identity()
        if a != b or stride != 1:
            self.shortcut = conv_norm(a, b, 1, stride=stride, bias=False, momentum=momentum)
        self.act = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """(N, a, H, W) → (N, b, ceil(H / stride), ceil(W / stride))."""
        return self.act(self.body(x) + self.shortcut(x))


def stage(a: int, b: int, stride: int, blocks: int, *, momentum: float = 0.1) -> nn.Sequential:
    """Build a chain of `blocks` residual blocks, the first of which changes channels and size."""
    first = Residual(a, b, stride, momentum=momentum)
    return nn.Sequential(first, *(Residual(b, b) for _ in range(blocks - 1)))


class Encoder(nn.Module):
    """Three stages of residual blocks with 16, 32 and 64 channels, each half the size of the previous one.

    Parameters
    ----------
    blocks : int
        Blocks per stage.
    momentum : float
        Momentum of the norms on the shortcuts that change channels and size.
    """

    def __init__(self, blocks: int, *, momentum: float = 0.1) -> None:
        super().__init__()
        self.stage1 = stage(16, 16, 1, blocks)
        self.stage2 = stage(16, 32, 2, blocks, momentum=momentum)
        self.stage3 = stage(32, 64, 2, blocks, momentum=momentum)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Compute the maps of all stages, the largest first, from a stem's map (N, 16, H, W)."""
        c1 = self.stage1(x)
        c2 = self.stage2(c1)
        return c1, c2, self.stage3(c2)


def double(a: int, b: int) -> nn.ConvTranspose2d:
    """Build the transposed convolution `a` → `b` that doubles the size."""
    return nn.ConvTranspose2d(a, b, 4, stride=2, padding=1)


def quarter_stem(in_channels: int, *, momentum: float = 0.1) -> nn.Sequential:
    """Build the stem that normalises the image and reduces it to a quarter of its size, 16 channels."""
    return nn.Sequential(
        BatchNorm(in_channels, momentum=momentum),
        conv_norm_relu(in_channels, 8, stride=2, bias=False, momentum=momentum),
        conv_norm_relu(8, 8, bias=False, momentum=momentum),
        conv_norm_relu(8, 16, bias=False, momentum=momentum),
        nn.MaxPool2d(3, stride=2, padding=1),
    )


def full_stem(in_channels: int) -> nn.Sequential:
    """Build the stem of the authors' own networks: normalised, full size, 16 channels."""
    return nn.Sequential(BatchNorm(in_channels, affine=False), conv_norm_relu(in_channels, 16, bias=False))


def fcn_head(channels: int, *, momentum: float = 0.1) -> nn.Sequential:
    """Build the head that maps `channels` to one logit per pixel."""
    middle = channels // 4
    return nn.Sequential(
        conv_norm_relu(channels, middle, bias=False, momentum=momentum),
        nn.Dropout(0.1),
        conv(middle, 1, 1),
    )
