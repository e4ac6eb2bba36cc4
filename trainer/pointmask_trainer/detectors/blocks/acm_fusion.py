"""Asymmetric contextual modulation: the fusion of a deep and a shallow map in ACM and ALCNet."""

from torch import Tensor, nn

from pointmask_trainer.detectors.blocks.common import Norm, conv_norm, conv_norm_relu


class AsymBi(nn.Module):
    """Fusion in which each map weights the other: the deep one per channel, the shallow one per pixel.

    Parameters
    ----------
    channels : int
        Channels of the shallow map and of the result; a multiple of 4.
    high : int, optional
        Channels of the deep map if a 1×1 convolution must first reduce it to `channels`.
    norm : {"bn", "gn"}
        ``bn`` computes statistics of pooled maps and therefore cannot train on a single image.
    momentum : float
        Momentum of the norms' running statistics.
    """

    def __init__(
        self, channels: int, high: int | None = None, *, norm: Norm = "bn", momentum: float = 0.1
    ) -> None:
        super().__init__()

        def gate() -> nn.Sequential:
            return nn.Sequential(
                conv_norm_relu(channels, channels // 4, 1, norm=norm, momentum=momentum),
                conv_norm(channels // 4, channels, 1, norm=norm, momentum=momentum),
                nn.Sigmoid(),
            )

        self.reduce: nn.Module = nn.Identity()
        if high is not None:
            self.reduce = conv_norm_relu(high, channels, 1, norm=norm, momentum=momentum)
        self.top_down = nn.Sequential(nn.AdaptiveAvgPool2d(1), gate())
        self.bottom_up = gate()
        self.post = conv_norm_relu(channels, channels, norm=norm, momentum=momentum)

    def forward(self, deep: Tensor, shallow: Tensor) -> Tensor:
        """Fuse two maps of equal size into (N, channels, H, W)."""
        deep = self.reduce(deep)
        mixed = shallow * self.top_down(deep) + deep * self.bottom_up(shallow)
        return self.post(2 * mixed)
