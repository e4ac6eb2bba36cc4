"""Published weights of detectors: how the names of their files become ours.

``acm_unet`` and ``alcnet`` are ACM and ALCNet as LESPS and BasicIRSTD have them, ``dnanet`` is DNANet with
deep supervision as its authors and BasicIRSTD have it, ``mshnet`` is its authors' MSHNet, and ``uiunet`` is
UIU-Net as its authors and BasicIRSTD have it. The ``.pth.tar`` files of ALCNet hold blocks of the decoder
that no forward pass uses; these are left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from pointmask_trainer.errors import CheckpointError
from pointmask_trainer.published.files import PublishedWeights
from pointmask_trainer.published.keys import Rule, fitted, shapes_of, stripped


@dataclass(frozen=True, slots=True)
class Names:
    """
    Names in published files of one detector.

    Attributes
    ----------
    rules : tuple of Rule
        From their names to ours.
    first : str
        Name of a tensor that tells the input channels.
    axis : int
        Its axis whose length they are.
    ignored : tuple of str
        Patterns of names that are not used.
    """

    rules: tuple[Rule, ...]
    first: str = "stem.0.weight"  # a normalisation
    axis: int = 0
    ignored: tuple[str, ...] = ()


_STEM: tuple[Rule, ...] = tuple(
    (rf"^stem\.{k}\.", f"stem.{1 + (k - 1) // 3}.{(k - 1) % 3}.") for k in (1, 2, 4, 5, 7, 8)
)
_BLOCK: tuple[Rule, ...] = (
    (r"\.conv1\.", ".body.0.0."),
    (r"\.bn1\.", ".body.0.1."),
    (r"\.conv2\.", ".body.1.0."),
    (r"\.bn2\.", ".body.1.1."),
    (r"\.downsample\.", ".shortcut."),
)
_FUSION: tuple[Rule, ...] = (
    (r"\.topdown\.1\.", ".top_down.1.0.0."),
    (r"\.topdown\.2\.", ".top_down.1.0.1."),
    (r"\.topdown\.4\.", ".top_down.1.1.0."),
    (r"\.topdown\.5\.", ".top_down.1.1.1."),
    (r"\.bottomup\.0\.", ".bottom_up.0.0."),
    (r"\.bottomup\.1\.", ".bottom_up.0.1."),
    (r"\.bottomup\.3\.", ".bottom_up.1.0."),
    (r"\.bottomup\.4\.", ".bottom_up.1.1."),
)
_HEAD: tuple[Rule, ...] = (
    (r"^head\.block\.0\.", "head.0.0."),
    (r"^head\.block\.1\.", "head.0.1."),
    (r"^head\.block\.4\.", "head.2."),
)

_ATTENTION: tuple[Rule, ...] = (
    (r"\.ca\.fc1\.", ".channel.shared.0."),
    (r"\.ca\.fc2\.", ".channel.shared.2."),
    (r"\.sa\.conv1\.", ".spatial.conv."),
    *_BLOCK,
)


def _nested(stage: str, height: int) -> tuple[Rule, ...]:
    """Rules of one of UIU-Net's nested U-Nets, whose levels are numbered from 1."""
    levels = range(1, height)
    return (
        *((rf"^{stage}\.rebnconv{k}\.", f"{stage}.down.{k - 1}.") for k in levels),
        (rf"^{stage}\.rebnconv{height}\.", f"{stage}.bottom."),
        *((rf"^{stage}\.rebnconv{k}d\.", f"{stage}.up.{height - 1 - k}.") for k in levels),
    )


_UIU_ENCODER = (7, 6, 5, 4, 4, 4)  # heights of stages 1 to 6
_UIU_DECODER = (4, 4, 5, 6, 7)  # of stages 5d to 1d

