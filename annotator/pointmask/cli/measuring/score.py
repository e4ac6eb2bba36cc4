"""``pointmask score``: masks of any origin and true masks in; tables, CSV files and a page out."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from pointmask.advice import did_you_mean
from pointmask.cli import EXIT_SOME_SKIPPED, advise, called, complain, say
from pointmask.cli.options import json_option
from pointmask.io.own import check_set, is_json_of
from pointmask.printable import printable_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pointmask.io.points.names import ImageFrame
    from pointmask.io.points.points import Point
    from pointmask.metrics.rules import Compat
    from pointmask.scoring.run import Scorer
    from pointmask.scoring.sources import MaskSet
    from pointmask.scoring.tally import Tally

FILES = ("score.json", "images.csv", "targets.csv", "worst.html")
_COMPAT = ("basicirstd", "basicirstd-2023", "dnanet", "lesps", "edgsp")
_BY = ("data-set", "size", "none")
_MOST_REASONS = 20
_HINT = "; if they are probabilities, add --threshold 0.5"
_PATH = click.Path(path_type=Path, exists=True)


@click.command(short_help="How good masks are: any folder against true masks.")
@click.argument("masks", nargs=-1, required=True, type=_PATH, metavar="MASKS...")
@click.option("--truth", required=True, type=_PATH, help="True masks: a folder or anything else with masks.")
@click.option("--images", type=_PATH, help="The images, for the pictures of the worst cases.")
@click.option(
    "--points", type=_PATH, help="Clicks: targets are then compared at each click, as for annotators."
)
@click.option("--list", "id_list", type=_PATH, help="Only the images of this list of ids.")
@click.option(
    "--missing-empty", is_flag=True, help="A true mask without a mask counts as one with nothing found."
)
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1),
    help="MASKS hold probabilities; target is above this share of their range, such as 0.5.",
)
@click.option(
    "--compat",
    type=click.Choice(_COMPAT),
    help="Repeat a published evaluation with its defects, to compare with its tables.",
)
@click.option(
    "--match",
    type=click.Choice(["first", "nearest", "hungarian"]),
    default="first",
    show_default=True,
    help="Which component belongs to a true target: the first in raster order that is near enough, as "
    "published, the nearest, or the best assignment.",
)
@click.option(
    "--empty",
    type=click.Choice(["zero", "one", "skip"]),
    default="zero",
    show_default=True,
    help="IoU in nIoU of an image with nothing to find and nothing found; zero as published.",
)
@click.option(
    "--by",
    default="data-set,size",
    show_default=True,
    metavar="data-set,size|none",
    help="Tables of parts, separated by commas.",
)
@click.option(
    "--worst",
    type=click.IntRange(min=0),
    default=60,
    show_default=True,
    help="Cases of each kind on the page.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("pointmask-score"),
    show_default=True,
    help=f"Folder for {', '.join(FILES)}.",
)
@click.option("--overwrite", is_flag=True, help="Replace the files of an earlier score.")
@json_option
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True, help="Number of threads.")
def score(
    masks: tuple[Path, ...],
    truth: Path,
    images: Path | None,
    points: Path | None,
    id_list: Path | None,
    missing_empty: bool,
    threshold: float | None,
    compat: "Compat | None",
    match: Literal["first", "nearest", "hungarian"],
    empty: Literal["zero", "one", "skip"],
    by: str,
    worst: int,
    out: Path,
    overwrite: bool,
    as_json: bool,
    threads: int,
) -> None:
    """Score MASKS of any origin against true masks; several are compared with the first, image by image.

    \b
    pointmask score out/ --truth DATA/masks --images DATA/images
    pointmask score mine/ theirs/ --truth DATA/masks --list DATA/img_idx/test_mine.txt
    pointmask score results/DNANet --truth DATA/masks --compat dnanet

    MASKS is a folder of mask pictures, an output folder of annotate or predict, an archive, or a document of
    any format with masks, such as COCO. They find their true masks by name.
    """  # noqa: D301 - click wants the character
    from pointmask.cli import show_notes
    from pointmask.cli.progress import progress_display
    from pointmask.io.files import whole_text, write_whole
    from pointmask.io.points.lists import read_ids
    from pointmask.scoring.exchanged import check_inverted, check_truth
    from pointmask.scoring.pairs import pair
    from pointmask.scoring.rows import Rows
    from pointmask.scoring.run import Scorer, score_all
    from pointmask.scoring.sources import open_masks
    from pointmask.scoring.tally import Tally

    wanted = _parts(by)
    reads = [*masks, truth, images, points, id_list]
    check_set(out, FILES, reads, _is_score, overwrite=overwrite)
    names = unique_names(masks)
    sets = [open_masks(path, threshold, hint=_HINT) for path in masks]
    check_truth(masks, truth)
    true = open_masks(truth)
    found = pair(true, sets, None if id_list is None else read_ids(id_list), missing_is_empty=missing_empty)
    show_notes(found.notes)
    clicks = None if points is None else _clicks(points, true)
    scorer = Scorer(truth=true, sets=sets, points=clicks, compat=compat, match=match, empty=empty)
    tallies = [Tally(worst) for _ in sets]
    problems = dict(found.problems)
    with (
        _no_empty_folder(out),
        whole_text(out / "images.csv") as image_rows,
        whole_text(out / "targets.csv") as target_rows,
    ):
        rows = Rows(names, image_rows, target_rows)
        with progress_display() as show:

            def take(result: Any) -> None:  # noqa: ANN401 - ImageScore
                if result.problem:
                    problems[result.pair.name] = result.problem
                    return
                rows.add(result)
                for index, tally in enumerate(tallies):
                    tally.add(result, index)

            score_all(scorer, found.pairs, take, threads=threads, report=show)
        _check_scored(tallies, problems)
        check_inverted(truth, [(name, tally.counters) for name, tally in zip(names, tallies, strict=True)])
        facts = {
            "truth": str(truth),
            "masks": dict(zip(names, map(str, masks), strict=True)),
            "compat": compat,
            "match": match,
            "empty": empty,
            "threshold": threshold,
            "points": None if points is None else str(points),
            "images": len(tallies[0].counters),
            "skipped": problems,
            **_origin(),
        }
        pages = _figures(scorer, names, tallies, images, None if as_json else wanted, facts)
        for name, content in zip(("score.json", "worst.html"), pages, strict=True):
            write_whole(out / name, content.encode("utf-8", "backslashreplace"))
    if as_json:
        say(*printable_json(pages[0]).splitlines())
        _show_problems(problems)
        return
    for name in FILES:
        say(str(out / name))
    advise(_next(masks, truth, images))
    _show_problems(problems)


def _next(masks: tuple[Path, ...], truth: Path, images: Path | None) -> str:
    """Return the command that shows the worst cases on their images, or corrects the masks."""
    from pointmask.advice import command, unused
    from pointmask.io.layout import POINTS
    from pointmask.places import images_of, kind_of

    if images is None:
        return called("--images", images_of(truth) or "IMAGES", "--overwrite")
    kinds = {kind_of(path): path for path in reversed(masks)}
    if (ours := kinds.get("output")) is not None:
        return command("click", images, "--review", ours, "--out", ours)
    if (found := kinds.get("detections")) is not None:
        return command("click", images, "--proposals", found / POINTS, "--out", unused("reviewed"))
    return command("check", images, "--masks", truth)


@contextmanager
def _no_empty_folder(out: Path) -> Iterator[None]:
    """Leave no empty folder where nothing could be scored."""
    is_new = not out.exists()
    try:
        yield
    except BaseException:
        if is_new:
            with suppress(OSError):
                out.rmdir()
        raise


def _figures(
    scorer: "Scorer",
    names: "Sequence[str]",
    tallies: "Sequence[Tally]",
    images: Path | None,
    by: "Sequence[str] | None",
    facts: dict[str, Any],
) -> tuple[str, str]:
    """Print the tables, unless no parts are given; return the JSON and the page."""
    from rich.console import Console

    from pointmask.io.images.open import open_source
    from pointmask.scoring.intervals import difference, intervals
    from pointmask.scoring.page import worst_page
    from pointmask.scoring.report import LEGEND, tables, to_json

    sure = [intervals(tally.counters) for tally in tallies]
    differences = [difference(tallies[0].counters, tally.counters) for tally in tallies[1:]]
    if by is not None:
        console = Console(width=None if sys.stdout.isatty() else 80, highlight=False)
        for table in tables(names, tallies, sure, differences, by):
            console.print(table)
        console.print(LEGEND, style="dim", markup=False)
        if scorer.compat is not None:
            say(f"Figures of whole images as {scorer.compat} computes them, with its defects.")
    source = None if images is None else open_source(images)
    page = worst_page(scorer, names, tallies, sure, source, facts["command"])
    return to_json(facts, names, tallies, sure, differences), page


def unique_names(paths: "Sequence[Path]") -> list[str]:
    """Return the shortest ends of the paths that differ from each other."""
    parts = [path.resolve().parts for path in paths]
    if len(set(parts)) < len(parts):
        raise click.UsageError("the same masks are given twice; name each once")
    for length in range(1, max(map(len, parts)) + 1):
        names = [str(Path(*one[-length:])) for one in parts]
        if len(set(names)) == len(names):
            return names
    return [str(path) for path in paths]


def _parts(by: str) -> list[str]:
    parts = [part.strip() for part in by.split(",")]
    unknown = [part for part in parts if part not in _BY]
    if unknown:
        raise click.BadParameter(
            f"{unknown[0]!r} is unknown; {did_you_mean(unknown[0], _BY)}choose among {', '.join(_BY)}",
            param_hint="--by",
        )
    return parts


def _is_score(path: Path) -> bool:
    from pointmask.scoring.report import KEYS

    return is_json_of(path, KEYS)


def _clicks(points: Path, truth: "MaskSet") -> "Mapping[ImageFrame, tuple[Point, ...]]":
    from pointmask.cli import show_notes
    from pointmask.errors import PointsError
    from pointmask.io.formats import read_points
    from pointmask.io.points.by_frame import points_by_frame

    found = points_by_frame(read_points(points), truth.names())
    show_notes(found.notes)
    if not found.points:
        raise PointsError(f"no point of {points} belongs to a true mask of {truth.path}; names must agree")
    return found.points


def _check_scored(tallies: "Sequence[Tally]", problems: "Mapping[str, str]") -> None:
    from pointmask.errors import ImageError

    if not len(tallies[0].counters):
        name, reason = next(iter(problems.items()))
        raise ImageError(f"no mask could be scored; {name}: {reason}")


def _origin() -> dict[str, str]:
    from datetime import datetime, timezone

    from pointmask.version import __version__

    return {
        "command": called(),
        "version": __version__,
        "date": datetime.now(timezone.utc).isoformat(timespec="minutes"),
    }


def _show_problems(problems: "Mapping[str, str]") -> None:
    if not problems:
        return
    complain(f"Not scored ({len(problems):,}):")
    complain(*(f"  {name}: {reason}" for name, reason in [*problems.items()][:_MOST_REASONS]))
    if len(problems) > _MOST_REASONS:
        complain(f"  ... and {len(problems) - _MOST_REASONS:,} more, see score.json")
    raise SystemExit(EXIT_SOME_SKIPPED)
