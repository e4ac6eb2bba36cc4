"""A page of single cases: what was missed, what was found where nothing is, and what fits least.

Each case shows the target enlarged, with the outlines of both masks, beside the whole frame.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pointmask.drawing.context import FRAME_SIDE, frame_jpeg, pooling
from pointmask.drawing.overlay import MASK_COLOUR, POINT_COLOUR, outline_path, png, stretch
from pointmask.drawing.tiles import data_uri, span_within
from pointmask.printable import escape

CaseKind = Literal["missed", "false alarm", "found"]

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
    ".truth { stroke: var(--point); stroke-width: 1.6px; } .part { stroke: #fff; stroke-width: 1.4px; } "
    ".where { color: var(--faint); font-size: .9rem; margin: .1rem 0 .6rem; } "
    "code { overflow-wrap: anywhere; } td, th { font-variant-numeric: tabular-nums; }"
)
"""CSS of `sections`, besides the shared one."""

LEGEND = (
    '<div class="legend">'
    f'<span><b style="color:{POINT_COLOUR}">&#9632;</b> true mask</span>'
    f'<span><b style="color:{MASK_COLOUR}">&#9632;</b> mask</span>'
    "<span>from left to right: the image, both outlines, the whole frame with the enlarged part</span></div>"
)

_SIDE, _MARGIN = 33, 10  # px: least side of the enlarged part, and background round a large target
_MOST = 192  # px per side; larger parts are thinned out


@dataclass(frozen=True, slots=True)
class Case:
    """
    One target to show.

    Attributes
    ----------
    kind : {"missed", "false alarm", "found"}
    name : str
        Of the frame.
    box : (int, int, int, int)
        Top, left, bottom and right of the target, half-open.
    iou : float
    facts : str
        What else to say below the picture.
    """

    kind: CaseKind
    name: str
    box: tuple[int, int, int, int]
    iou: float
    facts: str = ""


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
    fit = f"IoU {case.iou:.3f}" if case.kind == "found" else case.kind
    return (
        f'<li class="tile" style="--confidence:{case.iou:.4f}"><div class="panels">'
        f'<svg {box} aria-label="image">{picture}</svg>'
        f'<svg {box} aria-label="image with outlines">{picture}{outlines}</svg>'
        f"{_frame(image, rows, cols)}</div>"
        f'<p class="caption"><bdi class="name" title="{escape(case.name)}">{escape(case.name)}</bdi>'
        f'<span class="confidence">{fit}</span>'
        f'<span class="facts">x {case.box[1]}, y {case.box[0]}{escape(case.facts)}</span></p></li>'
    )


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
    parts = [LEGEND]
    for kind, (title, explanation) in SECTIONS.items():
        shown, total = tiles.get(kind, ()), totals.get(kind, 0)
        count = f"all {total:,}" if len(shown) == total else f"{len(shown):,} of {total:,}"
        if not total:
            parts.append(f'<h2>{title}</h2><p class="where">None.</p>')
            continue
        parts.append(f'<h2>{title}</h2><p class="where">{explanation}; {count}.</p>')
        parts.append(f'<ol class="tiles">{"".join(shown)}</ol>')
    return "\n".join(parts) + "\n"


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


def _frame(image: NDArray[Any], rows: slice, cols: slice) -> str:
    factor = pooling((image.shape[0], image.shape[1]))
    height, width = (-(-length // factor) for length in image.shape[:2])
    uri = data_uri(frame_jpeg(image, "auto"), "jpeg")
    top, left = rows.start / factor, cols.start / factor
    down, across = (rows.stop - rows.start) / factor, (cols.stop - cols.start) / factor
    part = f"M{left:.4g} {top:.4g}h{across:.4g}v{down:.4g}h{-across:.4g}z"
    longest = max(height, width, min(FRAME_SIDE, max(image.shape)))
    return (
        f'<svg viewBox="0 0 {longest} {longest}" role="img" aria-label="whole frame">'
        f'<image width="{width}" height="{height}" href="{uri}"/>'
        f'<path class="halo" d="{part}"/><path class="part" d="{part}"/></svg>'
    )
