"""How targets that are made within the batch drifted, on fixed training crops."""

from typing import Any

import numpy as np

from pointmask.drawing.charts import ACCENT, OTHERS, chart, png_of, tidy
from pointmask_trainer.analysis.charts.parts import head
from pointmask_trainer.analysis.study import Study

_AREAS = (("area", "target", ACCENT), ("ignored", "ignored", OTHERS[0]))
_LIKENESS = (
    ("like_last", "measured before", OTHERS[0]),
    ("like_gate", "by grey values alone", OTHERS[2]),
    ("train", "true masks (unused)", ACCENT),
)


def drift_png(study: Study) -> bytes:
    """Draw area and likeness of the targets over the epochs in which they were measured.

    Returns
    -------
    bytes
        A PNG file of 2100 x 700 pixels.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    with chart(15, 5) as figure:
        left, right = figure.subplots(1, 2)
        figure.subplots_adjust(left=0.055, right=0.985, top=0.73, bottom=0.13, wspace=0.16)
        for axes, lines in ((left, _AREAS), (right, _LIKENESS)):
            _draw(axes, study, lines)
            axes.set_xlabel("epoch")
            axes.xaxis.get_major_locator().set_params(integer=True)
        left.set_ylim(bottom=0)
        right.set_ylim(0, 1.02)
        tidy(left, "Size", "px per point")
        tidy(right, "Likeness to targets", "pooled IoU")
        for axes in (left, right):
            axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=3, frameon=False, fontsize=9)
        rest = "targets that would be made of the same training crops, without augmentation"
        head(figure, "How the targets drifted", rest, top=0.98)
        return png_of(figure)


def _draw(axes: Any, study: Study, lines: tuple[tuple[str, str, str], ...]) -> None:  # noqa: ANN401 - Axes
    epochs = [epoch for epoch, _ in study.history.drifts]
    for key, name, colour in lines:
        values = np.array([figures[key] for _, figures in study.history.drifts])
        if np.isfinite(values).any():
            axes.plot(epochs, values, "o-", color=colour, linewidth=2, markersize=4, label=name)
