"""DINOv2 and DINOv3: plain vision transformers, of which all hidden states are wanted."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - as everybody writes it

from pointmask_trainer.foundation.parts import heads_of

_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet
_BASE = 100.0  # of the rotations' periods
_MARGIN = 0.1  # added to the side that positions are stretched to, as published


@dataclass(frozen=True, slots=True)
class DinoShape:
    """What a file of weights decides.

    Attributes
    ----------
    patch, width, depth, heads, hidden : int
    registers : int
        Tokens that stand for no patch, after the class token.
    grid : int
        Side of the table of positions; 0 for rotations, which are DINOv3's.
    is_gated : bool
        Whether perceptrons are gated (SwiGLU).
    """

    patch: int
    width: int
    depth: int
    heads: int
    hidden: int
    registers: int
    grid: int
    is_gated: bool

    @property
    def epsilon(self) -> float:
        """Of the norms."""
        return 1e-6 if self.grid else 1e-5


class Dino(nn.Module):
    """The network of DINOv2 (Oquab et al., 2023) or DINOv3 (Siméoni et al., 2025)."""

    def __init__(self, shape: DinoShape) -> None:
        super().__init__()
        self.shape = shape
        self.cls_token = nn.Parameter(torch.zeros(1, 1, shape.width))
        if shape.registers:
            self.register_tokens = nn.Parameter(torch.zeros(1, shape.registers, shape.width))
        if shape.grid:
            self.pos_embed = nn.Parameter(torch.zeros(1, 1 + shape.grid**2, shape.width))
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(3, shape.width, shape.patch, shape.patch)})
        self.blocks = nn.ModuleList(_Block(shape) for _ in range(shape.depth))
        self.norm = nn.LayerNorm(shape.width, eps=shape.epsilon)

    def normalised(self, grey: Tensor) -> Tensor:
        """Turn (N, 1, H, W) values in [0, 1] into three channels of whole patches, the border repeated."""
        mean, deviation = (grey.new_tensor(values)[:, None, None] for values in (_MEAN, _DEVIATION))
        down, right = -grey.shape[2] % self.shape.patch, -grey.shape[3] % self.shape.patch
        return (F.pad(grey, (0, right, 0, down), mode="replicate") - mean) / deviation

    def forward(self, images: Tensor) -> list[Tensor]:
        """Compute all hidden states.

        Parameters
        ----------
        images : (N, 3, H, W) Tensor
            Normalised; sides are multiples of the patch.

        Returns
        -------
        list of (N, 1 + registers + patches, width) Tensor
            The embedding, and the state after each block; the last one normed.
        """
        patches = self.patch_embed["proj"](images)
        size = (patches.shape[2], patches.shape[3])
        tokens = patches.flatten(2).transpose(1, 2)
        first: Tensor = self.cls_token
        if self.shape.grid:
            first = first + self.pos_embed[:, :1]
            tokens = tokens + self._positions(size)
        parts = [first.expand(len(tokens), -1, -1)]
        if self.shape.registers:
            parts.append(self.register_tokens.expand(len(tokens), -1, -1))
        x = torch.cat([*parts, tokens], 1)
        turns = None if self.shape.grid else rotations(size, self.shape.width // self.shape.heads, x)
        states = [x]
        for block in self.blocks:
            x = block(x, turns)
            states.append(x)
        return [*states[:-1], self.norm(x)]

    def _positions(self, size: tuple[int, int]) -> Tensor:
        """Stretch the table of positions over the patches; (1, patches, width)."""
        grid = self.shape.grid
        table = self.pos_embed[:, 1:].transpose(1, 2).reshape(1, -1, grid, grid)
        if size == (grid, grid):
            stretched = table
        elif self.shape.registers:
            stretched = F.interpolate(table, size=size, mode="bicubic", antialias=True)
        else:
            factors = ((size[0] + _MARGIN) / grid, (size[1] + _MARGIN) / grid)
            stretched = F.interpolate(table, scale_factor=factors, mode="bicubic")
        return stretched.flatten(2).transpose(1, 2)


class _Block(nn.Module):
    def __init__(self, shape: DinoShape) -> None:
        super().__init__()
        self._heads = shape.heads
        self.norm1 = nn.LayerNorm(shape.width, eps=shape.epsilon)
        self.attn = nn.ModuleDict(
            {"qkv": nn.Linear(shape.width, 3 * shape.width), "proj": nn.Linear(shape.width, shape.width)}
        )
        self.ls1 = nn.ParameterDict({"gamma": torch.ones(shape.width)})
        self.norm2 = nn.LayerNorm(shape.width, eps=shape.epsilon)
        names = ("w1", "w2", "w3") if shape.is_gated else ("fc1", "fc2")
        self.mlp = nn.ModuleDict(
            {
                name: nn.Linear(shape.hidden, shape.width)
                if name == names[-1]
                else nn.Linear(shape.width, shape.hidden)
                for name in names
            }
        )
        self.ls2 = nn.ParameterDict({"gamma": torch.ones(shape.width)})

    def forward(self, x: Tensor, turns: tuple[Tensor, Tensor] | None) -> Tensor:
        """(N, L, width), same shape."""
        x = x + self.ls1["gamma"] * self._attend(self.norm1(x), turns)
        return x + self.ls2["gamma"] * self._perceive(self.norm2(x))

    def _attend(self, x: Tensor, turns: tuple[Tensor, Tensor] | None) -> Tensor:
        query, key, value = (heads_of(part, self._heads) for part in self.attn["qkv"](x).chunk(3, 2))
        if turns is not None:
            query, key = turned(query, *turns), turned(key, *turns)
        attended = F.scaled_dot_product_attention(query, key, value)
        return self.attn["proj"](attended.transpose(1, 2).flatten(2))

    def _perceive(self, x: Tensor) -> Tensor:
        if "w1" in self.mlp:
            return self.mlp["w3"](F.silu(self.mlp["w1"](x)) * self.mlp["w2"](x))
        return self.mlp["fc2"](F.gelu(self.mlp["fc1"](x)))


def rotations(size: tuple[int, int], channels: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Sine and cosine of each patch's angles, (patches, channels) each: half by row, half by column."""
    quarter = channels // 4
    periods = _BASE ** (torch.arange(quarter, device=like.device) / quarter)
    rows, cols = (2 * (torch.arange(n, device=like.device) + 0.5) / n - 1 for n in size)
    places = torch.stack(torch.meshgrid(rows, cols, indexing="ij"), 2).flatten(0, 1)
    angles = (2 * math.pi * places[:, :, None] / periods).flatten(1).tile(2)
    return angles.sin(), angles.cos()


def turned(x: Tensor, sine: Tensor, cosine: Tensor) -> Tensor:
    """Rotate the last tokens of (N, heads, L, channels), which are the patches'; the first stay."""
    first, patches = x[:, :, : -len(sine)], x[:, :, -len(sine) :]
    one, other = patches.chunk(2, 3)
    return torch.cat([first, patches * cosine + torch.cat([-other, one], 3) * sine], 2)
