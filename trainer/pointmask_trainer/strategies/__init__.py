"""Ways to supervise a detector, one file each; the table names them without importing them."""

import difflib
from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any

from pointmask.settings import read_table
from pointmask_trainer.errors import ConfigError
from pointmask_trainer.strategies.base import Strategy

STRATEGIES: Mapping[str, str] = MappingProxyType(
    {
        "full": "pointmask_trainer.strategies.full:Full",
        "point": "pointmask_trainer.strategies.point:PointLabels",
        "masks": "pointmask_trainer.strategies.masks:Masks",
        "d2d": "pointmask_trainer.strategies.d2d:D2D",
        "joint": "pointmask_trainer.strategies.joint:Joint",
    }
)
"""Name of each strategy and where its class lives (``module:class``)."""


def strategy_class(name: str) -> type[Strategy]:
    """Return the class of a strategy.

    Raises
    ------
    ConfigError
        If there is no such strategy.
    """
    if name not in STRATEGIES:
        near = difflib.get_close_matches(name, STRATEGIES, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ConfigError(f"no strategy is called {name!r}; {hint}choose one of {', '.join(STRATEGIES)}")
    module, attribute = STRATEGIES[name].split(":")
    kind: type[Strategy] = getattr(import_module(module), attribute)
    return kind


def make_strategy(name: str, options: Mapping[str, Any]) -> Strategy:
    """Make a strategy with its options checked.

    Raises
    ------
    ConfigError
        If there is no such strategy or option, or a value is out of its range.
    """
    kind = strategy_class(name)
    return kind(read_table(kind.Options, options, ConfigError, "strategy.options"))
