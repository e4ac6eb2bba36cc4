"""Systematic errors of point lists, each with the transformation that undoes it and what to do about it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Shape = tuple[int, int]
Change = Callable[[Floats, Floats, Shape], tuple[Floats, Floats]]
"""Rows, columns and the image's shape in; rows and columns out."""


@dataclass(frozen=True, slots=True)
class Cause:
    """
    A systematic error.

    Attributes
    ----------
    name : str
        Short, and the same between versions.
    what : str
        What is wrong with the clicks, to follow on "the clicks".
    fix : str
        What to do.
    change : callable or None
        Moves clicks to where they belong; None where no change of their coordinates does.
    """

    name: str
    what: str
    fix: str
    change: Change | None = None


SCALES = np.geomspace(0.1, 10, 1201)
"""Common factors that are tried; a step moves a click at pixel 500 by two pixels."""

SWAPPED = Cause(
    "swapped",
    "have x and y exchanged",
    "exchange the columns: x is the column, y the row",
    lambda rows, cols, shape: (cols, rows),
)
FRACTIONS = Cause(
    "fractions",
    "all lie at pixels 0 and 1, as fractions of the image's size do",
    "name the columns x_fraction,y_fraction; or multiply x by the image's width and y by its height",
)
NEXT = Cause(
    "names off by one",
    "fit the image after the one that they name",
    "correct the names in the list: number its images as the files are numbered (from 0 or from 1)",
)
PREVIOUS = Cause("names off by one", "fit the image before the one that they name", NEXT.fix)

_FLIPPED = (
    Cause(
        "mirrored",
        "are mirrored left to right",
        "write width - 1 - x instead of x, or annotate the mirrored images",
        lambda rows, cols, shape: (rows, shape[1] - 1 - cols),
    ),
    Cause(
        "upside down",
        "are upside down: y is counted from the bottom",
        "write height - 1 - y instead of y: row 0 is at the top",
        lambda rows, cols, shape: (shape[0] - 1 - rows, cols),
    ),
    Cause(
        "turned by 180 degrees",
        "are turned by 180 degrees",
        "write width - 1 - x and height - 1 - y instead of x and y, or annotate the turned images",
        lambda rows, cols, shape: (shape[0] - 1 - rows, shape[1] - 1 - cols),
    ),
    Cause(
        "turned by 90 degrees",
        "are turned by 90 degrees clockwise",
        "write y instead of x, and height - 1 - x instead of y; or annotate the turned images",
        lambda rows, cols, shape: (shape[0] - 1 - cols, rows),
    ),
    Cause(
        "turned by 90 degrees",
        "are turned by 90 degrees counter-clockwise",
        "write width - 1 - y instead of x, and x instead of y; or annotate the turned images",
        lambda rows, cols, shape: (cols, shape[1] - 1 - rows),
    ),
    Cause(
        "mirrored on the diagonal",
        "are mirrored on the rising diagonal",
        "write width - 1 - y instead of x, and height - 1 - x instead of y",
        lambda rows, cols, shape: (shape[0] - 1 - cols, shape[1] - 1 - rows),
    ),
)

_CANVASES = (
    *(
        (side, side)
        for side in (224, 256, 300, 320, 384, 416, 480, 512, 608, 640, 768, 800, 1000, 1024, 1280)
    ),
    *((320, 240), (320, 256), (640, 480), (640, 512), (1024, 768), (1280, 720), (1280, 1024), (1920, 1080)),
)
_FACTORS = (1 / 4, 1 / 3, 2 / 5, 1 / 2, 2 / 3, 3 / 4, 4 / 5, 5 / 4, 4 / 3, 3 / 2, 2, 5 / 2, 3, 4)


