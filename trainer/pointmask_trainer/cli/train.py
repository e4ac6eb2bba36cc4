"""``pointmask train``: a folder, a strategy and settings in; a run folder out."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from pointmask.cli import say
from pointmask.cli.plugins import NamesOption, warn_of_broken
from pointmask.printable import printable
from pointmask_trainer.cli.options import existing_folder, list_option
from pointmask_trainer.detectors.registry import DETECTORS
from pointmask_trainer.strategies.registry import STRATEGIES

if TYPE_CHECKING:
    from pointmask_trainer.training.train import Watcher

_LOG_EVERY = 30.0  # seconds between log lines without a terminal


@click.command(short_help="A detector, trained on masks, pseudo-masks or points.")
@click.argument("data", type=existing_folder)
@click.option(
    "--strategy", cls=NamesOption, registry=STRATEGIES, help="How to supervise, masks by default; one of"
)
@click.option("--model", cls=NamesOption, registry=DETECTORS, help="Detector, alclnet by default; one of")
@click.option("--epochs", type=int, help="Passes over the training images.")
@click.option("--masks", type=existing_folder, help="Folder of (pseudo-)masks, such as annotate's output.")
@click.option(
    "--points",
    type=click.Path(exists=True, path_type=Path),
    help="Points, as for annotate, if not found in DATA.",
)
@click.option("--train-list", type=click.Path(path_type=Path), help="Id list, if not found in DATA.")
@click.option("--val-list", type=click.Path(path_type=Path), help="Id list, if not found in DATA.")
@list_option
@click.option(
    "--preset",
    metavar="cpu|paper|lesps|pal|gsacp",
    help="Settings for a few minutes on a processor, or of publications: paper is that of d2d.",
)
@click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path),
    help="TOML file of settings, or a variant of a strategy: a1 ... a4, b1 ... b4 of d2d, pal_released, "
    "pal_annotator, lesps_annotator, gsacp_base ...",
)
@click.option("--set", "settings", metavar="A.B=V", multiple=True, help="One setting; may be repeated.")
@click.option("--seed", type=int, help="Of every random draw.")
@click.option("--device", metavar="NAME", help="auto, cpu, cuda, cuda:1 ...  [default: auto]")
@click.option("--out", type=click.Path(path_type=Path), default=Path("run"), show_default=True)
@click.option(
    "--trust-labels", is_flag=True, help="Train even if hardly a point or mask lies on a target of its image."
)
@click.option("--resume", is_flag=True, help="Go on with the run in --out, or start it.")
def train(
    data: Path,
    strategy: str | None,
    model: str | None,
    epochs: int | None,
    masks: Path | None,
    points: Path | None,
    train_list: Path | None,
    val_list: Path | None,
    include: str,
    preset: str | None,
    file: Path | None,
    settings: tuple[str, ...],
    seed: int | None,
    device: str | None,
    out: Path,
    trust_labels: bool,
    resume: bool,
) -> None:
    """Train a detector on DATA, a folder with images/ and perhaps points, masks/ and id lists.

    \b
    pointmask annotate DATA/images --points DATA/points.csv --out labels
    pointmask train DATA --strategy masks --masks labels --preset cpu --out run
    pointmask train DATA --strategy d2d --preset cpu --out run

    OUT gets config.toml, metrics.jsonl, last/, best/ and report.html. A run that was interrupted goes on
    with --resume and ends with the same numbers. Several processes: torchrun --nproc-per-node N -m
    pointmask train ...
    """  # noqa: D301 - click wants the character
    from pointmask_trainer.config import load_config
    from pointmask_trainer.run.layout import RunFolder
    from pointmask_trainer.run.source import Source
    from pointmask_trainer.training.train import train as run

    if resume and file is None and RunFolder(out).config.exists():
        file = RunFolder(out).config
    named = {
        "strategy.name": strategy,
        "model.name": model,
        "epochs": epochs,
        "seed": seed,
        "run.device": device,
    }
    flags = [f"{key}={value}" for key, value in named.items() if value is not None]
    config = load_config(preset=preset, file=file, settings=[*flags, *settings])
    source = Source(
        root=data, masks=masks, points=points, train_list=train_list, val_list=val_list, include=include
    )
    if os.environ.get("RANK", "0") == "0":  # of the processes of torchrun
        warn_of_broken(STRATEGIES, DETECTORS)
    with _watching() as watcher:
        best = run(config, source, out, resume=resume, trust_labels=trust_labels, watcher=watcher)
    if best:
        say(f"Best: epoch {best['epoch']}, {_scores(best)}", f"Run:  {out}")


@contextmanager
def _watching() -> Iterator["Watcher"]:
    """Print messages and epochs as lines, and steps as an updated status line or as occasional log lines."""
    from pointmask_trainer.training.train import Watcher

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    if not console.is_terminal:
        yield Watcher(message=_say, step=_LoggedSteps().show, epoch=lambda metrics: _say(_line(metrics)))
        return
    with console.status("") as status:

        def step(epoch: int, epochs: int, done: int, steps: int, loss: float) -> None:
            status.update(f"epoch {epoch} of {epochs}, step {done} of {steps}, loss {loss:.4f}")

        def show(text: str) -> None:
            console.print(printable(text), markup=False)

        yield Watcher(message=show, step=step, epoch=lambda metrics: show(_line(metrics)))


class _LoggedSteps:
    """Occasional log lines within long epochs."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def show(self, epoch: int, epochs: int, done: int, steps: int, loss: float) -> None:
        """Log the progress if `_LOG_EVERY` seconds have passed."""
        now = time.monotonic()
        if now - self._last >= _LOG_EVERY and done < steps:
            self._last = now
            _say(f"epoch {epoch} of {epochs}, step {done} of {steps}, loss {loss:.4f}")


def _say(text: str) -> None:
    say(text, err=True)


def _line(metrics: dict[str, Any]) -> str:
    rate = f"{metrics['images_per_second']:.1f} images/s"
    scores = _scores(metrics) if "val_labels" in metrics else ""
    return f"epoch {metrics['epoch']:>4}  loss {metrics['loss']:.4f}  {rate}  {scores}".rstrip()


def _scores(metrics: dict[str, Any]) -> str:
    parts = []
    for key, name in (("val_labels", "val"), ("val_truth", "val against true masks")):
        if key in metrics:
            iou, pd = metrics[key]["iou"], metrics[key]["pd"]
            figures = "no target" if iou is None else f"IoU {iou:.3f}"
            parts.append(f"{name} {figures}" + ("" if pd is None else f" Pd {pd:.3f}"))
    return "  ".join(parts)