NAMES: Mapping[str, Names] = {
    "acm_unet": Names(
        (
            *_STEM,
            *_BLOCK,
            *_FUSION,
            *_HEAD,
            (r"^layer([123])\.", r"body.encoder.stage\1."),
            (r"^deconv([12])\.", r"body.up\1."),
            (r"^uplayer([12])\.", r"body.refine\1."),
            (r"^(fuse[12]|head)\.", r"body.\1."),
        )
    ),
    "alcnet": Names(
        (
            *_STEM,
            *_BLOCK,
            *_FUSION,
            *_HEAD,
            (r"^layer([123])\.", r"encoder.stage\1."),
            (r"^deconv([012])\.", r"up\1."),
            (r"^fuse23\.", "fuse2."),
            (r"^fuse12\.", "fuse1."),
        ),
        ignored=(r"uplayer[12]\.",),
    ),
    "dnanet": Names(
        (
            *_ATTENTION,
            (r"^conv0_4_final\.0\.", "final."),
            *((rf"^conv0_{level}_1x1\.", f"laterals.{level - 1}.") for level in (1, 2, 3, 4)),
            (r"^conv(\d)_(\d)\.", r"nodes.\1_\2."),
            (r"^final4\.", "head."),
            *((rf"^final{k}\.", f"side_heads.{k - 1}.") for k in (1, 2, 3)),
        ),
        first="conv0_0.0.conv1.weight",
        axis=1,
    ),
    "mshnet": Names(
        (
            *_ATTENTION,
            (r"^conv_init\.", "stem."),
            (r"^encoder_0\.0\.", "encoder.0."),
            (r"^encoder_([123])\.", r"encoder.\1."),
            (r"^middle_layer\.", "encoder.4."),
            (r"^decoder_0\.0\.", "decoder.3."),
            *((rf"^decoder_{level}\.", f"decoder.{3 - level}.") for level in (1, 2, 3)),
            (r"^output_([0-3])\.", r"heads.\1."),
            (r"^final\.", "join."),
        ),
        first="conv_init.weight",
        axis=1,
    ),
    "uiunet": Names(
        (
            *((rf"^stage{k}\.", f"encoder.{k - 1}.") for k in range(1, 7)),
            *((rf"^stage{k}d\.", f"decoder.{5 - k}.") for k in range(1, 6)),
            *(rule for k, height in enumerate(_UIU_ENCODER) for rule in _nested(f"encoder.{k}", height)),
            *(rule for k, height in enumerate(_UIU_DECODER) for rule in _nested(f"decoder.{k}", height)),
            (r"\.rebnconvin\.", ".entry."),
            (r"\.conv_s1\.", ".0."),
            (r"\.bn_s1\.", ".1."),
            *((rf"^fuse{k}\.", f"joins.{5 - k}.") for k in range(2, 6)),
            (r"\.feature_high\.", ".entry."),
            *((rf"\.topdown\.{k}\.", f".per_channel.1.{k - 1}.") for k in (1, 2)),
            *((rf"\.topdown\.{k}\.", f".per_channel.2.{k - 4}.") for k in (4, 5)),
            (r"\.bottomup\.([01])\.", r".squeeze.\1."),
            (r"\.bottomup\.3\.conv1\.", ".per_pixel."),
            *((rf"^side{k}\.", f"sides.{k - 1}.") for k in range(1, 7)),
            (r"^outconv\.", "fuse."),
        ),
        first="stage1.rebnconvin.conv_s1.weight",
        axis=1,
    ),
}
"""By detector. A detector that is not here reads files that have our own names."""


def channels_of(weights: PublishedWeights, name: str) -> int:
    """Return the input channels of published weights, by their first tensor."""
    names = NAMES.get(name, Names(()))
    first = stripped(weights.tensors).get(names.first)
    return int(first.shape[names.axis]) if name in NAMES and first is not None else 1


def detector_weights(weights: PublishedWeights, name: str, network: nn.Module) -> dict[str, Tensor]:
    """
    Return published weights under the names of our network, each checked.

    Parameters
    ----------
    weights : PublishedWeights
    name : str
        Of the detector.
    network : Module
        The detector as built, whose names and shapes are wanted.

    Raises
    ------
    CheckpointError
        If a tensor is missing, unknown or of another shape; names the detectors whose files are known.
    """
    names = NAMES.get(name, Names(()))
    try:
        return fitted(weights, shapes_of(network), names.rules, names.ignored)
    except CheckpointError as error:
        known = ", ".join(NAMES)
        raise CheckpointError(
            f"{error}; published files are known of {known}, of others those with our own names"
        ) from None
