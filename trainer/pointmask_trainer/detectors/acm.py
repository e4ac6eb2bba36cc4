"""ACM: asymmetric contextual modulation (Dai et al., WACV 2021), with U-Net and FPN decoders."""

from typing import ClassVar

from torch import Tensor, nn

from pointmask_trainer.detectors.acm_fusion import AsymBi
from pointmask_trainer.detectors.base import Detector
from pointmask_trainer.detectors.blocks import Norm, upscale
from pointmask_trainer.detectors.resnet_blocks import fcn_head, quarter_stem, stage


class ACMUNet(Detector):
    """The network that tables of the field call ACM: quarter-resolution stem, three blocks per stage.

    Weights start as PyTorch's defaults.

    Parameters
    ----------
    in_channels : int, default 1
        Channels of the image.
    norm : {"bn", "gn"}, default "bn"
        Norm inside the fusions. ``bn`` cannot train on a single image, see `blocks.BatchNorm`.
    momentum : float, default 0.1
        Of the running statistics of every norm outside the residual blocks; published ports have 0.9, with
        which the statistics are those of the last batch.
    """

    stride: ClassVar[int] = 16

    def __init__(self, in_channels: int = 1, *, norm: Norm = "bn", momentum: float = 0.1) -> None:
        super().__init__(in_channels)
        self.stem = quarter_stem(in_channels, momentum=momentum)
        self.stage1 = stage(16, 16, 1, 3)
        self.stage2 = stage(16, 32, 2, 3, momentum=momentum)
        self.stage3 = stage(32, 64, 2, 3, momentum=momentum)
        self.up2 = nn.ConvTranspose2d(64, 32, 4, stride=2, padding=1)
        self.fuse2 = AsymBi(32, norm=norm, momentum=momentum)
        self.refine2 = stage(32, 32, 1, 3)
        self.up1 = nn.ConvTranspose2d(32, 16, 4, stride=2, padding=1)
        self.fuse1 = AsymBi(16, norm=norm, momentum=momentum)
        self.refine1 = stage(16, 16, 1, 3)
        self.head = fcn_head(16, momentum=momentum)

    def forward_maps(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """See `Detector.forward_maps`; there are no auxiliary maps."""
        c1 = self.stage1(self.stem(x))
        c2 = self.stage2(c1)
        c3 = self.stage3(c2)
        d2 = self.refine2(self.fuse2(self.up2(c3), c2))
        d1 = self.refine1(self.fuse1(self.up1(d2), c1))
        return upscale(self.head(d1), 4, corners=False), []
