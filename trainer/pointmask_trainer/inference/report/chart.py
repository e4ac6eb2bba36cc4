"""The charts of ``pointmask evaluate``: detections against false alarms, IoU by threshold, and by size."""

from typing import Any

import numpy as np

from pointmask.drawing.charts import ACCENT, FAINT, GRID, INK, OTHERS, chart, png_of, tidy
from pointmask.metrics.targets import SIZE_CLASSES
from pointmask_trainer.inference.evaluate import (
    HALF,
    THRESHOLDS,
    Evaluation,
    EvaluationTally,
    false_pixel_rate,
)

_PER_MILLION = 1e6
_FLOOR = 0.01  # per million: where 0 is drawn on a logarithmic axis
_LOGIT_TICKS = (0.0001, 0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999)


def curves_png(evaluation: Evaluation, title: str, made_by: str = "") -> bytes:
    """Draw Pd against Fa, the pixel ROC and IoU by threshold; 0.5 is marked.

    Parameters
    ----------
    evaluation : Evaluation
    title : str
        Heading of the chart.
    made_by : str
        See `pointmask.drawing.charts.png_of`.

    Returns
    -------
    bytes
        A PNG file of 2100 x 756 pixels.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    with chart(15, 5.4) as figure:
        panels = figure.subplots(1, 3)
        figure.subplots_adjust(left=0.045, right=0.99, top=0.75, bottom=0.13, wspace=0.2)
        for name, tally, colour in _lines(evaluation):
            _false_alarms(panels[0], name, tally, colour)
            _pixels(panels[1], name, tally, colour)
            _ious(panels[2], name, tally, colour)
        tidy(panels[0], "Targets found against false alarms", "Pd")
        tidy(panels[1], "Target pixels found against false pixels", "share of true target pixels")
        tidy(panels[2], "IoU by threshold", "IoU")
        panels[0].set_xlabel("Fa: pixels of unmatched components per million (left end: none)")
        panels[1].set_xlabel("false pixels per million (left end: none)")
        panels[2].set_xlabel("threshold")
        for axes in panels[:2]:
            axes.set_xscale("log")
        panels[2].set_xticks([_logit(p) for p in _LOGIT_TICKS], [f"{p:g}" for p in _LOGIT_TICKS], fontsize=8)
        for axes in panels:
            axes.set_ylim(-0.02, 1.02)
            axes.grid(axis="x", color=GRID)
        panels[0].legend(loc="lower right", frameon=True, edgecolor="none", fontsize=9)
        _head(figure, title, "thresholds from 0.00005 to 0.99995; the dot is 0.5")
        return png_of(figure, made_by)


def sizes_png(evaluation: Evaluation, title: str, made_by: str = "") -> bytes:
    """Draw Pd and target IoU by the true target's area, as bars.

    Parameters
    ----------
    evaluation : Evaluation
    title : str
        Heading of the chart.
    made_by : str
        See `pointmask.drawing.charts.png_of`.

    Returns
    -------
    bytes
        A PNG file of 1750 x 756 pixels.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    with chart(12.5, 5.4) as figure:
        left, right = figure.subplots(1, 2)
        figure.subplots_adjust(left=0.05, right=0.99, top=0.75, bottom=0.13, wspace=0.15)
        lines = _lines(evaluation)
        width = 0.84 / len(lines)
        for k, (name, tally, colour) in enumerate(lines):
            centres = [g + (k - (len(lines) - 1) / 2) * width for g in range(len(SIZE_CLASSES))]
            sizes = tally.sizes.values()
            _bars(left, centres, [size.pd for size in sizes], width, name, colour)
            _bars(right, centres, [size.fits.mean_iou for size in sizes], width, name, colour)
        counts = [evaluation.whole.sizes[name].fits.count for name in SIZE_CLASSES]
        labels = [f"{name} px\n{count:,} targets" for name, count in zip(SIZE_CLASSES, counts, strict=True)]
        for axes in (left, right):
            axes.set_xticks(range(len(SIZE_CLASSES)), labels)
            axes.tick_params(axis="x", length=0)
            axes.set_ylim(0, 1.08)
        tidy(left, "Share of targets found", "Pd")
        tidy(right, "How well they fit", "mean target IoU, missed ones 0")
        if len(lines) > 1:
            left.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=4, frameon=False, fontsize=9)
        _head(figure, title, "by the true target's area; threshold 0.5")
        return png_of(figure, made_by)


def _lines(evaluation: Evaluation) -> list[tuple[str, EvaluationTally, str]]:
    """Return name, tally and colour of each curve; the whole comes last and is drawn on top."""
    parts = list(evaluation.data_sets.items()) if len(evaluation.data_sets) > 1 else []
    if evaluation.network is not None:
        parts.append(("all, network's masks", evaluation.network.whole))
    lines = [(name, tally, OTHERS[k % len(OTHERS)]) for k, (name, tally) in enumerate(parts)]
    return [*lines, ("all", evaluation.whole, ACCENT)]


def _false_alarms(axes: Any, name: str, tally: EvaluationTally, colour: str) -> None:  # noqa: ANN401 - Axes
    rates = [max(_PER_MILLION * score.fa, _FLOOR) for score in tally.curve]
    _line(axes, rates, [score.pd for score in tally.curve], name, colour)


def _pixels(axes: Any, name: str, tally: EvaluationTally, colour: str) -> None:  # noqa: ANN401 - Axes
    rates = [max(_PER_MILLION * false_pixel_rate(score), _FLOOR) for score in tally.curve]
    _line(axes, rates, [score.recall for score in tally.curve], name, colour)


def _ious(axes: Any, name: str, tally: EvaluationTally, colour: str) -> None:  # noqa: ANN401 - Axes
    _line(axes, [_logit(p) for p in THRESHOLDS], [score.iou for score in tally.curve], name, colour)


def _line(axes: Any, x: list[float], y: list[float], name: str, colour: str) -> None:  # noqa: ANN401
    is_whole = colour == ACCENT
    axes.plot(x, y, color=colour, linewidth=2.2 if is_whole else 1.4, label=name, zorder=3)
    axes.scatter(x[HALF], y[HALF], s=46, color=colour, edgecolor="white", zorder=4)


def _bars(axes: Any, x: list[float], heights: list[float], width: float, name: str, colour: str) -> None:  # noqa: ANN401
    finite = np.isfinite(heights)
    bars = axes.bar(x, np.where(finite, heights, 0), 0.92 * width, color=colour, label=name, zorder=2)
    labels = [f"{value:.2f}" if is_finite else "" for value, is_finite in zip(heights, finite, strict=True)]
    axes.bar_label(bars, labels, fontsize=8, color=INK, padding=2)


def _head(figure: Any, title: str, rest: str) -> None:  # noqa: ANN401 - Figure
    left = figure.subplotpars.left
    figure.text(left, 0.93, title, fontsize=14, fontweight="bold")
    figure.text(left, 0.875, rest, fontsize=10.5, color=FAINT)


def _logit(probability: float) -> float:
    return float(np.log(probability / (1 - probability)))
