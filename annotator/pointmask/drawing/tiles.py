"""HTML fragments of the report: one tile per target. All text is escaped here."""

from base64 import b64encode
from importlib.resources import files
from string import Template
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointmask.annotator.target import Annotation, Target
from pointmask.drawing.context import FRAME_SIDE, frame_jpeg, pooling
from pointmask.drawing.flags import DOUBTS, flag_text
from pointmask.drawing.overlay import (
    MASK_COLOUR,
    POINT_COLOUR,
    TRUE_COLOUR,
    heat_palette,
    outline_path,
    png,
    stretch,
)
from pointmask.printable import escape
from pointmask.theta import Polarity

_SIDE = 33  # pixels; most targets then have the same scale, so that sizes can be compared
_MARGIN = 8  # pixels of background kept around a large target
HEAT = heat_palette(64)
"""Colours of quantities in [0, 1]; finer steps are indistinguishable, and each tile stores the palette."""


def number(value: float) -> str:
    """Format with at most four decimals, without trailing zeros."""
    return f"{value:.4f}".rstrip("0").rstrip(".")


def tile(
    rank: int,
    name: str,
    found: dict[str, Any],
    pictures: str,
    contrast: str = "",
    *,
    iou: float | None = None,
    asks: bool = False,
) -> str:
    """Return one target of the contact sheet.

    Parameters
    ----------
    rank : int
        0-based place in the default order.
    name : str
        Image, with ``#frame`` where it is needed.
    found : dict
        The target's entry in the manifest.
    pictures : str
        Markup from `panels` or `missing`.
    contrast : str
        Text from `contrast_of`.
    iou : float, optional
        Of the mask with the true one, if that is known.
    asks : bool
        Whether the reader is to tick it if its mask is wrong.
    """
    row, col = found["point"]
    confidence = number(found["confidence"])
    flags = "".join(_flag(flag) for flag in found["flags"])
    label = f'<span class="label">{escape(found["label"])}</span>' if found["label"] else ""
    spoken = (
        f"Enlarge {name}, x {col}, y {row}, confidence {found['confidence']:.2f}, {found['area']:,} pixels"
    )
    spoken += f", flags {', '.join(found['flags'])}" if found["flags"] else ""
    fit = "" if iou is None else f'<span class="iou">IoU {iou:.3f}</span>'
    ask = '<label class="ask"><input type="checkbox"> wrong</label>' if asks else ""
    return (
        f'<li class="tile" data-rank="{rank}" data-confidence="{confidence}" data-area="{found["area"]}"'
        f' data-name="{escape(name)}" data-flags="{escape(" ".join(found["flags"]))}"'
        f' style="--confidence:{confidence}">'
        f'<button type="button" class="panels" aria-label="{escape(spoken)}">'
        f'{pictures}</button><p class="caption"><bdi class="name" title="{escape(name)}">{escape(name)}</bdi>'
        f'<span class="confidence">{found["confidence"]:.2f}</span>'
        f'<span class="facts">x {col}, y {row} &middot; {found["area"]:,} px</span>'
        f'<span class="contrast">{escape(contrast)}</span>{fit}{label}{flags}</p>{ask}</li>'
    )


def _flag(flag: str) -> str:
    doubt = " doubt" if flag in DOUBTS else ""
    return f'<span class="flag{doubt}" title="{escape(flag_text(flag))}">{escape(flag)}</span>'


def missing(reason: str) -> str:
    """Return the placeholder of a tile whose image is no longer available."""
    return f'<span class="missing">{escape(reason)}</span>'


