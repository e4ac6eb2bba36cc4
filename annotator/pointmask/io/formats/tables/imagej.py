"""ImageJ's (Fiji's) table of results: ``Label`` is the image; ``X`` and ``Y`` are the place in pixels.

Behind the title of a window ``Label`` has, each behind a colon, the name of a region and the slice: its
number, or its name if the stack was made of a folder of images, which then is the image. Written as CSV, or
with tabs as ``.xls`` or ``.txt``. ``XM,YM`` (the centre of mass) and the bounding box ``BX,BY,Width,Height``
serve where ``X,Y`` are missing. ``Slice`` counts the frames of a stack from 1. The table must be in pixels
(Analyze > Set Scale > Click to Remove Scale), since it does not say its unit.
"""

import csv
from pathlib import Path

from pointmask.errors import PointsError
from pointmask.io.formats.base import Format
from pointmask.io.formats.parts.columns import middle, pixel_of
from pointmask.io.formats.parts.decoding import peek
from pointmask.io.formats.parts.finder import ImageFinder
from pointmask.io.formats.parts.table import Head, head_of, is_nothing, number_in, rows_below
from pointmask.io.formats.parts.text import Collector, read_text
from pointmask.io.formats.tables.csv import unreadable
from pointmask.io.images.kinds import is_image_or_raw, may_hold_frames
from pointmask.io.images.source import ImageSource
from pointmask.io.notes import note
from pointmask.io.points.points import Point, Points

_PLACES = (("x", "y"), ("xm", "ym"), ("bx", "by", "width", "height"))
_PIXELS = "X and Y of ImageJ's results were read as pixels; if a scale was set, remove it and measure again"


class ImageJ(Format):
    """The table of results."""

    name = "imagej"
    description = "ImageJ results"
    abilities = frozenset({"read points"})
    origin = "edge"

    def sniff(self, path: Path) -> bool:
        """Say whether the header is one of results: a column without name, then Label and a place."""
        head = head_of(peek(path))
        return head is not None and head.cells[0] == "" and _columns(head) is not None

    def read(self, path: Path, *, images: ImageSource | None = None) -> Points:
        """Read the places of all rows.

        Raises
        ------
        PointsError
            If the file is unreadable, or has no Label or place.
        """
        text = read_text(path)
        collector = Collector()
        finder = None if images is None else ImageFinder(images)
        try:
            head = head_of(text)
            columns = None if head is None else _columns(head)
            if head is None or columns is None:
                raise PointsError(
                    f"{path}: no columns Label, X and Y; switch on Display label and Centroid in Analyze "
                    "> Set "
                    "Measurements, and measure again"
                )
            label, places, part = columns
            for line, cells in rows_below(text, head):
                where = f"{path}:{line}"
                if len(cells) <= max(label, *places):
                    raise PointsError(f"{where}: {len(cells)} cells, not {len(head.cells)}; export it again")
                image, is_slice = _image(cells[label], finder, is_numbered=part is not None)
                _add(collector, image, cells, head, (places, None if is_slice else part), where)
        except csv.Error as error:
            raise unreadable(path, error) from None
        note(_PIXELS, str(path))
        return collector.points(self.source_of(path))


def _columns(head: Head) -> tuple[int, list[int], int | None] | None:
    """Return the columns of label, place and slice."""
    names = [cell.lower() for cell in head.cells]
    place = next((place for place in _PLACES if set(place) <= set(names)), None)
    if place is None or "label" not in names or "image" in names:
        return None
    part = names.index("slice") if "slice" in names else None
    return names.index("label"), [names.index(name) for name in place], part


def _image(label: str, finder: ImageFinder | None, *, is_numbered: bool) -> tuple[str, bool]:
    """Return the key of the image that a label is of, and whether that is the name of its slice."""
    title, *rest = label.split(":")
    if not rest:
        return title, False
    last = rest[-1].strip()
    is_title = finder.has(title) if finder is not None else is_image_or_raw(title)
    if not is_title and (finder.has(last) if finder is not None else is_image_or_raw(last)):
        return last, True
    is_frame = last.isascii() and last.isdecimal() and len(last) < 10 and may_hold_frames(title)
    return f"{title}#{int(last) - 1}" if is_frame and not is_numbered and int(last) > 1 else title, False


def _add(
    collector: Collector,
    image: str,
    cells: list[str],
    head: Head,
    columns: tuple[list[int], int | None],
    where: str,
) -> None:
    places, part = columns
    try:
        values = [number_in(cells[place], head.cells[place], head.delimiter, where) for place in places]
        if part is not None and part < len(cells) and not is_nothing(cells[part]):
            frame = number_in(cells[part], "Slice", head.delimiter, where)
            if frame > 1 and frame.is_integer() and frame < 1 << 31:
                image = f"{image}#{int(frame) - 1}"
        pixel = middle("box", values, where) if len(values) == 4 else pixel_of("edge", values[0], values[1])
    except PointsError as error:
        collector.reject(image, where, str(error))
        return
    if pixel is None:
        collector.add_empty_box(image, where)
    else:
        collector.add(image, where, Point(*pixel))
