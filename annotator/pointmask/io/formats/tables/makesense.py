"""make-sense's tables, which have no header: ``label,x,y,width,height,image,image width,image height``.

With the point tool ``label,x,y,image,image width,image height``. A box, from its top left corner, is clicked
on in its middle.
"""

import csv
from pathlib import Path

from pointmask.errors import PointsError
from pointmask.io.formats.base import Format
from pointmask.io.formats.parts.columns import middle, pixel_of
from pointmask.io.formats.parts.decoding import peek
from pointmask.io.formats.parts.table import head_of, is_number, number_in, rows_below
from pointmask.io.formats.parts.text import Collector, read_text
from pointmask.io.formats.tables.csv import unreadable
from pointmask.io.images.kinds import is_image_or_raw
from pointmask.io.images.source import ImageSource
from pointmask.io.points.points import Point, Points

_BOX, _POINT = 8, 6  # cells of a row


class MakeSense(Format):
    """Points and boxes of make-sense."""

    name = "makesense"
    description = "make-sense CSV"
    abilities = frozenset({"read points"})
    origin = "edge"

    def sniff(self, path: Path) -> bool:
        """Say whether the first line is a row with an image before the last two numbers."""
        head = head_of(peek(path))
        return head is not None and head.delimiter == "," and _is_row(head.cells)

    def read(self, path: Path, *, images: ImageSource | None = None) -> Points:
        """Read points and the middles of boxes.

        Raises
        ------
        PointsError
            If the file is unreadable, or a row has another form.
        """
        collector = Collector()
        try:
            for line, cells in rows_below(read_text(path), None):
                _add(collector, cells, f"{path}:{line}")
        except csv.Error as error:
            raise unreadable(path, error) from None
        return collector.points(self.source_of(path))


def _is_row(cells: tuple[str, ...]) -> bool:
    if len(cells) not in (_BOX, _POINT):
        return False
    numbers = (*cells[1:-3], *cells[-2:])
    return is_image_or_raw(cells[-3]) and all(map(is_number, numbers)) and not is_number(cells[0])


def _add(collector: Collector, cells: list[str], where: str) -> None:
    if len(cells) not in (_BOX, _POINT):
        raise PointsError(
            f"{where}: {len(cells)} cells; make-sense's rows have {_BOX} with boxes and {_POINT} with "
            "points; "
            "export it again"
        )
    image, label = cells[-3], cells[0] or None
    try:
        values = [number_in(cell, "a coordinate", ",", where) for cell in cells[1:-3]]
        pixel = middle("box", values, where) if len(cells) == _BOX else pixel_of("edge", values[0], values[1])
    except PointsError as error:
        collector.reject(image, where, str(error))
        return
    if pixel is None:
        collector.add_empty_box(image, where)
    else:
        collector.add(image, where, Point(*pixel, label))