def panels(
    rank: int,
    image: NDArray[Any],
    annotation: Annotation,
    index: int,
    frame: int | None = None,
    polarity: Polarity = "bright",
    truth: NDArray[np.bool_] | None = None,
) -> str:
    """Draw a target four times: image with point, image with mask outline, soft label, whole frame.

    Parameters
    ----------
    rank : int
        Makes the element identifiers unique in the page.
    image : (H, W) array of any real dtype
        The whole frame at native depth.
    annotation : Annotation
        Result for the whole frame.
    index : int
        Which of its targets to show; the masks of the others appear dashed.
    frame : int, optional
        Rank of the target whose tile holds the picture of the frame already.
    polarity : {"bright", "dark", "auto"}
        As in the job.
    truth : (H, W) bool, optional
        True masks of the frame, drawn below the mask's outline.

    Returns
    -------
    str
        Four ``<svg>`` elements in pixel units; the area outside the frame is empty. The style
        ``--shown`` is the number of picture elements along a side, for scales that are whole numbers.
    """
    target = annotation.targets[index]
    top, left, side, step = _view(target)
    rows = slice(max(0, top), min(image.shape[0], top + side))
    cols = slice(max(0, left), min(image.shape[1], left + side))
    soft, mask = _paste(target, rows, cols)
    grey = stretch(image[rows, cols], focus=mask)[::step, ::step]
    heat = np.rint(soft[::step, ::step] * (len(HEAT) - 1)).astype(np.uint8)
    height, width = grey.shape[0] * step, grey.shape[1] * step
    place = f'x="{cols.start - left}" y="{rows.start - top}" width="{width}" height="{height}"'
    outline = outline_path(target.mask, top=target.window[0] - top, left=target.window[1] - left)
    others = "".join(
        outline_path(other.mask, top=other.window[0] - top, left=other.window[1] - left)
        for k, other in enumerate(annotation.targets)
        if k != index and _overlaps(other.box, (top, left, top + side, left + side))
    )
    x, y = target.point[1] - left + 0.5, target.point[0] - top + 0.5
    view = f'viewBox="0 0 {side} {side}" style="--shown:{side // step}" aria-hidden="true"'
    neighbours = f'<path class="others" d="{others}"/>' if others else ""
    if truth is not None and truth[rows, cols].any():
        line = outline_path(truth[rows, cols], top=rows.start - top, left=cols.start - left)
        neighbours += f'<path class="truth" d="{line}"/>'
    return (
        f'<svg class="image" {view}>'
        f'<image id="i{rank}" {place} href="{data_uri(png(grey))}"/>{_crosshair(x, y, side / _SIDE)}</svg>'
        f'<svg class="mask" {view}><use href="#i{rank}"/>{neighbours}'
        f'<defs><path id="m{rank}" vector-effect="non-scaling-stroke" d="{outline}"/></defs>'
        f'<use class="halo" href="#m{rank}"/><use class="line" href="#m{rank}"/>'
        f'<circle class="dot" cx="{x:g}" cy="{y:g}" r="{0.35 * side / _SIDE:.2g}"/></svg>'
        f'<svg class="soft" {view}><image {place} href="{data_uri(png(heat, HEAT))}"/>'
        f'<use class="line" href="#m{rank}"/></svg>'
        f"{_frame(rank, image, (top, left, side), frame, polarity)}"
    )


