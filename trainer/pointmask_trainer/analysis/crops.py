"""Sheets of crops: targets whose label changed most, and images of the highest and the lowest weight."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from pointmask.chart_style import ACCENT, FAINT, OTHERS, chart, png_of
from pointmask.matching import components
from pointmask.overlay import MASK_COLOUR, stretch
from pointmask_trainer.analysis.chart_parts import head, outline
from pointmask_trainer.analysis.study import SHEET, Study
from pointmask_trainer.errors import DataError

_SIDE, _MARGIN = 33, 7  # px of what is shown, and of background round large targets
_COLUMNS = 8
_WIDTH, _ROW, _HEAD = 15.0, 2.36, 0.75  # inches
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
        for place, one in enumerate(study.moved):
            first, last = study.labels[one.index]
            axes = _panel(figure, place, 0)
            name = study.history.ids[one.index]
            _show(axes, _image(images, name, last), one.box, first, last)
            _caption(axes, name, f"{one.first_area:,} to {one.last_area:,} px, IoU {one.iou:.2f}")
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
        rows = -(-len(highest) // _COLUMNS)
        for block, (chosen, colour) in enumerate(((highest, ACCENT), (lowest, OTHERS[0]))):
            for place, index in enumerate(chosen):
                label = study.labels[index][1]
                axes = _panel(figure, place, block * rows)
                name = study.history.ids[index]
                _show(axes, _image(images, name, label), _largest(label), None, label)
                facts = f"\N{GREEK SMALL LETTER ALPHA} {study.alpha[index]:.2f}, loss {study.loss[index]:.2f}"
                _caption(axes, name, facts, colour)
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


def _panel(figure: Any, place: int, row: int) -> Any:  # noqa: ANN401 - Figure, Axes
    """Axes of one crop: `place` counts along the rows from row `row` on."""
    height = figure.get_figheight()
    row, column = row + place // _COLUMNS, place % _COLUMNS
    figure.subplots_adjust(left=0.012)
    cell = (1 - 0.024) / _COLUMNS
    side = cell * _WIDTH - 0.12
    bottom = height - _HEAD - row * _ROW - side
    axes = figure.add_axes((0.012 + column * cell, bottom / height, side / _WIDTH, side / height))
    axes.set_axis_off()
    return axes


def _show(axes: Any, image: Image, box: Sequence[int], first: Mask | None, last: Mask) -> None:  # noqa: ANN401
    rows, cols = view(box, last.shape)
    focus = last[rows, cols] if first is None else last[rows, cols] | first[rows, cols]
    grey = stretch(image[rows, cols], focus=focus)
    axes.imshow(grey, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    outline(axes, last[rows, cols], colour=MASK_COLOUR, width=1.7)
    if first is not None:
        outline(axes, first[rows, cols], colour=_FIRST, width=1.1, dashed=True)
    height, width = grey.shape
    axes.set_xlim(-0.5, width - 0.5)
    axes.set_ylim(height - 0.5, -0.5)


def _caption(axes: Any, name: str, facts: str, colour: str = FAINT) -> None:  # noqa: ANN401 - Axes
    # A dollar sign in a name would begin mathematics.
    shown = (name if len(name) <= 24 else f"...{name[-21:]}").replace("$", r"\$")
    axes.text(0, -0.03, shown, transform=axes.transAxes, va="top", fontsize=9, fontweight="bold")
    axes.text(0, -0.125, facts, transform=axes.transAxes, va="top", fontsize=9, color=colour)


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
    slices = []
    for low, high, length in ((top, bottom, shape[0]), (left, right, shape[1])):
        start = max(0, min((low + high - side) // 2, length - side))
        slices.append(slice(start, min(length, start + side)))
    return slices[0], slices[1]


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
