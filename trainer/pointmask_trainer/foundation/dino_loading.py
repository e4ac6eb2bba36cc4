"""DINOv2 and DINOv3 built as a file of weights describes them, by the names of the publisher and of hubs."""

import math
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from pointmask_trainer.errors import CheckpointError
from pointmask_trainer.foundation.dino import Dino, DinoShape
from pointmask_trainer.foundation.families import Family, check_family
from pointmask_trainer.foundation.loading import Sizes
from pointmask_trainer.published.files import read_weights
from pointmask_trainer.published.keys import Rule, checked, renamed, shapes_of

LICENCES = {
    "DINOv2": "DINOv2's weights are under Apache-2.0",
    "DINOv3": "DINOv3's weights are under the DINOv3 License, which among others forbids military, weapons, "
    "nuclear and espionage uses and wants acknowledgement in publications",
}

_RULES: tuple[Rule, ...] = (
    (r"^embeddings\.position_embeddings$", "pos_embed"),
    (r"^embeddings\.patch_embeddings\.(projection\.)?", "patch_embed.proj."),
    (r"^embeddings\.", ""),
    (r"^(encoder\.)?layer\.", "blocks."),
    (r"^layernorm\.", "norm."),
    (r"^(storage_tokens|reg_token)$", "register_tokens"),
    (r"\.attention\.attention\.(query|key|value)\.", r".attn.\1."),
    (r"\.attention\.output\.dense\.", ".attn.proj."),
    (r"\.attention\.o_proj\.", ".attn.proj."),
    (r"\.attention\.q_proj\.", ".attn.query."),
    (r"\.attention\.k_proj\.", ".attn.key."),
    (r"\.attention\.v_proj\.", ".attn.value."),
    (r"\.layer_scale([12])\.lambda1$", r".ls\1.gamma"),
    (r"\.gamma_([12])$", r".ls\1.gamma"),
    (r"\.mlp\.(gate_proj|fc1_g)\.", ".mlp.w1."),
    (r"\.mlp\.(up_proj|fc1_x)\.", ".mlp.w2."),
    (r"\.mlp\.down_proj\.", ".mlp.w3."),
    (r"\.attn\.([qv])_bias$", r".attn.\1.bias"),
    (r"\.attn\.q\.bias$", ".attn.query.bias"),
    (r"\.attn\.v\.bias$", ".attn.value.bias"),
)
_IGNORED = (r"(embeddings\.)?mask_token", r"rope_embed\.", r".*\.bias_mask$", r"dino_head\.|ibot_head\.")


class LoadedDino(NamedTuple):
    """A network with published weights.

    Attributes
    ----------
    network : Dino
        In eval mode; its parameters need no gradient.
    family : {"DINOv2", "DINOv3"}
    digest : str
        See `pointmask_trainer.published.files.PublishedWeights.digest`.
    """

    network: Dino
    family: Family
    digest: str


def load_dino(source: str | Path, *, heads: int | None = None) -> LoadedDino:
    """Load DINOv2 or DINOv3 from a local file.

    Parameters
    ----------
    source : str or Path
        As `pointmask_trainer.published.files.read_weights` reads it.
    heads : int, optional
        By default one for every 64 channels, as published.

    Raises
    ------
    CheckpointError
        If the file cannot be read, or is not of these networks.
    """
    weights = read_weights(source)
    family = check_family(weights, ("DINOv2", "DINOv3"), "a foundation model as teacher")
    tensors = _merged(renamed(weights, _RULES, _IGNORED))
    if "blocks.0.mlp.w1.weight" in tensors and "blocks.0.mlp.fc2.weight" in tensors:  # timm's third layer
        tensors = {name.replace(".mlp.fc2.", ".mlp.w3."): value for name, value in tensors.items()}
    sizes = Sizes(weights.name, tensors)
    network = Dino(_shape(sizes, tensors, heads))
    network.load_state_dict(checked(weights.name, tensors, shapes_of(network)))
    return LoadedDino(network.eval().requires_grad_(False), family, weights.digest)


def _merged(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Join queries, keys and values of hubs; in DINOv3 keys have no bias, whatever is stored."""
    merged = dict(tensors)
    is_third = "pos_embed" not in tensors
    for number in sorted({name.split(".")[1] for name in tensors if name.startswith("blocks.")}):
        prefix = f"blocks.{number}.attn"
        if f"{prefix}.query.weight" in merged:
            parts = [merged.pop(f"{prefix}.{part}.weight", None) for part in ("query", "key", "value")]
            if all(part is not None for part in parts):
                merged[f"{prefix}.qkv.weight"] = torch.cat([part for part in parts if part is not None])
        weight = merged.get(f"{prefix}.qkv.weight")
        if weight is None or weight.dim() != 2:
            continue
        width = weight.shape[1]
        biases = [merged.pop(f"{prefix}.{part}.bias", None) for part in ("query", "key", "value")]
        if f"{prefix}.qkv.bias" not in merged and (is_third or any(bias is not None for bias in biases)):
            merged[f"{prefix}.qkv.bias"] = torch.cat(
                [weight.new_zeros(width) if bias is None else bias for bias in biases]
            )
        bias = merged.get(f"{prefix}.qkv.bias")
        if is_third and bias is not None and bias.shape == (3 * width,):
            merged[f"{prefix}.qkv.bias"] = torch.cat([bias[:width], bias[:width] * 0, bias[2 * width :]])
    return merged


def _shape(sizes: Sizes, tensors: dict[str, Tensor], heads: int | None) -> DinoShape:
    width = sizes.of("cls_token", 2, 3)
    is_gated = "blocks.0.mlp.w1.weight" in tensors
    table = tensors.get("pos_embed")
    rows = 0 if table is None or table.dim() != 3 else table.shape[1] - 1
    if rows != math.isqrt(max(rows, 0)) ** 2:
        raise CheckpointError(
            f"{sizes.source} has {rows} positions, which are no square; give the whole file"
        )
    first = "blocks.0.mlp.w1.weight" if is_gated else "blocks.0.mlp.fc1.weight"
    return DinoShape(
        patch=sizes.of("patch_embed.proj.weight", 2, 4),
        width=width,
        depth=len(sizes.numbers(r"blocks\.(\d+)\.")),
        heads=max(1, width // 64) if heads is None else heads,
        hidden=sizes.of(first, 0, 2),
        registers=sizes.of("register_tokens", 1, 3) if "register_tokens" in tensors else 0,
        grid=math.isqrt(max(rows, 0)),
        is_gated=is_gated,
    )
