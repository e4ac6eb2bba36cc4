"""Parts that several charts use: headings, colour scales, colour bars, outlines of masks."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointmask.drawing.charts import ACCENT, FAINT, INK, OTHERS
from pointmask.drawing.overlay import heat_palette

ABSENT = "#d3d6dc"
"""Where a map holds no value."""

_NEUTRAL = "#f7f4ee"


def head(figure: Any, title: str, rest: str, *, top: float) -> None:  # noqa: ANN401 - Figure
    """Write the figure's title and, below it, what was measured; `top` is their share of the height."""
    left = figure.subplotpars.left
    inches = figure.get_figheight()
    figure.text(left, top - 0.02 / inches, title, fontsize=14, fontweight="bold", va="top")
    figure.text(left, top - 0.30 / inches, rest, fontsize=10, color=FAINT, va="top")


def signed(value: float, digits: int) -> str:
    """Return a number with its sign, a true minus."""
    return f"{value:+.{digits}f}".replace("-", "\N{MINUS SIGN}")


def weight_scale(values: NDArray[np.float64]) -> tuple[Any, Any]:
    """Colours and norm of weights: blue below 1, red above, neutral at 1, which is the mean of a batch."""
    from matplotlib.colors import LinearSegmentedColormap, TwoSlopeNorm

    known = values[np.isfinite(values)]
    reach = max(0.02, float(np.quantile(np.abs(known - 1), 0.97))) if known.size else 1.0
    palette = LinearSegmentedColormap.from_list("weight", [OTHERS[0], _NEUTRAL, ACCENT])
    return palette.with_extremes(bad=ABSENT), TwoSlopeNorm(1.0, max(0.0, 1 - reach), 1 + reach)


def heat_scale() -> Any:  # noqa: ANN401 - Colormap
    """Colours of a quantity from low to high, those of the annotator's report."""
    from matplotlib.colors import ListedColormap

    return ListedColormap(heat_palette(256) / 255, name="heat").with_extremes(bad=ABSENT)


def count_scale() -> Any:  # noqa: ANN401 - Colormap
    """Colours of counts from few, pale, to many, dark."""
    from matplotlib.colors import LinearSegmentedColormap

    palette = LinearSegmentedColormap.from_list("count", ["#dfe8ef", OTHERS[0], "#14283c"])
    return palette.with_extremes(bad="white")


def colour_bar(figure: Any, drawn: Any, axes: Any, label: str, *, extend: str = "neither") -> None:  # noqa: ANN401
    """Put a thin colour bar beside a map."""
    bar = figure.colorbar(drawn, ax=axes, pad=0.025, aspect=30, fraction=0.05, extend=extend)
    bar.set_label(label)
    bar.outline.set_visible(False)


def outline(
    axes: Any,  # noqa: ANN401 - Axes
    edges: NDArray[np.float64],
    colour: str,
    width: float,
    *,
    dashed: bool = False,
) -> None:
    """Draw the edges of a mask, (n, 2, 2) as from `pixel_edges`, over a dark line that sets them off."""
    from matplotlib.collections import LineCollection

    if not len(edges):
        return
    lines = list(edges)
    axes.add_collection(
        LineCollection(lines, colors="black", linewidths=width + 1.1, alpha=0.55, capstyle="round"),
        autolim=False,
    )
    style = (0, (2.2, 1.6)) if dashed else "solid"
    axes.add_collection(
        LineCollection(lines, colors=colour, linewidths=width, linestyles=[style]), autolim=False
    )


def pixel_edges(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Find the pixel edges between a mask and its outside, joined along straight runs.

    Returns
    -------
    (n, 2, 2) array
        Start and end of each, (x, y), where pixel (row, col) covers x from col - 0.5 to col + 0.5.
    """
    padded = np.pad(mask, 1)
    runs: list[NDArray[np.float64]] = []
    for is_level, field in ((True, padded), (False, padded.T)):
        between = np.diff(field.astype(np.int8), axis=0) != 0  # below line k, along its columns
        ends = np.diff(np.pad(between, ((0, 0), (1, 1))).astype(np.int8), axis=1)
        lines, starts = np.nonzero(ends == 1)
        _, stops = np.nonzero(ends == -1)
        across = np.stack([starts, stops], 1) - 1.5
        along = np.repeat(lines[:, None] - 0.5, 2, axis=1)
        pair = (across, along) if is_level else (along, across)
        runs.append(np.stack(pair, axis=2).astype(np.float64))
    return np.concatenate(runs)


def note(axes: Any, text: str) -> None:  # noqa: ANN401 - Axes
    """Write a fact into the upper right corner of a panel, above its frame."""
    axes.text(1.0, 1.03, text, transform=axes.transAxes, ha="right", va="bottom", fontsize=9.5, color=INK)
