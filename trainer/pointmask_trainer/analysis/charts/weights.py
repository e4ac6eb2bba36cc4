"""Sample weights against the size and shape of targets: bins, and densities over both."""

from typing import Any

import numpy as np

from pointmask.drawing.charts import ACCENT, FAINT, INK, OTHERS, chart, png_of, tidy
from pointmask_trainer.analysis.charts.parts import colour_bar, count_scale, head, note, signed, weight_scale
from pointmask_trainer.analysis.relations import Relation, bins
from pointmask_trainer.analysis.study import Floats, Study

_TITLES = {
    "diameter": ("Size", "equivalent diameter (px)"),
    "circularity": ("Roundness", "circularity"),
    "eccentricity": ("Elongation", "eccentricity"),
    "solidity": ("Compactness", "solidity"),
}
_SIZES = (1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 32.0, 48.0, 64.0, 96.0, 128.0, 256.0)  # of ticks
_CELLS = (10, 8)  # of the densities, along size and shape


def weights_png(study: Study) -> bytes:
    """Draw the mean weight of each image against its targets' size and shape, and densities over both.

    Returns
    -------
    bytes
        A PNG file of 2100 x 1330 pixels.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    with chart(15, 9.5) as figure:
        grid = figure.add_gridspec(
            2, 12, left=0.05, right=0.985, top=0.825, bottom=0.065, hspace=0.52, wspace=1.6
        )
        for k, name in enumerate(_TITLES):
            _against(figure.add_subplot(grid[0, 3 * k : 3 * k + 3]), study, name, k == 0)
        lower = figure.add_gridspec(1, 3, left=0.05, right=0.985, top=0.365, bottom=0.065, wspace=0.32)
        _densities(figure, [figure.add_subplot(lower[k]) for k in range(2)], study)
        _spread(figure.add_subplot(lower[2]), study)
        figure.subplots_adjust(left=0.05)
        head(
            figure,
            "Sample weights against size and shape of the targets",
            f"one dot per training image: mean of its targets in labels version {study.version}, and mean "
            f"weight of the last {study.averaged} weighted epochs; line and band: mean and standard "
            "deviation of sixths of the images",
            top=0.985,
        )
        return png_of(figure)


def rho_text(found: Relation) -> str:
    """Spearman's rho of a relation in words."""
    if not np.isfinite(found.rho):
        return f"no rank correlation (n = {found.n:,})"
    chance = "p < 0.001" if found.p < 0.001 else f"p = {found.p:.3f}"
    return f"Spearman's \N{GREEK SMALL LETTER RHO} {signed(found.rho, 2)} ({chance}, n = {found.n:,})"


