"""ISNet: segmentation guided by the target's outline (Zhang et al., CVPR 2022)."""

from typing import ClassVar

import torch
from torch import Tensor, nn

from pointmask_trainer.detectors.base import Auxiliary, Detector
from pointmask_trainer.detectors.blocks.common import (
    BatchNorm,
    conv,
    conv_norm,
    conv_norm_relu,
    differences,
    resize,
    size_of,
)
from pointmask_trainer.detectors.blocks.deform import DeformConv
from pointmask_trainer.detectors.blocks.resnet import Encoder, Residual, double, fcn_head, quarter_stem, stage


class ISNet(Detector):
    """A U-Net at a quarter of the size, and a branch at full size that predicts edges from image gradients.

    The edge branch dominates the cost. Training the auxiliary edge map is optional: the published code of
    PAL trains only the mask.

    Parameters
    ----------
    in_channels : int, default 1
        Channels of the image.
    dead_weights : bool, default False
        Also create the published network's 103,709 unused weights, so that parameter counts agree.
    """

    stride: ClassVar[int] = 16
    auxiliary: ClassVar[tuple[Auxiliary, ...]] = (Auxiliary("edge", target="edge"),)

    def __init__(self, in_channels: int = 1, *, dead_weights: bool = False) -> None:
        super().__init__(in_channels)
        self.stem = quarter_stem(in_channels)
        self.encoder = Encoder(4)
        self.up2 = double(64, 32)
        self.join2 = OrientedAttention(32)
        self.refine2 = stage(32, 32, 1, 4)
        self.up1 = double(32, 16)
        self.join1 = OrientedAttention(16)
        self.refine1 = stage(16, 16, 1, 4)
        self.gradient = conv(in_channels, 64, 1)
        self.sides = nn.ModuleList(conv(channels, 1, 1) for channels in (64, 32, 16))
        self.edge_blocks = nn.ModuleList(EdgeBlock(64) for _ in self.sides)
        self.edge = conv(64, 1, 1, bias=False)
        self.head = fcn_head(16)
        if dead_weights:
            self.dead = _dead_weights()

    def forward_maps(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """See `Detector.forward_maps`; the auxiliary map is the edge."""
        c1, c2, c3 = self.encoder(self.stem(x))
        d2 = self.refine2(self.join2(self.up2(c3), c2))
        d1 = self.refine1(self.join1(self.up1(d2), c1))
        edge = self.gradient(gradient_magnitude(x))
        for side, block, deep in zip(self.sides, self.edge_blocks, (c3, d2, d1), strict=True):
            edge = block(edge, resize(side(deep), size_of(x), corners=True))
        outline = self.edge(edge)
        body = resize(d1, size_of(x), corners=False)
        return self.head(body * outline.sigmoid() + body), [outline]


class OrientedAttention(nn.Module):
    """Two-orientation attention: column and row convolutions of the deep map weight the shallow one.

    Parameters
    ----------
    channels : int
        Channels of both maps and of the result; even.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mix = nn.Sequential(conv(channels, channels // 2, 1), conv(channels // 2, channels, 1))
        self.column = DeformConv(channels, (3, 1))
        self.row = DeformConv(channels, (1, 3))

    def forward(self, deep: Tensor, shallow: Tensor) -> Tensor:
        """Fuse two maps of equal shape."""
        deep, shallow = self.mix(deep), self.mix(shallow)
        return 2 * deep + (self.column(deep).sigmoid() + self.row(deep).sigmoid()) * shallow


class EdgeBlock(nn.Module):
    """Taylor finite difference block: second differences of a map, gated by a side map of the U-Net."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first, self.second = (
            nn.Sequential(
                conv_norm_relu(channels, channels, bias=False), conv_norm(channels, channels, bias=False)
            )
            for _ in range(2)
        )
        for layer in (*self.first.modules(), *self.second.modules()):
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
        self.gate = GatedConv(channels)

    def forward(self, x: Tensor, side: Tensor) -> Tensor:
        """(N, channels, H, W) and a side map (N, 1, H, W) → (N, channels, H, W)."""
        difference = self.first(x)
        second_difference = self.second((x + difference).relu()).relu()
        return 3 * difference.relu() + second_difference + self.gate(second_difference, side)


class GatedConv(nn.Module):
    """A 1×1 convolution of a map that is amplified by a gate from a side map, by up to a factor of two."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gate = nn.Sequential(
            BatchNorm(channels + 1),
            conv(channels + 1, channels + 1, 1),
            nn.ReLU(),
            conv_norm(channels + 1, 1, 1),
            nn.Sigmoid(),
        )
        self.mix = conv(channels, channels, 1, bias=False)
        nn.init.xavier_normal_(self.mix.weight)

    def forward(self, x: Tensor, side: Tensor) -> Tensor:
        """(N, channels, H, W) and (N, 1, H, W) → (N, channels, H, W)."""
        return self.mix(x * (1 + self.gate(torch.cat((x, side), 1))))


def gradient_magnitude(x: Tensor) -> Tensor:
    """Return the magnitude of the neighbour differences of each pixel, per channel, with zero padding.

    A small constant keeps the derivative finite where the image is constant.
    """
    down, right = differences(x)
    return (down.square() + right.square() + 1e-6).sqrt()


def _dead_weights() -> nn.ModuleList:
    """Build the layers that the published constructor creates and the published forward pass never uses."""
    chain = (Residual(64, 64), conv(64, 32, 1), Residual(32, 32), conv(32, 16, 1), Residual(16, 16))
    gates = (GatedConv(channels) for channels in (32, 16, 8))
    small = (conv(16, 8, 1), conv(4, 1, 1, bias=False), conv(3, 1, 1), conv(3, 16, 1))
    second_head = (conv_norm(16, 4, bias=False), conv(4, 3, 1))
    shuffle = (
        layer
        for channels in (1, 4)
        for layer in (
            nn.GroupNorm(channels, channels),
            nn.ParameterList(torch.zeros(1, channels, 1, 1) for _ in range(4)),
        )
    )
    return nn.ModuleList((*chain, *gates, *small, *second_head, *shuffle))
