"""How many training images were easy, admitted and left out, epoch by epoch, and the area of their labels."""

from typing import Any

import numpy as np

from pointmask.drawing.charts import ACCENT, FAINT, OTHERS, chart, png_of, tidy
from pointmask_trainer.analysis.charts.parts import ABSENT, head
from pointmask_trainer.analysis.study import Study

PARTS = ("easy", "admitted", "hard")
_COLOURS = (OTHERS[0], OTHERS[2], ABSENT)


def pool_png(study: Study) -> bytes:
    """Draw the images that are trained on over the epochs, and the area of their labels.

    Returns
    -------
    bytes
        A PNG file of 2100 x 700 pixels.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    history = study.history
    with chart(15, 5) as figure:
        left, right = figure.subplots(1, 2, width_ratios=(2, 1))
        figure.subplots_adjust(left=0.055, right=0.985, top=0.73, bottom=0.13, wspace=0.18)
        epochs = [epoch for epoch, _ in history.pools]
        counts = [[pool[part] for _, pool in history.pools] for part in PARTS]
        left.stackplot(epochs, counts, labels=PARTS, colors=_COLOURS, step="post")
        left.set_xlim(epochs[0], max(epochs[-1], epochs[0] + 1))
        tidy(left, "Images", "training images")
        left.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=3, frameon=False, fontsize=9)
        _areas(right, study)
        for axes in (left, right):
            axes.set_xlabel("epoch")
            axes.xaxis.get_major_locator().set_params(integer=True)
        rest = f"{len(history.ids):,} training images; hard ones have no label and are not trained on"
        head(figure, "Which images were trained on", rest, top=0.98)
        return png_of(figure)


def _areas(axes: Any, study: Study) -> None:  # noqa: ANN401 - Axes
    known = [(one.epoch, one.area) for one in study.history.scores if np.isfinite(one.area)]
    if known:
        axes.plot(*zip(*known, strict=True), "o-", color=ACCENT, linewidth=2, markersize=4)
    else:
        axes.text(0.5, 0.5, "not measured", ha="center", color=FAINT, transform=axes.transAxes)
    tidy(axes, "Area of their labels", "px per point")
