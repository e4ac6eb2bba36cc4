"""Tables with a header ``image,x,y[,label][,frame]``, or with boxes beside the image.

``x`` and ``y`` are 0-based pixel indices, column and row; a fraction is rounded to the nearest pixel,
halves up. A row with both left empty (or NaN) says that the image holds no target. ``frame`` counts the
pages of a multi-page file from 0. What other names of columns mean, `pointmask.io.formats.parts.columns`
says, and how cells are divided, `pointmask.io.formats.parts.table`.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from pointmask.errors import PointsError
from pointmask.io.files import write_whole
from pointmask.io.formats.base import Format
from pointmask.io.formats.parts.columns import Columns, columns_of
from pointmask.io.formats.parts.decoding import peek
from pointmask.io.formats.parts.documents import brief
from pointmask.io.formats.parts.table import Head, head_of, is_number
from pointmask.io.formats.parts.table_points import TableReader
from pointmask.io.formats.parts.text import read_text, rows_of
from pointmask.io.images.source import ImageSource
from pointmask.io.points.points import Point, Points

_COLUMNS_SHOWN = 12
# Headers of tables that have a format of their own, which says more of them than the names of columns.
_OF_OTHERS = re.compile(
    r"filename,width,height,class,xmin,ymin,xmax,ymax.*|.*region_shape_attributes.*", re.IGNORECASE
)


class Csv(Format):
    """Tables with a header ``image,x,y[,label][,frame]``, or with boxes."""

    name = "csv"
    description = "table with the columns image,x,y"
    abilities = frozenset({"read points", "write points"})
    holds = frozenset({"points", "instances", "labels", "frames", "empty"})
    suffixes = (".csv", ".tsv", ".txt")
    origin = "index"
    layout = "file"

    def sniff(self, path: Path) -> bool:
        """Say whether the first line of the file is a header that `read` accepts."""
        if not path.is_file():
            return False
        head = head_of(peek(path))
        return (
            head is not None and not _OF_OTHERS.fullmatch(",".join(head.cells)) and _columns(head) is not None
        )

    def read(self, path: Path, *, images: ImageSource | None = None) -> Points:
        """Read a table of points, or of boxes, which are clicked on in their middle.

        Raises
        ------
        PointsError
            If the file is unreadable or empty, lacks a column or has it twice, has a row without an image
            name, or holds fractions of the size of images under names that do not say so.
        """
        return read_table(read_text(path), path, images, self.source_of(path))

    def write(self, points: Points, path: Path) -> None:
        """Write ``image,x,y``, and ``label`` if any point has one; rejected images are left out.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        labelled = any(point.label is not None for _, listed in points for point in listed)
        write_whole(path, "".join(csv_lines(rows_of(points), labelled=labelled)), below=path.parent)


def csv_lines(rows: Iterable[tuple[str, Point | None]], *, labelled: bool) -> Iterator[str]:
    """Yield the lines of a table, header first; see `pointmask.io.formats.parts.text.rows_of`."""
    file = io.StringIO()
    plain = csv.writer(file, lineterminator="\n")
    quoted = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
    plain.writerow(("image", "x", "y", "label") if labelled else ("image", "x", "y"))
    for key, point in rows:
        cells = [key, "", "", ""] if point is None else [key, point.col, point.row, point.label or ""]
        # Quotes keep a name that begins like a comment from being one.
        (quoted if key.startswith("#") else plain).writerow(cells if labelled else cells[:3])
        yield file.getvalue()
        file.seek(0)
        file.truncate()
    yield file.getvalue()


def read_table(text: str, path: Path, images: ImageSource | None, source: str) -> Points:
    """Read the text of a table; ``source`` names it in what is returned. Raises as `Csv.read`."""
    try:
        head = head_of(text)
        if head is None:
            raise PointsError(
                f"{path}: the table is empty; it needs a header line image,x,y and one row per point"
            )
        columns = _columns(head)
        if columns is None:
            raise PointsError(f"{path}:{head.line}: {_why_not(head)}")
        if again := columns.named_again(head.cells):
            raise PointsError(
                f"{path}:{head.line}: there are several columns {brief(again)}, and nothing says which is "
                "meant; rename or delete all but one"
            )
        return TableReader(text, path, head, columns, images).points(source)
    except csv.Error as error:
        raise unreadable(path, error) from None


def unreadable(path: Path, error: csv.Error) -> PointsError:
    """Return the error of a table that the csv module refuses."""
    return PointsError(f"{path}: not a readable table ({error}); correct it, or export it again as CSV")


def _columns(head: Head) -> Columns | None:
    columns = columns_of(head.cells)
    return columns if columns is not None and columns.image is not None else None


def _why_not(head: Head) -> str:
    """Say what a first line is that is no header with an image and a place."""
    cells = head.cells
    found = ", ".join(map(brief, cells[:_COLUMNS_SHOWN]))
    if sum(map(is_number, cells)) >= 2:
        divider = {" ": "blanks", "\t": "tabs", ";": "semicolons"}.get(head.delimiter, "commas")
        return (
            f"found the columns {found}; needed are image, x and y, but this line, divided by {divider}, is "
            "a row already, and nothing says what its numbers mean: add a header line image,x,y"
        )
    if columns_of(cells) is not None:
        return f"found the columns {found}, of which none names the image; add a column image"
    return (
        f"found the columns {found}; needed are image, x and y, or the corners of boxes (label and frame are "
        "optional): add a header line image,x,y"
    )
