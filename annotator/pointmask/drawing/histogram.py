"""Bar charts of the report, whose bars are buttons: they choose the targets that they count."""

from collections.abc import Sequence
from typing import NamedTuple

from pointmask.printable import escape


class Bar(NamedTuple):
    """One bar.

    Attributes
    ----------
    targets : int
        How many targets it counts: its height.
    name : str
        What is counted, in words.
    low, high : str
        Range of the values counted, inclusive, as numbers.
    """

    targets: int
    name: str
    low: str
    high: str


def histogram(title: str, field: str, bars: Sequence[Bar], ticks: dict[int, str]) -> str:
    """Return a bar chart as HTML.

    Parameters
    ----------
    title : str
        Caption above the chart.
    field : str
        Which value of a target is counted; the page's script filters by it.
    bars : sequence of Bar
    ticks : dict
        Label below the left edge of bar ``k``; ``len(bars)`` is the right end of the axis.
    """
    tallest = max((bar.targets for bar in bars), default=0) or 1
    buttons = "".join(
        f'<button type="button" data-low="{bar.low}" data-high="{bar.high}" title="{escape(bar.name)}: '
        f'{bar.targets:,}" aria-label="{escape(bar.name)}: {bar.targets:,} targets" aria-pressed="false"'
        f'{"" if bar.targets else " disabled"}><i style="--share:{bar.targets / tallest:.3f}"></i></button>'
        for bar in bars
    )
    labels = "".join(
        f'<span style="--at:{k / max(1, len(bars)):.4f}">{escape(text)}</span>' for k, text in ticks.items()
    )
    return (
        f'<figure class="chart" data-field="{field}"><figcaption>{escape(title)}</figcaption>'
        f'<div class="bars" role="group" aria-label="{escape(title)}: choose a range">{buttons}</div>'
        f'<div class="axis" aria-hidden="true">{labels}</div></figure>'
    )
