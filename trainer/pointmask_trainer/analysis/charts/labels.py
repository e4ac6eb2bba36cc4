"""Changes of the training labels from version to version, and their quality if true masks are known."""

from typing import Any

import numpy as np

from pointmask.drawing.charts import ACCENT, FAINT, OTHERS, chart, png_of, tidy
from pointmask_trainer.analysis.charts.parts import head
from pointmask_trainer.analysis.study import Study

_BANDS = ((0.05, 0.95, 0.18), (0.25, 0.75, 0.34))  # quantiles, and how strongly they are drawn


def labels_png(study: Study) -> bytes:
    """Draw IoU with true masks, IoU with the first version, and area, over the versions.

    Returns
    -------
    bytes
        A PNG file of 2100 x 700 pixels.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    scores = [one for one in study.history.scores if np.isfinite([one.train, one.val]).any()]
    with chart(15, 5) as figure:
        panels = figure.subplots(1, 3 if scores else 2)
        figure.subplots_adjust(left=0.055, right=0.985, top=0.73, bottom=0.13, wspace=0.22)
        _likeness(panels[0], study)
        _area(panels[1], study)
        if scores:
            _quality(panels[2], study)
        for axes in panels:
            axes.set_xlabel("version of the labels")
            axes.xaxis.get_major_locator().set_params(integer=True)
        first = study.changes[0].version - 1
        rest = f"versions {first} to {study.changes[-1].version}, {len(study.history.ids):,} training images"
        head(figure, "How the labels evolved", rest, top=0.98)
        return png_of(figure)


def _likeness(axes: Any, study: Study) -> None:  # noqa: ANN401 - Axes
    versions = [change.version for change in study.changes]
    ious = [change.iou[np.isfinite(change.iou)] for change in study.changes]
    known = [(version, values) for version, values in zip(versions, ious, strict=True) if values.size]
    across = [version for version, _ in known]
    for low, high, strength in _BANDS:
        edges = np.array([np.quantile(values, (low, high)) for _, values in known]).reshape(-1, 2)
        if len(known) == 1:  # a band of one version is not seen
            axes.vlines(across, *edges.T, color=OTHERS[0], alpha=strength, linewidth=16)
        else:
            axes.fill_between(across, *edges.T, color=OTHERS[0], alpha=strength, linewidth=0)
    means = [values.mean() for _, values in known]
    axes.plot(across, means, "o-", color=OTHERS[0], linewidth=2, markersize=4, zorder=3)
    tidy(axes, "Likeness to the first version, per image", "IoU with the first version")
    axes.text(
        0,
        1.03,
        "line: mean; bands: half and nine tenths of the images",
        transform=axes.transAxes,
        va="bottom",
        fontsize=9,
        color=FAINT,
    )
    low, _ = axes.get_ylim()
    axes.set_ylim(max(0.0, low), 1.0 + 0.04 * (1.0 - max(0.0, low)))


def _area(axes: Any, study: Study) -> None:  # noqa: ANN401 - Axes
    versions = [change.version for change in study.changes]
    ratios = [100 * (change.area - 1) for change in study.changes]
    axes.bar(versions, ratios, 0.7 if len(versions) > 1 else 0.2, color=OTHERS[2], zorder=2)
    axes.axhline(0, color=FAINT, linewidth=1)
    if len(versions) == 1:
        axes.set_xlim(versions[0] - 0.6, versions[0] + 0.6)
    tidy(axes, "Area of all labels together", "against the first version (%)")


def _quality(axes: Any, study: Study) -> None:  # noqa: ANN401 - Axes
    scores = study.history.scores
    across = [one.version for one in scores]
    lines = (
        ("train list", [one.train for one in scores], ACCENT),
        ("validation list", [one.val for one in scores], OTHERS[4]),
    )
    for name, values, colour in lines:
        if np.isfinite(values).any():
            axes.plot(across, values, "o-", color=colour, linewidth=2, markersize=4, label=name, zorder=3)
    tidy(axes, "Quality against true masks (unused in training)", "pooled IoU")
    axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=2, frameon=False, fontsize=9)
    axes.ticklabel_format(useOffset=False)
