"""Whether a folder may hold a run: the same one that is there, or a new one that replaces nothing."""

import os
from pathlib import Path

from pointmask.io.files import check_no_link
from pointmask.io.layout import IMAGES, TRUE_MASKS
from pointmask.io.own import check_folder, check_output, check_plain
from pointmask.regular import read_regular
from pointmask_trainer.config import Config, from_toml
from pointmask_trainer.errors import CheckpointError
from pointmask_trainer.run.layout import RunFolder
from pointmask_trainer.run.progress import Progress
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
    _check_places(RunFolder(out))
    earlier = read_config(written)
    ours_whole, theirs_whole = resolved(config), resolved(earlier)
    for part in ("model", "masks", "augment", "loss", "optim", "strategy", "seed", "batch", "epochs"):
        ours, theirs = getattr(ours_whole, part), getattr(theirs_whole, part)
        if ours != theirs:
            raise CheckpointError(
                f"{out} was started with other settings ({part}: {theirs}, now {ours}); "
                f"resume with --config {written}, or choose another --out"
            )


def check_progress(config: Config, out: Path, found: Progress, labels: str, images: str) -> None:
    """Refuse to go on with other images, lists or labels than those of the checkpoint, given by digests.

    So is a run at its end that has lost its best weights, and one beyond its end.
    """
    best = RunFolder(out).best_weights
    if found.best and found.epoch == config.epochs and not best.exists():
        raise CheckpointError(
            f"{best} is gone, and the run is at its end; copy it back, or start anew with another --out"
        )
    if found.epoch > config.epochs:
        raise CheckpointError(
            f"{RunFolder(out).last} is damaged (epoch {found.epoch:,} of {config.epochs:,}); start anew "
            "with another --out"
        )
    # Runs begun before images were compared say nothing of theirs.
    if (found.label_digest, found.image_digest or images) != (labels, images):
        raise CheckpointError(
            f"{out} was trained on other labels, lists or images than these; give the same ones, "
            "or choose another --out"
        )


def read_config(path: Path) -> Config:
    """Return the settings of a run."""
    return from_toml(read_regular(path).decode(), str(path))


def _check_places(files: RunFolder) -> None:
    """Refuse what no epoch could replace, before the first: folders or links for files, and the like."""
    for path in files.all:
        if path in (files.last, files.former_last):
            check_no_link(path)
        if path in files.all_folders:
            check_folder(path)
        else:
            check_plain(path)


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
