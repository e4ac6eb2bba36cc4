"""The frame of a self-contained page in the look of the project's reports."""

from datetime import datetime, timezone
from importlib.resources import files
from string import Template

from pointmask.drawing.tiles import data_uri, look
from pointmask.printable import escape
from pointmask.version import __version__


def page(title: str, heading: str, main: str, *, summary: str = "", style: str = "") -> str:
    """Return a self-contained page.

    Parameters
    ----------
    title : str
        This and everything else is HTML: text must have been escaped.
    heading : str
        Line below the title.
    main : str
        Body; ends with a newline.
    summary : str
        Lines below the heading; end with a newline.
    style : str
        CSS of this page, besides the shared one.
    """
    template = files("pointmask").joinpath("templates", "page.html").read_text("utf-8")
    return Template(template).substitute(
        look=look(), style=style, title=title, heading=heading, summary=summary, main=main
    )


FIGURE_STYLE = (
    ".figure { margin: .8rem 0; background: var(--card); border: 1px solid var(--rule); "
    "border-radius: 10px; padding: .7rem 1rem; break-inside: avoid; } "
    ".figure figcaption { font-size: .9rem; max-width: 60rem; margin-bottom: .5rem; } "
    ".figure div { overflow-x: auto; } "
    ".figure img { display: block; width: 100%; min-width: 46rem; max-width: 1500px; height: auto; "
    "border-radius: 6px; } "
    "@media (prefers-color-scheme: dark) { .figure img.chart-image "
    "{ filter: invert(.9) hue-rotate(180deg); } } "
    "@media print { .figure img { min-width: 0; filter: none !important; } }"
)
"""CSS of `figure`. On a narrow screen a chart is scrolled, as its letters would be too small otherwise."""


def figure(png: bytes, title: str, text: str = "", *, has_photos: bool = False) -> str:
    """Return a chart with its caption, as HTML.

    Parameters
    ----------
    png : bytes
        Drawn on white.
    title, text : str
        Plain text, which is escaped.
    has_photos : bool
        It holds parts of images, which stay as they are in dark mode; all else turns dark, with its hues.
    """
    caption = f"<b>{escape(title)}.</b> {escape(text)}" if text else f"<b>{escape(title)}</b>"
    kind = "" if has_photos else ' class="chart-image"'
    return (
        f'<figure class="figure"><figcaption>{caption}</figcaption>'
        f'<div><img{kind} src="{data_uri(png)}" alt="{escape(title)}"></div></figure>'
    )


def origin(command: str) -> str:
    """Return where a page comes from, as HTML: version, time in UTC, and the command that made it."""
    head, _, _ = made_by(command).partition(": ")
    return f"{escape(head)}: <code>{escape(command)}</code>"


def made_by(command: str) -> str:
    """Return the same as plain text."""
    now = datetime.now(timezone.utc).isoformat(sep=" ", timespec="minutes").removesuffix("+00:00")
    return f"pointmask {__version__}, {now} UTC: {command}"
