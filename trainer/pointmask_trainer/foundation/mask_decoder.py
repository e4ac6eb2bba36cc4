"""The half of SAM and SAM2 that reads prompts: points and boxes in, four masks and their quality out."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from pointmask_trainer.foundation.parts import MapNorm, Perceptron, attend

NEGATIVE, POSITIVE, TOP_LEFT, BOTTOM_RIGHT = range(4)
"""Kinds of prompt points."""
PADDING = -1
"""A token that stands for no point."""

MASKS = 4
"""Masks per prompt: a single one, and three of which the best is taken."""


@dataclass(frozen=True, slots=True)
class DecoderShape:
    """Sizes of the decoder.

    Attributes
    ----------
    width, hidden : int
        Channels of the tokens, and within the perceptrons of the transformer.
    heads, layers : int
    is_second : bool
        SAM2's: it also scores whether an object is there, and reads finer maps of the encoder.
    """

    width: int = 256
    hidden: int = 2048
    heads: int = 8
    layers: int = 2
    is_second: bool = False


class Decoded(NamedTuple):
    """Masks of P prompts.

    Attributes
    ----------
    logits : (P, 4, 4 · grid, 4 · grid) Tensor
    quality : (P, 4) Tensor
        Predicted IoU of each mask.
    presence : (P, 1) Tensor or None
        Logit of an object being there; SAM2's alone.
    """

    logits: Tensor
    quality: Tensor
    presence: Tensor | None


class PromptEncoder(nn.Module):
    """Tokens of points, and the positions of the image's cells, by random Fourier features."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.pe_layer = nn.ParameterDict({"positional_encoding_gaussian_matrix": torch.zeros(2, width // 2)})
        self._kinds = tuple(nn.Embedding(1, width) for _ in range(4))
        self.point_embeddings = nn.ModuleList(self._kinds)
        self.not_a_point_embed = nn.Embedding(1, width)
        self.no_mask_embed = nn.Embedding(1, width)

    def forward(self, points: Tensor, kinds: Tensor, side: int) -> Tensor:
        """Encode prompts.

        Parameters
        ----------
        points : (P, K, 2) Tensor
            Columns and rows in px of the input, 0 the centre of the first pixel.
        kinds : (P, K) int Tensor
            `NEGATIVE`, `POSITIVE`, `TOP_LEFT`, `BOTTOM_RIGHT` or `PADDING`.
        side : int
            Of the input in px.

        Returns
        -------
        (P, K, width) Tensor
        """
        tokens = self._fourier((points + 0.5) / side)
        learned = torch.cat([layer.weight for layer in (self.not_a_point_embed, *self._kinds)])
        is_point = (kinds != PADDING)[..., None]
        return torch.where(is_point, tokens, 0) + learned[kinds + 1]

    def grid(self, side: int) -> Tensor:
        """Encode the centres of side × side cells, (width, side, side)."""
        centres = (torch.arange(side, device=self.no_mask_embed.weight.device) + 0.5) / side
        rows, cols = torch.meshgrid(centres, centres, indexing="ij")
        return self._fourier(torch.stack([cols, rows], 2)).movedim(2, 0)

    def _fourier(self, shares: Tensor) -> Tensor:
        """(..., 2) columns and rows in [0, 1] → (..., width)."""
        angles = 2 * math.pi * ((2 * shares - 1) @ self.pe_layer["positional_encoding_gaussian_matrix"])
        return torch.cat([angles.sin(), angles.cos()], -1)


