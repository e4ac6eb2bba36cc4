"""Tables with a header ``image,x,y[,label][,frame]``, separated by commas, semicolons or tabs.

``x`` and ``y`` are 0-based pixel indices, column and row; a fraction is rounded to the nearest pixel,
halves up. A row with both left empty says that the image holds no target. Lines that are blank or
begin with ``#`` are skipped. ``frame`` counts the pages of a multi-page file from 0.
"""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

from pointmask.errors import PointsError
from pointmask.io.files import write_whole
from pointmask.io.formats.base import Format
from pointmask.io.formats.parts.documents import brief
from pointmask.io.formats.parts.origin import Origin, to_pixel
from pointmask.io.formats.parts.text import Collector, peek, read_text, rows_of
from pointmask.io.images.source import ImageSource
from pointmask.io.points.points import Point, Points

_ORIGIN: Origin = "index"
_FRAME = re.compile("[0-9]{1,9}")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_COLUMNS_TOLD = 12
_DELIMITERS = ",;\t"
_ALIASES = {
    "image": ("image", "filename", "file", "name"),
    "x": ("x", "col", "column"),
    "y": ("y", "row"),
    "label": ("label", "class"),
    "frame": ("frame", "page"),
}
_REQUIRED = ("image", "x", "y")


class Csv(Format):
    """Tables with a header ``image,x,y[,label][,frame]``."""

    name = "csv"
    description = "table with the columns image,x,y"
    abilities = frozenset({"read points", "write points"})
    holds = frozenset({"points", "instances", "labels", "frames", "empty"})
    suffixes = (".csv", ".tsv", ".txt")
    origin = _ORIGIN
    layout = "file"

    def sniff(self, path: Path) -> bool:
        """Say whether the first line of the file is a header that `read` accepts."""
        return path.is_file() and any(_header(line) for _, line in _first_line(peek(path)))

    def read(self, path: Path, *, images: ImageSource | None = None) -> Points:
        """Read a table of points.

        Raises
        ------
        PointsError
            If the file is unreadable or empty, lacks a column, or has a row without an image name.
        """
        text = read_text(path)
        try:
            return _read_table(text, path, self.source_of(path))
        except csv.Error as error:
            raise PointsError(f"{path}: not a readable table ({error}); export it again as CSV") from None

    def write(self, points: Points, path: Path) -> None:
        """Write ``image,x,y``, and ``label`` if any point has one; rejected images are left out.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        labelled = any(point.label is not None for _, listed in points for point in listed)
        file = io.StringIO()
        plain = csv.writer(file, lineterminator="\n")
        quoted = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
        plain.writerow(("image", "x", "y", "label") if labelled else ("image", "x", "y"))
        for key, point in rows_of(points):
            cells = [key, "", "", ""] if point is None else [key, point.col, point.row, point.label or ""]
            # Quotes keep a name that begins like a comment from being one.
            (quoted if key.startswith("#") else plain).writerow(cells if labelled else cells[:3])
        write_whole(path, file.getvalue(), below=path.parent)


def _lines(text: str) -> Iterator[str]:
    """Iterate over lines that end in LF, CRLF or CR; str.splitlines would split at U+2028 too."""
    return (found[0] for found in _LINE.finditer(text))  # a StringIO would hold the text four times over


def _first_line(text: str) -> Iterator[tuple[int, str]]:
    """Yield the number and text of the first line that is not blank or a comment, if there is one."""
    for number, line in enumerate(_lines(text), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield number, line
            return


def _split(line: str, delimiter: str) -> list[str]:
    return next(csv.reader([line], delimiter=delimiter), [])


def _delimiter(line: str) -> str:
    return max(_DELIMITERS, key=line.count)


def _header(line: str) -> dict[str, int] | None:
    """Column of each known name; None if a required one is missing."""
    cells = [cell.strip().lower() for cell in _split(line, _delimiter(line))]
    columns = {
        name: next(cells.index(alias) for alias in aliases if alias in cells)
        for name, aliases in _ALIASES.items()
        if any(alias in cells for alias in aliases)
    }
    return columns if all(name in columns for name in _REQUIRED) else None


def _read_table(text: str, path: Path, source: str) -> Points:
    for number, line in _first_line(text):
        header = _header(line)
        if header is None:
            found = ", ".join(brief(cell.strip()) for cell in _split(line, _delimiter(line))[:_COLUMNS_TOLD])
            raise PointsError(
                f"{path}:{number}: found the columns {found}; needed are image, x and y (label and frame are "
                "optional): add a header line image,x,y"
            )
        return _read_rows(text, path, number, _delimiter(line), header).points(source)
    raise PointsError(f"{path}: the table is empty; it needs a header line image,x,y and one row per point")


def _read_rows(text: str, path: Path, header_line: int, delimiter: str, columns: dict[str, int]) -> Collector:
    collector = Collector()
    lines = ("" if line.lstrip().startswith("#") else line for line in _lines(text))
    reader = csv.reader(lines, delimiter=delimiter)
    width = 0
    for row in reader:
        if reader.line_num <= header_line:
            width = len(row)
            continue
        cells = [cell.strip() for cell in row]
        if any(cells):
            _add_row(collector, cells, width, f"{path}:{reader.line_num}", columns)
    return collector


def _add_row(collector: Collector, cells: list[str], width: int, where: str, columns: dict[str, int]) -> None:
    image = cells[columns["image"]] if columns["image"] < len(cells) else ""
    if len(cells) <= max(columns[name] for name in _REQUIRED) or any(cells[width:]):
        collector.reject(
            image, where, f"has {len(cells)} cells, the header has {width}; write one cell per column"
        )
        return
    value = {name: cells[column] for name, column in columns.items() if column < len(cells)}
    if value.get("frame"):
        if not _FRAME.fullmatch(value["frame"]):
            collector.reject(
                image, where, f"frame {brief(value['frame'])} is not a number from 0; correct it"
            )
            return
        image = f"{image}#{int(value['frame'])}"
    if not value["x"] and not value["y"]:
        collector.add(image, where, None)
        return
    try:
        point = Point(_pixel(value["y"], "y"), _pixel(value["x"], "x"), value.get("label") or None)
    except PointsError as error:
        collector.reject(image, where, str(error))
    else:
        collector.add(image, where, point)


def _pixel(text: str, column: str) -> int:
    try:
        return to_pixel(float(text), _ORIGIN)
    except ValueError:
        raise PointsError(
            f"{column} is {brief(text)}, not a finite number; write the 0-based pixel index, such as 12"
        ) from None
