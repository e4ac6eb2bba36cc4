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
    paths = "".join(_path(curve, low, high, last) for curve in curves if curve.points)
    names = ", ".join(
        f"{escape(curve.name)} ({'dashed' if curve.dashed else 'solid'})" for curve in curves if curve.points
    )
    shown = f"{escape(title)}: {names}" if len(curves) > 1 else escape(title)
    return (
        f'<figure class="chart"><figcaption>{shown}</figcaption>'
        f'<svg viewBox="-34 -8 {_WIDTH + 44} {_HEIGHT + 26}" role="img" aria-label="{escape(title)}">'
        f'<path class="axis" d="M0 0h{_WIDTH}M0 {_HEIGHT / 2:g}h{_WIDTH}M0 {_HEIGHT}h{_WIDTH}"/>{paths}'
        f'<text class="scale" x="-4" y="3">{_short(high)}</text>'
        f'<text class="scale" x="-4" y="{_HEIGHT + 3}">{_short(low)}</text>'
        f'<text x="0" y="{_HEIGHT + 15}">1</text><text x="{_WIDTH}" y="{_HEIGHT + 15}">{last:,}</text>'
        "</svg></figure>"
    )


def _path(curve: Curve, low: float, high: float, last: int) -> str:
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
    kind = "curve dashed" if curve.dashed else "curve"
    tip = f"{escape(curve.name)}: {_short(curve.points[-1][1])} after epoch {curve.points[-1][0]:g}"
    return f'<path class="{kind}" d="{line}"><title>{tip}</title></path>'


def _short(value: float) -> str:
    """Format with at most four decimals, or as a power of ten below 0.001."""
    if value and abs(value) < 0.001:
        exponent = math.floor(math.log10(abs(value)))
        return f"{value / 10**exponent:.2g}e{exponent}"
    return number(value)
