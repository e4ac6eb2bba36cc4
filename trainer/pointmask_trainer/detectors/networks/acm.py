"""ACM: asymmetric contextual modulation (Dai et al., WACV 2021), with U-Net and FPN decoders.

The authors' networks keep the image's full size (``…_fullres``); "ACM" in published comparisons is a port
with a quarter-size stem, ten times cheaper. All four use PyTorch's default initialisation.
"""

from typing import ClassVar

from torch import Tensor, nn

from pointmask_trainer.detectors.base import Detector
from pointmask_trainer.detectors.blocks.acm_fusion import AsymBi
from pointmask_trainer.detectors.blocks.common import Norm, resize, size_of
from pointmask_trainer.detectors.blocks.resnet import (
    Encoder,
    double,
    fcn_head,
    full_stem,
    quarter_stem,
    stage,
)


class _ACM(Detector):
    """A stem and a body that maps its output to logits, which are resized to the image's size."""

    last_layers: ClassVar[tuple[str, ...]] = ("body.head",)
    embedding: ClassVar[str] = "body.head"
    stem: nn.Module
    body: nn.Module

    def forward_maps(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """See `Detector.forward_maps`; there are no auxiliary maps."""
        return resize(self.body(self.stem(x)), size_of(x), corners=False), []


class ACMUNet(_ACM):
    """The network called ACM in published comparisons: quarter-size stem, U-Net, three blocks per stage.

    Parameters
    ----------
    in_channels : int, default 1
        Channels of the image.
    norm : {"bn", "gn"}, default "bn"
        Norm inside the fusions. ``bn`` cannot train on a single image, see `blocks.BatchNorm`.
    momentum : float, default 0.1
        Momentum of the running statistics of every norm outside the residual blocks; published ports use
        0.9, with which the statistics are nearly those of the last batch.
    """

    stride: ClassVar[int] = 16

    def __init__(self, in_channels: int = 1, *, norm: Norm = "bn", momentum: float = 0.1) -> None:
        super().__init__(in_channels)
        self.stem = quarter_stem(in_channels, momentum=momentum)
        self.body = _UNet(3, norm=norm, momentum=momentum)


class ACMUNetFullres(_ACM):
    """The authors' U-Net: full-size stem, four blocks per stage.

    Parameters
    ----------
    in_channels, norm
        As in `ACMUNet`.
    """

    stride: ClassVar[int] = 4

    def __init__(self, in_channels: int = 1, *, norm: Norm = "bn") -> None:
        super().__init__(in_channels)
        self.stem = full_stem(in_channels)
        self.body = _UNet(4, norm=norm)


class ACMFPN(_ACM):
    """Feature pyramid with a quarter-size stem, four blocks per stage.

    Parameters
    ----------
    in_channels, norm
        As in `ACMUNet`.
    """

    stride: ClassVar[int] = 8

    def __init__(self, in_channels: int = 1, *, norm: Norm = "bn") -> None:
        super().__init__(in_channels)
        self.stem = quarter_stem(in_channels)
        self.body = _FPN(norm=norm, corners=False)


class ACMFPNFullres(_ACM):
    """The authors' feature pyramid: full-size stem, four blocks per stage.

    Parameters
    ----------
    in_channels, norm
        As in `ACMUNet`.
    """

    stride: ClassVar[int] = 2

    def __init__(self, in_channels: int = 1, *, norm: Norm = "bn") -> None:
        super().__init__(in_channels)
        self.stem = full_stem(in_channels)
        self.body = _FPN(norm=norm, corners=True)


class _UNet(nn.Module):
    """U-Net from a stem's map to logits of the same size, which must be a multiple of 4."""

    def __init__(self, blocks: int, *, norm: Norm, momentum: float = 0.1) -> None:
        super().__init__()
        self.encoder = Encoder(blocks, momentum=momentum)
        self.up2 = double(64, 32)
        self.fuse2 = AsymBi(32, norm=norm, momentum=momentum)
        self.refine2 = stage(32, 32, 1, blocks)
        self.up1 = double(32, 16)
        self.fuse1 = AsymBi(16, norm=norm, momentum=momentum)
        self.refine1 = stage(16, 16, 1, blocks)
        self.head = fcn_head(16, momentum=momentum)

    def forward(self, x: Tensor) -> Tensor:
        c1, c2, c3 = self.encoder(x)
        d2 = self.refine2(self.fuse2(self.up2(c3), c2))
        d1 = self.refine1(self.fuse1(self.up1(d2), c1))
        return self.head(d1)


class _FPN(nn.Module):
    """Feature pyramid from a stem's map to logits of the same size; `corners` as in `resize`."""

    def __init__(self, *, norm: Norm, corners: bool) -> None:
        super().__init__()
        self.corners = corners
        self.encoder = Encoder(4)
        self.fuse2 = AsymBi(32, high=64, norm=norm)
        self.fuse1 = AsymBi(16, high=32, norm=norm)
        self.head = fcn_head(16)

    def forward(self, x: Tensor) -> Tensor:
        c1, c2, c3 = self.encoder(x)
        f2 = self.fuse2(resize(c3, size_of(c2), corners=self.corners), c2)
        f1 = self.fuse1(resize(f2, size_of(c1), corners=self.corners), c1)
        return self.head(f1)
