"""Curves of trainings as drawings within the page, made from the result files when the site is built.

``<!-- curves: NAME ROW... -->`` in a page becomes two drawings by epoch, of the detector and of the labels,
with ``full`` and ``masks`` to compare; ``<!-- panels: NAME -->`` a small drawing for each row side by side.
The lines come from ``strategy_curves-NAME.csv`` in ``benchmarks/results``. Colours are those of the page.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from statistics import mean

from figures import LABELS, REFERENCES, RESULTS

MARK = re.compile(r"<!-- (curves|panels): (\S+)((?: \w+)*) -->")
DETECTOR, OF_LABELS = "iou", "labels_iou"
TITLES = {
    DETECTOR: "IoU of the detector's masks, images that validate",
    OF_LABELS: "IoU of the labels, training images",
}
WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 320, 180, 30, 32, 10, 8
GRID = (0, 20, 40, 60, 80)

Points = list[tuple[float, float]]


@dataclass(frozen=True)
class Curve:
    """The runs of a row; `kind` is the class that gives the colour."""

    label: str
    kind: str
    seeds: list[Points]

    def mean(self) -> Points:
        """Mean over the seeds, at the epochs that all have."""
        by_epoch: dict[float, list[float]] = {}
        for points in self.seeds:
            for epoch, value in points:
                by_epoch.setdefault(epoch, []).append(value)
        return [(epoch, mean(found)) for epoch, found in by_epoch.items() if len(found) == len(self.seeds)]


def on_page_markdown(markdown: str, **_: object) -> str:
    """Draw where the page wants it."""
    return MARK.sub(lambda found: drawn(found[1], found[2], found[3].split()), markdown)


def drawn(how: str, name: str, rows: list[str]) -> str:
    """Return the drawings as HTML."""
    path = RESULTS / f"strategy_curves-{name}.csv"
    lines = list(read(path))
    known = [row for row in LABELS if any(line["row"] == row for line in lines)]
    absent = set(rows) - set(known)
    if absent:
        raise ValueError(f"{path} has no cell of {', '.join(sorted(absent))}")
    if how == "panels":
        return grid(beside_masks(lines, row) for row in rows or known)
    others = [row for row in REFERENCES if row not in rows]
    parts = [panel(TITLES[DETECTOR], DETECTOR, curves(lines, others, rows, DETECTOR))]
    moving = curves(lines, others, rows, OF_LABELS)
    if any(len({value for _, value in points}) > 1 for curve in moving for points in curve.seeds):
        parts.append(panel(TITLES[OF_LABELS], OF_LABELS, moving))
    return grid(parts)


def read(path: Path) -> Iterator[dict[str, str]]:
    """Read the lines of a file of curves."""
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def beside_masks(lines: list[dict[str, str]], row: str) -> str:
    """Draw a row beside our static masks; its title is legend enough."""
    others = [] if row == "masks" else ["masks"]
    return panel(LABELS[row], DETECTOR, curves(lines, others, [row], DETECTOR), legend=False)


def curves(
    lines: list[dict[str, str]], references: Sequence[str], rows: Sequence[str], column: str
) -> list[Curve]:
    """Gather the runs of each row, references first; a row without values in the column is left out."""
    kinds = {row: f"as-{row}" for row in references} | {row: f"own-{k}" for k, row in enumerate(rows)}
    found = []
    for row, kind in kinds.items():
        seeds: dict[str, Points] = {}
        for line in lines:
            if line["row"] == row and line[column]:
                seeds.setdefault(line["seed"], []).append((float(line["epoch"]), float(line[column])))
        if seeds:
            found.append(Curve(LABELS[row], kind, list(seeds.values())))
    return found


def grid(panels: Sequence[str] | Iterator[str]) -> str:
    """Put drawings side by side."""
    return f'<div class="curves">{"".join(panels)}</div>'


def panel(title: str, column: str, shown: list[Curve], *, legend: bool = True) -> str:
    """Draw curves over epochs, with a caption, and a legend if need be."""
    last = max(points[-1][0] for curve in shown for points in curve.seeds)
    text = "; ".join(f"{plain(curve.label)} ends at {curve.mean()[-1][1]:.0f}" for curve in shown)
    said = escape(f"{plain(title)}, {TITLES[column]}, in per cent by epoch: {text}.", quote=True)
    parts = [
        f'<path class="grid" d="M{LEFT} {y_of(value):.1f}H{WIDTH - RIGHT}"/>'
        f'<text x="{LEFT - 5}" y="{y_of(value) + 4:.1f}" text-anchor="end">{value}</text>'
        for value in GRID
    ]
    parts += [
        f'<text x="{x_of(share * last, last):.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">'
        f"{share * last:g}</text>"
        for share in (0, 0.5, 1)
    ]
    parts.append(f'<text x="{(LEFT + WIDTH) / 2}" y="{HEIGHT - 2}" text-anchor="middle">epoch</text>')
    for curve in shown:
        parts += [f'<path class="{curve.kind} seed" d="{path_of(points, last)}"/>' for points in curve.seeds]
        parts.append(f'<path class="{curve.kind}" d="{path_of(curve.mean(), last)}"/>')
    entries = "".join(
        f'<span><svg viewBox="0 0 24 8" aria-hidden="true"><path class="{curve.kind}" d="M0 4H24"/></svg>'
        f"{html(curve.label)}</span>"
        for curve in (shown if legend else ())
    )
    return (
        f'<figure><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{said}">{"".join(parts)}</svg>'
        f"<figcaption><b>{html(title)}</b>{entries}</figcaption></figure>"
    )


def path_of(points: Points, last: float) -> str:
    """Format points as a path."""
    return "M" + "L".join(f"{x_of(epoch, last):.1f} {y_of(value):.1f}" for epoch, value in points)


def x_of(epoch: float, last: float) -> float:
    """Return where an epoch lies."""
    return LEFT + (WIDTH - LEFT - RIGHT) * epoch / last


def y_of(value: float) -> float:
    """Return where a figure lies."""
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / GRID[-1])


def plain(label: str) -> str:
    """Return a label without marks."""
    return label.replace("`", "")


def html(label: str) -> str:
    """Return a label with its code as HTML."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(label))
