"""``pointmask train``: a folder, a strategy and settings in; a run folder out."""

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pointmask.advice import command, unused
from pointmask.cli import advise, called, say
from pointmask.cli.options import dead_pixels_option
from pointmask.cli.plugins import NamesOption, completes, warn_of_broken
from pointmask_trainer.cli.options import existing_folder, list_option
from pointmask_trainer.cli.places import check_data
from pointmask_trainer.cli.watching import scores, watching
from pointmask_trainer.detectors.registry import DETECTORS, LOCATORS
from pointmask_trainer.run.layout import BUILTIN
from pointmask_trainer.strategies.registry import STRATEGIES

if TYPE_CHECKING:
    from pointmask_trainer.config import Config

_SETTING = re.compile(r"[a-z][a-z0-9_.]*=.*", re.DOTALL)


_PRESETS = "auto|none|cpu|cpu-long|cpu-alcnet|paper|lesps|pal|gsacp|spire|priors"


class _Train(click.Command):
    """A command whose ``--set`` takes several settings, one after the other."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put ``--set`` before each setting that follows another."""
        spread: list[str] = []
        for word in args:
            follows = len(spread) > 1 and spread[-2] == "--set" and _SETTING.fullmatch(spread[-1])
            spread += ["--set", word] if follows and _SETTING.fullmatch(word) else [word]
        return super().parse_args(ctx, spread)


@click.command(cls=_Train, short_help="A detector, trained on masks, pseudo-masks or points.")
@click.argument("data", type=existing_folder)
@click.option(
    "--strategy", cls=NamesOption, registry=STRATEGIES, help="How to supervise, masks by default; one of"
)
@click.option(
    "--model",
    cls=NamesOption,
    registry=DETECTORS,
    help="Detector; that of the preset by default (contrast_unet of cpu, else alclnet), or contrast_points, "
    "hrpe or sshd for strategy spire; one of",
)
@click.option(
    "--init", metavar="RUN|WEIGHTS|builtin", help="Weights to start from; builtin for those of the package."
)
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
    metavar=_PRESETS,
    shell_complete=completes(lambda: _PRESETS.split("|")),
    default="auto",
    show_default=True,
    help="Settings for a few minutes on a processor, or of publications: paper is that of d2d. auto is cpu "
    "without a GPU and without --config; none are the defaults.",
)
@click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path),
    help="TOML file of settings, or a variant of a strategy: a1 ... a4, b1 ... b4 of d2d, pal_released, "
    "pal_annotator, lesps_annotator, gsacp_base ...",
)
@click.option(
    "--set", "settings", metavar="A.B=V ...", multiple=True, help="Settings; --print-config lists them all."
)
@dead_pixels_option("replace")
@click.option("--seed", type=int, help="Of every random draw.")
@click.option("--device", metavar="NAME", help="auto, cpu, cuda, cuda:1 ...  [default: auto]")
@click.option("--out", type=click.Path(path_type=Path), default=Path("run"), show_default=True)
@click.option(
    "--trust-labels", is_flag=True, help="Train even if hardly a point or mask lies on a target of its image."
)
@click.option("--resume", is_flag=True, help="Go on with the run in --out, or start it.")
@click.option("--print-config", is_flag=True, help="Print all settings with their meanings, and stop.")
@click.option(
    "--dry-run", is_flag=True, help="Read and check data and settings, say what would run, and stop."
)
def train(
    data: Path,
    strategy: str | None,
    model: str | None,
    init: str | None,
    epochs: int | None,
    masks: Path | None,
    points: Path | None,
    train_list: Path | None,
    val_list: Path | None,
    include: str,
    preset: str,
    file: Path | None,
    settings: tuple[str, ...],
    dead_pixels: str | None,
    seed: int | None,
    device: str | None,
    out: Path,
    trust_labels: bool,
    resume: bool,
    print_config: bool,
    dry_run: bool,
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
    from pointmask_trainer.data.layout import image_folder
    from pointmask_trainer.run.layout import RunFolder
    from pointmask_trainer.run.source import Source
    from pointmask_trainer.training.train import check_only
    from pointmask_trainer.training.train import train as run

    if not print_config:
        check_data(data, masks)
    if resume and file is None and RunFolder(out).config.exists():
        file = RunFolder(out).config
    named = {
        "strategy.name": strategy,
        "model.name": model,
        "model.init": None if init is None else _absolute(init),
        "epochs": epochs,
        "seed": seed,
        "run.device": device,
        "model.dead_pixels": dead_pixels,
    }
    flags = [f"{key}={value}" for key, value in named.items() if value is not None]
    config = _config(preset, file, [*flags, *settings])
    if print_config:
        from pointmask_trainer.training.settings import explained

        say(*explained(config).splitlines())
        return
    source = Source(
        root=data, masks=masks, points=points, train_list=train_list, val_list=val_list, include=include
    )
    if os.environ.get("RANK", "0") == "0":  # of the processes of torchrun
        warn_of_broken(STRATEGIES, DETECTORS, LOCATORS)
    with watching() as watcher:
        if dry_run:
            check_only(config, source, out, resume=resume, trust_labels=trust_labels, watcher=watcher)
            return
        best = run(
            config,
            source,
            out,
            resume=resume,
            trust_labels=trust_labels,
            watcher=watcher,
            command=called(),
        )
    if best:
        files = RunFolder(out)
        say(
            f"Best:   epoch {best['epoch']}, {scores(best)}",
            f"Run:    {out}",
            f"Report: {files.report}",
        )
        advise(
            command("evaluate", out, data, "--out", unused("evaluation"), "--report"),
            command("predict", out, image_folder(data), "--out", unused("detections"), "--report"),
        )


def _absolute(weights: str) -> str:
    """Return weights as a run's settings name them, whatever the folder in which they are read."""
    return weights if weights == BUILTIN else str(Path(weights).absolute())


def _config(preset: str, file: Path | None, settings: list[str]) -> "Config":
    """Combine all settings; without a GPU the light preset is taken, which is said."""
    from pointmask_trainer.config import load_config
    from pointmask_trainer.distributed import choose_device

    named: str | None = None if preset in ("auto", "none") else preset
    config = load_config(preset=named, file=file, settings=settings)
    if preset != "auto" or file is not None or choose_device(config.run.device).type != "cpu":
        return config
    if os.environ.get("RANK", "0") == "0":
        say(
            "No GPU, so --preset cpu: some minutes on a core for some hundred images. --preset none takes "
            "the defaults, which are for a GPU.",
            err=True,
        )
    return load_config(preset="cpu", settings=settings)
