"""Detectors trained on pointmask's pseudo-masks; imports pointmask, never the other way round.

The names below are the public face: they stay where they are when inner modules move. Each is imported on
first use, so that a command's help loads no torch. Inside, `training` drives a loop over `data` and
`detectors` that asks a strategy of `strategies` what to learn from; a run's files are `run`.
Open first: ``training/train.py``.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pointmask_trainer.config import Config as Config
    from pointmask_trainer.config import load_config as load_config
    from pointmask_trainer.data.split import load_masks as load_masks
    from pointmask_trainer.detectors.base import Detector as Detector
    from pointmask_trainer.detectors.registry import build as build
    from pointmask_trainer.inference.evaluate import Evaluation as Evaluation
    from pointmask_trainer.inference.evaluate_folder import evaluate_folder as evaluate_folder
    from pointmask_trainer.inference.predict import predict_source as predict_source
    from pointmask_trainer.inference.tiles import predict as predict
    from pointmask_trainer.run.callbacks import Callback as Callback
    from pointmask_trainer.run.checkpoint import load_model as load_model
    from pointmask_trainer.strategies.base import Folder as Folder
    from pointmask_trainer.strategies.base import Strategy as Strategy
    from pointmask_trainer.strategies.training import Training as Training
    from pointmask_trainer.training.train import Source as Source
    from pointmask_trainer.training.train import Watcher as Watcher
    from pointmask_trainer.training.train import train as train

_HOMES = {
    "Callback": "run.callbacks",
    "Config": "config",
    "Detector": "detectors.base",
    "Evaluation": "inference.evaluate",
    "Folder": "strategies.base",
    "Source": "training.train",
    "Strategy": "strategies.base",
    "Training": "strategies.training",
    "Watcher": "training.train",
    "build": "detectors.registry",
    "evaluate_folder": "inference.evaluate_folder",
    "load_config": "config",
    "load_masks": "data.split",
    "load_model": "run.checkpoint",
    "predict": "inference.tiles",
    "predict_source": "inference.predict",
    "train": "training.train",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:  # noqa: ANN401 - the type depends on the name
    if name not in _HOMES:
        raise AttributeError(f"module 'pointmask_trainer' has no attribute {name!r}")
    value = getattr(import_module(f"pointmask_trainer.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
