"""A locator in the spirit of SSHD-Net, "after Wu et al. (2024)": layer sizes are ours.

Of the publication (arXiv 2408.01976) only names and purposes of its five modules are known here. This network
has a part for each; its figures are not those of the paper and must not be compared as a reproduction.

Parameters with one channel, 1,523,700 in all (2.197 GMAC at 256 x 256 pixels):

========================  ===========================================  =========
part                      layers                                       weights
========================  ===========================================  =========
stem                      two strided convolutions, 32 channels            9,632
cascade, stage 1          2 residual units of 32                          37,120
step to 1/8               strided convolution                             18,560
cascade, stage 2          2 units of 32, 2 of 64                         185,088
exchange                  1/4 with 1/8                                    20,672
step to 1/16              strided convolution                             73,984
cascade, stage 3          2 units of 32, 64 and 128 each                 775,936
exchange                  1/4 with 1/8, 1/8 with 1/16                    102,976
merging                   to 64 channels at 1/4, two units               162,688
fusion                    a unit, coordinate attention, a gate            80,368
heat                      3 x 3 and 1 x 1                                 37,057
offset                    3 x 3 and 1 x 1                                 18,562
threshold                 two linear layers                                1,057
========================  ===========================================  =========
"""

from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - as everybody writes it

from pointmask_trainer.detectors.blocks.common import conv, conv_norm, conv_norm_relu, resize, size_of
from pointmask_trainer.detectors.locators.base import Decoding, HeatMaps, Locator, heat_layer

_WIDTHS = (32, 64, 128)  # channels at 1/4, 1/8 and 1/16
_MERGED = 64
_LEAST, _RANGE = 0.1, 0.8  # of the learned threshold


class SSHD(Locator):
    """Heat map, offsets within cells, and a threshold for each image; after SSHD-Net, layer sizes are ours.

    Parameters
    ----------
    in_channels : int, default 1
        Channels of the image.
    fusion : bool
        Whether local and global features are fused; otherwise merged features are used as they are.
    offset : bool
        Whether offsets are predicted.
    learns_threshold : bool
        Whether a threshold is predicted for each image; otherwise `threshold` holds.
    input_scale : int
        See `Locator`.
    threshold, gap, limit
        See `Decoding`.
    """

    stride: ClassVar[int] = 16

    def __init__(
        self,
        in_channels: int = 1,
        *,
        fusion: bool = True,
        offset: bool = True,
        learns_threshold: bool = True,
        input_scale: int = 1,
        threshold: float = 0.35,
        gap: float = 1.0,
        limit: int = 0,
    ) -> None:
        decoding = Decoding(threshold=threshold, gap=gap, limit=limit)
        super().__init__(in_channels, input_scale=input_scale, decoding=decoding)
        self.stem = nn.Sequential(
            conv_norm_relu(in_channels, 32, stride=2, bias=False),
            conv_norm_relu(32, 32, stride=2, bias=False),
        )
        self.cascade = _Cascade()
        self.merge = _Merge()
        self.fusion = _Fusion(_MERGED) if fusion else None
        self.head = nn.Sequential(conv_norm_relu(_MERGED, 64, bias=False), heat_layer(64))
        self.offset = (
            nn.Sequential(conv_norm_relu(_MERGED, 32, bias=False), conv(32, 2, 1)) if offset else None
        )
        self.threshold = (
            nn.Sequential(nn.Linear(_MERGED, 16), nn.ReLU(), nn.Linear(16, 1)) if learns_threshold else None
        )

    @property
    def tells_threshold(self) -> bool:
        """Whether it was built with ``learns_threshold``."""
        return self.threshold is not None

    def forward_heat(self, x: Tensor) -> HeatMaps:
        """Compute heat, offsets and threshold; see `Locator.forward_heat`."""
        merged = self.merge(self.cascade(self.stem(x)))
        features = merged if self.fusion is None else self.fusion(merged)
        maps: HeatMaps = {"logits": self.head(features), "aux": []}
        if self.offset is not None:
            maps["offset"] = self.offset(features)
        if self.threshold is not None:
            score = self.threshold(features.mean((2, 3)))[:, 0]
            maps["threshold"] = _LEAST + _RANGE * torch.sigmoid(score)
        return maps


