"""Losses and weights of every image over the epochs, as maps, and the spread of the weights."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointmask.drawing.charts import ACCENT, FAINT, OTHERS, chart, png_of, tidy
from pointmask_trainer.analysis.charts.parts import colour_bar, head, heat_scale, weight_scale
from pointmask_trainer.analysis.study import Study

_BANDS = ((0.05, 0.95, 0.18), (0.25, 0.75, 0.34))
_DOTS = 60  # epochs from which on a line needs no dots
_ROWS = 500  # images or epochs from which on a map has not a pixel for each
_CLIPPED = (0.01, 0.99)  # quantiles of the losses at the ends of their colours

Floats = NDArray[np.float64]


def history_png(study: Study) -> bytes:
    """Draw loss and, where there are any, weights of all images over epochs; images lie by their weight.

    Returns
    -------
    bytes
        A PNG file of 2100 x 840 pixels.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    history = study.history
    key = study.alpha if history.alpha is not None else -study.loss
    order = np.argsort(np.where(np.isfinite(key), -key, np.inf), kind="stable")
    with chart(15, 6) as figure:
        panels = figure.subplots(1, 3 if history.alpha is not None else 1, squeeze=False)[0]
        figure.subplots_adjust(left=0.055, right=0.985, top=0.79, bottom=0.1, wspace=0.3)
        known = history.loss[np.isfinite(history.loss)]
        low, high = np.quantile(known, _CLIPPED) if known.size else (0.0, 1.0)
        drawn = _map(panels[0], study, history.loss[:, order], cmap=heat_scale(), vmin=low, vmax=high)
        colour_bar(figure, drawn, panels[0], "loss before weighting", extend="both")
        tidy(
            panels[0],
            "Loss",
            "training images, by weight" if history.alpha is not None else "images, by loss",
        )
        if history.alpha is not None:
            palette, norm = weight_scale(history.alpha)
            drawn = _map(panels[1], study, history.alpha[:, order], cmap=palette, norm=norm)
            colour_bar(
                figure, drawn, panels[1], "weight \N{GREEK SMALL LETTER ALPHA} (1: as all)", extend="both"
            )
            tidy(panels[1], "Weight", "")
            _spread(panels[2], study, history.alpha)
        for axes in panels[:2]:
            axes.grid(False)
        by = "the highest mean weight" if history.alpha is not None else "the lowest mean loss"
        rest = (
            f"{len(history.ids):,} training images, at the top that of {by} over the last {study.averaged} "
            "epochs; grey: not weighted, or not seen"
        )
        head(figure, "Every image, epoch by epoch", rest, top=0.98)
        return png_of(figure)


def _map(axes: Any, study: Study, values: Floats, **scale: Any) -> Any:  # noqa: ANN401
    """Draw (E, N) values as a map of N rows."""
    first, last = int(study.history.epochs[0]), int(study.history.epochs[-1])
    extent = (first - 0.5, last + 0.5, len(study.history.ids) + 0.5, 0.5)
    axes.set_xlabel("epoch")
    is_dense = len(study.history.ids) > _ROWS or len(study.history.epochs) > _ROWS
    return axes.imshow(
        np.ma.masked_invalid(values.T),
        aspect="auto",
        extent=extent,
        interpolation="antialiased" if is_dense else "nearest",
        **scale,
    )


def _spread(axes: Any, study: Study, alpha: Floats) -> None:  # noqa: ANN401 - Axes
    given = np.isfinite(alpha).any(axis=1)
    epochs, rows = study.history.epochs[given], [row[np.isfinite(row)] for row in alpha[given]]
    for low, high, strength in _BANDS:
        edges = np.array([np.quantile(row, (low, high)) for row in rows])
        if len(rows) == 1:
            axes.vlines(epochs, *edges.T, color=OTHERS[0], alpha=strength, linewidth=16)
        else:
            axes.fill_between(epochs, *edges.T, color=OTHERS[0], alpha=strength, linewidth=0)
    dot = 3 if len(rows) < _DOTS else 0
    medians = [np.median(row) for row in rows]
    axes.plot(epochs, medians, "o-", color=ACCENT, linewidth=2, markersize=dot, zorder=3)
    axes.axhline(1, color=FAINT, linewidth=1, linestyle=(0, (4, 3)))
    axes.set_xlabel("epoch")
    axes.xaxis.get_major_locator().set_params(integer=True)
    tidy(axes, "How the weights spread", "weight \N{GREEK SMALL LETTER ALPHA}")
    text = "line: median; bands: half and nine tenths of the images"
    axes.text(0, 1.03, text, transform=axes.transAxes, va="bottom", fontsize=9, color=FAINT)
