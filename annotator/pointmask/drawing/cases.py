"""A page of single cases: what was missed, what was found where nothing is, and what fits least.

Each case shows the target enlarged, with the outlines of both masks, beside the whole frame.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pointmask.drawing.context import FRAME_SIDE, frame_jpeg, pooling
from pointmask.drawing.overlay import MASK_COLOUR, TRUE_COLOUR, outline_path, png, stretch
from pointmask.drawing.tiles import data_uri, span_within
from pointmask.printable import escape

CaseKind = Literal["missed", "false alarm", "found"]
"""What became of a target."""

SECTIONS: dict[CaseKind, tuple[str, str]] = {
    "missed": (
        "Missed targets",
        "true targets from whose centre no mask is less than 3 px away, the largest first",
    ),
    "false alarm": ("False alarms", "masks that belong to no true target, the largest first"),
    "found": ("Least overlap", "targets that were found, the lowest IoU first"),
}
"""Title and explanation of each section, in the order of the page."""

STYLE = (
    ".panels { cursor: default; } .tiles { --tile: 30rem; } "
    ".where { color: var(--faint); font-size: .9rem; margin: .1rem 0 .6rem; } "
    "code { overflow-wrap: anywhere; } td, th { font-variant-numeric: tabular-nums; }"
)
"""CSS of `sections` and `tile`, besides the shared one."""

_TRUE = f'<span><b style="color:{TRUE_COLOUR}">&#9632;</b> true mask</span>'

_SIDE, _MARGIN = 33, 10  # px: least side of the enlarged part, and background round a large target
_MOST = 192  # px per side; larger parts are thinned out


@dataclass(frozen=True, slots=True)
class Case:
    """
    One target to show.

    Attributes
    ----------
    title : str
        What is to be seen, in bold: ``missed``, or a figure.
    name : str
        Of the frame.
    box : (int, int, int, int)
        Top, left, bottom and right of the target, half-open.
    share : float
        In [0, 1], shown as a bar: IoU, or how sure the target is.
    facts : str
        What else to say below the picture.
    at : (int, int), optional
        Row and column to name instead of the corner of the box.
    """

    title: str
    name: str
    box: tuple[int, int, int, int]
    share: float
    facts: str = ""
    at: tuple[int, int] | None = None

    @classmethod
    def of(cls, kind: CaseKind, name: str, box: tuple[int, int, int, int], iou: float, facts: str) -> "Case":
        """Title a case by what became of the target."""
        return cls(f"IoU {iou:.3f}" if kind == "found" else kind, name, box, iou, facts)


def tile(
    case: Case,
    image: NDArray[Any] | None,
    truth: NDArray[np.bool_] | None,
    mask: NDArray[np.bool_],
) -> str:
    """
    Return one case as a list item.

    Parameters
    ----------
    case : Case
    image : (H, W) array of any real dtype, or None
        The frame; without one the true mask itself is drawn in grey.
    truth : (H, W) bool or None
        None where no true mask is known.
    mask : (H, W) bool
    """
    if image is None:
        image = np.where(mask if truth is None else truth, np.uint8(150), np.uint8(50))
    rows, cols = _view(case.box, (image.shape[0], image.shape[1]))
    part = image[rows, cols]
    step = -(-max(part.shape) // _MOST)
    uri = data_uri(png(stretch(part)[::step, ::step]))
    height, width = part.shape
    box = f'viewBox="0 0 {width} {height}" role="img"'
    picture = f'<image width="{width}" height="{height}" href="{uri}"/>'
    outlines = "" if truth is None else _outline(truth[rows, cols], "truth")
    outlines += _outline(mask[rows, cols], "line")
    top, left = case.box[:2] if case.at is None else case.at
    whose = "predicted mask" if truth is None else "true mask and mask"
    return (
        f'<li class="tile" style="--confidence:{case.share:.4f}"><div class="panels">'
        f"{panel('image', f'<svg {box}>{picture}</svg>')}"
        f"{panel(whose, f'<svg {box}>{picture}{outlines}</svg>')}"
        f"{panel('whole frame', whole_frame(image, rows, cols))}</div>"
        f'<p class="caption"><bdi class="name" title="{escape(case.name)}">{escape(case.name)}</bdi>'
        f'<span class="confidence">{escape(case.title)}</span>'
        f'<span class="facts">x {left}, y {top}{escape(case.facts)}</span></p></li>'
    )


def panel(what: str, svg: str) -> str:
    """Return a picture with a line below that says what it shows."""
    return f"<figure>{svg}<figcaption>{what}</figcaption></figure>"


def sections(tiles: Mapping[CaseKind, Sequence[str]], totals: Mapping[CaseKind, int]) -> str:
    """
    Return the sections of a page.

    Parameters
    ----------
    tiles : Mapping
        From `tile`, by kind, in order.
    totals : Mapping
        How many cases of each kind there are, shown or not.
    """
    parts = [legend(truth=True)]
    for kind, (title, explanation) in SECTIONS.items():
        shown, total = tiles.get(kind, ()), totals.get(kind, 0)
        count = f"all {total:,}" if len(shown) == total else f"{len(shown):,} of {total:,}"
        if not total:
            parts.append(f'<h2>{title}</h2><p class="where">None.</p>')
            continue
        parts.append(f'<h2>{title}</h2><p class="where">{explanation}; {count}.</p>')
        parts.append(f'<ol class="tiles">{"".join(shown)}</ol>')
    return "\n".join(parts) + "\n"


def legend(*, truth: bool) -> str:
    """Return the line that explains the colours of `tile`, with or without true masks."""
    return (
        f'<div class="legend">{_TRUE if truth else ""}'
        f'<span><b style="color:{MASK_COLOUR}">&#9632;</b> {"mask" if truth else "predicted mask"}</span>'
        "<span>white square: the enlarged part</span></div>"
    )


def _view(box: tuple[int, int, int, int], shape: tuple[int, int]) -> tuple[slice, slice]:
    top, left, bottom, right = box
    side = max(_SIDE, bottom - top + 2 * _MARGIN, right - left + 2 * _MARGIN)
    return (
        span_within((top + bottom - side) // 2, side, shape[0]),
        span_within((left + right - side) // 2, side, shape[1]),
    )


def _outline(mask: NDArray[np.bool_], kind: str) -> str:
    line = outline_path(mask)
    return f'<path class="halo" d="{line}"/><path class="{kind}" d="{line}"/>' if line else ""


def whole_frame(image: NDArray[Any], rows: slice, cols: slice) -> str:
    """Draw the whole (H, W) frame in small, with the enlarged part marked."""
    factor = pooling((image.shape[0], image.shape[1]))
    height, width = (-(-length // factor) for length in image.shape[:2])
    uri = data_uri(frame_jpeg(image, "auto"), "jpeg")
    top, left = rows.start / factor, cols.start / factor
    down, across = (rows.stop - rows.start) / factor, (cols.stop - cols.start) / factor
    part = f"M{left:.4g} {top:.4g}h{across:.4g}v{down:.4g}h{-across:.4g}z"
    longest = max(height, width, min(FRAME_SIDE, max(image.shape)))
    return (
        f'<svg viewBox="0 0 {longest} {longest}" role="img">'
        f'<image width="{width}" height="{height}" href="{uri}"/>'
        f'<path class="halo" d="{part}"/><path class="part" d="{part}"/></svg>'
    )
