"""The path of the annotator's parameters, and both parts of the loss that moves them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointmask.drawing.charts import ACCENT, FAINT, INK, OTHERS, chart, png_of, tidy
from pointmask_trainer.analysis.charts.parts import head
from pointmask_trainer.analysis.study import Study

_COLOURS = (ACCENT, *OTHERS, "#b07aa1", INK)
_STYLES = ("solid", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)))  # of stages, in order
_TABLES = ("law_weights", "law_bias", "law_gain")  # too many numbers for a line each

Floats = NDArray[np.float64]
Path = dict[str, Floats]


def theta_png(study: Study) -> bytes:
    """Draw how far each entry of theta went from its start, and the loss of its updates.

    Returns
    -------
    bytes
        A PNG file of 2100 x 840 pixels.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    numbers, tables = paths(study)
    updates = study.history.updates
    has_losses = bool(np.isfinite([update.offline for update in updates]).any())
    with chart(15, 6) as figure:
        panels = figure.subplots(1, 3 if has_losses else 2, squeeze=False)[0]
        figure.subplots_adjust(left=0.055, right=0.985, top=0.775, bottom=0.28, wspace=0.22)
        _numbers(panels[0], numbers)
        _tables(panels[1], tables)
        unit = "update" if has_losses else "epoch"
        for axes in panels[:2]:
            axes.set_xlabel(f"{unit} (0: start)" if study.history.start else f"{unit} (from the first on)")
        if has_losses:
            _losses(panels[2], study)
        for axes in panels:
            axes.xaxis.get_major_locator().set_params(integer=True)
        epochs = [update.epoch for update in updates]
        rest = f"{len(updates)} updates, after epochs {_few(epochs)}" if has_losses else "one step per batch"
        head(
            figure,
            "The annotator's parameters \N{GREEK SMALL LETTER THETA} follow the detector",
            rest,
            top=0.98,
        )
        return png_of(figure)


def paths(study: Study) -> tuple[Path, Path]:
    """Return the path of theta relative to its start, or to its first update if the start is unknown.

    Returns
    -------
    numbers : dict of label to (U + 1,) array
        Per number that moved: change in per cent of its start; the plain change where that is 0.
    tables : dict of label to (U + 1,) array
        Per table that moved: root mean square of the changes in per cent of that of the start.
    """
    history = study.history
    states = [update.entries for update in history.updates]
    if history.start is not None:
        states.insert(0, history.start)
    numbers, tables = {}, {}
    for name in (name for name in states[0] if all(name in state for state in states)):
        path = np.stack([state[name] for state in states])
        moved = path - path[0]
        if not moved.any():
            continue
        if name in _TABLES:
            size = np.sqrt(np.mean(path[0] ** 2))
            change = np.sqrt(np.mean(moved.reshape(len(path), -1) ** 2, axis=1))
            tables[_label(name, not size)] = 100 * change / size if size else change
            continue
        for k, (values, start) in enumerate(
            zip(moved.reshape(len(path), -1).T, path[0].ravel(), strict=True)
        ):
            stage = f"[{k}]" if path[0].ndim else ""
            numbers[_label(name + stage, not start)] = 100 * values / abs(start) if start else values
    return numbers, tables


def _numbers(axes: Any, numbers: Path) -> None:  # noqa: ANN401 - Axes
    names = list(dict.fromkeys(label.partition("[")[0] for label in numbers))
    for label, values in numbers.items():
        name, _, stage = label.partition("[")
        style = _STYLES[int(stage.partition("]")[0]) % len(_STYLES)] if stage else _STYLES[0]
        colour = _COLOURS[names.index(name) % len(_COLOURS)]
        axes.plot(values, color=colour, linestyle=style, linewidth=1.8, label=label, zorder=3)
    axes.axhline(0, color=FAINT, linewidth=1)
    tidy(axes, "Single numbers", "change from the start (%)")
    _legend(axes, 4)


def _tables(axes: Any, tables: Path) -> None:  # noqa: ANN401 - Axes
    for k, (label, values) in enumerate(tables.items()):
        axes.plot(values, color=_COLOURS[k], linewidth=1.8, label=label, zorder=3)
    axes.axhline(0, color=FAINT, linewidth=1)
    tidy(axes, "The resemblance network", "change, root mean square (%)")
    _legend(axes, 3)


def _losses(axes: Any, study: Study) -> None:  # noqa: ANN401 - Axes
    updates = study.history.updates
    across = np.arange(1, len(updates) + 1)
    for name, values, colour in (
        ("with the offline labels", [update.offline for update in updates], OTHERS[0]),
        ("with the detector's response", [update.detector for update in updates], ACCENT),
    ):
        axes.plot(across, values, "o-", color=colour, linewidth=1.8, markersize=4, label=name, zorder=3)
    axes.set_ylim(0, None)
    if len(updates) == 1:
        axes.set_xlim(0.5, 1.5)
    tidy(axes, "Disagreement of the labels, before the update", "soft IoU loss")
    axes.set_xlabel("update")
    _legend(axes, 2)


def _legend(axes: Any, columns: int) -> None:  # noqa: ANN401 - Axes
    if axes.get_legend_handles_labels()[0]:
        axes.legend(
            loc="upper center",
            bbox_to_anchor=(0.5, -0.17),
            ncols=columns,
            frameon=False,
            fontsize=8.5,
            handlelength=2.4,
            columnspacing=1.2,
        )
    else:
        axes.text(0.5, 0.5, "did not move", transform=axes.transAxes, ha="center", color=FAINT)


def _label(name: str, is_plain: bool) -> str:
    return f"{name} (plain)" if is_plain else name


def _few(epochs: list[int]) -> str:
    shown = [str(epoch) for epoch in epochs]
    return ", ".join(shown) if len(shown) <= 8 else ", ".join([*shown[:3], "...", *shown[-2:]])
