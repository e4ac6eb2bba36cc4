"""TensorBoard event files with the figures of ``metrics.jsonl``, for those who ask for them."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from pointmask_trainer.errors import ConfigError
from pointmask_trainer.run.layout import RunFolder


class Log(Protocol):
    """Takes the metrics of each epoch."""

    def epoch(self, metrics: Mapping[str, Any]) -> None:
        """Write one epoch."""


class NoEvents:
    """Writes nothing."""

    def epoch(self, metrics: Mapping[str, Any]) -> None:
        """Do nothing."""


class Events:
    """Event files of one run.

    Parameters
    ----------
    folder : Path
        Made as needed.
    epoch : int
        Epochs finished before: what an earlier process wrote beyond it is declared void.

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
                "run.tensorboard = true needs tensorboard; install it with: "
                "pip install 'pointmask[tensorboard]', or leave the setting out"
            ) from None
        make: Any = SummaryWriter  # it carries no types
        self._writer = make(str(folder), purge_step=epoch + 1)

    def epoch(self, metrics: Mapping[str, Any]) -> None:
        """Write each number under its key, those of tables as ``table/key``."""
        for name, value in scalars(metrics):
            self._writer.add_scalar(name, value, metrics["epoch"])
        self._writer.flush()


def open_events(run: Path, epoch: int, *, use: bool) -> Log:
    """Open the event files of a run, or nothing.

    Raises
    ------
    ConfigError
        If they are used, and TensorBoard is not installed.
    """
    return Events(RunFolder(run).events, epoch) if use else NoEvents()


def scalars(metrics: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    """Yield name and value of every number but the epoch, which is the step."""
    for key, value in metrics.items():
        if isinstance(value, Mapping):
            yield from scalars(value, f"{prefix}{key}/")
        elif value is not None and key != "epoch":
            yield f"{prefix}{key}", float(value)
