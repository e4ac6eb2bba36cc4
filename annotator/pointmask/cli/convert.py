"""``pointmask convert``: annotations of one kind in, of another kind out, and a word on what was lost."""

from pathlib import Path
from typing import Any

import click

from pointmask.cli import EXIT_SOME_SKIPPED, printable
from pointmask.cli.options import written_formats
from pointmask.cli.plugins import LateHelp, NamesOption
from pointmask.io.formats.registry import FORMATS

_SHOWN = 20


@click.command(short_help="Annotations into another format.")
@click.argument("source", metavar="SRC", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option(
    "--to",
    required=True,
    metavar="FORMAT",
    cls=LateHelp,
    write=lambda: f"What to write: {written_formats()}.",
)
@click.option(
    "--from",
    "given",
    metavar="FORMAT",
    cls=NamesOption,
    registry=FORMATS,
    help="What SRC is, if it is not recognised",
)
@click.option(
    "--images",
    type=click.Path(path_type=Path),
    help="The images. Needed by training folders, and for sizes where SRC has none.",
)
@click.option("--test", type=click.FloatRange(0, 1), help="Share of test images in training folders; else 0.")
@click.option("--seed", type=int, help="Of the draw of test images; else 0.")
@click.option("--copy", is_flag=True, help="Copy images into training folders instead of linking to them.")
@click.option("--overwrite", is_flag=True, help="Replace files that exist; other files in OUT stay.")
def convert(
    source: Path,
    out: Path,
    to: str,
    given: str | None,
    images: Path | None,
    test: float | None,
    seed: int | None,
    copy: bool,
    overwrite: bool,
) -> None:
    """Convert annotations, points and masks, without annotating.

    SRC is a file or folder in any format that annotate reads, or the output folder of annotate. OUT
    is a file or a folder, as --to has it. What a format cannot hold is said with counts; descriptions
    and other private fields of a tool are not carried over.
    """
    from pointmask.io.formats.convert import convert as run

    asked: dict[str, Any] = {"test": test, "seed": seed, "copy": copy or None}
    options = {name: value for name, value in asked.items() if value is not None}
    done = run(source, out, to, format=given, images=images, overwrite=overwrite, **options)
    click.echo(f"Read:  {source} ({done.recognised})")
    click.echo(f"Wrote: {out} ({done.written}), {done.targets:,} targets in {done.images:,} images")
    if done.lost:
        click.echo(f"Not kept, as {done.written} cannot hold them: {'; '.join(done.lost)}")
    for warning in done.warnings:
        click.echo(f"Note: {warning}")
    if done.rejected:
        click.echo(f"Skipped ({len(done.rejected):,}):")
        for reason in [*done.rejected.values()][:_SHOWN]:
            click.echo(f"  {printable(reason)}")
        if len(done.rejected) > _SHOWN:
            click.echo(f"  ... and {len(done.rejected) - _SHOWN:,} more")
        raise SystemExit(EXIT_SOME_SKIPPED)
