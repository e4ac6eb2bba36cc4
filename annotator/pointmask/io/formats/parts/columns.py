"""What the names of columns, or the keys of objects, say of the numbers below them.

Numbers never get their meaning from how many there are. In this order, the first that is there:

1. percents or fractions of the size of the image: ``x_percent,y_percent`` or ``x_fraction,y_fraction``;
2. the middle of a target: ``x_center,y_center`` and their like;
3. a point ``x,y`` beside the corners of a box, or alone;
4. a box: its corners (``xmin,ymin,xmax,ymax``), or a corner and its size (``x,y,width,height``), clicked on
   in its middle.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

from pointmask.errors import PointsError
from pointmask.io.formats.labelled import Shape
from pointmask.io.formats.parts.origin import Origin, to_pixel
from pointmask.io.notes import note

_IMAGE = (
    "image", "filename", "file", "name", "file_name", "image_name", "imagename", "image_path", "img", "path",
)  # fmt: skip
_LABEL = ("label", "class", "category", "class_name", "label_name")
_FRAME = ("frame", "page")
_AFFIXES = ("pixel_{}", "{}_pixel", "{}_px", "target_{}", "{}_target", "pos_{}", "{}_pos", "{}_coord")
_POINT = {
    "x": ("x", "col", "column", "u", *(name.format("x") for name in _AFFIXES)),
    "y": ("y", "row", "v", *(name.format("y") for name in _AFFIXES)),
}
_SIZE = {
    "x": ("width", "w", "bbox_width", "bbox_w", "box_width", "bw"),
    "y": ("height", "h", "bbox_height", "bbox_h", "box_height", "bh"),
}
_MIDDLE = ("{}_center", "{}center", "center_{}", "centre_{}", "{}_centre", "c{}", "{}c", "{}centroid",
           "{}_centroid", "centroid_{}")  # fmt: skip
_FRACTION = ("{}_fraction", "{}_norm", "{}_normalized", "{}_normalised", "{}_rel", "{}_relative")
_PERCENT = ("{}_percent", "{}_pct", "{}%", "{}_%")
_CORNERS = (  # of x; y has min, 1, 0 or top, and max, 2, 1 or bottom
    ("{}min", "{}max"), ("{}_min", "{}_max"), ("{}1", "{}2"), ("{}0", "{}1"), ("{}_1", "{}_2"),
    ("bbox_{}min", "bbox_{}max"), ("bbox_{}1", "bbox_{}2"), ("{}tl", "{}br"),
)  # fmt: skip
_SIDES = {"x": ("left", "right"), "y": ("top", "bottom")}
_FIRST_CORNERS = ("bbox_{}", "box_{}", "{}min", "{}_min", "{}1", "{}tl")
_UNIT = re.compile(r"(.*?)[ _]*[(\[](px|pixels?|%|percent)[)\]]")

MIDDLES = "boxes are clicked on in the middle"
"""Note of every reader of boxes."""
LEAST_IMAGE = 32
"""Pixels of a side: of a width and height beside x and y, what is larger than this and both is an image's."""
EMPTY = "a box without width or height is no click"

Kind = Literal["point", "corners", "box"]


class Columns(NamedTuple):
    """Places of what is known by name.

    Attributes
    ----------
    image, label, frame : int or None
        Places of these columns.
    kind : {"point", "corners", "box"}
        What `places` hold: x and y; two corners; or the top left corner, width and height.
    places : tuple of int
        Two or four.
    origin : Origin
        What a coordinate means.
    """

    image: int | None
    kind: Kind
    places: tuple[int, ...]
    origin: Origin
    label: int | None = None
    frame: int | None = None

    def named_again(self, names: Sequence[str]) -> str | None:
        """Return the name of a column that is read here and not the only one of its name, if there is one."""
        plain = [_plain(name) for name in names]
        read = (*self.places, self.image, self.label, self.frame)
        return next((names[k] for k in read if k is not None and plain.count(plain[k]) > 1), None)


