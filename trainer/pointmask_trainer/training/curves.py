"""Curves of a run as inline SVG, in the look of the annotator's report."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pointmask.drawing.tiles import number
from pointmask.printable import escape

_WIDTH, _HEIGHT = 360, 120  # in the chart's own units
_MOST_POINTS = 720  # two per unit of length: more cannot be distinguished


@dataclass(frozen=True, slots=True)
class Curve:
    """One line of a chart.

    Attributes
    ----------
    name : str
    points : sequence of (float, float)
        Epoch and value.
    dashed : bool
        For figures that do not decide which epoch is best.
    """

    name: str
    points: Sequence[tuple[float, float]]
    dashed: bool = False


def line_chart(title: str, curves: Sequence[Curve], *, last: int, top: float | None = None) -> str:
    """Draw curves over epochs.

    Parameters
    ----------
    title : str
        Shown above, with the names of the curves.
    curves : sequence of Curve
    last : int
        Epoch at the right end.
    top : float, optional
        Value at the upper end, with 0 at the lower; by default both ends follow the values.

    Returns
    -------
    str
        A ``<figure>``; empty if no curve has a point.
    """
    values = [value for curve in curves for _, value in curve.points]
    if not values:
        return ""
    low, high = (0.0, top) if top is not None else (min(values), max(values))
    drawn = [(rank, curve) for rank, curve in enumerate(curves) if curve.points]
    paths = "".join(_path(curve, low, high, last, rank) for rank, curve in drawn)
    keys = "".join(_key(curve, rank) for rank, curve in drawn) if len(curves) > 1 else ""
    shown = f"{escape(title)}{keys}"
    return (
        f'<figure class="chart"><figcaption>{shown}</figcaption>'
        f'<svg viewBox="-46 -10 {_WIDTH + 56} {_HEIGHT + 32}" role="img" aria-label="{escape(title)}">'
        f'<path class="axis" d="M0 0h{_WIDTH}M0 {_HEIGHT / 2:g}h{_WIDTH}M0 {_HEIGHT}h{_WIDTH}"/>{paths}'
        f'<text class="scale" x="-4" y="4">{_short(high)}</text>'
        f'<text class="scale" x="-4" y="{_HEIGHT + 4}">{_short(low)}</text>'
        f'<text x="0" y="{_HEIGHT + 19}">1</text>{_last_tick(last)}'
        "</svg></figure>"
    )


def _key(curve: Curve, rank: int) -> str:
    """Return the line and the name of a curve."""
    return (
        f'<span class="key"><svg viewBox="0 0 24 8" aria-hidden="true">'
        f'<path class="{_kind(curve, rank)}" d="M0 4h24"/></svg>{escape(curve.name)}</span>'
    )


def _kind(curve: Curve, rank: int) -> str:
    return f"curve dashed curve-{rank}" if curve.dashed else f"curve curve-{rank}"


def _path(curve: Curve, low: float, high: float, last: int, rank: int) -> str:
    span = high - low or 1.0
    step = -(-len(curve.points) // _MOST_POINTS)
    shown = [*curve.points[:-1:step], curve.points[-1]]
    places = [
        (_WIDTH * (epoch - 1) / max(1, last - 1), _HEIGHT * (1 - (value - low) / span))
        for epoch, value in shown
    ]
    if len(places) == 1:  # a line of one point is not seen
        places.append((places[0][0] + 2, places[0][1]))
    line = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    tip = f"{escape(curve.name)}: {_short(curve.points[-1][1])} after epoch {curve.points[-1][0]:g}"
    return f'<path class="{_kind(curve, rank)}" d="{line}"><title>{tip}</title></path>'


def _last_tick(last: int) -> str:
    """Label the last epoch; of a single one the first label says it already."""
    return f'<text x="{_WIDTH}" y="{_HEIGHT + 19}">{last:,}</text>' if last > 1 else ""


def _short(value: float) -> str:
    """Format with at most four decimals, or as a power of ten below 0.001."""
    if value and abs(value) < 0.001:
        exponent = math.floor(math.log10(abs(value)))
        return f"{value / 10**exponent:.2g}e{exponent}"
    return number(value)
