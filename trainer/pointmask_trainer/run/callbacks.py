"""Who else is told of a training: TensorBoard, Weights & Biases, MLflow, or a class of another package.

``--set run.callbacks='["wandb"]'`` names them. A package adds its own, derived from `Callback`, with an entry
point of the group ``pointmask.callbacks``. The packages behind them are imported only when they are named.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from traceback import format_exception_only
from typing import Any

from pointmask.registry import Registry, contract_class
from pointmask_trainer.errors import ConfigError


class Callback:
    """Told what happens in a training; a class of one's own overrides what it needs.

    In a training of several processes only the first has callbacks. What `start` raises ends the training
    before its first epoch; what the others raise is reported, and the callback is told no more.
    """

    def start(self, folder: Path, settings: Mapping[str, Any], epoch: int) -> None:
        """Prepare for a run, or for its going on.

        Parameters
        ----------
        folder : Path
            Of the run.
        settings : Mapping of str to value
            All settings by their names, such as ``optim.lr``.
        epoch : int
            Finished epochs, 0 at the beginning.
        """

    def epoch(self, metrics: Mapping[str, Any]) -> None:
        """Take in the metrics of an epoch, a line of ``metrics.jsonl``."""

    def end(self, best: Mapping[str, Any]) -> None:
        """Take in the metrics of the best epoch, after the last."""


def _check(name: str, loaded: object) -> type[Callback]:
    return contract_class(loaded, Callback)


CALLBACKS: Registry[type[Callback]] = Registry(
    "callback",
    "pointmask.callbacks",
    {
        "tensorboard": "pointmask_trainer.run.trackers:TensorBoard",
        "wandb": "pointmask_trainer.run.trackers:WandB",
        "mlflow": "pointmask_trainer.run.trackers:MLflow",
    },
    _check,
    ConfigError,
)


class Told:
    """The callbacks of a run, of which none can end it.

    Parameters
    ----------
    callbacks : sequence of (str, Callback)
        With their names, for messages.
    say : callable
        Takes a line of text.
    """

    def __init__(self, callbacks: Sequence[tuple[str, Callback]], say: Callable[[str], None]) -> None:
        self._callbacks, self._say = list(callbacks), say

    def start(self, folder: Path, settings: Mapping[str, Any], epoch: int) -> None:
        """Start all; their errors are raised."""
        for _, callback in self._callbacks:
            callback.start(folder, settings, epoch)

    def epoch(self, metrics: Mapping[str, Any]) -> None:
        """Tell all of an epoch; each gets figures of its own, which it may change."""
        self._tell(lambda callback: callback.epoch(deepcopy(metrics)))

    def end(self, best: Mapping[str, Any]) -> None:
        """Tell all that the run is over."""
        self._tell(lambda callback: callback.end(deepcopy(best)))

    def _tell(self, call: Callable[[Callback], None]) -> None:
        self._callbacks = [pair for pair in self._callbacks if self._succeeds(*pair, call)]

    def _succeeds(self, name: str, callback: Callback, call: Callable[[Callback], None]) -> bool:
        """Say whether a callback is to be told further."""
        try:
            call(callback)
        except (Exception, SystemExit) as error:  # of a package that a training of days must not depend on
            *_, reason = format_exception_only(error)  # str(error) may fail, too
            self._say(f"callback {name} failed and is told no more ({reason.strip()})")
            return False
        return True


def named_callbacks(names: Sequence[str]) -> list[tuple[str, Callback]]:
    """Make the callbacks of these names.

    Raises
    ------
    ConfigError
        If there is none of a name, or its package is missing.
    """
    return [(name, CALLBACKS.load(name)()) for name in dict.fromkeys(names)]
