"""ALCNet as in published comparisons: a U-Net like ACM's, without the authors' local contrast.

The authors' own network (Dai et al., TGRS 2021) is in `alcnet_lc`.
"""

from typing import ClassVar

from torch import Tensor, nn

from pointmask_trainer.detectors.base import Detector
from pointmask_trainer.detectors.blocks.acm_fusion import AsymBi
from pointmask_trainer.detectors.blocks.common import Norm, upscale
from pointmask_trainer.detectors.blocks.resnet import Encoder, double, fcn_head, quarter_stem, stage


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
