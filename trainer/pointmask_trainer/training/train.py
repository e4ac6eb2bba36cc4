"""One training run from a folder to a run folder: prepare, resume, log, keep the best.

A run folder holds ``config.toml``, the id lists ``train.txt`` and ``val.txt``, ``metrics.jsonl`` (one line
per epoch), ``source.json`` (where the data lay), ``report.html``, ``last/`` (everything needed to go on) and
``best/model.safetensors``, chosen (`pointmask_trainer.run.choice`) by IoU on the validation list with the
labels of the strategy, or by F1 with the clicks where the network finds points: true masks of the validation
list are scored where they exist, but decide nothing. A strategy that learns labels or sample weights adds
``strategy.jsonl``, every version of the labels in ``labels/``, and ``analysis/``.
"""

from collections.abc import Callable, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from pointmask.io.files import clean_temporaries, write_whole
from pointmask.io.layout import RUN_TAG
from pointmask.io.lock import only_job
from pointmask.settings import flat, to_table
from pointmask_trainer.analysis.follow import Follower
from pointmask_trainer.config import Config
from pointmask_trainer.data.split import Split, digest_of
from pointmask_trainer.detectors.base import parameter_count
from pointmask_trainer.distributed import ProcessGroup, choose_device, is_main, process_group
from pointmask_trainer.inference.report.tables import figures
from pointmask_trainer.inference.tasks.threshold import with_threshold
from pointmask_trainer.run.callbacks import Callback, Told, named_callbacks
from pointmask_trainer.run.checkpoint import (
    ModelCard,
    TrainingState,
    load_last,
    remove_former_last,
    save_last,
    save_model,
)
from pointmask_trainer.run.choice import Choice
from pointmask_trainer.run.events import Log, NoEvents, open_events
from pointmask_trainer.run.journal import EpochJournal
from pointmask_trainer.run.layout import UNSEEN, RunFolder
from pointmask_trainer.run.progress import Progress
from pointmask_trainer.run.source import Source as Source
from pointmask_trainer.run.source import write_source
from pointmask_trainer.run.state_file import Stateful, restore
from pointmask_trainer.training.folder import check_progress, check_run, read_config
from pointmask_trainer.training.gallery import Gallery
from pointmask_trainer.training.judging import check_labels
from pointmask_trainer.training.loop import EpochResult
from pointmask_trainer.training.optimiser import set_rate
from pointmask_trainer.training.prepare import Prepared, prepare
from pointmask_trainer.training.report import write_run_report
from pointmask_trainer.training.settings import resolved, whole_toml


@dataclass(frozen=True, slots=True)
class Watcher:
    """Callbacks that report the progress of a run.

    Attributes
    ----------
    message : callable
        Takes one line of text.
    step : callable
        Takes epoch, epochs, steps done, steps per epoch and the mean loss.
    epoch : callable
        Takes the metrics of one epoch, as they are written.
    """

    message: Callable[[str], None] = lambda text: None
    step: Callable[[int, int, int, int, float], None] = lambda *progress: None
    epoch: Callable[[dict[str, Any]], None] = lambda metrics: None


def train(
    config: Config,
    source: Source,
    out: Path,
    *,
    resume: bool = False,
    trust_labels: bool = False,
    watcher: Watcher | None = None,
    callbacks: Sequence[Callback] = (),
    command: str = "",
) -> dict[str, Any]:
    """Train a detector, or resume a run.

    Parameters
    ----------
    config : Config
    source : Source
    out : Path
        Run folder.
    resume : bool
        Resume the run in `out`, or start one if there is none. Without it `out` must not hold a run.
    trust_labels : bool
        Train even if hardly a point or mask lies on a target of its image. A run that is resumed has passed.
    watcher : Watcher, optional
    callbacks : sequence of Callback
        Told of the run besides those that ``run.callbacks`` names.
    command : str
        Named in the report of the run.

    Returns
    -------
    dict
        Metrics of the best epoch.

    Raises
    ------
    ConfigError, DataError, CheckpointError, TrainingError
        If settings, data or an earlier checkpoint do not fit, or the loss is not a finite number.
    OutputError
        If another job writes to the run folder, or it cannot be written to.
    """
    watcher, out = watcher or Watcher(), out.absolute()  # a callback may change the working directory
    if config.run.threads:
        torch.set_num_threads(config.run.threads)
    device = choose_device(config.run.device)
    with only_job(out) if is_main() else nullcontext():
        return _train(
            config, source, out, device, watcher, callbacks, command, resume=resume, trust_labels=trust_labels
        )


