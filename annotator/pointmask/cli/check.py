"""``pointmask check``: what is recognised in a folder, what is wrong, what to do."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from pointmask.cli import EXIT_SOME_SKIPPED, printable
from pointmask.cli.options import point_format_option, source_options

if TYPE_CHECKING:
    from rich.table import Table

    from pointmask.doctor import Diagnosis, Finding, Group

_SHOWN = 5


@click.command(short_help="What is recognised, what is wrong, what to do.")
@click.argument("images", type=click.Path(path_type=Path))
@click.option("--points", "source", type=click.Path(path_type=Path), help="Points, as for annotate.")
@click.option("--masks", type=click.Path(path_type=Path), help="Folder of true masks.")
@point_format_option
@source_options
@click.option(
    "--simulate",
    type=click.Choice(["centroid", "coarse"]),
    help="Take --points as a folder of masks and click on its targets.",
)
@click.option("--all", "list_all", is_flag=True, help=f"List all files concerned, not the first {_SHOWN}.")
def check(
    images: Path,
    source: Path | None,
    masks: Path | None,
    point_format: str | None,
    raw: str | None,
    radiometric: bool,
    listed: Path | None,
    simulate: Literal["centroid", "coarse"] | None,
    list_all: bool,
) -> None:
    """Read IMAGES (and points and masks) once, and say what a job would stumble over.

    Writes nothing. The exit status is 3 if there are problems; notes do not count.
    """
    from pointmask.doctor import examine
    from pointmask.formats import read_points
    from pointmask.id_lists import read_ids
    from pointmask.sources import open_source

    opened = open_source(images, raw=raw, radiometric=radiometric)
    points = None
    if source is not None:
        points = read_points(source, format=point_format, simulate=simulate, images=opened)
    only = None if listed is None else read_ids(listed)
    diagnosis = examine(opened, points, masks, only=only)
    _show(diagnosis, limit=None if list_all else _SHOWN)
    if not diagnosis.is_healthy:
        raise SystemExit(EXIT_SOME_SKIPPED)


def _show(diagnosis: "Diagnosis", limit: int | None) -> None:
    from rich.console import Console

    Console(highlight=False, markup=False, soft_wrap=True).print(_table(diagnosis.groups))
    if diagnosis.points:
        click.echo(printable(f"\n{diagnosis.points}"))
    for finding in diagnosis.findings:
        _show_finding(finding, limit)
    problems = sum(finding.is_problem for finding in diagnosis.findings)
    notes = len(diagnosis.findings) - problems
    told = f"{problems} kind{'s' * (problems != 1)} of problem" if problems else "No problems"
    click.echo(f"\n{told}" + (f", {notes} note{'s' * (notes != 1)}." if notes else "."))


def _show_finding(finding: "Finding", limit: int | None) -> None:
    label = "PROBLEM" if finding.is_problem else "note"
    click.echo(f"\n{label}: {len(finding.items):,} {finding.what}")
    for item in finding.items[:limit]:
        click.echo(f"  {printable(item)}")
    rest = 0 if limit is None else len(finding.items) - limit
    if rest > 0:
        click.echo(f"  ... and {rest:,} more (--all lists them)")
    click.echo(f"  What to do: {finding.fix}")


def _table(groups: "tuple[Group, ...]") -> "Table":
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("")
    table.add_column("kind")
    table.add_column("files", justify="right")
    table.add_column("frames", justify="right")
    table.add_column("width x height")
    for group in sorted(groups, key=lambda group: (group.role, group.kind)):
        table.add_row(group.role, group.kind, f"{group.files:,}", f"{group.frames:,}", _sizes(group))
    return table


def _sizes(group: "Group") -> str:
    """All sizes if there are few, else the range."""
    common = group.sizes.most_common()
    if len(common) <= 3:
        return ", ".join(f"{width} x {height} ({count:,})" for (height, width), count in common)
    heights, widths = zip(*group.sizes, strict=True)
    return f"{min(widths)} x {min(heights)} to {max(widths)} x {max(heights)} ({len(common)} sizes)"
