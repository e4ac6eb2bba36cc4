"""Sheets of crops: targets whose label changed most, and images of the highest and the lowest weight."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from pointmask.components import components
from pointmask.drawing.charts import ACCENT, FAINT, OTHERS, chart, png_of
from pointmask.drawing.overlay import MASK_COLOUR, stretch
from pointmask.drawing.tiles import span_within
from pointmask_trainer.analysis.charts.parts import head, outline, pixel_edges
from pointmask_trainer.analysis.study import SHEET, Study
from pointmask_trainer.errors import DataError

_SIDE, _MARGIN = 33, 7  # px of what is shown, and of background round large targets
_COLUMNS = 8
_WIDTH, _EDGE, _GAP, _HEAD = 15.0, 0.18, 0.12, 0.75  # inches
_CROP = (_WIDTH - 2 * _EDGE - (_COLUMNS - 1) * _GAP) / _COLUMNS
_ROW = _CROP + 0.58
_NAME = 24  # letters that fit below a crop
_FIRST = "#ffffff"

Image = NDArray[np.generic]
Mask = NDArray[np.bool_]
Images = Callable[[str], Image]
"""Gives the training image of an id, (H, W)."""


def changed_png(study: Study, images: Images) -> bytes:
    """Draw the targets whose label changed most, with outlines of the first and the last label.

    Raises
    ------
    DataError
        If an image has another size than its label.
    ImportError
        If matplotlib is not installed.
    """
    with chart(_WIDTH, _height(len(study.moved), 1)) as figure:
        axes = _ground(figure)
        for place, one in enumerate(study.moved):
            first, last = study.labels[one.index]
            name = study.history.ids[one.index]
            facts = f"{one.first_area:,} to {one.last_area:,} px, IoU {one.iou:.2f}"
            corner = _corner(place, 0)
            _show(axes, corner, _image(images, name, last), one.box, first, last)
            _caption(axes, corner, name, facts)
        head(
            figure,
            "Targets whose label changed most",
            f"dashed white: first label; solid: last, version {study.version}; in the order of their IoU",
            top=1 - 0.08 / figure.get_figheight(),
        )
        return png_of(figure)


def extremes_png(study: Study, images: Images) -> bytes:
    """Draw the images of the highest and of the lowest weight with their label, weight and loss.

    Raises
    ------
    DataError
        If an image has another size than its label.
    ImportError
        If matplotlib is not installed.
    """
    highest, lowest = study.extremes(SHEET // 3)
    with chart(_WIDTH, _height(len(highest), 2)) as figure:
        axes = _ground(figure)
        rows = -(-len(highest) // _COLUMNS)
        for block, (chosen, colour) in enumerate(((highest, ACCENT), (lowest, OTHERS[0]))):
            for place, index in enumerate(chosen):
                label = study.labels[index][1]
                name = study.history.ids[index]
                facts = f"\N{GREEK SMALL LETTER ALPHA} {study.alpha[index]:.2f}, loss {study.loss[index]:.2f}"
                corner = _corner(place, block * rows)
                _show(axes, corner, _image(images, name, label), _largest(label), None, label)
                _caption(axes, corner, name, facts, colour)
        head(
            figure,
            "Images of the highest weight (red) and of the lowest (blue)",
            "their largest target and its label; mean weight and loss of the last "
            f"{study.averaged} weighted epochs",
            top=1 - 0.08 / figure.get_figheight(),
        )
        return png_of(figure)


def _height(count: int, blocks: int) -> float:
    return _HEAD + blocks * -(-count // _COLUMNS) * _ROW


def _ground(figure: Any) -> Any:  # noqa: ANN401 - Figure, Axes
    """Make axes over the whole figure, in inches, y down: one for all crops is faster than one for each."""
    figure.subplots_adjust(left=_EDGE / _WIDTH)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, _WIDTH)
    axes.set_ylim(figure.get_figheight(), 0)
    axes.set_autoscale_on(False)
    return axes


def _corner(place: int, row: int) -> tuple[float, float]:
    """Upper left corner of a crop, (x, y): `place` counts along the rows from row `row` on."""
    return _EDGE + place % _COLUMNS * (_CROP + _GAP), _HEAD + (row + place // _COLUMNS) * _ROW


def _show(
    axes: Any,  # noqa: ANN401
    corner: tuple[float, float],
    image: Image,
    box: Sequence[int],
    first: Mask | None,
    last: Mask,
) -> None:
    rows, cols = view(box, last.shape)
    focus = last[rows, cols] if first is None else last[rows, cols] | first[rows, cols]
    grey = stretch(image[rows, cols], focus=focus)
    height, width = grey.shape
    scale = _CROP / max(height, width)
    x, y = corner
    extent = (x, x + scale * width, y + scale * height, y)
    axes.imshow(grey, cmap="gray", vmin=0, vmax=255, interpolation="nearest", extent=extent, aspect="auto")
    place = np.array([x, y]) + scale / 2
    outline(axes, place + scale * pixel_edges(last[rows, cols]), MASK_COLOUR, 1.7)
    if first is not None:
        outline(axes, place + scale * pixel_edges(first[rows, cols]), _FIRST, 1.1, dashed=True)


def _caption(
    axes: Any,  # noqa: ANN401
    corner: tuple[float, float],
    name: str,
    facts: str,
    colour: str = FAINT,
) -> None:
    # A dollar sign in a name would begin mathematics.
    shown = name if len(name) <= _NAME else f"...{name[3 - _NAME :]}"
    x, y = corner[0], corner[1] + _CROP
    axes.text(x, y + 0.05, shown, va="top", fontsize=9, fontweight="bold")
    axes.text(x, y + 0.22, facts, va="top", fontsize=9, color=colour)


def view(box: Sequence[int], shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Choose the square round a box, at least 33 px a side, moved into the image where it sticks out.

    Parameters
    ----------
    box : (top, left, bottom, right)
        Half-open.
    shape : (H, W)
    """
    top, left, bottom, right = box
    side = max(_SIDE, bottom - top + 2 * _MARGIN, right - left + 2 * _MARGIN)
    rows = span_within((top + bottom - side) // 2, side, shape[0])
    return rows, span_within((left + right - side) // 2, side, shape[1])


def _largest(mask: Mask) -> tuple[int, int, int, int]:
    """Box of the largest target, or of the image's middle if there is none."""
    labels, count = components(mask)
    if not count:
        middle = (mask.shape[0] // 2, mask.shape[1] // 2)
        return (*middle, middle[0] + 1, middle[1] + 1)
    rows, cols = ndi.find_objects(labels)[int(np.bincount(labels.ravel())[1:].argmax())]
    return rows.start, cols.start, rows.stop, cols.stop


def _image(images: Images, name: str, label: Mask) -> Image:
    image = images(name)
    if image.shape != label.shape:
        raise DataError(
            f"image {name} is {image.shape[1]} x {image.shape[0]} px, but was {label.shape[1]} x "
            f"{label.shape[0]} when the run was trained; name the training folder with --data"
        )
    return image
