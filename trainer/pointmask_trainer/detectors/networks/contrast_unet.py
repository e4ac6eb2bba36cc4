"""ContrastUNet: our light detector, a residual U-Net at half size over fixed contrast channels.

Made for processors: 0.33 M parameters, and whole frames in training, since what a light network gets wrong
are false alarms that only the rest of the frame explains.
"""

from itertools import pairwise, product
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - as everybody writes it

from pointmask_trainer.detectors.base import Detector
from pointmask_trainer.detectors.blocks.common import conv

_SIGMAS = 1.0, 2.0, 4.0  # px, of the Gaussians whose differences are the contrast channels
_GAIN = 3.0  # differences of a normalised image are about this much smaller than the image
_CELL, _AROUND = 4, 9  # the local spread: squares averaged over cells of 4 px, then over 9 x 9 cells
_LEAST_SPREAD = 0.02
_GROUP = 8  # channels per group of the norms


class ContrastUNet(Detector):
    """Contrast channels, four scales, maps at the image's resolution from half of it.

    The input is the image, its differences of Gaussians at three scales, and these divided by their local
    spread, so that a dim target in a calm sky looks like a bright one over clutter. Four pixels become
    channels of one at half the resolution, and the last layer undoes that.

    Parameters
    ----------
    in_channels : int, default 1
        Channels of the image.
    widths : sequence of 4 int, default (16, 32, 64, 96)
        Channels at a half, a quarter, an eighth and a sixteenth of the resolution; multiples of 8.
    """

    stride: ClassVar[int] = 16
    logit_channels: ClassVar[int] = 4

    def __init__(self, in_channels: int = 1, widths: tuple[int, int, int, int] = (16, 32, 64, 96)) -> None:
        super().__init__(in_channels)
        half = widths[0]
        self.contrast = ContrastChannels()
        self.stem = _conv_norm_relu(4 * self.contrast.factor * in_channels, half)
        self.encoder = nn.ModuleList(
            [Residual(half, half), *(Residual(a, b, 2) for a, b in pairwise(widths))]
        )
        pairs = list(pairwise(widths))[::-1]
        self.lateral = nn.ModuleList(_conv_norm_relu(b, a, 1) for a, b in pairs)
        self.decoder = nn.ModuleList(Residual(a, a) for a, _ in pairs)
        self.head = conv(half, 4)
        # As its maps: torch would rearrange contiguous weights in every call, 0.7 of 12 ms.
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward_maps(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """See `Detector.forward_maps`."""
        y = self.stem(_in_fours(self.contrast(x)))
        skips = []
        for part in self.encoder:
            y = part(y)
            skips.append(y)
        skips.pop()
        for lateral, part in zip(self.lateral, self.decoder, strict=True):
            y = F.interpolate(lateral(y), scale_factor=2, mode="bilinear", align_corners=False)
            y = part(skips.pop() + y)
        return F.pixel_shuffle(self.head(y), 2), []


class ContrastChannels(nn.Module):
    """The image, its differences of Gaussians, and these in units of their local spread.

    Attributes
    ----------
    factor : int
        Channels per channel of the image.
    """

    factor: ClassVar[int] = 1 + 2 * len(_SIGMAS)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the channels.

        Parameters
        ----------
        x : (N, C, H, W) Tensor
            Normalised images whose sides are multiples of 4.

        Returns
        -------
        (N, 7 C, H, W) Tensor
        """
        scales = [x, *(_blur(x, sigma) for sigma in _SIGMAS)]
        differences = torch.cat([fine - coarse for fine, coarse in pairwise(scales)], 1)
        margin = _AROUND // 2
        power = F.avg_pool2d(differences.square(), _CELL)
        power = F.pad(power, (margin,) * 4, mode="replicate")
        # In two passes, which take half of the time of one.
        power = F.avg_pool2d(F.avg_pool2d(power, (_AROUND, 1), 1), (1, _AROUND), 1)
        spread = F.interpolate(power, scale_factor=_CELL, mode="bilinear", align_corners=False)
        # The root has no gradient at 0: a flat image would train the layers before it with nan.
        spread = (spread + 1e-12).sqrt() + _LEAST_SPREAD
        return torch.cat((x, _GAIN * differences, differences / spread), 1)


class Residual(nn.Module):
    """Two convolutions and a shortcut, which is averaged where the resolution falls.

    Parameters
    ----------
    a, b : int
        Channels of input and output.
    stride : {1, 2}
    """

    def __init__(self, a: int, b: int, stride: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _conv_norm_relu(a, b, stride=stride), conv(b, b, bias=False), nn.GroupNorm(b // _GROUP, b)
        )
        # Not a 1 x 1 convolution of stride 2: torch 2.13 corrupts memory with some of these in channels-last.
        self.shortcut = (
            nn.Identity()
            if a == b and stride == 1
            else nn.Sequential(nn.AvgPool2d(stride), conv(a, b, 1, bias=False), nn.GroupNorm(b // _GROUP, b))
        )

    def forward(self, x: Tensor) -> Tensor:
        """Compute (N, b, H / stride, W / stride) from (N, a, H, W)."""
        return F.relu(self.body(x) + self.shortcut(x))


def _conv_norm_relu(a: int, b: int, k: int = 3, *, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        conv(a, b, k, stride=stride, bias=False), nn.GroupNorm(b // _GROUP, b), nn.ReLU(inplace=True)
    )


def _in_fours(x: Tensor) -> Tensor:
    """`F.pixel_unshuffle` by 2 in channels-last format, which the layers behind it keep.

    `F.pixel_unshuffle` takes two to three times as long, and contiguous maps would slow the whole network
    down by a sixth.
    """
    corners = [x[..., i::2, j::2] for i, j in product(range(2), range(2))]
    return torch.stack(corners, 2).flatten(1, 2).contiguous(memory_format=torch.channels_last)


def _blur(x: Tensor, sigma: float) -> Tensor:
    """Smooth each channel by a Gaussian cut at 3 sigma, with the border repeated."""
    reach = round(3 * sigma)
    taps = torch.arange(-reach, reach + 1, dtype=x.dtype, device=x.device)
    kernel = torch.exp(-(taps**2) / (2 * sigma**2))
    kernel = (kernel / kernel.sum()).expand(x.shape[1], 1, 1, -1)
    x = F.pad(x, (reach, reach, reach, reach), mode="replicate")
    x = F.conv2d(x, kernel, groups=x.shape[1])
    return F.conv2d(x, kernel.transpose(2, 3), groups=x.shape[1])