def columns_of(names: Sequence[str]) -> Columns | None:
    """Return what the names of columns say; None if they do not say where targets are."""
    index: dict[str, int] = {}
    for place, name in enumerate(names):
        index.setdefault(_plain(name), place)
    found = _places(index)
    if found is None:
        return None
    kind, places, origin = found
    image = _first(index, tuple(name for name in _IMAGE if index.get(name) not in places))
    return Columns(image, kind, places, origin, _first(index, _LABEL), _first(index, _FRAME))


def _plain(name: str) -> str:
    """Bring a name into the form of the tables: lower case, the unit behind a bar."""
    plain = name.strip().lower()
    unit = _UNIT.fullmatch(plain)
    if unit is not None:
        plain = f"{unit[1]}_percent" if unit[2] in ("%", "percent") else unit[1]
    return plain.replace(" ", "_").replace("-", "_")


def _first(index: Mapping[str, int], names: Sequence[str]) -> int | None:
    return next((index[name] for name in names if name in index), None)


def _pair(index: Mapping[str, int], patterns: Sequence[str]) -> tuple[int, ...]:
    """Return the places of x and y under the first pattern that has both."""
    for pattern in patterns:
        x, y = index.get(pattern.format("x")), index.get(pattern.format("y"))
        if x is not None and y is not None:
            return x, y
    return ()


def _places(index: Mapping[str, int]) -> tuple[Kind, tuple[int, ...], Origin] | None:
    relative: tuple[tuple[Sequence[str], Origin], ...] = ((_PERCENT, "percent"), (_FRACTION, "fraction"))
    for patterns, origin in relative:
        if pair := _pair(index, patterns):
            return "point", pair, origin
    if pair := _pair(index, _MIDDLE):
        return "point", pair, "index"
    x, y = (_first(index, _POINT[axis]) for axis in "xy")
    width, height = (_first(index, _SIZE[axis]) for axis in "xy")
    corners = _corners(index)
    if corners and (x is None or y is None):
        return "corners", corners, "edge"
    if x is None or y is None:
        first = _pair(index, _FIRST_CORNERS) or _sides(index, 0)
        return (
            ("box", (*first, width, height), "edge")
            if first and width is not None and height is not None
            else None
        )
    if width is not None and height is not None and not corners:
        return "box", (x, y, width, height), "edge"
    return "point", (x, y), "index"


def _corners(index: Mapping[str, int]) -> tuple[int, ...]:
    for pattern in _CORNERS:
        first, last = _pair(index, pattern[:1]), _pair(index, pattern[1:])
        if first and last:
            return *first, *last
    first, last = _sides(index, 0), _sides(index, 1)
    return (*first, *last) if first and last else ()


def _sides(index: Mapping[str, int], which: int) -> tuple[int, ...]:
    x, y = index.get(_SIDES["x"][which]), index.get(_SIDES["y"][which])
    return (x, y) if x is not None and y is not None else ()


def middle(kind: Kind, values: Sequence[float], where: str) -> tuple[int, int] | None:
    """Return row and column of the middle of a box; None if it is empty, which is noted.

    Parameters
    ----------
    kind : {"corners", "box"}
        What the four values are; see `Columns`.
    values : sequence of float
        x and y of the top left corner, and x and y of the other or width and height, from the outer edges
        of the first pixel.
    where : str
        For notes.

    Raises
    ------
    PointsError
        If the width or height is negative, or the middle is beyond any image.
    """
    x, y, right, bottom = values
    width, height = (right, bottom) if kind == "box" else (right - x, bottom - y)
    if width < 0 or height < 0:
        what = "a negative width or height" if kind == "box" else "its corners in the wrong order"
        raise PointsError(f"the box {x:g}, {y:g}, {right:g}, {bottom:g} has {what}; correct it")
    if not width and not height:
        note(EMPTY, where)
        return None
    note(MIDDLES, where)
    return to_pixel(y + height / 2, "edge"), to_pixel(x + width / 2, "edge")


ShapeOf = Callable[[str], Shape]
"""Size of the image of a key."""


def pixel_of(origin: Origin, x: float, y: float, shape: Shape | None = None) -> tuple[int, int]:
    """Return row and column of a point; percents and fractions need the size of its image."""
    height, width = shape or (None, None)
    return to_pixel(y, origin, height), to_pixel(x, origin, width)
