"""``pointmask propose``: images in, a table of places where targets may be. Heavy imports follow parsing."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from pointmask.advice import command
from pointmask.cli import EXIT_SOME_SKIPPED, advise, say, show_notes
from pointmask.cli.options import dead_pixels_option, polarity_option, source_options

if TYPE_CHECKING:
    from pointmask.defects import DeadPixels

# On SIRST3's train list, held out, 2.4 proposals per frame find 0.924 of the targets; the first 5 whatever
# their score find 0.946, and a budget of 0.3 gives 1.6 that find 0.869 (2026-11-30).
_FALSE_ALARMS = 1.0


@click.command(short_help="Places where targets may be, without any training.")
@click.argument("images", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Table to write: points.csv.")
@source_options
@polarity_option
@dead_pixels_option("replace")
@click.option(
    "--per-frame",
    type=click.IntRange(1),
    default=10,
    show_default=True,
    metavar="K",
    help="Maximum number of proposals per frame.",
)
@click.option(
    "--false-alarms",
    type=click.FloatRange(min=0, min_open=True),
    metavar="N",
    help="About N false alarms per frame, as measured on SIRST3's train list.  [default: 1]",
)
@click.option(
    "--min-score",
    type=click.FloatRange(0, 1),
    help="Instead of --false-alarms: proposals of at least this score; 0 gives the first K in any case.",
)
@click.option(
    "--masks",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Also annotate the proposals: masks and manifest in this folder.",
)
@click.option(
    "--threads",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Number of threads; does not affect the table.",
)
@click.option("--overwrite", is_flag=True, help="Replace an earlier table and its masks.")
def propose(
    images: Path,
    out: Path,
    raw: str | None,
    radiometric: bool,
    id_list: Path | None,
    polarity: Literal["bright", "dark", "auto"],
    dead_pixels: "DeadPixels | None",
    per_frame: int,
    min_score: float | None,
    false_alarms: float | None,
    masks: Path | None,
    threads: int,
    overwrite: bool,
) -> None:
    """Find places in IMAGES, a folder, zip or tar archive, where small targets may be.

    OUT is a table (image,x,y,frame,score,area), the best first in each frame, which annotate, click and check
    read as points. A proposal is not a target: look at them, for example with
    pointmask click IMAGES --proposals OUT.
    Images that cannot be read are skipped and listed; the exit status is then 3.
    """
    from pointmask.cli.progress import progress_display
    from pointmask.cli.summary import announce_compilation, list_some, show_summary
    from pointmask.io.images.open import open_source
    from pointmask.io.points.lists import read_ids
    from pointmask.places import check_images
    from pointmask.proposals.ranking import least_score
    from pointmask.proposals.table import Search, write_proposals

    if min_score is not None and false_alarms is not None:
        raise click.UsageError("--min-score and --false-alarms both set the least score; drop one of the two")
    least = least_score(false_alarms or _FALSE_ALARMS) if min_score is None else min_score
    check_images(images)
    source = open_source(images, raw=raw, radiometric=radiometric)
    only = read_ids(id_list) if id_list else None
    announce_compilation()
    with progress_display() as show:
        summary = write_proposals(
            source,
            out,
            Search(per_frame, least, polarity, dead_pixels or "replace"),
            only=only,
            count=threads,
            overwrite=overwrite,
            reads=[id_list] if id_list else [],
            exclude=masks,
            progress=show,
        )
    say(f"frames     {summary.frames:,}")
    kind = "" if polarity == "auto" else f"{polarity} targets, "
    say(f"proposals  {summary.proposals:,}  ({kind}score {least:.4g} or more)")
    if summary.bare:
        say(f"without    {summary.bare:,} frames have no proposal and are not in the table")
    if 2 * summary.bare >= max(summary.frames, 1) and polarity != "auto":
        show_notes(
            [f"only {polarity} targets are looked for; of others, --polarity auto makes proposals too"]
        )
    if summary.recurring:
        (row, col), often = summary.recurring[0]
        count = len(summary.recurring)
        which = "a place of proposals recurs" if count == 1 else f"{count:,} places of proposals recur"
        show_notes(
            [
                f"{which} in many frames (row {row}, column {col} in {often:,} of "
                f"{summary.frames:,}): symbols of a display, or what stands still before the camera"
            ]
        )
    if summary.skipped:
        list_some("Skipped", [f"{name}: {reason}" for name, reason in summary.skipped], "")
    say(f"Table:   {out}")
    if masks is not None and summary.proposals:
        from pointmask.folder.job import annotate_folder

        with progress_display() as show:
            annotated = annotate_folder(
                source,
                out,
                masks,
                polarity=polarity,
                threads=threads,
                overwrite=overwrite,
                only=only,
                progress=show,
            )
        show_summary(annotated)
    if summary.proposals:
        advise(command("click", images, "--proposals", out))
    if summary.skipped:
        raise SystemExit(EXIT_SOME_SKIPPED)
