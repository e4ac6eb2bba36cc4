"""Output of `pointmask bench`: tables for the terminal, Markdown and JSON, all from one summary."""

import json
from collections.abc import Sequence
from typing import Literal, cast

from rich.box import SIMPLE_HEAD
from rich.table import Table

from pointmask.bench.baselines.registry import BASELINES, OURS
from pointmask.bench.summary import BenchSummary, Ratio, Row
from pointmask.printable import printable

_COLUMNS = (
    "method",
    "size prior",
    "IoU",
    "nIoU",
    "target IoU",
    "collapsed",
    "overgrown",
    "ms median",
    "ms p95",
    "time / ours [95 %]",
)
_TIMES = _COLUMNS.index("ms median")  # the first of the times, which have a table of their own
_Sheet = tuple[str, Sequence[str], list[list[str]]]

LEGEND = (
    "IoU: sum of intersections over sum of unions. nIoU: mean over images. Target IoU: mean over targets, "
    "each mask against its own target. Collapsed: target IoU under 0.2. Overgrown: more than 4 times the "
    "true area. Times: processor time per target, one thread, without files."
)


def heading(summary: BenchSummary) -> str:
    """Describe in one line what was measured, and whether true sizes were used."""
    prior = summary["size_prior"]
    sizes = "point only" if prior == "none" else f"SIZE PRIOR '{prior}' FROM THE TRUE MASKS"
    seeds = f", {summary['seeds']} seeds" if summary["seeds"] > 1 else ""
    return (
        f"{summary['data']}: {summary['images']} images, {summary['targets']} targets, "
        f"{summary['protocol']} points, {sizes}{seeds}"
    )


def machine_line(summary: BenchSummary) -> str:
    """Format processor, versions, commit and date in one line."""
    machine = summary["machine"]
    versions = ", ".join(f"{k} {v}" for k, v in cast(dict[str, str], machine["versions"]).items())
    commit = f", commit {machine['commit']}" if machine["commit"] else ""
    return f"{machine['cpu']}, {versions}{commit}, {machine['date']}"


def tables(summary: BenchSummary) -> list[Table]:
    """Build the tables for the terminal: the methods, and their IoU by size and by group of images."""
    hidden = "size prior" if summary["size_prior"] == "none" else ""  # the heading says it
    sheets = []
    for title, columns, rows in _sheets(summary):
        kept = [k for k, column in enumerate(columns) if column != hidden]
        sheets.append(_rich(title, [columns[k] for k in kept], [[row[k] for k in kept] for row in rows]))
    return sheets


def markdown(summary: BenchSummary) -> str:
    """Format the same tables as a Markdown document, with the command and the machine."""
    parts = [f"# {heading(summary)}", f"`{summary['command']}`", machine_line(summary)]
    for title, columns, rows in _sheets(summary):
        parts += [f"## {title}", markdown_table(columns, rows)]
    parts += [*summary["notes"], LEGEND]
    return "\n\n".join(parts) + "\n"


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Format a Markdown table, first column left-aligned, figures right-aligned."""
    lines = [columns, ["---"] + ["---:"] * (len(columns) - 1), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def to_json(summary: BenchSummary) -> str:
    """Serialise as JSON with a final newline."""
    return json.dumps(summary, indent=2, ensure_ascii=False) + "\n"


def figure(value: float | None, digits: int = 3) -> str:
    """Format a fixed-point number, or a dash for None."""
    return "-" if value is None else f"{value:.{digits}f}"


def percent(share: float | None) -> str:
    """Format a share in percent with one decimal."""
    return "-" if share is None else f"{100 * share:.1f} %"


def milliseconds(value: float | None) -> str:
    """Format a time with three significant digits."""
    if value is None:
        return "-"
    return f"{value:.0f}" if value >= 100 else f"{value:#.3g}"


def times_ours(ratio: Ratio | None) -> str:
    """Format a ratio with its interval."""
    if ratio is None:
        return "-"
    digits = 2 if ratio["value"] < 10 else 0
    value, low, high = (f"{v:.{digits}f}" for v in (ratio["value"], ratio["low"], ratio["high"]))
    return f"{value} [{low}, {high}]"


def _sheets(summary: BenchSummary) -> list[_Sheet]:
    rows = list(summary["methods"].values())
    prior = summary["size_prior"]
    suffix = "" if prior == "none" else f" (size prior '{prior}' from the true masks)"
    lines = [_line(row, summary["seeds"]) for row in rows]
    sheets: list[_Sheet] = [
        (f"Quality{suffix}", _COLUMNS[:_TIMES], [line[:_TIMES] for line in lines]),
        (f"Time{suffix}", (_COLUMNS[0], *_COLUMNS[_TIMES:]), [[line[0], *line[_TIMES:]] for line in lines]),
    ]
    sheets.append(_split(f"Mean target IoU by true area in px{suffix}", "by_size", rows))
    if any(len(row["by_group"]) > 1 for row in rows):
        sheets.append(_split(f"Pooled IoU by group of images{suffix}", "by_group", rows))
    return sheets


def _line(row: Row, seeds: int) -> list[str]:
    spread = f" ± {figure(row['iou_sd'])}" if seeds > 1 else ""
    return [
        row["label"],
        row["size_prior"],
        figure(row["iou"]) + spread,
        figure(row["niou"]),
        figure(row["target_iou"]),
        percent(row["collapsed"]),
        percent(row["overgrown"]),
        milliseconds(row["ms_median"]),
        milliseconds(row["ms_p95"]),
        times_ours(row["over_ours"]),
    ]


def _split(title: str, key: Literal["by_size", "by_group"], rows: Sequence[Row]) -> _Sheet:
    columns = ["method", *(f"{name} (n={part['count']})" for name, part in rows[0][key].items())]
    return title, columns, [[row["label"], *(figure(p["iou"]) for p in row[key].values())] for row in rows]


def _rich(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    for k, column in enumerate(columns):
        table.add_column(column, justify="left" if k == 0 else "right", no_wrap=k == 0)
    ours = BASELINES.load(OURS).label
    for row in rows:
        table.add_row(*map(printable, row), style="bold" if row[0] == ours else "")
    return table
