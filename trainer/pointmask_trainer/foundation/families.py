"""The published networks that are read here, recognised by the names of their tensors."""

import re
from collections.abc import Iterable
from typing import Literal

from pointmask_trainer.errors import CheckpointError
from pointmask_trainer.published.files import PublishedWeights
from pointmask_trainer.published.keys import stripped

Family = Literal["SAM", "SAM2", "DINOv2", "DINOv3"]

_MARKS: tuple[tuple[str, Family], ...] = (  # the first that fits counts
    (r"image_encoder\.trunk\.", "SAM2"),
    (r"(image|vision)_encoder\.neck\.", "SAM"),
    (r"storage_tokens|reg_token|(model\.)?layer\.0\.|blocks\.0\.(mlp\.w1|gamma_1)", "DINOv3"),
    (r"pos_embed$|embeddings\.position_embeddings$", "DINOv2"),
)


def family_of(names: Iterable[str]) -> Family | None:
    """Return the family that tensors of these names belong to; None if it is none of ours."""
    every = list(names)
    for mark, family in _MARKS:
        if any(re.match(mark, name) for name in every):
            return family
    return None


def check_family(weights: PublishedWeights, wanted: tuple[Family, ...], purpose: str) -> Family:
    """Return the family of a file's weights.

    Raises
    ------
    CheckpointError
        If it is none of those `wanted` for a purpose.
    """
    found = family_of(stripped(weights.tensors))
    if found not in wanted or found is None:
        what = "a network that is not known here" if found is None else found
        raise CheckpointError(
            f"{weights.name} holds the weights of {what}; {purpose} needs those of {' or '.join(wanted)}"
        )
    return found
