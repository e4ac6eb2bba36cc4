"""MLCL-Net: multi-scale local contrast learning (Yu et al., IPT 2022)."""

from typing import ClassVar

import torch
from torch import Tensor, nn

from pointmask_trainer.detectors.base import Detector
from pointmask_trainer.detectors.blocks.common import conv, upscale
from pointmask_trainer.detectors.blocks.contrast import BiasedResidual, Down, head, initialise, stem


class MLCLNet(Detector):
    """Three stages at full, half and quarter size, each with contrast at three scales, then summed.

    Residual blocks and contrast modules are initialised by `blocks.contrast.initialise`, the rest has
    PyTorch's default initialisation.

    Parameters
    ----------
    in_channels : int, default 1
        Channels of the image.
    """

    stride: ClassVar[int] = 4
    taps: ClassVar[tuple[str, ...]] = tuple(f"contrasts.{k}" for k in range(3))
    residuals: ClassVar[tuple[int, int, int]] = (3, 2, 2)
    """Residual blocks per stage."""

    def __init__(self, in_channels: int = 1) -> None:
        super().__init__(in_channels)
        first, second, third = self.residuals
        self.stem = stem(in_channels)
        self.stages = nn.ModuleList(
            [
                nn.Sequential(*(BiasedResidual(16) for _ in range(first))),
                nn.Sequential(Down(16, 32), *(BiasedResidual(32) for _ in range(second))),
                nn.Sequential(Down(32, 64), *(BiasedResidual(64) for _ in range(third))),
            ]
        )
        self.contrasts = nn.ModuleList([MultiScaleContrast(c) for c in (16, 32, 64)])
        self.projections = nn.ModuleList([conv(c, 64, 1) for c in (16, 32, 64)])
        self.head = head(64)
        self.stages.apply(initialise)
        self.contrasts.apply(initialise)

    def forward_maps(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """See `Detector.forward_maps`; there are no auxiliary maps."""
        x = self.stem(x)
        levels = []
        for stage, contrast, project in zip(self.stages, self.contrasts, self.projections, strict=True):
            x = stage(x)
            levels.append(project(contrast(x)).relu())
        y = upscale(levels[2], 2, corners=True) + levels[1]
        y = upscale(y, 2, corners=True) + levels[0]
        return self.head(y), []


class MLCLNetSmall(MLCLNet):
    """`MLCLNet` with one residual block fewer in every stage.

    Parameters
    ----------
    in_channels : int, default 1
        Channels of the image.
    """

    residuals: ClassVar[tuple[int, int, int]] = (2, 1, 1)


class MultiScaleContrast(nn.Module):
    """Contrast at three scales: kernel sizes 1, 3 and 5, each followed by a 3×3 kernel of equal dilation."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Sequential(
                conv(channels, channels, k), nn.ReLU(), conv(channels, channels, dilation=k), nn.ReLU()
            )
            for k in (1, 3, 5)
        )
        self.join = conv(3 * channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, H, W), same shape."""
        return self.join(torch.cat([branch(x) for branch in self.branches], 1))
