"""How far a run is: the plain values of its last checkpoint, ``state.json``, and the stamps of its files."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pointmask.io.files import write_whole
from pointmask.io.layout import RUN_TAG
from pointmask.regular import read_regular
from pointmask.settings import Between, parse_json, read_table, to_table
from pointmask_trainer.errors import CheckpointError
from pointmask_trainer.run.journal import are_figures
from pointmask_trainer.run.layout import OPTIMISER, WEIGHTS

_STAMPS = "files"
_Count = Annotated[int, Between(0, 1_000_000)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """Plain values from which a run is resumed, besides its tensors.

    Attributes
    ----------
    epoch : int
        Finished epochs.
    labels : int
        Version of the labels.
    label_digest : str
    image_digest : str, optional
        Runs begun before images were compared have none.
    best : Mapping
        Metrics of the best epoch.
    top, stale : float, int
        See `pointmask_trainer.run.choice.Choice`; runs of earlier versions have none.
    """

    epoch: _Count
    labels: _Count = 0
    label_digest: str = ""
    image_digest: str | None = None
    best: Mapping[str, Any] = field(default_factory=dict)
    top: float | None = None
    stale: _Count | None = None


def write_progress(path: Path, progress: Progress, stamps: Mapping[str, Mapping[str, Any]]) -> None:
    """Write the values, and size and hash of the checkpoint's other files."""
    write_whole(path, json.dumps({**to_table(progress), _STAMPS: stamps}, indent=2) + "\n", RUN_TAG)


def read_progress(path: Path) -> tuple[Progress, dict[str, dict[str, Any]]]:
    """Return the values and the stamps by file name.

    Raises
    ------
    CheckpointError
        If the file is missing, or holds what `write_progress` does not write.
    """
    try:
        table = parse_json(read_regular(path))
        stamps = table.pop(_STAMPS, {})
        progress = read_table(Progress, table, CheckpointError)
        wrong = _wrong(progress.best, stamps)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        wrong = f"{type(error).__name__}: {error}"
    if wrong:
        raise CheckpointError(f"{path} is damaged ({wrong}); start anew with another --out")
    return progress, stamps


def _wrong(best: Mapping[str, Any], stamps: Mapping[str, Any]) -> str:
    """Say what no metrics of an epoch, or no stamps of a checkpoint's files have; nothing if all is well."""
    if others := sorted(name for name in stamps if name not in {WEIGHTS, OPTIMISER}):
        return f"it names {others[0]!r}, no file of a checkpoint"
    if not all(isinstance(stamp, Mapping) for stamp in stamps.values()):
        return "a file has no size and hash"
    if best and not (are_figures(best) and isinstance(best.get("epoch"), int)):
        return "best holds no metrics of an epoch"
    return ""
