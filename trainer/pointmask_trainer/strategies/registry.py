"""The names of all strategies; loads torch only with the first of them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pointmask.registry import Registry, contract_class
from pointmask.settings import read_table
from pointmask_trainer.errors import ConfigError

if TYPE_CHECKING:
    from pointmask_trainer.strategies.base import Strategy


def _check(name: str, loaded: object) -> "type[Strategy]":
    from pointmask_trainer.strategies.base import Strategy

    return contract_class(loaded, Strategy)  # type: ignore[type-abstract]


STRATEGIES: "Registry[type[Strategy]]" = Registry(
    "strategy",
    "pointmask.strategies",
    {
        "full": "pointmask_trainer.strategies.static.full:Full",
        "point": "pointmask_trainer.strategies.static.point:PointLabels",
        "masks": "pointmask_trainer.strategies.static.masks:Masks",
        "d2d": "pointmask_trainer.strategies.d2d:D2D",
        "joint": "pointmask_trainer.strategies.joint:Joint",
        "lesps": "pointmask_trainer.strategies.evolving.lesps:LESPS",
        "gsacp": "pointmask_trainer.strategies.affinity.gsacp:GSACP",
        "pal": "pointmask_trainer.strategies.evolving.pal:PAL",
        "priors": "pointmask_trainer.strategies.priors.priors:Priors",
        "spire": "pointmask_trainer.strategies.points.spire:Spire",
    },
    _check,
    ConfigError,
)


def make_strategy(name: str, options: Mapping[str, Any]) -> "Strategy":
    """Make a strategy with its options checked.

    Raises
    ------
    ConfigError
        If there is no such strategy or option, or a value is out of its range.
    PluginError
        If the strategy of another package cannot be used.
    """
    kind = STRATEGIES.load(name)
    return kind(read_table(kind.Options, options, ConfigError, "strategy.options"))