def check_only(
    config: Config,
    source: Source,
    out: Path,
    *,
    resume: bool = False,
    trust_labels: bool = False,
    watcher: Watcher | None = None,
) -> None:
    """
    Read and check everything that `train` would, say what would be trained, and write nothing.

    Parameters and errors are those of `train`.
    """
    watcher = watcher or Watcher()
    check_run(config, source, out, resume=resume)
    named_callbacks(config.run.callbacks)
    device = choose_device(config.run.device)
    with process_group(device) as group:
        if not group.is_main:
            watcher = Watcher()
        made = prepare(config, source, device, group, watcher.message, keeps_unseen=_keeps_unseen(out))
        loop = made.loop
        if not (trust_labels or RunFolder(out).config.exists()):
            check_labels(loop, watcher.message)
        against = (
            "true masks are scored beside" if made.truths is not None else "there are no true masks to score"
        )
        watcher.message(
            f"strategy {config.strategy.name}, detector {config.model.name} with "
            f"{parameter_count(loop.model):,} parameters, {config.epochs:,} epochs of "
            f"{loop.steps_per_epoch:,} steps; {against}"
        )
        watcher.message("nothing was written; train with the same command without --dry-run")


def _train(
    config: Config,
    source: Source,
    out: Path,
    device: torch.device,
    watcher: Watcher,
    callbacks: Sequence[Callback],
    command: str,
    *,
    resume: bool,
    trust_labels: bool,
) -> dict[str, Any]:
    check_run(config, source, out, resume=resume)
    with process_group(device) as group:
        if not group.is_main:
            watcher = Watcher()
        told = Told(_callbacks(config, callbacks) if group.is_main else [], watcher.message)
        made = prepare(config, source, device, group, watcher.message, keeps_unseen=_keeps_unseen(out))
        if not (trust_labels or RunFolder(out).config.exists()):
            check_labels(made.loop, watcher.message)
        with closing(made.loop.strategy):
            return _Run(config, source, out, made, group, watcher, told, command).go()


def _keeps_unseen(out: Path) -> bool:
    """Whether a run keeps validation images apart: not one that an earlier version began."""
    files = RunFolder(out)
    return files.ids(UNSEEN).exists() or not files.config.exists()


def _callbacks(config: Config, given: Sequence[Callback]) -> list[tuple[str, Callback]]:
    return [*named_callbacks(config.run.callbacks), *((type(one).__name__, one) for one in given)]


