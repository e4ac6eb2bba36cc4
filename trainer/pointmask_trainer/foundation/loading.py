"""SAM and SAM2 built as a file of weights describes them, and filled with it."""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Literal, NamedTuple

from torch import Tensor

from pointmask_trainer.errors import CheckpointError
from pointmask_trainer.foundation.families import Family, check_family
from pointmask_trainer.foundation.hiera import PUBLISHED, HieraShape
from pointmask_trainer.foundation.mask_decoder import DecoderShape
from pointmask_trainer.foundation.segmenter import Segmenter
from pointmask_trainer.foundation.vit import ViTShape
from pointmask_trainer.published.files import read_weights
from pointmask_trainer.published.keys import Rule, checked, renamed, shapes_of

_PUBLISHED_NAMES: tuple[Rule, ...] = (
    (r"^sam_(prompt_encoder|mask_decoder)\.", r"\1."),
    (r"\.mlp\.lin1\.", ".mlp.layers.0."),
    (r"\.mlp\.lin2\.", ".mlp.layers.1."),
)
_HUB_NAMES: tuple[Rule, ...] = (  # of SAM; those that turn them into the published ones
    (r"^vision_encoder\.", "image_encoder."),
    (r"^image_encoder\.layers\.", "image_encoder.blocks."),
    (r"\.patch_embed\.projection\.", ".patch_embed.proj."),
    (r"\.neck\.conv1\.", ".neck.0."),
    (r"\.neck\.layer_norm1\.", ".neck.1."),
    (r"\.neck\.conv2\.", ".neck.2."),
    (r"\.neck\.layer_norm2\.", ".neck.3."),
    (
        r"^(shared_image_embedding|prompt_encoder\.shared_embedding)\.positional_embedding$",
        "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix",
    ),
    (r"\.point_embed\.", ".point_embeddings."),
    (r"\.upscale_conv1\.", ".output_upscaling.0."),
    (r"\.upscale_layer_norm\.", ".output_upscaling.1."),
    (r"\.upscale_conv2\.", ".output_upscaling.3."),
    (r"\.layer_norm_final_attn\.", ".norm_final_attn."),
    (r"\.layer_norm(\d)\.", r".norm\1."),
    (r"(mlps\.\d|iou_prediction_head)\.layers\.0\.", r"\1.layers.1."),
    (r"\.proj_in\.", ".layers.0."),
    (r"\.proj_out\.", ".layers.2."),
)
_IGNORED = (  # parts that read given masks, or follow objects through a video
    r"(sam_)?prompt_encoder\.(mask_downscaling|mask_embed)\.",
    r"memory_|maskmem_|obj_ptr_|no_obj_|no_mem_pos_enc|mask_downsample",
)
_FAMILIES: dict[str, Family] = {"sam": "SAM", "sam2": "SAM2"}


class LoadedSegmenter(NamedTuple):
    """A network with published weights.

    Attributes
    ----------
    network : Segmenter
        In eval mode; its parameters need no gradient.
    digest : str
        See `pointmask_trainer.published.files.PublishedWeights.digest`.
    """

    network: Segmenter
    digest: str


def load_segmenter(
    source: str | Path,
    kind: Literal["sam", "sam2"],
    *,
    hieras: Sequence[HieraShape] = PUBLISHED,
    heads: int = 8,
    side: int = 1024,
) -> LoadedSegmenter:
    """Load SAM or SAM2 from a local file.

    Parameters
    ----------
    source : str or Path
        As `pointmask_trainer.published.files.read_weights` reads it: the publisher's file, or for SAM that of
        a model hub.
    kind : {"sam", "sam2"}
    hieras, heads, side : optional
        Encoders of SAM2, heads of the decoder and side of SAM2's input that tensors do not tell; by default
        those of the published networks.

    Raises
    ------
    CheckpointError
        If the file cannot be read, or is not of this network.
    """
    weights = read_weights(source)
    check_family(weights, (_FAMILIES[kind],), f"method {kind}")
    is_hub = any("vision_encoder." in name for name in weights.tensors)
    rules = (*_HUB_NAMES, *_PUBLISHED_NAMES) if is_hub else _PUBLISHED_NAMES
    tensors = renamed(weights, rules, _IGNORED)
    sizes = Sizes(weights.name, tensors)
    if kind == "sam":
        encoder = _vit(sizes)
        network = Segmenter(encoder, _decoder(sizes, heads), encoder.grid * encoder.patch)
    else:
        network = Segmenter(_hiera(sizes, hieras), _decoder(sizes, heads, is_second=True), side)
    network.load_state_dict(checked(weights.name, tensors, shapes_of(network)))
    return LoadedSegmenter(network.eval().requires_grad_(False), weights.digest)


