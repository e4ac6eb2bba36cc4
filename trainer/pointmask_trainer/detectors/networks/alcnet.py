"""ALCNet in two forms: as in published comparisons, and as its authors wrote it (Dai et al., TGRS 2021).

The former is a U-Net like ACM's, without the authors' local contrast.
"""

from functools import reduce
from typing import ClassVar

import torch
from torch import Tensor, nn

from pointmask_trainer.detectors.base import Detector
from pointmask_trainer.detectors.blocks.acm_fusion import AsymBi
from pointmask_trainer.detectors.blocks.common import (
    BatchNorm,
    Norm,
    conv_norm,
    conv_norm_relu,
    resize,
    size_of,
    upscale,
)
from pointmask_trainer.detectors.blocks.resnet import (
    Encoder,
    double,
    fcn_head,
    full_stem,
    quarter_stem,
    stage,
)

DILATIONS = (13, 17)
"""Distances, in pixels of a map, over which each pixel is compared with its surroundings."""


class ALCNet(Detector):
    """Quarter-size stem, four blocks per stage, logits computed at half size.

    Weights have PyTorch's default initialisation.

    Parameters
    ----------
    in_channels : int, default 1
        Channels of the image.
    norm : {"bn", "gn"}, default "bn"
        Norm inside the fusions. ``bn`` cannot train on a single image, see `blocks.BatchNorm`.
    momentum : float, default 0.1
        Momentum of the running statistics of every norm outside the residual blocks; published ports use
        0.9.
    dead_weights : bool, default False
        Also create the 92,928 parameters that published ports contain but never use, to match their counts
        and the layout of their weight files; no gradient reaches them.
    """

    stride: ClassVar[int] = 16

    def __init__(
        self,
        in_channels: int = 1,
        *,
        norm: Norm = "bn",
        momentum: float = 0.1,
        dead_weights: bool = False,
    ) -> None:
        super().__init__(in_channels)
        self.stem = quarter_stem(in_channels, momentum=momentum)
        self.encoder = Encoder(4, momentum=momentum)
        self.up2 = double(64, 32)
        self.fuse2 = AsymBi(32, norm=norm, momentum=momentum)
        self.up1 = double(32, 16)
        self.fuse1 = AsymBi(16, norm=norm, momentum=momentum)
        self.up0 = double(16, 8)
        self.head = fcn_head(8, momentum=momentum)
        if dead_weights:
            self.unused = nn.ModuleList([stage(32, 32, 1, 4), stage(16, 16, 1, 4)])

    def forward_maps(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """See `Detector.forward_maps`; there are no auxiliary maps."""
        c1, c2, c3 = self.encoder(self.stem(x))
        f2 = self.fuse2(self.up2(c3), c2)
        f1 = self.fuse1(self.up1(f2), c1)
        return upscale(self.head(self.up0(f1)), 2, corners=False), []


class ALCNetLC(Detector):
    """The authors' network: full-size stem, four blocks per stage, local contrast in the decoder.

    Weights have PyTorch's default initialisation. The shifts of the local contrast are circular; an image
    with a side below 70 pixels is therefore compared with itself across its borders.

    Parameters
    ----------
    in_channels : int, default 1
        Channels of the image.
    """

    stride: ClassVar[int] = 1

    def __init__(self, in_channels: int = 1) -> None:
        super().__init__(in_channels)
        self.stem = full_stem(in_channels)
        self.encoder = Encoder(4)
        self.reduce2 = conv_norm_relu(32, 16, 1, bias=False)
        self.reduce3 = conv_norm_relu(64, 16, 1, bias=False)
        self.fuse2 = BottomUpLocal(16)
        self.fuse1 = BottomUpLocal(16)
        self.head = fcn_head(16)

    def forward_maps(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """See `Detector.forward_maps`; there are no auxiliary maps."""
        c1, c2, c3 = self.encoder(self.stem(x))
        q2 = self.reduce2(local_contrast(c2))
        q3 = self.reduce3(local_contrast(c3))
        m2 = self.fuse2(resize(q3, size_of(q2), corners=True), q2)
        m1 = self.fuse1(resize(m2, size_of(c1), corners=True), local_contrast(c1))
        return self.head(m1), []


class BottomUpLocal(nn.Module):
    """Add a deep map, weighted per pixel and channel by the shallow one, to the shallow one."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm_deep = BatchNorm(channels)
        self.norm_shallow = BatchNorm(channels)
        self.gate = nn.Sequential(
            conv_norm_relu(channels, channels, 1), conv_norm(channels, channels, 1), nn.Sigmoid()
        )

    def forward(self, deep: Tensor, shallow: Tensor) -> Tensor:
        """Fuse two maps of equal shape."""
        shallow = self.norm_shallow(shallow)
        return self.gate(shallow) * self.norm_deep(deep) + shallow


def local_contrast(x: Tensor) -> Tensor:
    """Compute the contrast of each pixel with its surroundings, the larger over two distances.

    Parameters
    ----------
    x : Tensor, (N, C, H, W)

    Returns
    -------
    Tensor, (N, C, H, W)
        Large where a pixel is brighter, or darker, than its neighbours on both sides in all directions.
    """
    return reduce(torch.maximum, (_contrast_at(x, distance) for distance in DILATIONS))


def _contrast_at(x: Tensor, d: int) -> Tensor:
    """Minimum over four directions of the product of the differences to two opposite neighbours."""
    directions = ((d, 0), (0, d), (d, d), (d, -d))
    products = ((x.roll((dy, dx), (2, 3)) - x) * (x.roll((-dy, -dx), (2, 3)) - x) for dy, dx in directions)
    return reduce(torch.minimum, products)
