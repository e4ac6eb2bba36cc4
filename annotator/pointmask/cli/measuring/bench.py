"""``pointmask bench``: compare annotators in quality and time, in one run."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from pointmask.advice import command, did_you_mean, install, unused
from pointmask.bench.baselines.registry import BASELINES, READY, WEIGHTS, check_weights
from pointmask.cli import EXIT_SOME_SKIPPED, advise, called, say
from pointmask.cli.options import json_option
from pointmask.cli.plugins import NamesOption, warn_of_broken
from pointmask.errors import ImageError
from pointmask.io.layout import IMAGES
from pointmask.io.own import check_set, is_json_of
from pointmask.printable import printable, printable_json

if TYPE_CHECKING:
    from pointmask.bench.summary import BenchSummary

SCENES = 200
"""Number of built-in scenes used without data: well under two minutes with all methods on two cores."""

FILES = ("bench.json", "bench.md", "bench.png")
_KEYS = ("protocol", "size_prior", "machine", "methods")  # of bench.json, by which it is known
_MOST_SKIPPED = 20  # skipped images named on the terminal
_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


@click.command()
@click.argument("images", required=False, type=_FOLDER)
@click.option("--masks", type=_FOLDER, help="True masks, paired with IMAGES by name.")
@click.option(
    "--points",
    type=click.Path(path_type=Path, exists=True),
    help="Point file or folder; by default points are simulated from the masks.",
)
@click.option(
    "--methods",
    cls=NamesOption,
    registry=BASELINES,
    default=",".join(READY),
    show_default=True,
    help="Methods to compare, separated by commas",
)
@click.option(
    "--weights",
    metavar="NAME=FILE",
    multiple=True,
    help="Local weights of sam or sam2, for the methods of these names; pointmask ships and fetches none.",
)
@click.option(
    "--protocol",
    type=click.Choice(["centroid", "coarse"]),
    help="How points are simulated from the masks.  [default: centroid]",
)
@click.option(
    "--size-prior",
    type=click.Choice(["none", "box", "class", "truth"]),
    default="none",
    show_default=True,
    help="Size of each target, taken from the true masks, for the methods that can use it; ours never does.",
)
@click.option(
    "--seeds", type=click.IntRange(min=1), default=1, show_default=True, help="Number of repetitions."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("pointmask-bench"),
    show_default=True,
    help="Folder for bench.json, bench.md and bench.png.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    help="Measure this many images only, spread evenly over all: for methods that take seconds per target.",
)
@json_option
@click.option("--overwrite", is_flag=True, help="Replace the files of an earlier run.")
def bench(
    images: Path | None,
    masks: Path | None,
    points: Path | None,
    methods: str,
    weights: tuple[str, ...],
    protocol: Literal["centroid", "coarse"] | None,
    size_prior: Literal["none", "box", "class", "truth"],
    seeds: int,
    out: Path,
    limit: int | None,
    as_json: bool,
    overwrite: bool,
) -> None:
    """Compare annotators on IMAGES with true masks, or on built-in scenes.

    All methods annotate the same targets, in turn and in one thread; the table gives quality, time per target
    and the ratio to ours.
    """
    names = _checked(images, masks, points, methods, protocol)
    files = _weight_files(weights)
    check_weights(names, files)
    check_set(
        out,
        FILES,
        [images, masks, points, *files.values()],
        lambda path: is_json_of(path, _KEYS),
        overwrite=overwrite,
    )
    _use_one_thread()
    warn_of_broken(BASELINES)

    from pointmask.places import check_images

    if images is not None:
        check_images(images)
    from pointmask.bench.cases import SCENES_NOTE, folder_sources, scene_sources
    from pointmask.bench.report import to_json
    from pointmask.bench.run import run_bench
    from pointmask.bench.summary import summarise
    from pointmask.cli import show_notes
    from pointmask.cli.progress import progress_display
    from pointmask.executors import Progress

    simulated: Literal["centroid", "coarse"] = protocol or "centroid"
    if images is None or masks is None:
        sources = scene_sources(SCENES, protocol=simulated, seeds=seeds)
    else:
        sources = folder_sources(
            images, masks, points, protocol=simulated, seeds=seeds, say=lambda note: show_notes([note])
        )
    if limit is not None and limit < len(sources):
        sources = [sources[k * len(sources) // limit] for k in range(limit)]
    with progress_display() as show:
        run = run_bench(
            sources,
            names,
            weights=files,
            size_prior=size_prior,
            seeds=seeds,
            tick=lambda r: show(Progress(r.images + len(r.skipped), len(sources), r.targets, len(r.skipped))),
        )
    if not run.images:
        name, reason = run.skipped[0]
        raise ImageError(f"no image could be measured; {name}: {reason}")
    summary = summarise(
        run,
        data="/".join(images.resolve().parts[-2:]) if images else "built-in scenes",
        protocol=points.name if points else simulated,
        command=called(),
        notes=() if images else (SCENES_NOTE,),
    )
    if as_json:
        say(*printable_json(to_json(summary)).splitlines())
    else:
        _show(summary)
    _save(summary, out, tells=not as_json)
    if not as_json:
        advise(_next(images, masks, points))
    if run.skipped:
        raise SystemExit(EXIT_SOME_SKIPPED)


def _next(images: Path | None, masks: Path | None, points: Path | None) -> str:
    """Return the command that annotates what was measured, or the user's own images."""
    from pointmask.places import points_of

    if images is None or masks is None:
        return command("annotate", "IMAGES", "--points", "POINTS", "--out", unused("labels"))
    known = points or points_of(images)
    clicks = ("--points", masks, "--simulate", "centroid") if known is None else ("--points", known)
    return command("annotate", images, *clicks, "--out", unused("labels"))


