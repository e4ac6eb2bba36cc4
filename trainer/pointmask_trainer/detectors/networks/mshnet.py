"""MSHNet: a plain attention U-Net with a head per scale (Liu et al., CVPR 2024)."""

from typing import ClassVar

import torch
from torch import Tensor, nn

from pointmask_trainer.detectors.base import Auxiliary, Detector
from pointmask_trainer.detectors.blocks.attention import AttentionResidual, attention_chain
from pointmask_trainer.detectors.blocks.common import conv, max_pool, upscale


class MSHNet(Detector):
    """Five stages; a map is predicted at each of the decoder's four scales, and the main map from these.

    The authors train only the first auxiliary map for a few epochs, then the mean over all five maps.
    Weights have PyTorch's default initialisation.

    Parameters
    ----------
    in_channels : int, default 1
        Channels of the image.
    """

    stride: ClassVar[int] = 16
    auxiliary: ClassVar[tuple[Auxiliary, ...]] = tuple(Auxiliary(f"m{k}", 2**k) for k in range(4))
    last_layers: ClassVar[tuple[str, ...]] = ("heads", "join")
    embedding: ClassVar[str] = "heads.0"

    def __init__(self, in_channels: int = 1) -> None:
        super().__init__(in_channels)
        self.stem = conv(in_channels, 16, 1)
        self.encoder = nn.ModuleList(
            (
                AttentionResidual(16, 16),
                attention_chain(16, 32),
                attention_chain(32, 64),
                attention_chain(64, 128),
                attention_chain(128, 256),
            )
        )
        self.decoder = nn.ModuleList(
            (
                attention_chain(128 + 256, 128),
                attention_chain(64 + 128, 64),
                attention_chain(32 + 64, 32),
                AttentionResidual(16 + 32, 16),
            )
        )
        self.heads = nn.ModuleList(conv(channels, 1, 1) for channels in (16, 32, 64, 128))
        self.join = conv(4, 1)

    def forward_maps(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """See `Detector.forward_maps`."""
        skips = [self.encoder[0](self.stem(x))]
        for part in self.encoder[1:]:
            skips.append(part(max_pool(skips[-1])))
        decoded = [skips.pop()]
        for part, skip in zip(self.decoder, reversed(skips), strict=True):
            decoded.append(part(torch.cat((skip, upscale(decoded[-1], 2, corners=True)), 1)))
        maps = [head(y) for head, y in zip(self.heads, reversed(decoded[1:]), strict=True)]
        full = [maps[0], *(upscale(m, 2**k, corners=True) for k, m in enumerate(maps[1:], start=1))]
        return self.join(torch.cat(full, 1)), maps
