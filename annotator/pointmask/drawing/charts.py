"""Style of the project's charts: colours, axes, and figures as PNG files."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pointmask.printable import printable

ACCENT = "#d1495b"
OTHERS = ("#30638e", "#edae49", "#66a182", "#8d96a3", "#5f4b8b", "#00798c")
INK = "#22252b"
FAINT = "#8a8f98"
GRID = "#e3e5e9"


@contextmanager
def chart(width: float, height: float) -> Iterator[Any]:
    """Context of an empty matplotlib figure of the given size in inches; draw and save it within.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    style: dict[Any, Any] = {
        "font.family": "DejaVu Sans",
        "font.size": 10,
        "text.color": INK,
        "axes.labelcolor": INK,
        "xtick.color": INK,
        "ytick.color": INK,
        "axes.edgecolor": FAINT,
    }
    with rc_context(style):
        figure = Figure(figsize=(width, height), dpi=140, facecolor="white")
        FigureCanvasAgg(figure)
        yield figure


def png_of(figure: Any, made_by: str = "") -> bytes:  # noqa: ANN401 - Figure
    """Encode a figure as a PNG file; the same figure gives the same bytes, and all text is shown as it is.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    made_by : str
        Where it comes from; it stands small in the lower right corner, and as Description in the file.
    """
    if made_by:
        figure.text(0.995, 0.008, made_by, fontsize=6.5, color=FAINT, ha="right", va="bottom")
    _take_literally(figure)
    file = io.BytesIO()
    metadata = {"Software": None, **({"Description": printable(made_by)} if made_by else {})}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph \d+ .*missing from")  # names in scripts the font lacks
        figure.savefig(file, format="png", metadata=metadata)
    return file.getvalue()


def _take_literally(figure: Any) -> None:  # noqa: ANN401 - Figure
    """Keep names of files and folders from being set as mathematics, or drawn as control characters."""
    from matplotlib.text import Text

    axes = [axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)]
    powers = {id(label) for axis in axes if axis.get_scale() == "log" for label in axis.findobj(Text)}
    for text in figure.findobj(Text):
        if id(text) not in powers or text in [axis.label for axis in axes]:
            text.set_parse_math(False)
            text.set_text("\n".join(map(printable, text.get_text().split("\n"))))


def tidy(axes: Any, title: str, label: str) -> None:  # noqa: ANN401 - Axes
    """Set the title at the left and the label of the vertical axis; horizontal grid lines and no frame."""
    axes.set_title(title, loc="left", fontsize=11, fontweight="bold", pad=26)
    axes.set_ylabel(label)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color=GRID)
    axes.set_axisbelow(True)
