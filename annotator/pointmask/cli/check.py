"""``pointmask check``: report what a folder holds, what is wrong and what to do; write a corrected copy."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from pointmask.advice import command, unused
from pointmask.cli import EXIT_SOME_SKIPPED, advise, called, is_quiet, say
from pointmask.cli.options import image_options, point_format_option, refuse_idle
from pointmask.io.layout import IMAGES, POINT_LIST, TRUE_MASKS
from pointmask.printable import printable

if TYPE_CHECKING:
    from rich.table import Table

    from pointmask.doctor import Diagnosis, Finding, Group

_MOST_ITEMS = 5


@click.command(short_help="What is recognised, what is wrong, what to do.")
@click.argument("images", type=click.Path(path_type=Path))
@click.option("--points", "source", type=click.Path(path_type=Path), help="Points, as for annotate.")
@click.option("--masks", type=click.Path(path_type=Path), help="Folder of true masks.")
@click.option(
    "--list",
    "id_lists",
    type=click.Path(path_type=Path),
    multiple=True,
    help="Check only the images of this list of ids; several lists are compared with each other.",
)
@click.option(
    "--lists",
    "folder",
    type=click.Path(path_type=Path),
    help="Folder of such lists (*.txt), such as img_idx.",
)
@point_format_option
@image_options
@click.option(
    "--simulate",
    type=click.Choice(["centroid", "coarse"]),
    help="Treat --points as a folder of masks and simulate clicks on its targets.",
)
@click.option(
    "--all", "list_all", is_flag=True, help=f"List all affected files, not only the first {_MOST_ITEMS}."
)
@click.option(
    "--json",
    "report",
    type=click.Path(path_type=Path),
    help="Write all findings to this file; only findings of an earlier run are replaced.",
)
@click.option("--fix", "out", type=click.Path(path_type=Path), help="Write a corrected copy to this folder.")
@click.option("--copy", is_flag=True, help="With --fix, copy images instead of linking to them.")
@click.option("--overwrite", is_flag=True, help="With --fix, replace an earlier copy; other files stay.")
@click.option(
    "--threads",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Number of threads; does not affect the findings.",
)
def check(
    images: Path,
    source: Path | None,
    masks: Path | None,
    id_lists: tuple[Path, ...],
    folder: Path | None,
    point_format: str | None,
    raw: str | None,
    radiometric: bool,
    simulate: Literal["centroid", "coarse"] | None,
    list_all: bool,
    report: Path | None,
    out: Path | None,
    copy: bool,
    overwrite: bool,
    threads: int,
) -> None:
    """Read IMAGES (and points, masks and lists) once, and report what is wrong and what to do.

    The files are not modified; --fix writes a corrected copy, whose fixes.jsonl lists the changes to each
    file. The exit status is 3 if there are problems; notes do not count.
    """
    if (copy or overwrite) and out is None:
        raise click.UsageError("--copy and --overwrite are for the folder of --fix; give one")
    for option in ("simulate", "point_format"):
        refuse_idle(option, "says how --points is read", idle=source is None)
    from pointmask.cli import show_notes
    from pointmask.cli.progress import progress_display
    from pointmask.doctor import examine
    from pointmask.doctor.findings import FINDINGS_KEYS, POLARITY
    from pointmask.doctor.fix import check_out, write_fixed
    from pointmask.doctor.lists import lists_in
    from pointmask.io.formats import read_points
    from pointmask.io.images.open import open_source
    from pointmask.io.own import check_file, is_json_of
    from pointmask.io.points.lists import read_ids
    from pointmask.places import check_images

    reads = [path for path in (images, masks, source, folder, *id_lists) if path]
    if report is not None:  # findings of an earlier run say nothing that a new run does not
        check_file(report, reads, lambda path: is_json_of(path, FINDINGS_KEYS), overwrite=True)
    check_images(images)
    opened = open_source(images, raw=raw, radiometric=radiometric)
    if out is not None:
        check_out(out, reads, overwrite=overwrite)
    points = None
    if source is not None:
        points = read_points(source, format=point_format, simulate=simulate, images=opened)
        show_notes(points.notes)
    lists = [read_ids(path) for path in (*id_lists, *(lists_in(folder) if folder else ()))]
    with progress_display() as progress:
        diagnosis = examine(opened, points, masks, lists=lists, threads=threads, report=progress)
    _show(diagnosis, limit=None if list_all else _MOST_ITEMS)
    if report is not None:
        _write_json(diagnosis, report)
    if out is not None:
        fixed = write_fixed(
            out, diagnosis, opened, points, masks, lists=lists, copy=copy, overwrite=overwrite
        )
        changes = ", ".join(_counted(*each) for each in fixed.items()) or "nothing to correct"
        say(f"Wrote {out}: {changes}; fixes.jsonl says what was done to each file.")
        _show_taken_out(out)
    are_bright = all(finding.kind != POLARITY for finding in diagnosis.findings)
    following = _next(
        images, source, masks, simulate, fixed=out, is_healthy=diagnosis.is_healthy, are_bright=are_bright
    )
    advise(*following)
    if not diagnosis.is_healthy:
        raise SystemExit(EXIT_SOME_SKIPPED)


def _next(
    images: Path,
    points: Path | None,
    masks: Path | None,
    simulate: str | None,
    *,
    fixed: Path | None,
    is_healthy: bool,
    are_bright: bool,
) -> Iterator[str]:
    """Yield the commands that come after a look: mend what is wrong, then annotate, or click first."""
    if not is_healthy and fixed is None:
        yield called("--fix", unused("corrected"))
        return
    if fixed is not None:
        images = fixed / IMAGES
        points = fixed / POINT_LIST if (fixed / POINT_LIST).is_file() else None
        masks = fixed / TRUE_MASKS if (fixed / TRUE_MASKS).is_dir() else None
        simulate = None
    clicks = ("--simulate", simulate) if simulate else ()
    if points is None and masks is not None:
        points, clicks = masks, ("--simulate", "centroid")
    if points is not None:
        polarity = () if are_bright else ("--polarity", "auto")
        out = unused("labels")
        yield command("annotate", images, "--points", points, *clicks, *polarity, "--out", out, "--report")
        return
    yield command("propose", images, "--out", unused("proposals.csv"))
    yield command("click", images)


def _counted(what: str, count: int) -> str:
    """Say how often something was done; it begins with a plural, such as ``images left out``."""
    noun, _, rest = what.partition(" ")
    return f"{count:,} {noun if count != 1 else noun.removesuffix('s')} {rest}"


def _show_taken_out(out: Path) -> None:
    """Say of each list which ids it lost: whoever trains with it should not have to look for it."""
    import json

    from pointmask.doctor.fix import RECORD

    taken: dict[str, list[str]] = {}
    with (out / RECORD).open(encoding="utf-8") as lines:
        for line in map(json.loads, lines):
            if line["action"] == "ids taken out":
                taken.setdefault(line["file"], []).append(line["why"])
    for file, ids in taken.items():
        more = f"; and {len(ids) - _MOST_ITEMS:,} more, see {RECORD}" if len(ids) > _MOST_ITEMS else ""
        say(f"Taken out of {file}, {len(ids):,}: {'; '.join(ids[:_MOST_ITEMS])}{more}")


def _write_json(diagnosis: "Diagnosis", path: Path) -> None:
    import json

    from pointmask.io.files import write_whole
    from pointmask.printable import printable_json

    # UTF-8, so that file names stay readable; what it cannot encode is escaped.
    text = printable_json(json.dumps(diagnosis.as_json(), indent=1, ensure_ascii=False))
    write_whole(path, text + "\n")


def _show(diagnosis: "Diagnosis", limit: int | None) -> None:
    from rich.console import Console

    Console(highlight=False, markup=False, soft_wrap=True).print(_table(diagnosis.groups))
    if diagnosis.points:
        say("", diagnosis.points)
    for finding in diagnosis.findings:
        if finding.is_problem or not is_quiet():
            _show_finding(finding, limit)
    problems = sum(finding.is_problem for finding in diagnosis.findings)
    notes = len(diagnosis.findings) - problems
    verdict = f"{problems} kind{'s' * (problems != 1)} of problem" if problems else "No problems"
    say("", verdict + (f", {notes} note{'s' * (notes != 1)}." if notes else "."))


def _show_finding(finding: "Finding", limit: int | None) -> None:
    label = "PROBLEM" if finding.is_problem else "note"
    say("", f"{label}: {finding.heading}")
    for item in finding.items[:limit]:
        say(f"  {item}")
    rest = 0 if limit is None else len(finding.items) - limit
    if rest > 0:
        say(f"  ... and {rest:,} more (--all lists them)")
    say(f"  What to do: {finding.fix}")


def _table(groups: "tuple[Group, ...]") -> "Table":
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("")
    table.add_column("kind")
    table.add_column("files", justify="right")
    table.add_column("frames", justify="right")
    table.add_column("width x height")
    for group in sorted(groups, key=lambda group: (group.role, group.kind)):
        table.add_row(
            group.role, printable(_kind(group)), f"{group.files:,}", f"{group.frames:,}", _sizes(group)
        )
    return table


def _kind(group: "Group") -> str:
    return f"{group.kind}, {group.bits} bits in use" if group.bits > 8 else group.kind


def _sizes(group: "Group") -> str:
    """Return all sizes if there are few, else the range."""
    common = group.sizes.most_common()
    if len(common) <= 3:
        return ", ".join(f"{width} x {height} ({count:,})" for (height, width), count in common)
    heights, widths = zip(*group.sizes, strict=True)
    return f"{min(widths)} x {min(heights)} to {max(widths)} x {max(heights)} ({len(common)} sizes)"
