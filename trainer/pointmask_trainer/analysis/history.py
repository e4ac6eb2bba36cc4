"""The history of a run by epoch: losses and weights of its images, theta, and the quality of its labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointmask.errors import PointmaskError
from pointmask.io.points.lists import read_ids
from pointmask.regular import read_regular
from pointmask_trainer.analysis.epochs import Floats, image_table, last_epochs, mean_over_epochs
from pointmask_trainer.config import Config, from_toml
from pointmask_trainer.errors import DataError
from pointmask_trainer.operator.theta import ENTRIES
from pointmask_trainer.run.journal import EpochJournal
from pointmask_trainer.run.layout import RunFolder
from pointmask_trainer.strategies.base import Strategy
from pointmask_trainer.strategies.registry import STRATEGIES, make_strategy

Entries = Mapping[str, Floats]


@dataclass(frozen=True, slots=True, eq=False)
class ThetaUpdate:
    """Theta after one update.

    Attributes
    ----------
    epoch : int
        Epoch after which it took place.
    entries : mapping of name to array
        As in `Theta`: numbers, or arrays of one number per stage or weight.
    offline, detector : float
        Both parts of the loss before the update: against the offline labels and against the detector's
        response. NaN where a strategy has no such parts.
    """

    epoch: int
    entries: Entries
    offline: float
    detector: float


@dataclass(frozen=True, slots=True)
class LabelScore:
    """IoU of a version of the labels with true masks; NaN where there are none.

    Attributes
    ----------
    epoch, version : int
        Epoch after which the version was used.
    train, val : float
    area : float
        Px of the train list's labels per point; NaN where it was not measured.
    """

    epoch: int
    version: int
    train: float
    val: float
    area: float = np.nan


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """The journal of a run as arrays.

    Attributes
    ----------
    strategy : Strategy
        As it was configured; it has not seen the data.
    config : Config
    ids : (N,) tuple of str
        Training images, in the order of ``train.txt``.
    epochs : (E,) int array
    loss : (E, N) array
        NaN where an image was not seen in an epoch.
    alpha : (E, N) array or None
        Sample weights, NaN in the warm-up and where an image was not seen; None if none was ever given.
    start : mapping of name to array, or None
        Entries of theta at the start; None if they cannot be read any more.
    updates : sequence of ThetaUpdate
        Empty if theta did not move.
    scores : sequence of LabelScore
    pools : sequence of (epoch, counts)
        Images that were ``easy``, ``admitted`` and ``hard``; empty if all images are trained on.
    drifts : sequence of (epoch, figures)
        ``area``, ``ignored``, ``like_last``, ``like_gate`` and ``train`` of targets that are made within the
        batch, see `pointmask_trainer.strategies.affinity.probe`; NaN where a figure is missing.
    """

    strategy: Strategy
    config: Config
    ids: tuple[str, ...]
    epochs: NDArray[np.int64]
    loss: Floats
    alpha: Floats | None
    start: Entries | None
    updates: Sequence[ThetaUpdate]
    scores: Sequence[LabelScore]
    pools: Sequence[tuple[int, Mapping[str, int]]] = ()
    drifts: Sequence[tuple[int, Mapping[str, float]]] = ()

    def weighted_epochs(self, last: int) -> NDArray[np.bool_]:
        """Mark the last epochs with weights, `last` at most, (E,); with losses in a run without weights."""
        return last_epochs(self.loss if self.alpha is None else self.alpha, last)

    def mean_alpha(self, last: int) -> Floats:
        """Mean weight of every image over the last weighted epochs, (N,); NaN if it has none."""
        if self.alpha is None:
            return np.full(len(self.ids), np.nan)
        return mean_over_epochs(self.alpha[self.weighted_epochs(last)])

    def mean_loss(self, last: int) -> Floats:
        """Mean loss of every image over the same epochs, (N,); NaN for an image that was not seen."""
        return mean_over_epochs(self.loss[self.weighted_epochs(last)])


def read_history(run: Path) -> History:
    """Read the history of a run.

    Raises
    ------
    DataError
        If `run` is no run, its strategy learns no supervision, no epoch is finished yet, or a file is
        damaged.
    """
    config = _read_config(run)
    files = RunFolder(run)
    ids = read_ids(files.ids("train")).ids
    lines = EpochJournal(files.strategy).read()
    if not lines:
        raise DataError(
            f"{run} has no epoch in its journal: it has not finished one, or the journal is lost; analyse it "
            "later, or train anew with another --out"
        )
    loss, alpha = (image_table(lines, key, len(ids)) for key in ("loss", "alpha"))
    strategy = make_strategy(config.strategy.name, config.strategy.options)
    return History(
        strategy=strategy,
        config=config,
        ids=ids,
        epochs=np.array([line["epoch"] for line in lines], np.int64),
        loss=loss,
        alpha=alpha if np.isfinite(alpha).any() else None,
        start=_start(strategy),
        updates=[
            _update(line) for line in lines if line.get("theta", {}).get("windows", 1) and "theta" in line
        ],
        scores=[_score(line) for line in lines if "labels" in line],
        pools=[(line["epoch"], line["pool"]) for line in lines if "pool" in line],
        drifts=[(line["epoch"], _drift(line["drift"])) for line in lines if "drift" in line],
    )


def _read_config(run: Path) -> Config:
    path = RunFolder(run).config
    if not path.is_file():
        raise DataError(f"{run} holds no {path.name}; give the folder that pointmask train wrote (--out)")
    config = from_toml(read_regular(path).decode(), str(path))
    if not STRATEGIES.load(config.strategy.name).learns_supervision:
        able = ", ".join(name for name, kind in STRATEGIES.usable().items() if kind.learns_supervision)
        raise DataError(
            f"{run} was trained with strategy {config.strategy.name}, which learns nothing beside the "
            f"detector; strategies that do: {able}"
        )
    return config


def _start(strategy: Strategy) -> Entries | None:
    try:
        theta = strategy.first_theta()
    except PointmaskError:  # a file of the user's that is gone
        return None
    return None if theta is None else _entries({name: getattr(theta, name) for name in ENTRIES})


def _update(line: dict[str, Any]) -> ThetaUpdate:
    update = line["theta"]
    losses = (float(update.get(key, np.nan)) for key in ("offline", "detector"))
    return ThetaUpdate(line["epoch"], _entries(update), *losses)


def _entries(values: Mapping[str, Any]) -> Entries:
    return {name: np.asarray(values[name], np.float64) for name in ENTRIES if name in values}


def _score(line: dict[str, Any]) -> LabelScore:
    labels = line["labels"]
    train, val, area = (
        np.nan if labels.get(name) is None else float(labels[name]) for name in ("train", "val", "area")
    )
    return LabelScore(line["epoch"], labels["version"], train, val, area)


def _drift(figures: Mapping[str, float | None]) -> Mapping[str, float]:
    names = ("area", "ignored", "like_last", "like_gate", "train")
    return {name: np.nan if (value := figures.get(name)) is None else float(value) for name in names}
