"""``pointmask select``: a run in; lists of the most useful training images out."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pointmask.cli import say
from pointmask.printable import printable
from pointmask_trainer.cli.options import existing_folder

if TYPE_CHECKING:
    from rich.table import Table

    from pointmask_trainer.run.source import Source
    from pointmask_trainer.selection.run import Selection

_BY = ("alpha", "difficulty", "random")


@click.command(short_help="The images of a run that are worth training on.")
@click.argument("run", type=existing_folder)
@click.option(
    "--keep",
    type=float,
    required=True,
    metavar="SHARE|COUNT",
    help="Up to 1 a share of the train list, above 1 a number of images.",
)
@click.option(
    "--by",
    type=click.Choice(_BY),
    default="alpha",
    show_default=True,
    help="Which list to retrain on; the others are written beside it, to compare.",
)
@click.option(
    "--last",
    type=click.IntRange(1),
    default=50,
    show_default=True,
    help="Epochs to average alpha over, the last in which it was on.",
)
@click.option("--stratify", is_flag=True, help="Keep the same share of every data set, known by image names.")
@click.option(
    "--seed",
    "seeds",
    type=click.IntRange(0),
    multiple=True,
    default=(0,),
    help="Of the random list; several make several lists.  [default: 0]",
)
@click.option("--data", type=existing_folder, help="Training folder, if it has moved since.")
@click.option("--masks", type=existing_folder, help="The masks of the run, if they have moved.")
@click.option(
    "--points",
    type=click.Path(exists=True, path_type=Path),
    help="The points of the run, if they have moved.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the lists and selection.csv.  [default: RUN/selected]",
)
@click.option("--overwrite", is_flag=True, help="Replace an earlier selection.")
def select(
    run: Path,
    keep: float,
    by: str,
    last: int,
    stratify: bool,
    seeds: tuple[int, ...],
    data: Path | None,
    masks: Path | None,
    points: Path | None,
    out: Path | None,
    overwrite: bool,
) -> None:
    """Rank the training images of RUN, and write id lists of those to keep.

    \b
    pointmask train DATA --strategy d2d --out run
    pointmask select run --keep 0.3

    alpha is the sample weight that strategy d2d learned, high for images whose weight lowers the loss on the
    validation list; difficulty was measured before training, high for cluttered images with faint targets;
    random is drawn. The command to retrain on a list, with the settings of RUN and without weights, is
    printed.

    RUN needed points for all its images: selecting saves training time, not annotation time.
    """  # noqa: D301 - click wants the character
    from pointmask_trainer.selection.run import check_has, read_run
    from pointmask_trainer.selection.run import select as select_images
    from pointmask_trainer.selection.write import retrain_command, write_selection

    seeds = tuple(dict.fromkeys(seeds))
    out = out or run / "selected"
    trained = read_run(run, last)
    check_has(trained, by)
    selection = select_images(trained, keep, seeds, stratify=stratify)
    name = f"{by}-{seeds[0]}" if by == "random" else by
    source = _source(run, data, masks, points)
    command = None if source is None else retrain_command(selection, name, out, source)
    facts = {"keep": keep, "stratify": stratify, "retrain": command}
    written = write_selection(selection, out, facts, overwrite=overwrite, reads=[data, masks, points])
    _print_selection(selection)
    say("Wrote " + ", ".join(str(path) for path in written))
    say(f"This took points for all {len(trained.ids):,} images: it saves training time, not annotation time.")
    if command is None:
        say(f"{run} does not say where its data lies; name it with --data for the command to retrain.")
    else:
        say("Retrain with:", command)


def _source(run: Path, data: Path | None, masks: Path | None, points: Path | None) -> "Source | None":
    """Return the location of a run's data, as recorded and as overridden by options; None if unknown."""
    from dataclasses import replace

    from pointmask_trainer.run.layout import RunFolder
    from pointmask_trainer.run.source import Source, read_source

    if RunFolder(run).source.exists():
        source = read_source(run)
    elif data is not None:
        source = Source(root=data)
    else:
        return None
    return replace(
        source,
        root=data or source.root,
        masks=masks or source.masks,
        points=points or source.points,
    )


def _print_selection(selection: "Selection") -> None:
    from rich.console import Console

    images, epochs = len(selection.run.ids), selection.run.weights.epochs
    Console(highlight=False, markup=False).print(_table(selection))
    if epochs:
        never = sum(weight is None for weight in selection.run.weights.alpha)
        rest = f"; never weighed, so ranked last: {never} of {images}" if never else ""
        say(f"alpha is a mean over {len(epochs)} epochs, {epochs[0]} to {epochs[-1]}{rest}")
    for (one, other), share in selection.overlaps().items():
        say(f"{one} and {other} share {share:.0%} of their images")
    say(f"(by chance two lists share {selection.count / images:.0%})")


def _table(selection: "Selection") -> "Table":
    """Return a table of the number of images of each data set in each list."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("")
    total = selection.per_data_set()
    columns = {"images": total, **{name: selection.per_data_set(name) for name in selection.kept}}
    for name in columns:
        table.add_column(name, justify="right")
    rows = [*total, "all"] if len(total) > 1 else list(total)
    for data_set in rows:
        counts = [sum(c.values()) if data_set == "all" else c[data_set] for c in columns.values()]
        shares = ["", *(f" ({count / counts[0]:.0%})" for count in counts[1:])]
        cells = [f"{count:,}{share}" for count, share in zip(counts, shares, strict=True)]
        table.add_row(printable(data_set), *cells)
    return table
