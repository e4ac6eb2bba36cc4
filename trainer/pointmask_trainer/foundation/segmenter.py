"""SAM and SAM2 for single images: an image is encoded once, then any number of prompts are decoded."""

from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - as everybody writes it

from pointmask_trainer.foundation.hiera import HieraShape, ImageHiera
from pointmask_trainer.foundation.mask_decoder import (
    BOTTOM_RIGHT,
    PADDING,
    POSITIVE,
    TOP_LEFT,
    Decoded,
    DecoderShape,
    MaskDecoder,
    PromptEncoder,
)
from pointmask_trainer.foundation.vit import ImageViT, ViTShape

_MEAN, _DEVIATION = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)  # of ImageNet, in grey values
_DELTA, _STABLE = 0.05, 0.98
_SAM2_STRIDE = 16


class Encoded(NamedTuple):
    """An image, encoded.

    Attributes
    ----------
    embedding : (1, width, grid, grid) Tensor
    finer : list of Tensor
        Maps at four and two times the grid; empty for SAM.
    """

    embedding: Tensor
    finer: list[Tensor]


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is known of one target, in px of the network's input.

    Attributes
    ----------
    points : list of (float, float)
        Columns and rows; the first is the click.
    kinds : list of int
        Of each point, `POSITIVE` or `NEGATIVE`.
    box : (float, float, float, float), optional
        Left, top, right and bottom.
    """

    points: list[tuple[float, float]]
    kinds: list[int] = field(default_factory=lambda: [POSITIVE])
    box: tuple[float, float, float, float] | None = None


class Segmenter(nn.Module):
    """A promptable segmentation network.

    Parameters
    ----------
    encoder : ViTShape or HieraShape
    decoder : DecoderShape
    side : int
        Of the square input, in px.
    """

    def __init__(self, encoder: ViTShape | HieraShape, decoder: DecoderShape, side: int = 1024) -> None:
        super().__init__()
        self.side, self.is_second = side, decoder.is_second
        self.image_encoder = ImageViT(encoder) if isinstance(encoder, ViTShape) else ImageHiera(encoder)
        self.prompt_encoder = PromptEncoder(decoder.width)
        self.mask_decoder = MaskDecoder(decoder)
        self.grid = encoder.grid if isinstance(encoder, ViTShape) else side // _SAM2_STRIDE
        if self.is_second:
            self.no_mem_embed = nn.Parameter(torch.zeros(1, 1, decoder.width))

    def normalised(self, grey: Tensor) -> Tensor:
        """Turn (N, 1, H, W) grey values from 0 to 255 into the network's three channels."""
        mean, deviation = (grey.new_tensor(values)[:, None, None] for values in (_MEAN, _DEVIATION))
        return (grey - mean) / deviation

    def encode(self, images: Tensor) -> Encoded:
        """Encode a (1, 3, side, side) normalised image, padded with 0."""
        maps = self.image_encoder(images)
        if not self.is_second:
            return Encoded(maps, [])
        fine, middle, coarse = maps
        finer = [self.mask_decoder.conv_s0(fine), self.mask_decoder.conv_s1(middle)]
        return Encoded(coarse + self.no_mem_embed[0][..., None, None], finer)

    def decode(self, encoded: Encoded, prompt: Prompt) -> Decoded:
        """Draw the masks of one prompt."""
        dense = self.prompt_encoder.no_mask_embed.weight[..., None, None]
        return self.mask_decoder(
            encoded.embedding + dense,
            self.prompt_encoder.grid(self.grid),
            self.tokens(prompt),
            encoded.finer,
        )

    def to_frame(self, logits: Tensor, inner: tuple[int, int], frame: tuple[int, int]) -> Tensor:
        """Bring (P, M, h, w) logits to a frame's size.

        Parameters
        ----------
        logits : Tensor
        inner : (int, int)
            Height and width of the frame within the network's input; all of it for SAM2.
        frame : (int, int)
            Of the frame itself.
        """
        if not self.is_second:
            logits = F.interpolate(logits, size=(self.side, self.side), mode="bilinear")
            logits = logits[..., : inner[0], : inner[1]]
        return F.interpolate(logits, size=frame, mode="bilinear")

    def tokens(self, prompt: Prompt) -> Tensor:
        """Encode a prompt, (1, K, width).

        SAM puts a box last, and pads points alone; SAM2 takes its corners for points, and always pads.
        """
        points, kinds = list(prompt.points), list(prompt.kinds)
        if prompt.box is not None:
            corners, corner_kinds = [prompt.box[:2], prompt.box[2:]], [TOP_LEFT, BOTTOM_RIGHT]
            points = [*corners, *points] if self.is_second else [*points, *corners]
            kinds = [*corner_kinds, *kinds] if self.is_second else [*kinds, *corner_kinds]
        if prompt.box is None or self.is_second:
            points, kinds = [*points, (0.0, 0.0)], [*kinds, PADDING]
        device = self.prompt_encoder.no_mask_embed.weight.device
        places = torch.tensor(points, dtype=torch.float32, device=device)
        return self.prompt_encoder(places[None], torch.tensor(kinds, device=device)[None], self.side)


def single(decoded: Decoded, *, falls_back: bool) -> int:
    """Return the index of the mask that stands for an unambiguous prompt.

    Parameters
    ----------
    decoded : Decoded
        Of one prompt.
    falls_back : bool
        As SAM2: if the single mask changes much with the threshold, the best of the other three is taken.
    """
    if falls_back:
        mask = decoded.logits[0, 0]
        wide = int((mask > -_DELTA).sum())
        if wide and int((mask > _DELTA).sum()) / wide < _STABLE:
            return best(decoded)
    return 0


def best(decoded: Decoded) -> int:
    """Return the index of the mask of the highest predicted quality, of the last three."""
    return 1 + int(decoded.quality[0, 1:].argmax())
