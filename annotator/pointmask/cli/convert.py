"""``pointmask convert``: convert annotations between formats and report what the target format lacks."""

from pathlib import Path
from typing import Any

import click

from pointmask.advice import command, unused
from pointmask.cli import EXIT_SOME_SKIPPED, advise, say
from pointmask.cli.options import data_set_name, written_formats
from pointmask.cli.plugins import LateHelp, NamesOption, completes
from pointmask.io.clicks import last_images
from pointmask.io.formats.registry import FORMATS, layouts

_MOST_REASONS = 20


@click.command(short_help="Annotations into another format.")
@click.argument("source", metavar="SRC", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option(
    "--to",
    required=True,
    metavar="FORMAT",
    cls=LateHelp,
    shell_complete=completes(lambda: sorted(layouts())),
    write=lambda: f"Format to write: {written_formats()}.",
)
@click.option(
    "--from",
    "source_format",
    metavar="FORMAT",
    cls=NamesOption,
    registry=FORMATS,
    help="Format of SRC, if it is not recognised",
)
@click.option(
    "--images",
    type=click.Path(path_type=Path),
    help="The images. Required for training folders, and for image sizes that SRC does not hold.",
)
@click.option(
    "--test", type=click.FloatRange(0, 1), help="Share of test images in training folders; 0 by default."
)
@click.option("--seed", type=int, help="Seed of the choice of test images; 0 by default.")
@click.option(
    "--name",
    callback=data_set_name,
    help="Name of the data set in the lists of basicirstd; that of OUT by default.",
)
@click.option("--copy", is_flag=True, help="Copy images into training folders instead of linking to them.")
@click.option("--overwrite", is_flag=True, help="Replace what a conversion wrote; other files in OUT remain.")
def convert(
    source: Path,
    out: Path,
    to: str,
    source_format: str | None,
    images: Path | None,
    test: float | None,
    seed: int | None,
    name: str | None,
    copy: bool,
    overwrite: bool,
) -> None:
    """Convert annotations, points and masks, without annotating.

    SRC is a file or folder in any format that annotate reads, or the output folder of annotate. OUT
    is a file or a folder, depending on --to. Properties that the format cannot hold are reported with
    counts; descriptions and other private fields of a tool are not converted.
    """
    from pointmask.io.formats.convert import convert as run

    requested: dict[str, Any] = {
        "test": test,
        "seed": seed,
        "name": name,
        "copy": copy or None,
    }
    options = {key: value for key, value in requested.items() if value is not None}
    result = run(source, out, to, format=source_format, images=images, overwrite=overwrite, **options)
    say(f"Read:  {source} ({result.recognised})")
    say(f"Wrote: {out} ({result.written}), {result.targets:,} targets in {result.images:,} images")
    if result.lost:
        say(f"Not kept, as {result.written} cannot hold them: {'; '.join(result.lost)}")
    for warning in result.warnings:
        say(f"Note: {warning}")
    if result.rejected:
        say(f"Skipped ({len(result.rejected):,}):")
        for reason in [*result.rejected.values()][:_MOST_REASONS]:
            say(f"  {reason}")
        if len(result.rejected) > _MOST_REASONS:
            say(f"  ... and {len(result.rejected) - _MOST_REASONS:,} more")
    advise(_next(source, out, to, images))
    if result.rejected:
        raise SystemExit(EXIT_SOME_SKIPPED)


def _next(source: Path, out: Path, to: str, images: Path | None) -> str:
    """Return the command that trains on a training folder, or looks whether a document fits its images."""
    from pointmask.places import images_of

    if layouts()[to] == "training folder":
        return command("train", out, "--strategy", "full", "--out", unused("run"))
    known = images or last_images(source) or images_of(source) or "IMAGES"
    return command("check", known, "--points", out)