def named(shapes: set[Shape]) -> Iterator[Cause]:
    """
    Yield the errors that have a name, the likeliest first.

    Parameters
    ----------
    shapes : set of (int, int)
        Of the images: what changes nothing there is left out.
    """
    yield SWAPPED
    yield from _FLIPPED
    yield _scaled_to(
        100,
        100,
        "percents",
        "are percents of the image's size",
        "name the columns x_percent,y_percent; or multiply x by width / 100 and y by height / 100",
    )
    for factor in _FACTORS:
        yield scaled(factor)
    for width, height in _CANVASES:
        if shapes != {(height, width)}:
            yield _scaled_to(
                width,
                height,
                "scaled",
                f"were made on images resized to {width} x {height}",
                f"multiply x by the image's width / {width} and y by its height / {height}",
            )


def scaled(factor: float) -> Cause:
    """Give the error of clicks made on images of another size, which a common factor mends."""
    times = f"{factor:.4g}"
    return Cause(
        "scaled",
        f"were made on images {1 / factor:.4g} times as large",
        f"multiply x and y by {times}",
        lambda rows, cols, shape: ((rows + 0.5) * factor - 0.5, (cols + 0.5) * factor - 0.5),
    )


def _scaled_to(width: int, height: int, name: str, what: str, fix: str) -> Cause:
    def change(rows: Floats, cols: Floats, shape: Shape) -> tuple[Floats, Floats]:
        return (rows + 0.5) * (shape[0] / height) - 0.5, (cols + 0.5) * (shape[1] / width) - 0.5

    return Cause(name, what, fix, change)


def shifted(down: int, right: int) -> Cause:
    """
    Give the error of clicks that lie beside their target by a constant.

    Parameters
    ----------
    down, right : int
        Pixels by which clicks must be moved.
    """

    def change(rows: Floats, cols: Floats, shape: Shape) -> tuple[Floats, Floats]:
        return rows + down, cols + right

    add = f"add {right:+d} to x and {down:+d} to y"
    if down == right == -1:
        what = "lie one pixel right of and below their targets, as pixels counted from 1 do"
        return Cause("counted from 1", what, "subtract 1 from x and y: the first pixel is 0", change)
    if down > 0 and right > 0 and 0.4 <= down / right <= 2.5:
        what = f"lie {right} px left of and {down} px above their targets, as top left corners of boxes do"
        fix = f"give the middle of each box: add half its width to x and half its height to y (here: {add})"
        return Cause("corner of the box", what, fix, change)
    sides = f"{abs(right)} px {'left' if right > 0 else 'right'} of and {abs(down)} px "
    what = f"lie {sides}{'above' if down > 0 else 'below'} their targets"
    return Cause("shifted", what, f"{add}", change)


def of_polarity(
    other: Literal["bright", "dark"], wanted: Literal["bright", "dark", "auto"], opposite: int, count: int
) -> Cause:
    """
    Give the error of clicks on targets that are not of the polarity that is looked for.

    Parameters
    ----------
    other : {"bright", "dark"}
        Their polarity.
    wanted : {"bright", "dark", "auto"}
        That to choose.
    opposite, count : int
        Targets of the other polarity, and all.
    """
    how, looked_for = ("darker", "bright") if other == "dark" else ("brighter", "dark")
    return Cause(
        "polarity",
        f"are on {other} targets ({opposite:,} of these {count:,} are {how} than their surroundings), and "
        f"{looked_for} ones are looked for",
        f"give --polarity {wanted}" + (", which decides for each target" if wanted == "auto" else ""),
    )


_MASKS_ARE_MENDED = {
    "swapped": "transpose each mask: rows are columns",
    "mirrored": "mirror each mask left to right",
    "upside down": "flip each mask top to bottom",
    "turned by 180 degrees": "turn each mask by 180 degrees",
    "turned by 90 degrees": "turn each mask back by a quarter",
    "mirrored on the diagonal": "transpose each mask and turn it by 180 degrees",
    "names off by one": "rename the masks like the images they fit",
}


def for_masks(cause: Cause) -> str:
    """Return what to do if masks, not clicks, have a systematic error."""
    mended = _MASKS_ARE_MENDED.get(cause.name, "export the masks again at the size and place of the images")
    return f"{mended}; or give the images that they were drawn on"
