"""Whether a folder may hold a run: the same one that is there, or a new one that replaces nothing."""

import os
from pathlib import Path

from pointmask.io.layout import IMAGES, TRUE_MASKS
from pointmask.io.own import check_output
from pointmask.regular import read_regular
from pointmask_trainer.config import Config, from_toml
from pointmask_trainer.errors import CheckpointError
from pointmask_trainer.run.layout import RunFolder
from pointmask_trainer.run.source import Source
from pointmask_trainer.training.settings import resolved


def check_run(config: Config, source: Source, out: Path, *, resume: bool) -> None:
    """Check that a run folder holds the same run, or nothing that a run would replace."""
    written = RunFolder(out).config
    if not written.exists():
        _check_new(RunFolder(out), source)
        return
    if not resume:
        raise CheckpointError(f"{out} holds a run already; go on with --resume, or choose another --out")
    earlier = read_config(written)
    ours_whole, theirs_whole = resolved(config), resolved(earlier)
    for part in ("model", "masks", "augment", "loss", "optim", "strategy", "seed", "batch", "epochs"):
        ours, theirs = getattr(ours_whole, part), getattr(theirs_whole, part)
        if ours != theirs:
            raise CheckpointError(
                f"{out} was started with other settings ({part}: {theirs}, now {ours}); "
                f"resume with --config {written}, or choose another --out"
            )


def read_config(path: Path) -> Config:
    """Return the settings of a run."""
    return from_toml(read_regular(path).decode(), str(path))


def _check_new(files: RunFolder, source: Source) -> None:
    """Refuse a folder that is read, or holds files of the names of a run without one: they are the user's."""
    inside = (source.root / IMAGES, source.root / TRUE_MASKS)
    reads = (source.root, *inside, source.masks, source.points, source.train_list, source.val_list)
    check_output(files.root, [path.name for path in files.all], reads)
    for path in files.all:
        if os.path.lexists(path):
            raise CheckpointError(
                f"{path} exists, and no {files.config.name} beside it shows that a training wrote it; "
                "nothing else is replaced: choose another --out"
            )