def _without_masks(images: Path) -> str:
    """Say which masks are missing; where they are known, the whole call."""
    from pointmask.places import kind_of, true_masks_of

    inside = images / IMAGES if kind_of(images) == "training folder" else images
    known = true_masks_of(inside)
    if known is None:
        return "IMAGES need true masks to be measured on; add --masks DIR."
    line = called("--masks", known, instead={images: inside})
    return f"{images} must be measured on true masks, which are there: {line}"


def _checked(
    images: Path | None, masks: Path | None, points: Path | None, methods: str, protocol: str | None
) -> list[str]:
    """Reject incompatible options; return the methods."""
    if images is not None and masks is None:
        raise click.UsageError(_without_masks(images))
    if images is None and (masks is not None or points is not None):
        raise click.UsageError("--masks and --points belong to a folder of images; give IMAGES too.")
    if points is not None and protocol is not None:
        raise click.UsageError("--protocol simulates points, --points reads them; give one of the two.")
    names = [name.strip() for name in methods.split(",") if name.strip()]
    unknown = [name for name in names if name not in BASELINES]
    hint = did_you_mean(unknown[0], BASELINES) if unknown else ""
    if unknown or not names or len(set(names)) < len(names):
        raise click.BadParameter(
            f"{methods!r}: {hint}choose one or more of {','.join(BASELINES)}, each once",
            param_hint="--methods",
        )
    return names


def _weight_files(options: tuple[str, ...]) -> dict[str, Path]:
    """Read the values of --weights."""
    keys = list(dict.fromkeys(published.key for published in WEIGHTS.values()))
    files: dict[str, Path] = {}
    for option in options:
        key, equals, file = option.partition("=")
        if key not in keys or not equals or key in files:
            raise click.BadParameter(
                f"{option!r}: give {' or '.join(f'{name}=FILE' for name in keys)}, each once",
                param_hint="--weights",
            )
        if not Path(file).exists():
            raise click.BadParameter(f"{file!r} does not exist; give a local file", param_hint="--weights")
        files[key] = Path(file)
    return files


def _use_one_thread() -> None:
    """Limit numerical libraries to one thread; takes effect only before numpy is imported."""
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))


def _show(summary: "BenchSummary") -> None:
    from rich.console import Console

    from pointmask.bench.report import LEGEND, heading, machine_line, tables

    width = None if sys.stdout.isatty() else 80  # a file or pipe has no width
    console = Console(width=width, highlight=False, soft_wrap=False)
    console.print(printable(heading(summary)), style="bold", markup=False, soft_wrap=True)
    console.print(machine_line(summary), style="dim", markup=False, soft_wrap=True)
    for table in tables(summary):
        console.print(table)
    for note in summary["notes"]:
        console.print(printable(note), style="yellow", markup=False)
    console.print(LEGEND, style="dim", markup=False)
    for name, reason in summary["skipped"][:_MOST_SKIPPED]:
        console.print(printable(f"left out: {name}: {reason}"), markup=False)
    if len(summary["skipped"]) > _MOST_SKIPPED:
        console.print(f"... and {len(summary['skipped']) - _MOST_SKIPPED} more, see bench.json")


def _save(summary: "BenchSummary", out: Path, *, tells: bool) -> None:
    from pointmask.bench.report import markdown, to_json
    from pointmask.io.files import write_whole

    contents = {"bench.json": to_json(summary).encode(), "bench.md": markdown(summary).encode()}
    if find_spec("matplotlib"):
        from pointmask.bench.chart import chart_png

        contents["bench.png"] = chart_png(summary)
    else:
        say(f"No chart, as matplotlib is missing; install it with: {install('bench')}", err=True)
    for name, data in contents.items():
        write_whole(out / name, data)
        if tells:
            say(str(out / name))