class _Run:
    """A loop and the files of its run."""

    def __init__(
        self,
        config: Config,
        source: Source,
        out: Path,
        made: Prepared,
        group: ProcessGroup,
        watcher: Watcher,
        told: Told,
        command: str,
    ) -> None:
        self._told = told
        loop, truths, self._unseen = made
        self._command, self._source = command, source
        self._config, self._out, self._loop = config, out, loop
        self._files = RunFolder(out)
        self._truths, self._group, self._watcher = truths, group, watcher
        self._choice = Choice(loop.task.rank, len(loop.splits["val"]))
        self._metrics, self._journal = (
            EpochJournal(self._files.metrics, figures=True),
            EpochJournal(self._files.strategy),
        )
        self._label_digest = loop.labels.digest()
        self._image_digest = digest_of(loop.splits.values())
        self._gallery = Gallery(loop.splits["val"], loop.labels, truths)
        self._follower = Follower(out, loop.splits["train"], learns=loop.strategy.learns_supervision)
        self._events: Log = NoEvents()

    def go(self) -> dict[str, Any]:
        """Train until the last epoch; return the metrics of the best one."""
        found = load_last(self._out, self._loop.model)
        if found is not None:
            check_progress(self._config, self._out, found.progress, self._label_digest, self._image_digest)
        self._group.wait()  # all have read and checked before anything is written
        if self._group.is_main:
            self._begin()
        self._group.wait()
        self._go_on(found)
        if self._group.is_main:
            write_source(self._out, self._source)
        use = self._config.run.tensorboard and self._group.is_main
        self._events = open_events(self._out, self._loop.epoch, use=use)
        self._told.start(self._out, flat(to_table(resolved(self._config))), self._loop.epoch)
        while self._loop.epoch < self._config.epochs and not self._is_stale:
            self._epoch()
        self._told.end(self._choice.best)
        return self._choice.best

    @property
    def _is_stale(self) -> bool:
        """Whether patience is at its end."""
        return 0 < self._config.patience <= self._choice.stale

    def _begin(self) -> None:
        """Write what is known of a run before its first epoch; the settings first, by which it is known."""
        files = self._files
        clean_temporaries(self._out, RUN_TAG, [folder.name for folder in files.folders])
        remove_former_last(self._out)
        texts = {files.config: whole_toml(self._config)}
        splits: dict[str, Split] = {str(name): split for name, split in self._loop.splits.items()}
        if self._unseen is not None:
            splits[UNSEEN] = self._unseen.split
        for name, split in splits.items():
            texts[files.ids(name)] = "".join(f"{key}\n" for key in split.ids)
        if files.config.exists() and read_config(files.config) == resolved(self._config):
            del texts[files.config]  # written by another version, perhaps
        for path, text in texts.items():
            if not path.exists() or path.read_bytes() != text.encode():
                write_whole(path, text, RUN_TAG)

    def _epoch(self) -> None:
        loop, epochs = self._loop, self._config.epochs
        number = loop.epoch + 1
        result = loop.train_epoch(
            lambda step, loss: self._watcher.step(number, epochs, step, loop.steps_per_epoch, loss)
        )
        metrics = self._facts(number, result)
        if number % self._config.run.validate_every == 0 or number == epochs:
            self._gallery.clear()
            if self._unseen is not None:
                metrics[f"val_{UNSEEN}"] = figures(self._unseen.score(loop))
            metrics |= loop.validate(self._truths, self._gallery.see).figures()
        is_best = "val_labels" in metrics and self._choice.take(metrics)
        if self._group.is_main:
            self._save(metrics, is_best=is_best)
            self._events.epoch(metrics)
            self._told.epoch(metrics)
            if "val_labels" in metrics:
                lines = self._metrics.read()
                last = number if self._is_stale else epochs
                learned = self._follower.section(loop.labels.version, number, last)
                write_run_report(
                    self._files.report,
                    self._config,
                    loop,
                    lines,
                    self._gallery,
                    learned,
                    data=self._source.root,
                    command=self._command,
                    unseen=0 if self._unseen is None else len(self._unseen.split),
                )
        self._group.wait()
        self._watcher.epoch(metrics)
        if self._is_stale and number < epochs:
            self._watcher.message(
                f"ended after epoch {number} of {epochs}: {self._choice.stale} validations without a better "
                f"one; the weights of epoch {self._choice.best['epoch']} are kept (patience)"
            )

    def _facts(self, number: int, result: EpochResult) -> dict[str, Any]:
        rate = set_rate(self._loop.optimiser, self._config.optim, number - 1, self._config.epochs)
        return {
            "epoch": number,
            "loss": result.loss,
            "lr": rate,
            "labels": self._loop.labels.version,
            "seconds": round(result.seconds, 3),
            "images_per_second": round(result.images / result.seconds, 2),
            "loading": round(result.loading, 4),
        }

    def _save(self, metrics: dict[str, Any], *, is_best: bool) -> None:
        loop = self._loop
        card = ModelCard(with_threshold(self._config.model, metrics), loop.normalisation, metrics, loop.masks)
        if is_best:
            save_model(self._files.best_weights, loop.evaluated_model, card)
        if loop.labels.version:
            self._save_labels()
        # The line is written first: what a killed run left beyond its checkpoint is cut when it goes on.
        self._metrics.append(loop.epoch, metrics)
        self._journal.append(loop.epoch, loop.strategy.record())
        progress = Progress(
            epoch=loop.epoch,
            labels=loop.labels.version,
            label_digest=self._label_digest,
            image_digest=self._image_digest,
            best=self._choice.best,
            top=self._choice.top,
            stale=self._choice.stale,
        )
        tensors = {"optimiser": loop.optimiser.state_dict(), "strategy": loop.strategy.state_dict()}
        if loop.ema is not None:
            tensors["average"] = loop.ema.state_dict()  # its name in checkpoints
        save_last(self._out, loop.model, card, TrainingState(tensors, progress))

    def _save_labels(self, *, anew: bool = False) -> None:
        """Write the current version of the labels, unless a run that was killed has written it."""
        path = self._files.labels_of(self._loop.labels.version)
        if anew or not path.exists():
            self._loop.labels.save(path)

    def _go_on(self, found: TrainingState | None) -> None:
        """Take up the last checkpoint, if there is one."""
        loop = self._loop
        keeps_first = loop.strategy.learns_supervision and self._group.is_main
        if found is None:
            if keeps_first:  # what a run that was killed before its first checkpoint left may be other labels
                self._save_labels(anew=True)
            self._metrics.clear()
            self._journal.clear()
            return
        if keeps_first:  # runs of earlier versions did not
            self._save_labels()
        progress = found.progress
        if progress.labels:
            loop.labels.load(self._files.labels_of(progress.labels))
        parts: dict[str, Stateful] = {"optimiser": loop.optimiser, "strategy": loop.strategy}
        if loop.ema is not None:
            parts["average"] = loop.ema
        restore(found.optimiser, parts, self._files.last)
        loop.take_theta()
        loop.epoch = progress.epoch
        self._choice = self._choice_of(progress)
        if self._group.is_main:
            self._metrics.cut(loop.epoch)
            self._journal.cut(loop.epoch)
            if missing := loop.epoch - len(self._metrics.read()):
                self._watcher.message(
                    f"{self._files.metrics} lacks {missing} of {loop.epoch} finished epochs; the weights are "
                    "whole, the report begins where the lines do"
                )
        self._watcher.message(f"going on after epoch {loop.epoch} of {self._config.epochs}")

    def _choice_of(self, progress: Progress) -> Choice:
        """Return the choice of the best epoch so far, which begins anew if the weights are gone."""
        best, top, weights = progress.best, progress.top, self._files.best_weights
        if best and not weights.exists():
            self._watcher.message(f"{weights} is gone; the best of the epochs to come is kept")
            best, top = {}, None
        return Choice(self._loop.task.rank, len(self._loop.splits["val"]), best, top, progress.stale or 0)
