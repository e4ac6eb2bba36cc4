"""Masks before and after, beside the true ones: a picture of a few targets in one SVG file."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointmask.drawing.overlay import MASK_COLOUR, POINT_COLOUR, TRUE_COLOUR, outline_path, png, stretch
from pointmask.drawing.tiles import data_uri
from pointmask.printable import escape

_TILE = 220  # px of the picture
_GAP, _TEXT = 12, 34
_PER_ROW = 5


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """One target: a crop of its image, and three masks of it of the same shape."""

    name: str
    pixels: NDArray[Any]
    truth: NDArray[np.bool_]
    before: NDArray[np.bool_]
    after: NDArray[np.bool_]

    @property
    def changed(self) -> int:
        """Pixels that differ between before and after."""
        return int(np.count_nonzero(self.before != self.after))


def compared_svg(first: str, targets: Sequence[Compared]) -> str:
    """Draw targets, five to a row: the image, and on it the outlines of the true mask, before and after.

    Parameters
    ----------
    first : str
        What made the picture; it stands in a comment on the first line.
    targets : sequence of Compared

    Returns
    -------
    str
        A whole SVG document.
    """
    columns = min(max(len(targets), 1), _PER_ROW)
    rows = -(-len(targets) // _PER_ROW)
    width, height = columns * (_TILE + _GAP) + _GAP, rows * (_TILE + _GAP + _TEXT) + _GAP + _TEXT
    legend = "".join(
        f'<tspan fill="{colour}">{text}</tspan>{" " * 3}'
        for text, colour in (("true", TRUE_COLOUR), ("before", POINT_COLOUR), ("after", MASK_COLOUR))
    )
    tiles = "".join(
        _tile(
            target,
            (k % _PER_ROW) * (_TILE + _GAP) + _GAP,
            (k // _PER_ROW) * (_TILE + _GAP + _TEXT) + _TEXT + _GAP,
        )
        for k, target in enumerate(targets)
    )
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    return (
        f"<!-- {escape(first)} -->\n"
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} '
        'font-family="sans-serif" font-size="14" style="background:#16181d">'
        f'<text x="{_GAP}" y="24" xml:space="preserve">{legend}</text>{tiles}</svg>\n'
    )


def _tile(target: Compared, left: int, top: int) -> str:
    height, width = target.pixels.shape
    scale = _TILE / max(height, width)
    grey = png(stretch(target.pixels, focus=target.truth | target.after))
    lines = "".join(
        f'<path d="{outline_path(mask)}" fill="none" stroke="{colour}" stroke-width="{stroke}"{dash} '
        'vector-effect="non-scaling-stroke"/>'
        for mask, colour, stroke, dash in (
            (target.truth, TRUE_COLOUR, 3, ""),
            (target.before, POINT_COLOUR, 2, ' stroke-dasharray="4 3"'),
            (target.after, MASK_COLOUR, 2, ""),
        )
    )
    ious = " to ".join(f"{_iou(mask, target.truth):.2f}" for mask in (target.before, target.after))
    return (
        f'<g transform="translate({left} {top})"><g transform="scale({scale:g})">'
        f'<image width="{width}" height="{height}" href="{data_uri(grey)}" '
        'style="image-rendering:pixelated"/>'
        f'{lines}</g><text y="{_TILE + 16}" fill="#e8e8e8">{escape(target.name)}: IoU {ious}</text></g>'
    )


def _iou(mask: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    union = np.count_nonzero(mask | truth)
    return float(np.count_nonzero(mask & truth) / union) if union else 1.0