class MaskDecoder(nn.Module):
    """Tokens of masks and prompts attend to the image and it to them; each mask token then draws its mask."""

    def __init__(self, shape: DecoderShape) -> None:
        super().__init__()
        width = shape.width
        self.transformer = _TwoWay(shape)
        self.iou_token = nn.Embedding(1, width)
        self.mask_tokens = nn.Embedding(MASKS, width)
        self.output_upscaling = nn.Sequential(
            nn.ConvTranspose2d(width, width // 4, 2, 2),
            MapNorm(width // 4),
            nn.GELU(),
            nn.ConvTranspose2d(width // 4, width // 8, 2, 2),
            nn.GELU(),
        )
        self.output_hypernetworks_mlps = nn.ModuleList(
            Perceptron((width, width, width, width // 8)) for _ in range(MASKS)
        )
        self.iou_prediction_head = Perceptron((width, width, width, MASKS))
        self._is_second = shape.is_second
        if shape.is_second:
            self.obj_score_token = nn.Embedding(1, width)
            self.pred_obj_score_head = Perceptron((width, width, width, 1))
            self.conv_s0 = nn.Conv2d(width, width // 8, 1)
            self.conv_s1 = nn.Conv2d(width, width // 4, 1)

    def forward(self, image: Tensor, positions: Tensor, prompts: Tensor, finer: list[Tensor]) -> Decoded:
        """Draw the masks of P prompts on one image.

        Parameters
        ----------
        image : (1, width, grid, grid) Tensor
            Embedding, with what stands for no given mask added.
        positions : (width, grid, grid) Tensor
        prompts : (P, K, width) Tensor
        finer : list of Tensor
            Maps at four and two times the grid, for SAM2 alone.
        """
        fixed = [self.iou_token.weight, self.mask_tokens.weight]
        if self._is_second:
            fixed.insert(0, self.obj_score_token.weight)
        first = torch.cat(fixed)
        tokens = torch.cat([first.expand(len(prompts), -1, -1), prompts], 1)
        tokens, cells = self.transformer(image.expand(len(prompts), -1, -1, -1), positions, tokens)
        start = len(first) - MASKS
        masks = tokens[:, start : start + MASKS]
        drawing = torch.stack([mlp(masks[:, k]) for k, mlp in enumerate(self.output_hypernetworks_mlps)], 1)
        logits = torch.einsum("pmc,pchw->pmhw", drawing, self._upscaled(cells, finer))
        quality = self.iou_prediction_head(tokens[:, start - 1])
        if not self._is_second:
            return Decoded(logits, quality, None)
        return Decoded(logits, quality.sigmoid(), self.pred_obj_score_head(tokens[:, 0]))

    def _upscaled(self, cells: Tensor, finer: list[Tensor]) -> Tensor:
        first, norm, activation, second, last = self.output_upscaling
        if not finer:
            return self.output_upscaling(cells)
        fine, middle = finer
        return last(second(activation(norm(first(cells) + middle))) + fine)


class _TwoWay(nn.Module):
    def __init__(self, shape: DecoderShape) -> None:
        super().__init__()
        self.layers = nn.ModuleList(_Layer(shape, is_first=k == 0) for k in range(shape.layers))
        self.final_attn_token_to_image = _Attention(shape.width, shape.width // 2, shape.heads)
        self.norm_final_attn = nn.LayerNorm(shape.width)

    def forward(self, image: Tensor, positions: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Return tokens and (P, width, grid, grid) cells."""
        cells, where = image.flatten(2).transpose(1, 2), positions.flatten(1).T
        queries = tokens
        for layer in self.layers:
            queries, cells = layer(queries, cells, tokens, where)
        attended = self.final_attn_token_to_image(queries + tokens, cells + where, cells)
        return self.norm_final_attn(queries + attended), cells.transpose(1, 2).view_as(image)


class _Layer(nn.Module):
    def __init__(self, shape: DecoderShape, *, is_first: bool) -> None:
        super().__init__()
        self._is_first = is_first
        width, inner = shape.width, shape.width // 2
        self.self_attn = _Attention(width, width, shape.heads)
        self.cross_attn_token_to_image = _Attention(width, inner, shape.heads)
        self.mlp = Perceptron((width, shape.hidden, width))
        self.cross_attn_image_to_token = _Attention(width, inner, shape.heads)
        self.norm1, self.norm2, self.norm3, self.norm4 = (nn.LayerNorm(width) for _ in range(4))

    def forward(self, queries: Tensor, cells: Tensor, tokens: Tensor, where: Tensor) -> tuple[Tensor, Tensor]:
        """Update queries and cells; `tokens` and `where` are their positions."""
        if self._is_first:  # the queries are the tokens, and are replaced
            queries = self.self_attn(queries, queries, queries)
        else:
            placed = queries + tokens
            queries = queries + self.self_attn(placed, placed, queries)
        queries = self.norm1(queries)
        queries = queries + self.cross_attn_token_to_image(queries + tokens, cells + where, cells)
        queries = self.norm2(queries)
        queries = self.norm3(queries + self.mlp(queries))
        cells = cells + self.cross_attn_image_to_token(cells + where, queries + tokens, queries)
        return queries, self.norm4(cells)


class _Attention(nn.Module):
    def __init__(self, width: int, inner: int, heads: int) -> None:
        super().__init__()
        self._heads = heads
        self.q_proj, self.k_proj, self.v_proj = (nn.Linear(width, inner) for _ in range(3))
        self.out_proj = nn.Linear(inner, width)

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """(P, L, width) of queries and (P, M, width) of keys and values → (P, L, width)."""
        attended = attend(self.q_proj(query), self.k_proj(key), self.v_proj(value), self._heads)
        return self.out_proj(attended)
