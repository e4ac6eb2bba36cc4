"""The chart of `pointmask bench`: quality against time, and quality by target size."""

import math
import textwrap
from typing import Any

from pointmask.bench.baselines.registry import OURS
from pointmask.bench.report import heading, machine_line, times_ours
from pointmask.bench.summary import BenchSummary, Row
from pointmask.drawing.charts import ACCENT, FAINT, GRID, INK, OTHERS, chart, png_of, tidy

_NEAR_IOU = 0.04


def chart_png(summary: BenchSummary) -> bytes:
    """Draw the chart.

    The summary comes from `pointmask.bench.summary.summarise`, or is read back from its JSON.

    Returns
    -------
    bytes
        A PNG file of 1750 x 910 pixels.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    with chart(12.5, 6.5) as figure:
        left, right = figure.subplots(1, 2, width_ratios=(1, 1.15))
        figure.subplots_adjust(left=0.06, right=0.985, top=0.77, bottom=0.21, wspace=0.16)
        colours = _colours(summary)
        _quality_and_time(left, summary["methods"], colours)
        _by_size(right, summary["methods"], colours)
        title, _, rest = heading(summary).partition(": ")
        figure.text(0.06, 0.94, f"pointmask bench: {title}", fontsize=15, fontweight="bold")
        figure.text(0.06, 0.895, rest, fontsize=11)
        footer = [machine_line(summary), *summary["notes"]]
        lines = [line for text in footer for line in textwrap.wrap(text, 190)]
        figure.text(0.06, 0.115, "\n".join(lines), fontsize=7.5, color=FAINT, va="top", linespacing=1.4)
        return png_of(figure)


def _colours(summary: BenchSummary) -> dict[str, str]:
    others = [name for name in summary["methods"] if name != OURS]
    return {OURS: ACCENT} | {name: OTHERS[k % len(OTHERS)] for k, name in enumerate(others)}


def _quality_and_time(axes: Any, methods: dict[str, Row], colours: dict[str, str]) -> None:  # noqa: ANN401 - Axes
    """Draw a point per method at its median time, and a line to its 95th percentile."""
    drawn = [(name, row) for name, row in methods.items() if row["iou"] is not None and row["ms_median"]]
    for name, row in drawn:
        x, y = row["ms_median"], row["iou"]
        axes.plot([x, row["ms_p95"]], [y, y], color=colours[name], linewidth=2, alpha=0.45, zorder=2)
        axes.scatter(
            [x], [y], s=170 if name == OURS else 90, color=colours[name], zorder=3, edgecolor="white"
        )
        ratio = "" if name == OURS else f" ({times_ours(row['over_ours']).partition(' ')[0]} x)"
        axes.annotate(
            _label(row) + (ratio if row["over_ours"] else ""),
            (x, y),
            (0, -10 if _crowded(row, methods) else 10),
            textcoords="offset points",
            ha="center",
            va="top" if _crowded(row, methods) else "bottom",
            color=INK,
            fontweight="bold" if name == OURS else "normal",
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.8},
        )
    axes.set_xscale("log")
    axes.margins(x=0.18, y=0.16)
    low, high = axes.get_ylim()
    axes.set_ylim(max(0.0, low), min(1.0, high))
    tidy(axes, "Pooled IoU against time", "pooled IoU")
    axes.set_xlabel("ms per target: dot at median, line to 95th percentile; in brackets: times ours")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.grid(axis="x", color=GRID)


def _label(row: Row) -> str:
    """Name of a method, with its size prior."""
    prior = {"none": "", "truth": " + true size"}.get(row["size_prior"], f" + true {row['size_prior']}")
    return row["label"] + prior


def _crowded(row: Row, methods: dict[str, Row]) -> bool:
    """Whether the label of this method would overlap a method just above."""
    ms, iou = row["ms_median"] or 1.0, row["iou"] or 0.0
    return any(
        0 <= (other["iou"] or 0.0) - iou < _NEAR_IOU and abs(math.log10((other["ms_median"] or 1.0) / ms)) < 1
        for other in methods.values()
        if other is not row
    )


def _by_size(axes: Any, methods: dict[str, Row], colours: dict[str, str]) -> None:  # noqa: ANN401 - Axes
    """Draw a group of bars per class of true area."""
    sizes = next(iter(methods.values()))["by_size"]
    width = 0.84 / len(methods)
    for k, (name, row) in enumerate(methods.items()):
        heights = [part["iou"] or 0.0 for part in row["by_size"].values()]
        places = [g + (k - (len(methods) - 1) / 2) * width for g in range(len(sizes))]
        bars = axes.bar(places, heights, 0.92 * width, color=colours[name], label=row["label"], zorder=2)
        labels = [
            f"{part['iou']:.2f}"[1:] if part["iou"] is not None else "" for part in row["by_size"].values()
        ]
        axes.bar_label(bars, labels, fontsize=8, color=INK, padding=2)
    axes.set_xticks(range(len(sizes)), [f"{name}\n{part['count']} targets" for name, part in sizes.items()])
    axes.set_ylim(0, 1)
    axes.tick_params(axis="x", length=0)
    tidy(axes, "Mean target IoU by true area (px)", "mean target IoU")
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(-0.01, 1.0),
        ncols=len(methods),
        frameon=False,
        fontsize=9,
        handlelength=1,
        columnspacing=1.2,
        borderaxespad=0,
    )
