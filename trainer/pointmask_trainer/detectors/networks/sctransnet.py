"""SCTransNet: spatial-channel cross transformer on a U-Net's skips (Yuan et al., TGRS 2024)."""

from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - as everybody writes it

from pointmask_trainer.detectors.base import Auxiliary, Detector
from pointmask_trainer.detectors.blocks.common import conv, conv_norm, conv_norm_relu, max_pool, upscale

_WIDTHS = (32, 64, 128, 256)
_TOKEN_SIDES = (16, 8, 4, 2)
_ALL = sum(_WIDTHS)


class SCTransNet(Detector):
    """A residual U-Net with channel-wise cross attention between its four skip connections.

    The auxiliary maps come from the decoder, deep to shallow, and ``d0`` combines them, all at full size.
    Weights have PyTorch's default initialisation.

    Parameters
    ----------
    in_channels : int, default 1
        Channels of the image.
    dead_weights : bool, default False
        Also create the published network's 122,944 unused weights, so that parameter counts agree.
    """

    stride: ClassVar[int] = 16
    auxiliary: ClassVar[tuple[Auxiliary, ...]] = tuple(
        Auxiliary(name) for name in ("gt5", "gt4", "gt3", "gt2", "d0")
    )
    last_layers: ClassVar[tuple[str, ...]] = ("sides", "head", "fuse")

    def __init__(self, in_channels: int = 1, *, dead_weights: bool = False) -> None:
        super().__init__(in_channels)
        widths = (in_channels, *_WIDTHS, 256)
        self.encoder = nn.ModuleList(LeakyResidual(a, b) for a, b in pairwise(widths))
        self.tokens = nn.ModuleList(
            nn.Conv2d(c, c, side, stride=side) for c, side in zip(_WIDTHS, _TOKEN_SIDES, strict=True)
        )
        self.blocks = nn.ModuleList(CrossBlock() for _ in range(4))
        self.norms = nn.ModuleList(PixelNorm(c) for c in _WIDTHS)
        self.rebuild = nn.ModuleList(conv_norm_relu(c, c, 1) for c in _WIDTHS)
        self.decoder = nn.ModuleList(UpBlock(a, b) for a, b in ((512, 128), (256, 64), (128, 32), (64, 32)))
        self.head = conv(32, 1, 1)
        self.sides = nn.ModuleList(conv(c, 1, 1) for c in (256, 128, 64, 32))
        self.fuse = conv(5, 1, 1)
        if dead_weights:
            positions = (torch.zeros(1, 256, c) for c in _WIDTHS)
            self.dead = nn.ParameterList((*positions, *(torch.full((1,), 0.2) for _ in range(64))))

    def forward_maps(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """See `Detector.forward_maps`."""
        encoded = [self.encoder[0](x)]
        for part in self.encoder[1:]:
            encoded.append(part(max_pool(encoded[-1])))
        decoded = [encoded.pop()]
        skips = self._attend(encoded)
        for part, skip in zip(self.decoder, reversed(skips), strict=True):
            decoded.append(part(decoded[-1], skip))
        main = self.head(decoded[-1])
        if not self.training:
            return main, []
        sides = [
            upscale(side(y), factor, corners=True)
            for side, y, factor in zip(self.sides, decoded[:-1], (16, 8, 4, 2), strict=True)
        ]
        return main, [*sides, self.fuse(torch.cat((*reversed(sides), main), 1))]

    def _attend(self, encoded: list[Tensor]) -> list[Tensor]:
        """Apply cross attention between the encoder's four maps."""
        maps = [tokenise(f) for tokenise, f in zip(self.tokens, encoded, strict=True)]
        for block in self.blocks:
            maps = block(maps)
        rebuilt = [
            rebuild(upscale(norm(e), side, corners=False))
            for rebuild, norm, e, side in zip(self.rebuild, self.norms, maps, _TOKEN_SIDES, strict=True)
        ]
        return [r + 2 * f for r, f in zip(rebuilt, encoded, strict=True)]  # added twice, as published


class LeakyResidual(nn.Module):
    """Residual block of two 3×3 convolutions with leaky ReLUs.

    Parameters
    ----------
    a, b : int
        Channels in and out.
    """

    def __init__(self, a: int, b: int) -> None:
        super().__init__()
        self.body = nn.Sequential(conv_norm(a, b), nn.LeakyReLU(), conv_norm(b, b))
        self.shortcut: nn.Module = nn.Identity() if a == b else conv_norm(a, b, 1)
        self.act = nn.LeakyReLU()

    def forward(self, x: Tensor) -> Tensor:
        """(N, a, H, W) → (N, b, H, W)."""
        return self.act(self.body(x) + self.shortcut(x))


class PixelNorm(nn.Module):
    """Layer normalisation over the channels of each pixel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, H, W) → the same shape."""
        return F.layer_norm(x.movedim(1, -1), self.weight.shape, self.weight, self.bias).movedim(-1, 1)


class CrossBlock(nn.Module):
    """Spatial-channel cross transformer block on four maps of equal size."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = CrossAttention()
        self.norms = nn.ModuleList(PixelNorm(c) for c in _WIDTHS)
        self.feeds = nn.ModuleList(FeedForward(c) for c in _WIDTHS)

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Four maps (N, 32 | 64 | 128 | 256, h, w) → four of the same shapes."""
        maps = [e + attended for e, attended in zip(maps, self.attention(maps), strict=True)]
        return [e + feed(norm(e)) for e, feed, norm in zip(maps, self.feeds, self.norms, strict=True)]


class CrossAttention(nn.Module):
    """Attention of each map's channels to the channels of all maps, by spatial similarity."""

    def __init__(self) -> None:
        super().__init__()
        self.norms = nn.ModuleList(PixelNorm(c) for c in _WIDTHS)
        self.norm_all = PixelNorm(_ALL)
        self.queries = nn.ModuleList(_pointwise_then_grouped(c, c // 2) for c in _WIDTHS)
        self.key = _pointwise_then_grouped(_ALL, _ALL)
        self.value = _pointwise_then_grouped(_ALL, _ALL)
        self.out = nn.ModuleList(conv(c, c, 1, bias=False) for c in _WIDTHS)

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Four maps → attention outputs of the same shapes."""
        combined = self.norm_all(torch.cat(maps, 1))
        key = F.normalize(self.key(combined).flatten(2), dim=-1)
        value = self.value(combined).flatten(2)
        outputs = []
        for e, norm, to_query, out in zip(maps, self.norms, self.queries, self.out, strict=True):
            query = F.normalize(to_query(norm(e)).flatten(2), dim=-1)
            similarity = query @ key.mT / _ALL**0.5
            weights = F.layer_norm(similarity, similarity.shape[1:]).softmax(-1)
            outputs.append(out((weights @ value).view_as(e)))
        return outputs


class FeedForward(nn.Module):
    """Complementary feed-forward network: a fine and a coarse branch, then channel weights."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = int(2.66 * channels)
        self.widen = conv(channels, 2 * hidden, 1, bias=False)
        self.fine = conv(hidden, hidden, 3, groups=hidden, bias=False)
        self.coarse = conv(hidden, hidden, 5, groups=hidden, bias=False)
        self.narrow = conv(2 * hidden, channels, 1, bias=False)
        self.neighbours = nn.Conv1d(1, 1, 3, padding=1, bias=False)  # over adjacent channels' means

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, H, W) → the same shape."""
        fine, coarse = self.widen(x).chunk(2, dim=1)
        y = self.narrow(torch.cat((self.fine(fine).relu(), self.coarse(coarse).relu()), 1))
        pooled = y.mean((-2, -1)).unsqueeze(1)
        return y * self.neighbours(pooled).sigmoid().mT.unsqueeze(-1)


class UpBlock(nn.Module):
    """Decoder step: the skip, gated by both maps' means, is concatenated with the upsampled deep map.

    Parameters
    ----------
    a : int
        Total channels of both maps, half each.
    b : int
        Output channels.
    """

    def __init__(self, a: int, b: int) -> None:
        super().__init__()
        self.of_skip = nn.Linear(a // 2, a // 2)
        self.of_deep = nn.Linear(a // 2, a // 2)
        self.body = nn.Sequential(conv_norm_relu(a, b), conv_norm_relu(b, b))

    def forward(self, deep: Tensor, skip: Tensor) -> Tensor:
        """(N, a/2, H/2, W/2) and (N, a/2, H, W) → (N, b, H, W)."""
        deep = F.interpolate(deep, scale_factor=2)
        gate = (self.of_skip(skip.mean((-2, -1))) + self.of_deep(deep.mean((-2, -1)))) / 2
        gated = (skip * gate.sigmoid()[..., None, None]).relu()
        return self.body(torch.cat((gated, deep), 1))


def _pointwise_then_grouped(channels: int, groups: int) -> nn.Sequential:
    return nn.Sequential(
        conv(channels, channels, 1, bias=False), conv(channels, channels, 3, groups=groups, bias=False)
    )