def _frame(
    rank: int, image: NDArray[Any], view: tuple[int, int, int], drawn: int | None, polarity: Polarity
) -> str:
    """Draw the whole frame with the enlarged part marked; each frame is stored once."""
    factor = pooling((image.shape[0], image.shape[1]))
    height, width = (-(-length // factor) for length in image.shape[:2])
    longest = max(height, width)
    top, left, side = (value / factor for value in view)
    if drawn is None:
        uri = data_uri(frame_jpeg(image, polarity), "jpeg")
        picture = f'<image id="f{rank}" width="{width}" height="{height}" href="{uri}"/>'
    else:
        picture = f'<use href="#f{drawn}"/>'
    box = f"M{left:.4g} {top:.4g}h{side:.4g}v{side:.4g}h{-side:.4g}z"
    return (
        f'<svg class="frame" viewBox="0 0 {longest} {longest}" style="--shown:{longest}" aria-hidden="true">'
        f'{picture}<path class="halo" d="{box}"/><path class="part" d="{box}"/></svg>'
    )


def contrast_of(image: NDArray[Any], target: Target) -> str:
    """Say how far a target stands out: its extreme value, the background, and the ratio to the noise.

    The background is the median of the enlarged part without the mask; the noise is its median absolute
    deviation, times 1.4826.
    """
    top, left, side, _ = _view(target)
    rows = slice(max(0, top), min(image.shape[0], top + side))
    cols = slice(max(0, left), min(image.shape[1], left + side))
    _, mask = _paste(target, rows, cols)
    values = image[rows, cols].astype(np.float64)
    held, around = values[mask & np.isfinite(values)], values[~mask & np.isfinite(values)]
    if not held.size or not around.size:
        return ""
    background = float(np.median(around))
    peak = float(held.min() if "dark" in target.flags else held.max())
    noise = 1.4826 * float(np.median(np.abs(around - background)))
    ratio = f", {abs(peak - background) / noise:,.1f}\N{NO-BREAK SPACE}σ" if noise else ""
    return f"{_short(peak)} on {_short(background)} ± {_short(noise)}{ratio}"


def _short(value: float) -> str:
    """Write a grey value with three digits; whole numbers in full."""
    return f"{value:,.0f}" if value == round(value) and abs(value) < 1e9 else f"{value:,.3g}"


def _view(target: Target) -> tuple[int, int, int, int]:
    """Top, left and side of the square to show, context around; and every how many pixels it is sampled."""
    top, left = min(target.box[0], target.point[0]), min(target.box[1], target.point[1])
    bottom, right = max(target.box[2], target.point[0] + 1), max(target.box[3], target.point[1] + 1)
    side = max(_SIDE, bottom - top + 2 * _MARGIN, right - left + 2 * _MARGIN)
    step = -(-side // FRAME_SIDE)
    side += -side % step
    return (top + bottom - side) // 2, (left + right - side) // 2, side, step


def span_within(start: int, side: int, length: int) -> slice:
    """Return `side` pixels from `start` on, moved into an axis of `length` pixels; all of a shorter axis."""
    start = max(0, min(start, length - side))
    return slice(start, min(length, start + side))


def _paste(target: Target, rows: slice, cols: slice) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Soft label and mask of one target over a part of the frame; zero outside the target's window."""
    shape = (rows.stop - rows.start, cols.stop - cols.start)
    soft, mask = np.zeros(shape, np.float32), np.zeros(shape, np.bool_)
    top, left, bottom, right = target.window
    shown_rows, window_rows = _common(rows.start, rows.stop, top, bottom)
    shown_cols, window_cols = _common(cols.start, cols.stop, left, right)
    soft[shown_rows, shown_cols] = target.soft[window_rows, window_cols]
    mask[shown_rows, shown_cols] = target.mask[window_rows, window_cols]
    return soft, mask


def _common(start: int, stop: int, other_start: int, other_stop: int) -> tuple[slice, slice]:
    """Overlap of two ranges, relative to the start of each; not empty, since both contain the point."""
    first, last = max(start, other_start), min(stop, other_stop)
    return slice(first - start, last - start), slice(first - other_start, last - other_start)


def _overlaps(box: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> bool:
    """Whether two half-open boxes (top, left, bottom, right) share a pixel."""
    return box[0] < other[2] and other[0] < box[2] and box[1] < other[3] and other[1] < box[3]


def _crosshair(x: float, y: float, unit: float) -> str:
    """Four ticks around a pixel, at a distance so that they do not hide the target."""
    gap, length = 4.5 * unit, 3.5 * unit
    ticks = (
        f"M{x - gap - length:g} {y:g}h{length:g}M{x + gap:g} {y:g}h{length:g}"
        f"M{x:g} {y - gap - length:g}v{length:g}M{x:g} {y + gap:g}v{length:g}"
    )
    return f'<path class="halo" d="{ticks}"/><path class="ticks" d="{ticks}"/>'


def look() -> str:
    """Return the style sheet that the project's pages share."""
    return Template(files("pointmask").joinpath("templates", "look.css").read_text("utf-8")).substitute(
        mask_colour=MASK_COLOUR,
        point_colour=POINT_COLOUR,
        true_colour=TRUE_COLOUR,
        heat=", ".join("#" + bytes(colour).hex() for colour in heat_palette(9).tolist()),
    )


def data_uri(data: bytes, kind: str = "png") -> str:
    """Encode a picture file as a data URI."""
    return f"data:image/{kind};base64,{b64encode(data).decode('ascii')}"
