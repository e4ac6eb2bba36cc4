"""Convolutions, norms and resizing shared by the networks."""

from typing import Literal, get_args

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - as everybody writes it

from pointmask_trainer.errors import DetectorError

Norm = Literal["bn", "gn"]
"""``bn``: batch normalisation; ``gn``: group normalisation with one group, which also works on one image."""


class BatchNorm(nn.BatchNorm2d):
    """Batch normalisation with an informative error for inputs of one value per channel."""

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (N, C, H, W) per channel.

        Raises
        ------
        DetectorError
            In training, if N·H·W is 1: a single value has no variance.
        """
        if self.training and x.shape[0] * x.shape[2] * x.shape[3] == 1:
            raise DetectorError(
                f"batch normalisation got a map of shape {tuple(x.shape)}, one value per channel; training "
                "needs two or more: use at least 2 images per batch (drop the last, incomplete one), or "
                "norm='gn' where the detector has that option, or larger images"
            )
        return super().forward(x)


class SampledPointwise(nn.Conv2d):
    """Convolution of one pixel and a stride of 2 or more: the same sums, of pixels that are picked before.

    On a processor, torch 2.13 writes beyond its memory where such a convolution of 8 to 12 channels gets
    128 px in channels-last format: it crashes, or worse, goes on.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(N, a, H, W) → (N, b, ceil(H / stride), ceil(W / stride))."""
        down, across = self.stride
        picked = x[..., ::down, ::across]
        return F.conv2d(picked, self.weight, self.bias, groups=self.groups)


def check_channels_last(model: nn.Module) -> None:
    """Refuse a network whose convolutions may corrupt memory in channels-last format on a processor.

    Raises
    ------
    DetectorError
        If it has one that should be a `SampledPointwise`.
    """
    for name, module in model.named_modules():
        if (
            isinstance(module, nn.Conv2d)
            and not isinstance(module, SampledPointwise)
            and module.kernel_size == (1, 1)
            and max(module.stride) > 1
        ):
            raise DetectorError(
                f"{name}, a 1 x 1 convolution of stride {max(module.stride)}, corrupts memory on a processor "
                "in channels-last format (torch 2.13); set run.channels_last to false, or build it with "
                "pointmask_trainer.detectors.blocks.common.conv"
            )


def conv(
    a: int,
    b: int,
    k: int | tuple[int, int] = 3,
    *,
    stride: int = 1,
    dilation: int = 1,
    groups: int = 1,
    bias: bool = True,
) -> nn.Conv2d:
    """Build a convolution `a` → `b` with kernel size `k` that preserves the size (apart from `stride`)."""
    high, wide = (k, k) if isinstance(k, int) else k
    if high == wide == 1 and stride > 1:
        return SampledPointwise(a, b, 1, stride, groups=groups, bias=bias)
    padding = (dilation * (high - 1) // 2, dilation * (wide - 1) // 2)
    return nn.Conv2d(a, b, (high, wide), stride, padding, dilation, groups, bias)


def norm2d(channels: int, kind: Norm = "bn", *, momentum: float = 0.1) -> nn.Module:
    """Build a norm of (N, `channels`, H, W); `momentum` applies to the running statistics of ``bn``.

    Raises
    ------
    DetectorError
        If `kind` is not one of `Norm`.
    """
    if kind not in get_args(Norm):
        raise DetectorError(f"norm = {kind!r} must be one of {', '.join(get_args(Norm))}")
    return BatchNorm(channels, momentum=momentum) if kind == "bn" else nn.GroupNorm(1, channels)


def conv_norm(
    a: int,
    b: int,
    k: int = 3,
    *,
    stride: int = 1,
    dilation: int = 1,
    bias: bool = True,
    norm: Norm = "bn",
    momentum: float = 0.1,
) -> nn.Sequential:
    """Build a convolution followed by a norm."""
    return nn.Sequential(
        conv(a, b, k, stride=stride, dilation=dilation, bias=bias), norm2d(b, norm, momentum=momentum)
    )


def conv_norm_relu(
    a: int,
    b: int,
    k: int = 3,
    *,
    stride: int = 1,
    dilation: int = 1,
    bias: bool = True,
    norm: Norm = "bn",
    momentum: float = 0.1,
) -> nn.Sequential:
    """Build a convolution followed by a norm and a ReLU."""
    core = conv_norm(a, b, k, stride=stride, dilation=dilation, bias=bias, norm=norm, momentum=momentum)
    return core.append(nn.ReLU())


def max_pool(x: Tensor) -> Tensor:
    """Halve the size by max pooling of 2×2 pixels, rounding down."""
    return F.max_pool2d(x, 2)


def resize(x: Tensor, size: tuple[int, int], *, corners: bool) -> Tensor:
    """Resize bilinearly to `size`; `corners` aligns the centres of the corner pixels instead of the edges."""
    return F.interpolate(x, size=size, mode="bilinear", align_corners=corners)


def upscale(x: Tensor, factor: float, *, corners: bool) -> Tensor:
    """Resize bilinearly by `factor`; `corners` as in `resize`."""
    return F.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=corners)


def differences(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return lower minus upper and right minus left neighbour of each pixel, with zero padding."""
    padded = F.pad(x, (1, 1, 1, 1))
    return padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1], padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]


def size_of(x: Tensor) -> tuple[int, int]:
    """Return the height and width of a batch."""
    return x.shape[-2], x.shape[-1]
