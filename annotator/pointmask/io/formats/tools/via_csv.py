"""VGG Image Annotator's table: a row per region, whose shape is JSON in ``region_shape_attributes``.

The middle of a rectangle, circle or ellipse and the mean corner of a polygon are clicked on. A row without
shape says that the image holds no target.
"""

import csv
from pathlib import Path
from typing import Any

from pointmask.errors import PointsError
from pointmask.io.formats.base import Format
from pointmask.io.formats.parts.columns import MIDDLES, middle, pixel_of
from pointmask.io.formats.parts.decoding import peek
from pointmask.io.formats.parts.documents import brief, listing, mapping, number, parse_json
from pointmask.io.formats.parts.table import head_of, rows_below
from pointmask.io.formats.parts.text import Collector, read_text
from pointmask.io.formats.tables.csv import unreadable
from pointmask.io.images.source import ImageSource
from pointmask.io.notes import note
from pointmask.io.points.points import Point, Points

_NAME, _SHAPE, _ATTRIBUTES = "filename", "region_shape_attributes", "region_attributes"


class ViaCsv(Format):
    """VIA's annotations as CSV."""

    name = "via-csv"
    description = "VGG Image Annotator CSV"
    abilities = frozenset({"read points"})
    origin = "edge"

    def sniff(self, path: Path) -> bool:
        """Say whether the header has a file name and the shapes of regions."""
        head = head_of(_uncommented(peek(path)))
        return head is not None and {_NAME, _SHAPE} <= set(head.cells)

    def read(self, path: Path, *, images: ImageSource | None = None) -> Points:
        """Read points and the middles of other shapes.

        Raises
        ------
        PointsError
            If the file is unreadable or has no such header.
        """
        text = _uncommented(read_text(path))
        collector = Collector()
        try:
            head = head_of(text)
            if head is None or not {_NAME, _SHAPE} <= set(head.cells):
                raise PointsError(f"{path}: its header has no {_NAME} and {_SHAPE}; export it from VIA again")
            columns = {name: place for place, name in enumerate(head.cells)}
            for line, cells in rows_below(text, head):
                where = f"{path}:{line}"
                if len(cells) < len(head.cells):
                    raise PointsError(f"{where}: {len(cells)} cells, not {len(head.cells)}; export it again")
                _add(collector, cells, columns, where)
        except csv.Error as error:
            raise unreadable(path, error) from None
        return collector.points(self.source_of(path))


def _uncommented(text: str) -> str:
    """Drop the mark of a comment with which VIA's oldest versions begin the header."""
    return text[1:] if text.startswith("#filename") else text


def _add(collector: Collector, cells: list[str], columns: dict[str, int], where: str) -> None:
    image = cells[columns[_NAME]]
    try:
        shape = mapping(parse_json(cells[columns[_SHAPE]] or "{}", _SHAPE), _SHAPE)
        if not shape:
            collector.add_empty_box(image, where)
            return
        pixel = _pixel(shape, where)
        label = _label(cells[columns[_ATTRIBUTES]]) if _ATTRIBUTES in columns else None
    except PointsError as error:
        collector.reject(image, where, str(error))
        return
    if pixel is None:
        collector.add_empty_box(image, where)
    else:
        collector.add(image, where, Point(*pixel, label))


def _pixel(shape: dict[str, Any], where: str) -> tuple[int, int] | None:
    kind = shape.get("name")
    if kind == "rect":
        return middle("box", [number(shape.get(name), name) for name in ("x", "y", "width", "height")], where)
    if kind in ("polygon", "polyline"):
        corners = [listing(shape.get(f"all_points_{axis}"), f"corners of a {kind}") for axis in "xy"]
        if not corners[0] or len(corners[0]) != len(corners[1]):
            raise PointsError(f"a {kind} without pairs of corners; correct it")
        note(MIDDLES, where)
        x, y = (sum(number(value, "a corner") for value in values) / len(values) for values in corners)
        return pixel_of("edge", x, y)
    if kind in ("point", "circle", "ellipse"):
        if kind != "point":
            note(MIDDLES, where)
        return pixel_of("edge", number(shape.get("cx"), "cx"), number(shape.get("cy"), "cy"))
    raise PointsError(f"a region of the shape {brief(kind)}, which is not read; mark it with the point tool")


def _label(text: str) -> str | None:
    attributes = mapping(parse_json(text or "{}", _ATTRIBUTES), _ATTRIBUTES)
    return next((value for value in attributes.values() if isinstance(value, str) and value), None)