def _against(axes: Any, study: Study, name: str, is_first: bool) -> None:  # noqa: ANN401 - Axes
    title, label = _TITLES[name]
    across = study.shapes[name]
    both = np.isfinite(across) & np.isfinite(study.alpha)
    dots = max(4.0, min(18.0, 6000 / max(1, int(both.sum()))))
    axes.scatter(across[both], study.alpha[both], s=dots, color=OTHERS[0], alpha=0.35, linewidth=0, zorder=2)
    found = bins(across, study.alpha)
    axes.fill_between(
        found.centre, found.mean - found.std, found.mean + found.std, color=ACCENT, alpha=0.16, linewidth=0
    )
    axes.plot(found.centre, found.mean, "o-", color=ACCENT, linewidth=2, markersize=5, zorder=4)
    axes.axhline(1, color=FAINT, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
    tidy(axes, title, "sample weight \N{GREEK SMALL LETTER ALPHA}" if is_first else "")
    axes.set_xlabel(label)
    axes.text(
        0, 1.03, rho_text(study.relations[name]), transform=axes.transAxes, va="bottom", fontsize=9, color=INK
    )
    if name == "diameter":
        _log_axis(axes, across[both])
    elif not both.any():
        axes.set_xlim(0, 1)


def _densities(figure: Any, panels: list[Any], study: Study) -> None:  # noqa: ANN401 - Figure
    """Count of images, and mean weight, in cells of size and roundness."""
    size, shape = study.shapes["diameter"], study.shapes["circularity"]
    both = np.isfinite(size) & np.isfinite(shape) & np.isfinite(study.alpha)
    size, shape, alpha = size[both], shape[both], study.alpha[both]
    low, high = (size.min(), size.max()) if len(size) else (1.0, 1.0)
    edges = (
        np.geomspace(low * 0.98, high * 1.02, _CELLS[0] + 1),
        np.linspace(max(0.0, min(shape, default=1.0) - 0.02), 1.0, _CELLS[1] + 1),
    )
    counts = np.histogram2d(size, shape, edges)[0]
    sums = np.histogram2d(size, shape, edges, weights=alpha)[0]
    means = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    counted = np.where(counts > 0, counts, np.nan)
    palette, norm = weight_scale(means)
    cells = {"edgecolors": "white", "linewidth": 0.8}
    drawn = (
        panels[0].pcolormesh(*edges, np.ma.masked_invalid(counted.T), cmap=count_scale(), vmin=0, **cells),
        panels[1].pcolormesh(
            *edges, np.ma.masked_invalid(means.T), cmap=palette.with_extremes(bad="white"), norm=norm, **cells
        ),
    )
    labels = ("images per cell", "mean weight \N{GREEK SMALL LETTER ALPHA} (1: as all)")
    titles, extends = (
        ("Where the images are", "Where the weight is"),
        ("neither", "both" if norm.vmin > 0 else "max"),
    )
    for axes, what, label, title, extend in zip(panels, drawn, labels, titles, extends, strict=True):
        tidy(axes, title, "circularity")
        axes.grid(False)
        axes.set_xlabel("equivalent diameter (px)")
        _log_axis(axes, edges[0])
        axes.set_xlim(edges[0][0], edges[0][-1])
        axes.set_ylim(edges[1][0], edges[1][-1])
        colour_bar(figure, what, axes, label, extend=extend)
    for x, y, count in (
        (x, y, counts[i, j])
        for i, x in enumerate(np.sqrt(edges[0][1:] * edges[0][:-1]))
        for j, y in enumerate((edges[1][1:] + edges[1][:-1]) / 2)
        if counts[i, j]
    ):
        is_dark = count > 0.4 * counts.max()
        panels[0].text(
            x, y, f"{int(count)}", ha="center", va="center", fontsize=7.5, color="white" if is_dark else INK
        )


def _spread(axes: Any, study: Study) -> None:  # noqa: ANN401 - Axes
    """How the weights are spread over the images."""
    alpha = study.alpha[np.isfinite(study.alpha)]
    axes.hist(alpha, bins=min(30, max(5, len(alpha) // 6)), color=OTHERS[0], zorder=2)
    axes.axvline(1, color=FAINT, linewidth=1, linestyle=(0, (4, 3)), zorder=3)
    tidy(axes, "How the weights are spread", "images")
    axes.set_xlabel("sample weight \N{GREEK SMALL LETTER ALPHA}")
    low, high = np.quantile(alpha, (0.05, 0.95))
    note(axes, f"nine tenths lie in {low:.2f} to {high:.2f}")
    axes.yaxis.get_major_locator().set_params(integer=True)


def _log_axis(axes: Any, sizes: Floats) -> None:  # noqa: ANN401 - Axes
    """Scale the horizontal axis by logarithm, with whole numbers at its ticks."""
    if not len(sizes):
        return
    axes.set_xscale("log")
    ticks = [tick for tick in _SIZES if sizes.min() <= tick <= sizes.max()] or [float(sizes.min())]
    axes.xaxis.set_ticks(ticks, [f"{tick:.3g}" for tick in ticks])
    axes.xaxis.set_ticks([], minor=True)