class _Unit(nn.Module):
    """Residual unit: two 3 x 3 convolutions added to the input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv_norm_relu(channels, channels, bias=False), conv_norm(channels, channels, bias=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, H, W), same shape."""
        return F.relu(x + self.body(x))


def _units(channels: int) -> nn.Sequential:
    return nn.Sequential(_Unit(channels), _Unit(channels))


class _Exchange(nn.Module):
    """Each resolution receives its neighbours, not all others: the steps of the cascade."""

    def __init__(self, levels: int) -> None:
        super().__init__()
        pairs = list(pairwise(_WIDTHS[:levels]))
        self.up = nn.ModuleList(conv_norm(coarse, fine, 1, bias=False) for fine, coarse in pairs)
        self.down = nn.ModuleList(conv_norm(fine, coarse, stride=2, bias=False) for fine, coarse in pairs)

    def forward(self, levels: list[Tensor]) -> list[Tensor]:
        """Return maps from fine to coarse, of the same shapes."""
        out = list(levels)
        for k, (up, down) in enumerate(zip(self.up, self.down, strict=True)):
            out[k] = out[k] + resize(up(levels[k + 1]), size_of(levels[k]), corners=False)
            out[k + 1] = out[k + 1] + down(levels[k])
        return [F.relu(level) for level in out]


class _Cascade(nn.Module):
    """High and low resolutions side by side; a coarser one joins at each step."""

    def __init__(self) -> None:
        super().__init__()
        fine, middle, coarse = _WIDTHS
        self.steps = nn.ModuleList(
            [
                conv_norm_relu(fine, middle, stride=2, bias=False),
                conv_norm_relu(middle, coarse, stride=2, bias=False),
            ]
        )
        self.stages = nn.ModuleList(
            nn.ModuleList(_units(width) for width in _WIDTHS[: stage + 1]) for stage in range(len(_WIDTHS))
        )
        self.exchanges = nn.ModuleList(_Exchange(stage + 1) for stage in range(1, len(_WIDTHS)))

    def forward(self, x: Tensor) -> list[Tensor]:
        """(N, 32, H, W) → maps at 1, 1/2 and 1/4 of that size."""
        levels = [_run(self.stages[0], [x])[0]]
        for step, stage, exchange in zip(self.steps, list(self.stages)[1:], self.exchanges, strict=True):
            levels = exchange(_run(stage, [*levels, step(levels[-1])]))
        return levels


def _run(stage: nn.Module, levels: list[Tensor]) -> list[Tensor]:
    assert isinstance(stage, nn.ModuleList)
    return [units(level) for units, level in zip(stage, levels, strict=True)]


class _Merge(nn.Module):
    """All resolutions summed at the finest, then refined."""

    def __init__(self) -> None:
        super().__init__()
        self.joins = nn.ModuleList(conv_norm(width, _MERGED, 1, bias=False) for width in _WIDTHS)
        self.body = _units(_MERGED)

    def forward(self, levels: list[Tensor]) -> Tensor:
        """Merge maps from fine to coarse to (N, 64, H, W) of the finest."""
        size = size_of(levels[0])
        parts = [
            resize(join(level), size, corners=False) for join, level in zip(self.joins, levels, strict=True)
        ]
        joined = F.relu(torch.stack(parts).sum(0))
        return joined + self.body(joined)


class _Fusion(nn.Module):
    """Local features, and global ones by coordinate attention, mixed by a gate per channel."""

    def __init__(self, channels: int, hidden: int = 16) -> None:
        super().__init__()
        self.local = _Unit(channels)
        self.along = conv_norm_relu(channels, hidden, 1, bias=False)
        self.rows, self.cols = conv(hidden, channels, 1), conv(hidden, channels, 1)
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            conv(2 * channels, hidden, 1),
            nn.ReLU(),
            conv(hidden, channels, 1),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, H, W), same shape."""
        height, width = size_of(x)
        means = torch.cat([x.mean(3, keepdim=True), x.mean(2, keepdim=True).transpose(2, 3)], 2)
        by_row, by_col = self.along(means).split([height, width], 2)
        wide = x * torch.sigmoid(self.rows(by_row)) * torch.sigmoid(self.cols(by_col.transpose(2, 3)))
        near = self.local(x)
        gate = self.gate(torch.cat([near, wide], 1))
        return gate * near + (1 - gate) * wide
