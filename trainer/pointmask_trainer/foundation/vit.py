"""SAM's image encoder: a plain vision transformer, most blocks in windows, relative positions by axis."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - as everybody writes it

from pointmask_trainer.foundation.parts import MapNorm, Perceptron, from_windows, heads_of, to_windows


@dataclass(frozen=True, slots=True)
class ViTShape:
    """What of the encoder a file of weights decides.

    Attributes
    ----------
    patch : int
        Side of a patch in px.
    grid : int
        Patches along each side of the input.
    width, hidden : int
        Channels of the tokens, and within the perceptrons.
    heads : int
    windows : tuple of int
        For each block the side of its windows in patches; `grid` stands for the whole image.
    out : int
        Channels of the embedding.
    """

    patch: int
    grid: int
    width: int
    hidden: int
    heads: int
    windows: tuple[int, ...]
    out: int


class ImageViT(nn.Module):
    """The encoder of Segment Anything (Kirillov et al., 2023)."""

    def __init__(self, shape: ViTShape) -> None:
        super().__init__()
        width = shape.width
        self.pos_embed = nn.Parameter(torch.zeros(1, shape.grid, shape.grid, width))
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(3, width, shape.patch, shape.patch)})
        self.blocks = nn.ModuleList(_Block(shape, window) for window in shape.windows)
        self.neck = nn.Sequential(
            nn.Conv2d(width, shape.out, 1, bias=False),
            MapNorm(shape.out),
            nn.Conv2d(shape.out, shape.out, 3, padding=1, bias=False),
            MapNorm(shape.out),
        )

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, side, side) normalised → (N, out, grid, grid)."""
        x = self.patch_embed["proj"](images).movedim(1, -1) + self.pos_embed
        for block in self.blocks:
            x = block(x)
        return self.neck(x.movedim(-1, 1))


class _Block(nn.Module):
    def __init__(self, shape: ViTShape, window: int) -> None:
        super().__init__()
        self._window = window if window < shape.grid else 0
        self.norm1 = nn.LayerNorm(shape.width, eps=1e-6)
        self.attn = _Attention(shape.width, shape.heads, window)
        self.norm2 = nn.LayerNorm(shape.width, eps=1e-6)
        self.mlp = Perceptron((shape.width, shape.hidden, shape.width), F.gelu)

    def forward(self, x: Tensor) -> Tensor:
        """(N, H, W, width), same shape."""
        normed = self.norm1(x)
        if self._window:
            attended = from_windows(self.attn(to_windows(normed, self._window)), (x.shape[1], x.shape[2]))
        else:
            attended = self.attn(normed)
        x = x + attended
        return x + self.mlp(self.norm2(x))


class _Attention(nn.Module):
    """Attention among all tokens of a window, with a learned term for each offset along each axis."""

    def __init__(self, width: int, heads: int, window: int) -> None:
        super().__init__()
        self._heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.rel_pos_h = nn.Parameter(torch.zeros(2 * window - 1, width // heads))
        self.rel_pos_w = nn.Parameter(torch.zeros(2 * window - 1, width // heads))

    def forward(self, x: Tensor) -> Tensor:
        """(N, side, side, width), same shape."""
        count, side = x.shape[0], x.shape[1]
        offsets = torch.arange(side, device=x.device)
        offsets = offsets[:, None] - offsets[None, :] + side - 1  # of each query to each key
        by_row, by_col = self.rel_pos_h[offsets], self.rel_pos_w[offsets]
        queries, keys, values = (
            heads_of(part, self._heads) for part in self.qkv(x.flatten(1, 2)).chunk(3, 2)
        )
        out = []
        # One head at a time: the terms of all pairs of 64 x 64 tokens take 67 MB per head.
        for query, key, value in zip(queries.unbind(1), keys.unbind(1), values.unbind(1), strict=True):
            grid = query.reshape(count, side, side, -1)
            rows = torch.einsum("nhwc,hkc->nhwk", grid, by_row)[..., :, None]
            cols = torch.einsum("nhwc,wkc->nhwk", grid, by_col)[..., None, :]
            terms = (rows + cols).reshape(count, side * side, side * side)
            out.append(F.scaled_dot_product_attention(query, key, value, attn_mask=terms))
        return self.proj(torch.cat(out, 2)).reshape(x.shape)
