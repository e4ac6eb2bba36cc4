"""The frame of a self-contained page in the look of the project's reports."""

from datetime import datetime, timezone
from importlib.resources import files
from string import Template

from pointmask.drawing.tiles import look
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


def origin(command: str) -> str:
    """Return where a page comes from, as HTML: version, time in UTC, and the command that made it."""
    now = datetime.now(timezone.utc).isoformat(sep=" ", timespec="minutes").removesuffix("+00:00")
    return f"pointmask {__version__}, {now} UTC: <code>{escape(command)}</code>"
