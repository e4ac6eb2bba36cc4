"""The names of all annotators that `pointmask bench` knows; loads neither numpy nor any of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pointmask.advice import install
from pointmask.errors import MethodError, PluginError
from pointmask.registry import Registry, contract_class

if TYPE_CHECKING:
    from pointmask.bench.baselines.base import Baseline

OURS = "ours"
_SEGMENTERS = "pointmask_trainer.foundation.annotate"  # needs torch, and is imported by its name alone


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """Weights that pointmask does not ship.

    Attributes
    ----------
    key : str
        Name by which a user gives the file; methods of one network share it.
    source : str
        Which file, how large, under which licence, and where it is published.
    """

    key: str
    source: str


_SAM = PublishedFile(
    "sam",
    "sam_vit_b_01ec64.pth (375 MB, Apache-2.0) of github.com/facebookresearch/segment-anything, "
    "or vit_l, vit_h, or model.safetensors of facebook/sam-vit-base",
)
_SAM2 = PublishedFile(
    "sam2",
    "sam2.1_hiera_tiny.pt (156 MB, Apache-2.0) of github.com/facebookresearch/sam2, or small, base_plus, "
    "large, or SAM 2.0's",
)
WEIGHTS: Mapping[str, PublishedFile] = {
    **dict.fromkeys(("sam", "sam_point", "sam_box", "sam_negatives"), _SAM),
    **dict.fromkeys(("sam2", "sam2_point", "sam2_box", "sam2_negatives"), _SAM2),
}
"""The methods that need a file of weights."""


def _check(name: str, loaded: object) -> "type[Baseline]":
    from pointmask.bench.baselines.base import Baseline

    kind = contract_class(loaded, Baseline)  # type: ignore[type-abstract]
    if not isinstance(getattr(kind, "label", None), str):
        raise PluginError(f"{kind.__qualname__} has no label; set it to the name that tables show")
    return kind


BASELINES: "Registry[type[Baseline]]" = Registry(
    "method",
    "pointmask.baselines",
    {
        OURS: "pointmask.bench.baselines.ours:Ours",
        "mclc": "pointmask.bench.baselines.mclc:MCLC",
        "d2d": "pointmask.bench.baselines.d2d:D2DMonteCarlo",
        "com": "pointmask.bench.baselines.com:COM",
        "pgc2f": "pointmask.bench.baselines.pgc2f:PGC2F",
        "threshold": "pointmask.bench.baselines.threshold:Threshold",
        "sam": f"{_SEGMENTERS}:SAM",
        "sam_point": f"{_SEGMENTERS}:SAMPoint",
        "sam_box": f"{_SEGMENTERS}:SAMBox",
        "sam_negatives": f"{_SEGMENTERS}:SAMNegatives",
        "sam2": f"{_SEGMENTERS}:SAM2",
        "sam2_point": f"{_SEGMENTERS}:SAM2Point",
        "sam2_box": f"{_SEGMENTERS}:SAM2Box",
        "sam2_negatives": f"{_SEGMENTERS}:SAM2Negatives",
    },
    _check,
    MethodError,
)

READY = tuple(name for name in BASELINES.ours if name not in WEIGHTS)
"""Our methods that need no file: the default of comparisons."""


def check_weights(methods: Sequence[str], weights: Mapping[str, Path]) -> None:
    """Check that methods and files of weights go together.

    Parameters
    ----------
    methods : sequence of str
        Names in `BASELINES`.
    weights : Mapping of str to Path
        By `PublishedFile.key`.

    Raises
    ------
    MethodError
        If a method lacks its file, or a file belongs to none of the methods.
    """
    needed = {name: WEIGHTS[name] for name in methods if name in WEIGHTS}
    for name, published in needed.items():
        if published.key not in weights:
            raise MethodError(
                f"method {name} needs weights, which pointmask neither ships nor fetches: download "
                f"{published.source}, then add --weights {published.key}=FILE"
            )
    if unused := sorted(set(weights) - {published.key for published in needed.values()}):
        keys = ", ".join(dict.fromkeys(published.key for published in WEIGHTS.values()))
        raise MethodError(
            f"weights of {unused[0]!r} belong to none of the methods {', '.join(methods)}; weights are those "
            f"of {keys}: name a method that uses them, or leave them out"
        )


def make_baseline(name: str, weights: Mapping[str, Path] | None = None) -> "Baseline":
    """Make a method, with its weights where it needs some.

    Parameters
    ----------
    name : str
        One of `BASELINES`.
    weights : Mapping of str to Path, optional
        By `PublishedFile.key`.

    Raises
    ------
    MethodError
        If there is no such method, it lacks its weights, or torch is not installed and it needs torch.
    PointmaskError
        If the weights cannot be read, or are of another network.
    """
    if name not in WEIGHTS:
        return BASELINES.load(name)()
    check_weights([name], {key: path for key, path in (weights or {}).items() if key == WEIGHTS[name].key})
    try:
        kind: Callable[..., Baseline] = BASELINES.load(name)
    except ImportError as error:
        raise MethodError(
            f"method {name} needs torch ({error}); install it with: {install('train')}"
        ) from None
    return kind((weights or {})[WEIGHTS[name].key])
