"""``pointmask annotate``: parse options, run a folder job, print a summary. Heavy imports follow parsing."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from pointmask.advice import command, did_you_mean, unused
from pointmask.cli import EXIT_SOME_SKIPPED, advise, called, complain, say
from pointmask.cli.options import (
    data_set_name,
    json_option,
    point_format_option,
    polarity_option,
    refuse_idle,
    saved_documents,
    source_options,
    style_option,
)
from pointmask.cli.plugins import LateHelp
from pointmask.io.formats.registry import saved_as
from pointmask.io.layout import RESULTS
from pointmask.printable import printable_json

if TYPE_CHECKING:
    from pointmask.folder.report.options import ReportOptions
    from pointmask.io.images.source import ImageSource
    from pointmask.io.points.points import Points

_MOST_SHARDS = 100_000  # each has files of its own, which all others look for


def _kinds(ctx: click.Context, parameter: click.Parameter, value: str) -> tuple[str, ...]:
    kinds = tuple(word.strip() for word in value.split(",") if word.strip())
    known = (*RESULTS, "rle", *saved_as(kinds))
    for kind in kinds:
        if kind not in known:
            every = (*RESULTS, "rle", *saved_as())
            hint = did_you_mean(kind, every)
            raise click.BadParameter(f"{kind!r} is not known; {hint}choose among {','.join(every)}")
    return kinds


def shard_of(ctx: click.Context, parameter: click.Parameter, value: str | None) -> tuple[int, int] | None:
    """Read ``i/n`` of an option."""
    if value is None:
        return None
    match = re.fullmatch(r"(\d+)/(\d+)", value)
    if match is None or not 1 <= int(match[1]) <= int(match[2]) <= _MOST_SHARDS:
        raise click.BadParameter(
            f"{value!r} is not i/n with i from 1 to n and n at most {_MOST_SHARDS:,}; for the first of three "
            "write 1/3"
        )
    return int(match[1]), int(match[2])


@click.command(short_help="Images and points to masks.")
@click.argument("images", type=click.Path(path_type=Path))
@click.option(
    "--points",
    "source",
    type=click.Path(path_type=Path),
    required=True,
    help="Point list: CSV image,x,y[,label], COCO, LabelMe, CVAT and more (see --points-format), or a "
    "folder of point images, or of masks with --simulate.",
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Output folder.")
@point_format_option
@source_options
@click.option(
    "--simulate",
    type=click.Choice(["centroid", "coarse"]),
    help="Treat --points as a folder of masks and simulate clicks on its targets.",
)
@click.option(
    "--seed", type=int, default=0, show_default=True, help="Seed of --simulate, --report-sample and --test."
)
@click.option(
    "--track",
    is_flag=True,
    help="Track points through the frames that follow, up to the next frame with points. A sequence is the "
    "images of a folder in natural order, of equal shape, or the pages of a file. Writes OUT/points.jsonl.",
)
@click.option(
    "--theta",
    default="default",
    show_default=True,
    metavar="default|synthetic|paper|FILE",
    help="Parameters of the annotator.",
)
@style_option
@polarity_option
@click.option(
    "--threads",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Number of threads; does not affect the masks.",
)
@click.option(
    "--save",
    default="mask",
    show_default=True,
    metavar="KIND,...",
    callback=_kinds,
    cls=LateHelp,
    write=lambda: (
        "What to write besides the mask: soft, instance, overlay, rle (masks.jsonl); for other "
        f"programs {saved_documents()}."
    ),
)
@click.option(
    "--test",
    type=click.FloatRange(0, 1),
    default=0.0,
    show_default=True,
    help="Share of test images, drawn by --seed, in training folders of --save.",
)
@click.option(
    "--name",
    callback=data_set_name,
    help="Name of the data set in the lists of --save basicirstd.  [default: basicirstd]",
)
@click.option(
    "--no-png", is_flag=True, help="Write masks.jsonl, with all masks as run lengths, and no mask images."
)
@click.option("--report", is_flag=True, help="Write report.html, to inspect the least certain masks.")
@click.option(
    "--report-sample",
    "sample",
    type=click.IntRange(1),
    metavar="N",
    help="Write report.html of N targets drawn at random (by --seed), whose quality stands for that of all.",
)
@click.option(
    "--report-truth",
    "truth",
    type=click.Path(path_type=Path, exists=True),
    help="True masks, which report.html then shows with each target's IoU.",
)
@click.option("--overwrite", is_flag=True, help="Redo everything, and replace results of earlier jobs.")
@click.option("--shard", metavar="I/N", callback=shard_of, help="Run only part I of N; the last one merges.")
@click.option("--empty-masks", is_flag=True, help="Write an empty mask for images without points.")
@click.option("--timings", is_flag=True, help="Append timings.jsonl: milliseconds per target of each image.")
@json_option
@click.option("--scheduler", metavar="ADDRESS", help="Run on a Dask cluster: tcp://host:8786.")
def annotate(
    images: Path,
    source: Path,
    out: Path,
    point_format: str | None,
    raw: str | None,
    radiometric: bool,
    id_list: Path | None,
    simulate: Literal["centroid", "coarse"] | None,
    seed: int,
    track: bool,
    theta: str,
    style: str | None,
    polarity: Literal["bright", "dark", "auto"],
    threads: int,
    save: tuple[str, ...],
    test: float,
    name: str | None,
    no_png: bool,
    report: bool,
    sample: int | None,
    truth: Path | None,
    overwrite: bool,
    shard: tuple[int, int] | None,
    empty_masks: bool,
    timings: bool,
    as_json: bool,
    scheduler: str | None,
) -> None:
    """Annotate IMAGES, a folder, zip or tar archive; write masks/, manifest.jsonl and theta.toml to OUT.

    After an interruption run the same command again: it completes the job. Images that cannot be
    annotated are skipped and listed; the exit status is then 3, as it is if hardly a point lies on a target.
    """
    from pointmask.cli.progress import progress_display
    from pointmask.cli.summary import announce_compilation, show_summary, summary_json, what_is_wrong
    from pointmask.folder.documents import check_heeded
    from pointmask.folder.job import annotate_folder
    from pointmask.folder.output import check_places
    from pointmask.io.formats.base import WriteOptions
    from pointmask.io.images.open import open_source
    from pointmask.places import check_images, data_of
    from pointmask.theta import Theta

    if no_png and (excluded := set(save) & {"soft", "instance", "overlay"}):
        raise click.UsageError(
            f"--no-png leaves out --save {','.join(sorted(excluded))}; drop one of the two"
        )
    if track and empty_masks:
        raise click.UsageError(
            "--empty-masks would call frames empty in which --track lost a target; drop one of the two"
        )
    refuse_idle("seed", "is for --simulate, --report-sample or --test", idle=not (simulate or sample or test))
    if scheduler is not None and threads > 1:
        raise click.UsageError(
            "--threads is for this machine, --scheduler runs the job on others; give one of the two"
        )
    written = WriteOptions(test, seed, name=name)
    try:
        check_heeded(written, list(saved_as(save)))
    except ValueError as error:
        raise click.UsageError(f"--{error}".replace("add save", "add --save")) from None
    check_places(out, saved_as(save), [images, source, id_list, theta, truth])
    parameters = Theta.load(theta).drawn(style)
    check_images(images)
    opened = open_source(images, raw=raw, radiometric=radiometric)
    points = _read(source, opened, point_format, simulate, seed)
    announce_compilation()
    carried = None
    if track:
        from pointmask.cli.annotating.tracking import carry_points, show_tracks

        carried = carry_points(opened, points, out, polarity=polarity, overwrite=overwrite, reads=[source])
    used = carried.points if carried else points
    with progress_display() as progress:
        summary = annotate_folder(
            opened,
            used,
            out,
            theta=parameters,
            polarity=polarity,
            threads=threads,
            save=save,
            written=written,
            png=not no_png,
            report=_report(sample, seed, truth) if report or sample or truth else False,
            overwrite=overwrite,
            shard=shard,
            empty_masks=empty_masks,
            only=id_list,
            timings=timings,
            scheduler=scheduler,
            progress=progress,
        )
    if as_json:
        say(*printable_json(summary_json(summary)).splitlines())
    else:
        show_summary(summary)
        if carried:
            show_tracks(carried, out)
    wrong = what_is_wrong(summary, is_shard=shard is not None)
    if wrong is not None:
        tell = complain if as_json else say
        tell(f"WARNING: {wrong[0]}", f"What to do: {wrong[1]}")
    elif not as_json and not summary.missing_shards and summary.images:
        data = data_of(images) or images
        train = command("train", data, "--masks", out, "--out", unused("run"))
        unpack = command("convert", out, unused("training"), "--to", "basicirstd", "--images", images)
        later = re.compile("#[1-9][0-9]*$")  # frames of a file: a training reads the first alone
        is_trained_on = images.is_dir() and not any(later.search(key) for key in used.by_image)
        advise(command("click", images, "--review", out, "--out", out), train if is_trained_on else unpack)
    makes_sense = summary.judgement is None or summary.judgement.makes_sense
    if summary.skipped or not makes_sense or not (summary.images or shard):
        raise SystemExit(EXIT_SOME_SKIPPED)


def _report(sample: int | None, seed: int, truth: Path | None) -> "ReportOptions":
    from pointmask.drawing.page import made_by
    from pointmask.folder.report.options import ReportOptions

    return ReportOptions(sample or 0, seed, truth, made_by(called()))


def _read(
    source: Path,
    images: "ImageSource",
    point_format: str | None,
    simulate: Literal["centroid", "coarse"] | None,
    seed: int,
) -> "Points":
    from pointmask.cli import show_notes
    from pointmask.io.formats import read_points

    points = read_points(source, format=point_format, simulate=simulate, seed=seed, images=images)
    say(f"Points: {len(points):,} in {len(points.by_image):,} images, from {points.source}", err=True)
    show_notes(points.notes)
    return points
