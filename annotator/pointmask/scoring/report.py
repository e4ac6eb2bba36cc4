"""Output of `pointmask score`: tables for the terminal, and ``score.json``."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from pointmask.metrics.counters import Score
from pointmask.metrics.targets import SIZE_CLASSES
from pointmask.printable import printable
from pointmask.scoring.intervals import FIGURES, Difference, Interval
from pointmask.scoring.tally import Tally

LEGEND = (
    "IoU: sum of intersections over sum of unions. nIoU: mean over images. Pd: share of true targets with a "
    "component closer than 3 px. Fa: pixels of the other components per million. Target IoU: mean over true "
    "targets, missed ones 0. Below a figure: the ends of its 95 % interval, "
    "by resampling images."
)

KEYS = ("truth", "masks", "compat", "images")
"""Of ``score.json``, by which it is known."""

Names = Sequence[str]


def tables(
    names: Names,
    tallies: Sequence[Tally],
    sure: Sequence[Mapping[str, Interval]],
    differences: Sequence[Difference],
    by: Sequence[str],
) -> list[Table]:
    """
    Build the tables for the terminal.

    Parameters
    ----------
    names : sequence of str
        Of the sets of masks.
    tallies, sure : sequence
        Sums and intervals of each set.
    differences : sequence of Difference
        Of each set but the first, to the first.
    by : sequence of {"data-set", "size"}
        Tables of parts.
    """
    found = [_main(names, tallies, sure)]
    if differences:
        found.append(_compared(names, differences))
    if "data-set" in by and len(tallies[0].by_data_set()) > 1:
        found.append(_data_sets(names, tallies))
    if "size" in by:
        found.append(_sizes(names, tallies))
    return found


def to_json(
    facts: Mapping[str, Any],
    names: Names,
    tallies: Sequence[Tally],
    sure: Sequence[Mapping[str, Interval]],
    differences: Sequence[Difference],
) -> str:
    """Serialise all figures as JSON with a final newline; what is undefined is null."""
    sets = {
        name: {
            **_figures(tally.total),
            "target_iou": _number(tally.target_iou),
            "interval_95": {figure: [_number(one.low), _number(one.high)] for figure, one in of_set.items()},
            "counters": _counters(tally.total),
            "targets": dict(tally.kinds),
            "by_data_set": {key: _figures(score) for key, score in tally.by_data_set().items()},
            "by_size": {
                key: {
                    "targets": one.count,
                    "Pd": _share(one.found, one.count),
                    "IoU": _share(one.iou_sum, one.count),
                }
                for key, one in tally.sizes.items()
            },
        }
        for name, tally, of_set in zip(names, tallies, sure, strict=True)
    }
    compared = {
        name: {
            **{figure: [_number(value) for value in one] for figure, one in difference.figures.items()},
            "better": difference.better,
            "equal": difference.equal,
            "worse": difference.worse,
        }
        for name, difference in zip(names[1:], differences, strict=True)
    }
    text = {**facts, "sets": sets, "less_the_first": compared}
    return json.dumps(text, indent=1, ensure_ascii=False) + "\n"


def _main(names: Names, tallies: Sequence[Tally], sure: Sequence[Mapping[str, Interval]]) -> Table:
    table = _table("All images", "masks", *FIGURES, "target IoU", "missed", "false")
    for name, tally, of_set in zip(names, tallies, sure, strict=True):
        table.add_row(
            _plain(name),
            *(_with_interval(key, one) for key, one in of_set.items()),
            _text("IoU", tally.target_iou),
            f"{tally.kinds['missed']:,}",
            f"{tally.kinds['false alarm']:,}",
        )
    return table


def _compared(names: Names, differences: Sequence[Difference]) -> Table:
    title = f"Less {_plain(names[0])}, on the same images (bold: the interval excludes 0)"
    table = _table(title, "masks", *FIGURES, "better", "equal", "worse")
    for name, one in zip(names[1:], differences, strict=True):
        table.add_row(
            _plain(name),
            *(_difference(key, interval) for key, interval in one.figures.items()),
            f"{one.better:,}",
            f"{one.equal:,}",
            f"{one.worse:,}",
        )
    return table


def _data_sets(names: Names, tallies: Sequence[Tally]) -> Table:
    table = _table("By data set", "masks", "data set", "images", *FIGURES)
    for name, tally in zip(names, tallies, strict=True):
        for key, score in tally.by_data_set().items():
            figures = [_text(figure, of(score)) for figure, of in FIGURES.items()]
            table.add_row(_plain(name), _plain(key), f"{_images(score):,}", *figures)
    return table


def _sizes(names: Names, tallies: Sequence[Tally]) -> Table:
    columns = [f"{size} px" for size in SIZE_CLASSES]
    table = _table("By true size: targets, Pd, mean IoU", "masks", *columns)
    for name, tally in zip(names, tallies, strict=True):
        table.add_row(_plain(name), *(_size(tally, size) for size in SIZE_CLASSES))
    return table


def _size(tally: Tally, size: str) -> str:
    one = tally.sizes[size]
    if not one.count:
        return "-"
    return f"{one.count:,}\n{one.found / one.count:.3f}\n{one.iou_sum / one.count:.3f}"


def _table(title: str, *columns: str) -> Table:
    # Without rules between the columns the widest table has 80 columns.
    table = Table(
        title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, padding=(0, 1, 0, 0)
    )
    for k, column in enumerate(columns):
        table.add_column(column, justify="left" if k == 0 else "right", overflow="fold")
    return table


def _with_interval(key: str, one: Interval) -> str:
    text = _text(key, one.value)
    return text if math.isnan(one.low) else f"{text}\n{_text(key, one.low)}\n{_text(key, one.high)}"


def _difference(key: str, one: Interval) -> str:
    if math.isnan(one.low):
        return "-"
    text = f"{_signed(key, one.value)}\n{_signed(key, one.low)}\n{_signed(key, one.high)}"
    return f"[bold]{text}[/bold]" if one.low > 0 or one.high < 0 else text


def _text(key: str, value: float) -> str:
    if math.isnan(value):
        return "-"
    return f"{1e6 * value:,.1f}" if key == "Fa" else f"{value:.3f}"


def _signed(key: str, value: float) -> str:
    return f"{1e6 * value:+,.1f}" if key == "Fa" else f"{value:+.3f}"


def _plain(name: str) -> str:
    """Return a name that colours nothing."""
    return escape(printable(name))


def _images(score: Score) -> int:
    return score.scored_images


def _figures(score: Score) -> dict[str, float | int | None]:
    figures: dict[str, float | int | None] = {key: _number(of(score)) for key, of in FIGURES.items()}
    return {"images": _images(score), **figures, "pixAcc": _number(score.recall)}


def _counters(score: Score) -> dict[str, float]:
    return {name: getattr(score, name) for name in Score.__dataclass_fields__}


def _share(part: float, whole: int) -> float | None:
    return part / whole if whole else None


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
