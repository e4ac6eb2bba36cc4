"""Weights and training states on disk: safetensors and JSON, written atomically, never unpickled.

A checkpoint is a folder: ``model.safetensors`` (weights; its header describes the detector and the
normalisation) and, in ``last/``, ``optimiser.safetensors`` (`run.state_file`) and ``state.json``, which knows
size and hash of the other two.
``model.safetensors`` alone is sufficient for prediction.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from pointmask.io.files import put_whole, remove, remove_former, staged, sync, write_whole
from pointmask.io.layout import RUN_TAG
from pointmask.io.listed import files_in
from pointmask.settings import parse_json, read_table, to_table
from pointmask_trainer.config import ModelConfig
from pointmask_trainer.data.normalisation import Normalisation
from pointmask_trainer.detectors.base import ImageNetwork
from pointmask_trainer.detectors.registry import build_network
from pointmask_trainer.errors import CheckpointError, ConfigError, DetectorError
from pointmask_trainer.published.files import read_archive
from pointmask_trainer.run.layout import BUILTIN, FORMER_OPTIMISER, OPTIMISER, STATE, WEIGHTS, RunFolder
from pointmask_trainer.run.mask_settings import MaskSettings
from pointmask_trainer.run.progress import Progress, read_progress, write_progress
from pointmask_trainer.run.state_file import check_stamp, read_tree, stamp_of, write_tree

_HEADER = "pointmask"
_FILES = (WEIGHTS, OPTIMISER, FORMER_OPTIMISER, STATE)

BUILTIN_WEIGHTS = Path(__file__).parents[1] / "presets" / "builtin.safetensors"
"""Made by ``benchmarks/builtin_weights.py``."""


@dataclass(frozen=True, slots=True)
class ModelCard:
    """Description that is stored with weights and needed to use them.

    Attributes
    ----------
    model : ModelConfig
    normalisation : Normalisation
    facts : dict
        Plain values for information: epoch, metrics, strategy.
    masks : MaskSettings
        Who draws the masks; the network, in files written before there was a choice.
    """

    model: ModelConfig
    normalisation: Normalisation
    facts: Mapping[str, Any]
    masks: MaskSettings = field(default_factory=MaskSettings)


def save_model(path: Path, model: ImageNetwork, card: ModelCard) -> None:
    """Write weights and their card to one file.

    Parameters
    ----------
    path : Path
        ``….safetensors``; replaced atomically.
    model : ImageNetwork
    card : ModelCard

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    header = {
        "model": to_table(card.model),
        "normalisation": asdict(card.normalisation),
        "facts": dict(card.facts),
        "masks": card.masks.to_table(),
    }
    weights = {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
    write_whole(path, save(weights, {_HEADER: json.dumps(header)}), RUN_TAG)


def load_model(source: str | Path, device: torch.device | str = "cpu") -> tuple[ImageNetwork, ModelCard]:
    """Load weights into a new detector of the type and options stored with them.

    Parameters
    ----------
    source : str or Path
        ``….safetensors``, a checkpoint folder, a run folder, whose ``best`` checkpoint is used, or
        ``builtin``: the weights that come with the package, trained on built-in scenes alone.
    device : torch.device or str

    Returns
    -------
    model : ImageNetwork
        In eval mode.
    card : ModelCard

    Raises
    ------
    CheckpointError
        If there are no weights, or they are damaged, not finite or were not written by pointmask.
    """
    path = weights_path(Path(source))
    weights, card = read_weights(path)
    try:
        model = build_network(card.model.name, in_channels=card.model.in_channels, **card.model.options)
    except DetectorError as error:
        raise CheckpointError(f"{path}: {error}") from None
    load_weights(model, weights, str(path))
    if strange := [name for name, value in model.state_dict().items() if not value.isfinite().all()]:
        raise CheckpointError(
            f"{path} holds weights that are not finite ({strange[0]}), which find nothing anywhere; take "
            "those of an earlier epoch, or train again with a smaller optim.lr"
        )
    model.tile = card.model.tile
    return model.to(device).eval(), card


def weights_path(source: Path) -> Path:
    """Return the path of the weights, given a run folder, a checkpoint folder, the file, or ``builtin``.

    Raises
    ------
    CheckpointError
        If there are none.
    """
    if str(source) == BUILTIN and not source.exists():
        return BUILTIN_WEIGHTS
    candidates = (source, source / WEIGHTS, RunFolder(source).best_weights)
    for path in candidates:
        if path.is_file():
            return path
    raise CheckpointError(
        f"{source} holds no {WEIGHTS}; give a run of pointmask train, one of its checkpoints, the file, or "
        f"{BUILTIN}"
    )


def load_weights(model: ImageNetwork, weights: Mapping[str, Tensor], name: str) -> None:
    """Load weights into a model; `name` is used in messages.

    Raises
    ------
    CheckpointError
        If names or shapes differ: the weights belong to another model.
    """
    own = model.state_dict()
    missing, unknown = sorted(set(own) - set(weights)), sorted(set(weights) - set(own))
    wrong = sorted(key for key in set(own) & set(weights) if own[key].shape != weights[key].shape)
    if missing or unknown or wrong:
        which = (wrong or missing or unknown)[0]
        raise CheckpointError(
            f"{name} holds weights of another model than {type(model).__name__} with {model.in_channels} "
            f"channels: {len(missing)} are missing, {len(unknown)} unknown and {len(wrong)} of another shape "
            f"(first {which}); set model.name, model.in_channels and model.options as they were"
        )
    model.load_state_dict(dict(weights))


@dataclass(frozen=True, slots=True)
class TrainingState:
    """State from which a run is resumed, besides the weights.

    Attributes
    ----------
    optimiser : dict
        State of the optimiser and of the strategy: tensors and plain values.
    progress : Progress
    """

    optimiser: dict[str, Any]
    progress: Progress


def save_last(run: Path, model: ImageNetwork, card: ModelCard, training: TrainingState) -> None:
    """Replace ``last/`` of a run atomically: a kill at any moment leaves either the old or the new one.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    last = RunFolder(run).last
    with staged(last, RUN_TAG) as folder:
        folder.mkdir()
        save_model(folder / WEIGHTS, model, card)
        write_tree(folder / OPTIMISER, training.optimiser)
        sync(folder / OPTIMISER)
        stamps = {name: stamp_of(folder / name) for name in (WEIGHTS, OPTIMISER)}
        write_progress(folder / STATE, training.progress, stamps)
        put_whole(folder, last, is_synced=True, own=_FILES)


def remove_former_last(run: Path) -> None:
    """Remove the checkpoint before the last one, if a kill left it."""
    files = RunFolder(run)
    if files.last.exists():
        remove_former(files.last, _FILES)
    for left in run.glob(".last.[0-9]*"):  # of versions up to 0.1
        if {path.name for path in files_in(left)} <= set(_FILES):
            remove(left)


def load_last(run: Path, model: ImageNetwork) -> TrainingState | None:
    """Load the checkpoint written by `save_last` into a model; None if the run has none yet.

    Raises
    ------
    CheckpointError
        If the checkpoint is damaged or belongs to another model; or if it holds pickles, as those of versions
        up to 0.1 do, and torch does not read them safely.
    """
    files = RunFolder(run)
    folder = files.last if files.last.exists() else files.former_last  # killed between the two renames
    if not folder.exists():
        return None
    progress, stamps = read_progress(folder / STATE)
    for name, stamp in stamps.items():
        check_stamp(folder / name, stamp)
    weights, _ = read_weights(folder / WEIGHTS)
    load_weights(model, weights, str(folder))
    former = folder / FORMER_OPTIMISER
    optimiser = read_archive(former) if former.exists() else read_tree(folder / OPTIMISER)
    return TrainingState(optimiser, progress)


def read_weights(path: Path) -> tuple[dict[str, Tensor], ModelCard]:
    """Read the tensors and the card of one file.

    Raises
    ------
    CheckpointError
        If it is damaged, or was not written by pointmask.
    """
    try:
        with safe_open(path, framework="pt") as file:
            header = parse_json((file.metadata() or {})[_HEADER])
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        card = ModelCard(
            read_table(ModelConfig, header["model"], ConfigError, "model"),
            read_table(Normalisation, header["normalisation"], ConfigError, "normalisation"),
            dict(header["facts"]),
            MaskSettings.from_table(header["masks"]) if "masks" in header else MaskSettings(),
        )
    except (OSError, SafetensorError, KeyError, ValueError, TypeError) as error:
        raise CheckpointError(
            f"{path} is damaged, or was not written by pointmask train ({type(error).__name__}: {error})"
        ) from None
    return weights, card
