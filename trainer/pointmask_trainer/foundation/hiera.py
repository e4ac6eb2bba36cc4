"""SAM2's image encoder: the hierarchical transformer Hiera, and the pyramid of its stages."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - as everybody writes it

from pointmask_trainer.foundation.parts import Perceptron, attend, from_windows, to_windows

_WINDOWS = (8, 4, 14, 7)
_TOP_DOWN = (2, 3)  # levels of the pyramid that receive the coarser one


@dataclass(frozen=True, slots=True)
class HieraShape:
    """Sizes of an encoder that its weights do not tell.

    Attributes
    ----------
    width, heads : int
        Of the first stage; each later stage doubles both.
    stages : tuple of int
        Blocks of each stage.
    everywhere : tuple of int
        Blocks that attend to the whole image.
    background : int
        Side of the table of positions that is stretched over the image.
    windows : tuple of int
        Side of each stage's windows, in tokens.
    out : int
        Channels of the pyramid.
    """

    width: int
    heads: int
    stages: tuple[int, ...]
    everywhere: tuple[int, ...]
    background: int = 7
    windows: tuple[int, ...] = _WINDOWS
    out: int = 256


PUBLISHED = (
    HieraShape(96, 1, (1, 2, 7, 2), (5, 7, 9)),  # tiny
    HieraShape(96, 1, (1, 2, 11, 2), (7, 10, 13)),  # small
    HieraShape(112, 2, (2, 3, 16, 3), (12, 16, 20), background=14),  # base plus
    HieraShape(144, 2, (2, 6, 36, 4), (23, 33, 43), windows=(8, 4, 16, 8)),  # large
)


class ImageHiera(nn.Module):
    """The encoder of SAM 2 (Ravi et al., 2024): maps at 1/4, 1/8 and 1/16 of the input."""

    def __init__(self, shape: HieraShape) -> None:
        super().__init__()
        self.trunk = _Trunk(shape)
        self.neck = _Neck([shape.width << stage for stage in range(len(shape.stages))], shape.out)

    def forward(self, images: Tensor) -> list[Tensor]:
        """(N, 3, side, side) normalised → (N, out, ...) from fine to coarse; 1/32 only feeds the others."""
        return self.neck(self.trunk(images))[:-1]


class _Trunk(nn.Module):
    def __init__(self, shape: HieraShape) -> None:
        super().__init__()
        side = shape.background
        self.pos_embed = nn.Parameter(torch.zeros(1, shape.width, side, side))
        self.pos_embed_window = nn.Parameter(torch.zeros(1, shape.width, shape.windows[0], shape.windows[0]))
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(3, shape.width, 7, 4, 3)})
        self.blocks = nn.ModuleList()
        self._ends: list[int] = []
        for stage, count in enumerate(shape.stages):
            for k in range(count):
                number, starts = len(self.blocks), stage > 0 and k == 0
                # The block that halves the map still attends in the windows of the stage before.
                window = shape.windows[stage - starts]
                self.blocks.append(
                    _Block(
                        shape.width << (stage - starts),
                        shape.width << stage,
                        shape.heads << stage,
                        0 if number in shape.everywhere else window,
                        halves=starts,
                    )
                )
            self._ends.append(len(self.blocks) - 1)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return the map after each stage, (N, C, H, W)."""
        x = self.patch_embed["proj"](images)
        height, width = x.shape[2:]
        positions = F.interpolate(self.pos_embed, size=(height, width), mode="bicubic")
        side = self.pos_embed_window.shape[2]
        x = x + positions + self.pos_embed_window.tile(1, 1, height // side, width // side)
        x = x.movedim(1, -1)
        maps = []
        for number, block in enumerate(self.blocks):
            x = block(x)
            if number in self._ends:
                maps.append(x.movedim(-1, 1))
        return maps


class _Block(nn.Module):
    """A transformer block; the first of a stage halves the map by max pooling of its queries.

    Parameters
    ----------
    width, out : int
        Channels of input and output.
    heads : int
    window : int
        Side of the windows in tokens of the input; 0 is the whole map.
    halves : bool
    """

    def __init__(self, width: int, out: int, heads: int, window: int, *, halves: bool) -> None:
        super().__init__()
        self._window, self._halves, self._heads = window, halves, heads
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.attn = nn.ModuleDict({"qkv": nn.Linear(width, 3 * out), "proj": nn.Linear(out, out)})
        self.norm2 = nn.LayerNorm(out, eps=1e-6)
        self.mlp = Perceptron((out, 4 * out, out), F.gelu)
        if width != out:
            self.proj = nn.Linear(width, out)

    def forward(self, x: Tensor) -> Tensor:
        """(N, H, W, width) → (N, H, W, out), or half the size."""
        normed = self.norm1(x)
        shortcut = self.proj(normed) if hasattr(self, "proj") else x
        size = (x.shape[1], x.shape[2])
        if self._halves:
            shortcut = _halved(shortcut)
            size = (shortcut.shape[1], shortcut.shape[2])
        if self._window:
            attended = from_windows(self._attend(to_windows(normed, self._window)), size)
        else:
            attended = self._attend(normed)
        x = shortcut + attended
        return x + self.mlp(self.norm2(x))

    def _attend(self, x: Tensor) -> Tensor:
        count, height, width = x.shape[:3]
        query, key, value = self.attn["qkv"](x).chunk(3, 3)
        if self._halves:
            query = _halved(query)
            height, width = query.shape[1:3]
        attended = attend(query.flatten(1, 2), key.flatten(1, 2), value.flatten(1, 2), self._heads)
        return self.attn["proj"](attended.view(count, height, width, -1))


def _halved(x: Tensor) -> Tensor:
    """Halve (N, H, W, C) by max pooling."""
    return F.max_pool2d(x.movedim(-1, 1), 2).movedim(1, -1)


class _Neck(nn.Module):
    """Every stage at the same number of channels; some receive the coarser one, repeated."""

    def __init__(self, widths: list[int], out: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            nn.ModuleDict({"conv": nn.Conv2d(width, out, 1)}) for width in reversed(widths)
        )

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Return the pyramid of maps from fine to coarse, (N, out, H, W) each."""
        out: list[Tensor] = []
        for level, layer in zip(reversed(range(len(maps))), self.convs, strict=True):
            assert isinstance(layer, nn.ModuleDict)
            x = layer["conv"](maps[level])
            if out and level in _TOP_DOWN:
                x = x + F.interpolate(out[-1], scale_factor=2.0, mode="nearest")
            out.append(x)
        return out[::-1]
