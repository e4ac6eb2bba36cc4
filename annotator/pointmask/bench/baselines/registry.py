"""The names of all annotators that `pointmask bench` knows; loads neither numpy nor any of them."""

from typing import TYPE_CHECKING

from pointmask.errors import MethodError, PluginError
from pointmask.registry import Registry, contract_class

if TYPE_CHECKING:
    from pointmask.bench.baselines.base import Baseline

OURS = "ours"


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
    },
    _check,
    MethodError,
)
