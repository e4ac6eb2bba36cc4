"""``pointmask calibrate``: a few dozen masks in, a theta fitted to them out, with what it gained."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from pointmask.cli import EXIT_SOME_SKIPPED, printable
from pointmask.cli.options import point_format_option, polarity_option
from pointmask.errors import OutputError

if TYPE_CHECKING:
    from pointmask.calibrate.fit import Calibration

BUDGET = 1000
"""That of `pointmask.calibrate`, repeated so that help need not load it."""

_LOG_EVERY = 10.0  # seconds
_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


@click.command(short_help="Fit theta to your own masks.")
@click.argument("images", type=_FOLDER)
@click.option("--masks", type=_FOLDER, required=True, help="True masks, paired with IMAGES by name.")
@click.option(
    "--points",
    "source",
    type=click.Path(path_type=Path, exists=True),
    help="Point list, or a folder of masks with --simulate.",
)
@point_format_option
@click.option(
    "--simulate",
    type=click.Choice(["centroid", "coarse"]),
    help="Click on the targets of the masks (of --points, if given) instead of reading points.",
)
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="TOML file to write."
)
@click.option(
    "--theta", default="default", show_default=True, metavar="paper|default|FILE", help="Where to start."
)
@polarity_option
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Of the split and of --simulate coarse.",
)
@click.option(
    "--held-out",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.3,
    show_default=True,
    help="Share of the images that the fit never sees and that judge it at the end.",
)
@click.option(
    "--budget", type=click.IntRange(2), default=BUDGET, show_default=True, help="Thetas to try at most."
)
@click.option("--overwrite", is_flag=True, help="Replace OUT if it exists.")
def calibrate(
    images: Path,
    masks: Path,
    source: Path | None,
    point_format: str | None,
    simulate: Literal["centroid", "coarse"] | None,
    out: Path,
    theta: str,
    polarity: Literal["bright", "dark", "auto"],
    seed: int,
    held_out: float,
    budget: int,
    overwrite: bool,
) -> None:
    """Fit theta to IMAGES with masks of your own: about 30 are enough.

    Images without a mask or points are passed over. What the fit gained is measured on images it never
    saw; if it gained nothing there, OUT holds the start, unchanged. Use it with: pointmask annotate
    --theta OUT
    """
    if source is None and simulate is None:
        raise click.UsageError("give --points FILE, or --simulate centroid to click on the masks' targets.")
    if out.exists() and not overwrite:
        raise OutputError(
            f"{out} exists already; choose another file with --out, or replace it: "
            "pointmask calibrate --overwrite"
        )

    from pointmask.calibrate.fit import calibrate as fit
    from pointmask.calibrate.pairs import read_pairs
    from pointmask.cli import show_notes
    from pointmask.cli.summary import tell_compiling
    from pointmask.io.formats import read_points

    points = read_points(source or masks, format=point_format, simulate=simulate, seed=seed, images=images)
    show_notes(points.notes)
    skipped: list[tuple[str, str]] = []
    tell_compiling()
    with _shown(budget) as tick:
        found = fit(
            read_pairs(images, masks, points, skipped, lambda note: show_notes([note])),
            theta=theta,
            polarity=polarity,
            seed=seed,
            held_out=held_out,
            budget=budget,
            tick=tick,
        )
    _write(out, found)
    for line in (*found.lines, f"written: {out}"):
        click.echo(line)
    for name, reason in skipped:
        click.echo(printable(f"left out: {name}: {reason}"), err=True)
    if skipped:
        raise SystemExit(EXIT_SOME_SKIPPED)


def _write(out: Path, found: "Calibration") -> None:
    from pointmask.io.files import write_whole

    notes = "".join(f"# {line}\n" for line in ("pointmask calibrate", *found.lines))
    try:
        write_whole(out, notes + found.theta.to_toml())
    except OSError as error:
        raise OutputError(
            f"{out} cannot be written ({error.strerror or error}); choose another file with --out"
        ) from None


@contextmanager
def _shown(budget: int) -> Iterator[Callable[[int], None]]:
    """Give a function that shows how many thetas were tried: a bar on a terminal, else lines."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _logged(budget)
        return
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("thetas at most"),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=budget, rate="")
        start = time.monotonic()
        yield lambda tried: bar.update(
            task, completed=tried, rate=f"{tried / max(time.monotonic() - start, 1e-9):,.0f}/s"
        )


def _logged(budget: int) -> Callable[[int], None]:
    last = time.monotonic()

    def show(tried: int) -> None:
        nonlocal last
        if time.monotonic() - last >= _LOG_EVERY:
            last = time.monotonic()
            click.echo(f"{tried:,} of at most {budget:,} thetas tried", file=sys.stderr)

    return show
