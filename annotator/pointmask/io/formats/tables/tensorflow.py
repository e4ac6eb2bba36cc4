"""TensorFlow's object-detection table: ``filename,width,height,class,xmin,ymin,xmax,ymax``.

Width and height are those of the image. A box is clicked on in its middle.
"""

from pathlib import Path

from pointmask.io.formats.base import Format
from pointmask.io.formats.parts.decoding import peek
from pointmask.io.formats.parts.table import head_of
from pointmask.io.formats.parts.text import read_text
from pointmask.io.formats.tables.csv import read_table
from pointmask.io.images.source import ImageSource
from pointmask.io.points.points import Points

_HEADER = ("filename", "width", "height", "class", "xmin", "ymin", "xmax", "ymax")


class TensorFlowCsv(Format):
    """The table that TensorFlow's tutorials and converters write."""

    name = "tensorflow"
    description = "TensorFlow object-detection CSV"
    abilities = frozenset({"read points"})
    origin = "edge"

    def sniff(self, path: Path) -> bool:
        """Say whether the file has the header."""
        head = head_of(peek(path))
        return head is not None and tuple(cell.lower() for cell in head.cells[: len(_HEADER)]) == _HEADER

    def read(self, path: Path, *, images: ImageSource | None = None) -> Points:
        """Read the middles of the boxes.

        Raises
        ------
        PointsError
            If the file is unreadable or no such table.
        """
        return read_table(read_text(path), path, images, self.source_of(path))
