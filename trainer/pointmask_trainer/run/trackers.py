"""Callbacks that pass metrics on to TensorBoard, Weights & Biases and MLflow."""

import os
from collections.abc import Mapping
from hashlib import blake2b
from importlib import import_module
from pathlib import Path
from typing import Any

from pointmask.io.files import write_whole
from pointmask_trainer.errors import ConfigError
from pointmask_trainer.run.callbacks import Callback
from pointmask_trainer.run.events import Events, scalars
from pointmask_trainer.run.layout import RunFolder

_PROJECT = "pointmask"


def _imported(name: str) -> Any:  # noqa: ANN401 - untyped modules
    try:
        return import_module(name)
    except ImportError:
        raise ConfigError(
            f"run.callbacks names {name}, which is not installed; install it with: pip install {name}, or "
            "leave it out"
        ) from None


class TensorBoard(Callback):
    """Event files in the folder of the run, as with ``run.tensorboard``."""

    def start(self, folder: Path, settings: Mapping[str, Any], epoch: int) -> None:
        """See `Callback`."""
        self._events = Events(RunFolder(folder).events, epoch)

    def epoch(self, metrics: Mapping[str, Any]) -> None:
        """See `Callback`."""
        self._events.epoch(metrics)


class WandB(Callback):
    """A run of Weights & Biases: project ``WANDB_PROJECT``, or ``pointmask``; a resumed run goes on there."""

    def __init__(self) -> None:
        self._wandb = _imported("wandb")

    def start(self, folder: Path, settings: Mapping[str, Any], epoch: int) -> None:
        """See `Callback`."""
        place = os.fsencode(folder.resolve())
        self._run = self._wandb.init(
            project=os.environ.get("WANDB_PROJECT", _PROJECT),
            name=folder.resolve().name,
            id=blake2b(place, digest_size=8).hexdigest(),
            resume="allow" if epoch else None,
            dir=str(folder),
            config=dict(settings),
        )

    def epoch(self, metrics: Mapping[str, Any]) -> None:
        """See `Callback`."""
        self._run.log(dict(scalars(metrics)), step=metrics["epoch"])

    def end(self, best: Mapping[str, Any]) -> None:
        """See `Callback`."""
        self._run.summary.update({f"best/{name}": value for name, value in scalars(best)})
        self._run.finish()


class MLflow(Callback):
    """A run of MLflow: experiment ``MLFLOW_EXPERIMENT_NAME``, or ``pointmask``.

    Its id is kept in the folder of the training, so that a resumed one goes on there.
    """

    def __init__(self) -> None:
        self._mlflow = _imported("mlflow")

    def start(self, folder: Path, settings: Mapping[str, Any], epoch: int) -> None:
        """See `Callback`."""
        kept = RunFolder(folder).mlflow
        if epoch and kept.is_file():
            self._mlflow.start_run(run_id=kept.read_text("utf-8").strip())
            return
        self._mlflow.set_experiment(os.environ.get("MLFLOW_EXPERIMENT_NAME", _PROJECT))
        run = self._mlflow.start_run(run_name=folder.resolve().name)
        write_whole(kept, f"{run.info.run_id}\n")
        self._mlflow.log_params(dict(settings))

    def epoch(self, metrics: Mapping[str, Any]) -> None:
        """See `Callback`."""
        self._mlflow.log_metrics(dict(scalars(metrics)), step=metrics["epoch"])

    def end(self, best: Mapping[str, Any]) -> None:
        """See `Callback`."""
        self._mlflow.set_tag("best_epoch", str(best.get("epoch", "")))
        self._mlflow.end_run()
