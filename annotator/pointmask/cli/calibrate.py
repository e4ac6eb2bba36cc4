"""``pointmask calibrate``: fit theta to five masks or more and measure the gain."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from pointmask.advice import command, unused
from pointmask.cli import EXIT_SOME_SKIPPED, advise, complain, is_quiet, say
from pointmask.cli.options import point_format_option, polarity_option
from pointmask.errors import OutputError, PointsError

if TYPE_CHECKING:
    from pointmask.calibrate.fit import Calibration

BUDGET = 1000
"""Default of `pointmask.calibrate`, repeated here so that help need not import it."""

_LOG_EVERY = 10.0  # seconds
_HEADING = "pointmask calibrate"
"""First comment of a file that it wrote, by which the file is known."""

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
    help="Simulate clicks on the targets of the masks (of --points, if given) instead of reading points.",
)
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="TOML file to write."
)
@click.option(
    "--theta",
    default="default",
    show_default=True,
    metavar="default|synthetic|paper|FILE",
    help="Start of the fit.",
)
@polarity_option
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Seed of the split and of --simulate coarse.",
)
@click.option(
    "--held-out",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.3,
    show_default=True,
    help="Share of the images held out of the fit of the other knobs, on which its gain is measured.",
)
@click.option(
    "--budget",
    type=click.IntRange(2),
    default=BUDGET,
    show_default=True,
    help="Maximum number of thetas to try for the other knobs.",
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
    """Fit theta to IMAGES with your own masks: the drawing style from five on, other knobs from 30 on.

    Images without a mask or points are ignored. Every gain is measured on images that had no part in the
    choice; without one, masks stay as they are. OUT gets a picture of ten targets beside it, OUT.svg. Use
    it with: pointmask annotate --theta OUT
    """
    if source is None and simulate is None:
        raise click.UsageError("give --points FILE, or --simulate centroid to click on the masks' targets.")
    from pointmask.io.own import check_file

    start = Path(theta) if Path(theta).exists() else None
    picture = out.with_name(f"{out.name}.svg")
    for path, proof in ((out, _is_ours), (picture, _is_our_picture)):
        check_file(path, [images, masks, source, start], proof, overwrite=overwrite)
    from pointmask.places import check_images

    check_images(images)
    from pointmask.calibrate.fit import calibrate as fit
    from pointmask.calibrate.pairs import MOST_JUDGED, judge_pairs, read_pairs
    from pointmask.calibrate.picture import most_changed
    from pointmask.cli import show_notes
    from pointmask.cli.summary import announce_compilation
    from pointmask.drawing.compared import compared_svg
    from pointmask.io.formats import read_points
    from pointmask.io.notes import gathering

    points = read_points(source or masks, format=point_format, simulate=simulate, seed=seed, images=images)
    show_notes(points.notes)
    verdict = judge_pairs(read_pairs(images, masks, points, [], most=MOST_JUDGED), polarity)
    if not verdict.makes_sense:
        raise PointsError(f"{verdict}; {verdict.fix}")
    skipped: list[tuple[str, str]] = []
    announce_compilation()
    with _progress_display(budget) as tick:
        calibration = fit(
            read_pairs(images, masks, points, skipped, lambda note: show_notes([note])),
            theta=theta,
            polarity=polarity,
            seed=seed,
            held_out=held_out,
            budget=budget,
            tick=tick,
        )
    again = read_pairs(images, masks, points, [])
    with gathering():  # what is assumed was said above
        shown = most_changed(again, calibration.start, calibration.theta, polarity)
    _write(out, _text(calibration))
    _write(picture, compared_svg(_HEADING, shown))
    for line in (
        *calibration.lines,
        f"written: {out} and {picture.name}, {len(shown)} targets before and after",
    ):
        say(line)
    clicks = ("--points", masks, "--simulate", simulate) if simulate else ("--points", str(source))
    if not verdict.is_wrong:
        advise(command("annotate", images, *clicks, "--theta", out, "--out", unused("labels")))
    for name, reason in skipped:
        complain(f"left out: {name}: {reason}")
    if verdict.is_wrong:
        say(f"WARNING: {verdict}", f"What to do: {verdict.fix}, and calibrate again")
    if skipped:
        raise SystemExit(EXIT_SOME_SKIPPED)


def _is_ours(path: Path) -> bool:
    return path.read_bytes().startswith(f"# {_HEADING}\n".encode())


def _is_our_picture(path: Path) -> bool:
    return path.read_bytes().startswith(f"<!-- {_HEADING} -->\n".encode())


def _text(calibration: "Calibration") -> str:
    notes = "".join(f"# {line}\n" for line in (_HEADING, *calibration.lines))
    return notes + calibration.theta.to_toml()


def _write(out: Path, text: str) -> None:
    from pointmask.io.files import write_whole

    try:
        write_whole(out, text)
    except OSError as error:
        raise OutputError(
            f"{out} cannot be written ({error.strerror or error}); choose another file with --out"
        ) from None


@contextmanager
def _progress_display(budget: int) -> Iterator[Callable[[int], None]]:
    """Yield a function that shows the number of thetas tried: a bar on a terminal, else lines."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    if is_quiet():
        yield lambda tried: None
        return
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _log_progress(budget)
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


def _log_progress(budget: int) -> Callable[[int], None]:
    last = time.monotonic()

    def show(tried: int) -> None:
        nonlocal last
        if time.monotonic() - last >= _LOG_EVERY:
            last = time.monotonic()
            say(f"{tried:,} of at most {budget:,} thetas tried", err=True)

    return show
