"""Label Studio's CSV export: a row per task, regions as JSON in the column of each control.

Coordinates are percents of ``original_width`` and ``original_height``. Key points are clicked on, and
rectangles and ellipses in their middle. A row whose columns hold no region says that the image has no target.
"""

import csv
from pathlib import Path
from typing import Any

from pointmask.errors import PointsError
from pointmask.io.formats.base import Format
from pointmask.io.formats.parts.columns import MIDDLES
from pointmask.io.formats.parts.decoding import peek
from pointmask.io.formats.parts.documents import brief, mapping, number, parse_json
from pointmask.io.formats.parts.origin import to_pixel
from pointmask.io.formats.parts.shapes import size_of
from pointmask.io.formats.parts.table import Head, head_of, rows_below
from pointmask.io.formats.parts.text import Collector, read_text
from pointmask.io.formats.tables.csv import unreadable
from pointmask.io.formats.tools._labelstudio import name_of
from pointmask.io.images.source import ImageSource
from pointmask.io.notes import note
from pointmask.io.points.points import Point, Points

_OWN = {"annotation_id", "lead_time"}
_IMAGES = ("image", "img", "picture", "photo", "url")
_LABELS = ("keypointlabels", "rectanglelabels", "ellipselabels", "labels")


class LabelStudioCsv(Format):
    """Label Studio's tasks as CSV."""

    name = "labelstudio-csv"
    description = "Label Studio CSV"
    abilities = frozenset({"read points"})
    origin = "percent"

    def sniff(self, path: Path) -> bool:
        """Say whether the header has the columns that Label Studio adds to each task."""
        head = head_of(peek(path))
        return head is not None and set(head.cells) >= _OWN and _image_column(head) is not None

    def read(self, path: Path, *, images: ImageSource | None = None) -> Points:
        """Read key points and the middles of boxes.

        Raises
        ------
        PointsError
            If the file is unreadable or has no column of images.
        """
        text = read_text(path)
        collector = Collector()
        try:
            head = head_of(text)
            column = None if head is None else _image_column(head)
            if head is None or column is None:
                raise PointsError(f"{path}: no column image in the header; export it from Label Studio again")
            for line, cells in rows_below(text, head):
                where = f"{path}:{line}"
                image = name_of(cells[column]) if column < len(cells) else ""
                try:
                    points = [_point(item, where) for cell in cells for item in _regions(cell, where)]
                except PointsError as error:
                    collector.reject(image, where, str(error))
                    continue
                for point in points or (None,):
                    collector.add(image, where, point)
        except csv.Error as error:
            raise unreadable(path, error) from None
        return collector.points(self.source_of(path))


def _image_column(head: Head) -> int | None:
    return next((head.cells.index(name) for name in _IMAGES if name in head.cells), None)


def _regions(cell: str, where: str) -> list[Any]:
    if not cell.startswith("[{"):
        return []
    found = parse_json(cell, where)
    return [item for item in found if isinstance(item, dict) and "original_width" in item]


def _point(item: object, where: str) -> Point:
    region = mapping(item, "a region")
    height, width = size_of(region.get("original_height"), region.get("original_width"), "a region")
    x, y = (number(region.get(axis), axis) for axis in "xy")
    is_key_point = "keypointlabels" in region or "height" not in region
    if not is_key_point and "radiusX" not in region:
        x += number(region.get("width"), "width") / 2
        y += number(region.get("height"), "height") / 2
    if not is_key_point:
        note(MIDDLES, where)
    labels: list[object] = next((region[name] for name in _LABELS if isinstance(region.get(name), list)), [])
    label = next((name for name in labels if isinstance(name, str) and name), None)
    if "points" in region or "rle" in region:
        raise PointsError(f"a region of {brief(region)} with corners or a mask; export JSON to have it read")
    return Point(to_pixel(y, "percent", height), to_pixel(x, "percent", width), label)
