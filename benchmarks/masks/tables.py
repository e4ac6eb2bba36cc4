"""Figures of annotation_quality.py as tables: one list of sheets, shown as text and as Markdown."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from rich.table import Table

from masks.data import PROTOCOLS
from pointmask.bench.report import figure, markdown_table, milliseconds, percent
from pointmask.metrics.targets import SIZE_CLASSES

Results = dict[str, Any]
Rows = list[list[str]]

LEGEND = (
    "Point only: no size, box or class from the truth. IoU: sum of intersections over sum of unions. "
    "nIoU: mean over images. Target IoU: mean over targets, each mask against its own target. "
    "By size: true area in px; IoU is there pooled over targets. Collapsed: target IoU under 0.2. "
    "Overgrown: more than 4 times the true area."
)


class Sheet(NamedTuple):
    """A titled table of finished cells, and what must be said about it."""

    title: str
    columns: Sequence[str]
    rows: Rows
    note: str = ""


def sheets(results: Results) -> list[Sheet]:
    """Lay out the parts that were measured, in a fixed order."""
    return [sheet for part, lay_out in _PARTS.items() if part in results for sheet in lay_out(results[part])]


def text(sheet: Sheet) -> Table:
    """Lay a sheet out for the terminal, without its note."""
    table = Table(title=sheet.title, title_justify="left", title_style="bold")
    for k, column in enumerate(sheet.columns):
        table.add_column(column, justify="left" if k == 0 else "right", no_wrap=True)
    for row in sheet.rows:
        table.add_row(*row)
    return table


def markdown(heading: Sequence[str], results: Results) -> str:
    """Lay the whole out as a Markdown document."""
    parts = [f"# {heading[0]}", *heading[1:]]
    for sheet in sheets(results):
        parts += [f"## {sheet.title}", markdown_table(sheet.columns, sheet.rows), sheet.note]
    return "\n\n".join(part for part in (*parts, LEGEND) if part) + "\n"


def _quality(part: dict[str, Any]) -> Iterator[Sheet]:
    columns = ("list, data set", "images", "targets", "IoU", "nIoU", "target IoU", "collapsed", "overgrown")
    sized = ("list, size in px", "targets", "IoU", "target IoU", "collapsed", "overgrown")
    for preset, protocols in part.items():
        for protocol, lists in protocols.items():
            groups = _each(
                lists, "groups", lambda f: [str(f["images"]), str(f["targets"]), *_figures(f, "niou")]
            )
            yield Sheet(f"Quality: {preset}, {protocol} points", columns, groups)
            sizes = _each(lists, "sizes", lambda f: [str(f["targets"]), *_figures(f)])
            yield Sheet(f"Quality by size: {preset}, {protocol} points", sized, sizes)


def _each(lists: dict[str, Any], key: str, cells: Callable[[Any], list[str]]) -> Rows:
    return [[f"{split}, {name}", *cells(f)] for split, own in lists.items() for name, f in own[key].items()]


def _figures(f: dict[str, Any], *extra: str) -> list[str]:
    ious = [figure(f[name]) for name in ("iou", *extra, "target_iou")]
    return [*ious, percent(f["collapsed"]), percent(f["overgrown"])]


def _ablation(rows: list[dict[str, Any]]) -> Iterator[Sheet]:
    base = rows[0]
    note = "Differences from the first row. Nothing else is tuned anew, the network least of all."
    for protocol in PROTOCOLS:
        groups = list(base[protocol]["groups"])
        columns = ("variant", *groups, *(f"{name} px" for name in SIZE_CLASSES), "collapsed", "overgrown")
        body = []
        for row in rows:
            own, first = row[protocol], base[protocol]
            cells = [_change(own["groups"][g], first["groups"][g], row is base) for g in groups]
            cells += [_change(own["sizes"][s], first["sizes"][s], row is base) for s in SIZE_CLASSES]
            total = own["groups"]["all"]
            body.append([row["name"], *cells, percent(total["collapsed"]), percent(total["overgrown"])])
        yield Sheet(f"Ablation: pooled IoU, {protocol} points", columns, body, note)
    leveled = [row for row in rows if row["at_level"]]
    if leveled:
        groups = list(base["centroid"]["groups"])
        body = [
            [
                row["name"],
                figure(row["level"], 2),
                *(_change(row["at_level"][g], leveled[0]["at_level"][g], row is leveled[0]) for g in groups),
            ]
            for row in leveled
        ]
        title = "Ablation, each at the level that suits it best on train images: pooled IoU, centroid points"
        yield Sheet(title, ("variant", "level", *groups), body, note)


def _change(own: dict[str, Any], first: dict[str, Any], absolute: bool) -> str:
    if absolute or own["iou"] is None:
        return figure(own["iou"])
    return f"{own['iou'] - first['iou']:+.3f}"


def _clicks(rows: list[dict[str, Any]]) -> Iterator[Sheet]:
    groups = list(rows[0]["groups"])
    columns = ("points", *(f"{g}{what}" for g in groups for what in ("", ", loss")), "collapsed")
    body = [
        [
            row["name"],
            *(figure(row["groups"][g][what]) for g in groups for what in ("iou", "loss")),
            percent(row["groups"]["all"]["collapsed"]),
        ]
        for row in rows
    ]
    yield Sheet("Click error: pooled IoU", columns, body)


def _invariance(rows: list[dict[str, Any]]) -> Iterator[Sheet]:
    body = [[row["name"], f"{100 * row['share']:.4f} %", str(row["images"])] for row in rows]
    yield Sheet("Invariance", ("guise", "mask pixels changed", "images"), body)


def _confidence(part: dict[str, Any]) -> Iterator[Sheet]:
    shares = list(next(iter(part.values()))["kept"])
    columns = ("list", "targets", "Spearman", "calibration error", "IoU", *(f"without {s}" for s in shares))
    body = [
        [split, str(c["targets"]), *map(figure, (c["spearman"], c["error"], c["iou"], *c["kept"].values()))]
        for split, c in part.items()
    ]
    yield Sheet("Confidence", columns, body, "IoU pooled over targets; without the least sure share of them.")
    bins = [
        [
            f"{split}, {b['from']:.1f} to {b['to']:.1f}",
            str(b["targets"]),
            figure(b["predicted"]),
            figure(b["true"]),
        ]
        for split, c in part.items()
        for b in c["bins"]
    ]
    yield Sheet(
        "Reliability of the confidence", ("list, confidence", "targets", "predicted IoU", "true IoU"), bins
    )


def _time(part: dict[str, Any]) -> Iterator[Sheet]:
    body = [[name, milliseconds(t["median"]), milliseconds(t["p95"])] for name, t in part.items()]
    note = "Processor time of annotate alone, one thread, per target, over images."
    yield Sheet("Time per target in ms", ("data set", "median", "p95"), body, note)


_PARTS: dict[str, Callable[[Any], Iterator[Sheet]]] = {
    "quality": _quality,
    "ablation": _ablation,
    "clicks": _clicks,
    "invariance": _invariance,
    "confidence": _confidence,
    "time": _time,
}
PARTS = tuple(_PARTS)
