"""Optional TensorBoard event files with the metrics of ``metrics.jsonl``."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from pointmask.advice import install
from pointmask_trainer.errors import ConfigError
from pointmask_trainer.run.layout import RunFolder


class Log(Protocol):
    """Writer of the metrics of each epoch."""

    def epoch(self, metrics: Mapping[str, Any]) -> None:
        """Write one epoch."""


class NoEvents:
    """Writer that discards everything."""

    def epoch(self, metrics: Mapping[str, Any]) -> None:
        """Do nothing."""


class Events:
    """Writer of the event files of one run.

    Parameters
    ----------
    folder : Path
        Created if it does not exist.
    epoch : int
        Number of finished epochs; events of an earlier process beyond it are purged.

    Raises
    ------
    ConfigError
        If TensorBoard is not installed.
    """

    def __init__(self, folder: Path, epoch: int) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise ConfigError(
                f"run.tensorboard = true needs tensorboard; install it with: {install('tensorboard')}, or "
                "leave the setting out"
            ) from None
        make: Any = SummaryWriter  # untyped
        self._writer = make(str(folder), purge_step=epoch + 1)

    def epoch(self, metrics: Mapping[str, Any]) -> None:
        """Write each number under its key, numbers of nested tables as ``table/key``."""
        for name, value in scalars(metrics):
            self._writer.add_scalar(name, value, metrics["epoch"])
        self._writer.flush()


def open_events(run: Path, epoch: int, *, use: bool) -> Log:
    """Return a writer of the event files of a run if `use`, else one that discards everything.

    Raises
    ------
    ConfigError
        If `use` is set and TensorBoard is not installed.
    """
    return Events(RunFolder(run).events, epoch) if use else NoEvents()


def scalars(metrics: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    """Yield the name and value of every number except the epoch, which serves as the step."""
    for key, value in metrics.items():
        if isinstance(value, Mapping):
            yield from scalars(value, f"{prefix}{key}/")
        elif value is not None and key != "epoch":
            yield f"{prefix}{key}", float(value)