class Sizes:
    """Sizes read off the tensors of a file."""

    def __init__(self, source: str, tensors: Mapping[str, Tensor]) -> None:
        self.source, self._tensors = source, tensors

    def of(self, name: str, axis: int, axes: int) -> int:
        """Return the length of an axis of a tensor that has `axes` of them.

        Raises
        ------
        CheckpointError
            If the tensor is not there or has another number of axes.
        """
        value = self._tensors.get(name)
        if value is None or value.dim() != axes or 0 in value.shape:
            raise CheckpointError(
                f"{self.source} has no tensor {name} of {axes} axes, from which the network's size is read; "
                "give the whole file as published"
            )
        return value.shape[axis]

    def numbers(self, pattern: str) -> list[int]:
        """Return the numbers in the tensors' names, sorted, each once; the pattern has one group."""
        found = (re.match(pattern, name) for name in self._tensors)
        return sorted({int(match[1]) for match in found if match})


def _vit(sizes: Sizes) -> ViTShape:
    block = "image_encoder.blocks"
    width = sizes.of("image_encoder.pos_embed", 3, 4)
    blocks = sizes.numbers(rf"{re.escape(block)}\.(\d+)\.")
    return ViTShape(
        patch=sizes.of("image_encoder.patch_embed.proj.weight", 2, 4),
        grid=sizes.of("image_encoder.pos_embed", 1, 4),
        width=width,
        hidden=sizes.of(f"{block}.0.mlp.layers.0.weight", 0, 2),
        heads=width // sizes.of(f"{block}.0.attn.rel_pos_h", 1, 2),
        windows=tuple((sizes.of(f"{block}.{k}.attn.rel_pos_h", 0, 2) + 1) // 2 for k in blocks),
        out=sizes.of("image_encoder.neck.0.weight", 0, 4),
    )


def _hiera(sizes: Sizes, known: Sequence[HieraShape]) -> HieraShape:
    block = r"image_encoder\.trunk\.blocks"
    width = sizes.of("image_encoder.trunk.patch_embed.proj.weight", 0, 4)
    depth = len(sizes.numbers(rf"{block}\.(\d+)\."))
    starts = [0, *sizes.numbers(rf"{block}\.(\d+)\.proj\.weight$"), depth]
    stages = tuple(end - start for start, end in pairwise(starts))
    for shape in known:
        if (shape.width, shape.stages) == (width, stages):
            return shape
    raise CheckpointError(
        f"{sizes.source} holds an encoder of {width} channels with stages of {stages} blocks, which is "
        "none of SAM 2 and 2.1 (tiny, small, base plus, large); give one of these"
    )


def _decoder(sizes: Sizes, heads: int, *, is_second: bool = False) -> DecoderShape:
    layers = "mask_decoder.transformer.layers"
    return DecoderShape(
        width=sizes.of("mask_decoder.mask_tokens.weight", 1, 2),
        hidden=sizes.of(f"{layers}.0.mlp.layers.0.weight", 0, 2),
        heads=heads,
        layers=len(sizes.numbers(rf"{re.escape(layers)}\.(\d+)\.")),
        is_second=is_second,
    )
