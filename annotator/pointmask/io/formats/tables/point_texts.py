"""A text file per image with ``x y`` on each line, called as its image; an empty one means no target.

``x`` and ``y`` are 0-based pixel indices, column and row; a header line ``x y`` or ``row col`` may say so.
"""

from pathlib import Path

from pointmask.errors import PointsError
from pointmask.io.formats.base import Format
from pointmask.io.formats.parts.origin import to_pixel
from pointmask.io.formats.parts.text import Collector
from pointmask.io.formats.sequences.per_image import add_files, looks_like
from pointmask.io.formats.sequences.sequence import first_numbers, numbers_of
from pointmask.io.images.source import ImageSource
from pointmask.io.notes import note
from pointmask.io.points.points import Point, Points

ORDER = "two numbers without names were read as x, y: column, row"
"""Note of readers of bare numbers."""


class PointTexts(Format):
    """A text file of points per image."""

    name = "point-texts"
    description = "text file of points x y per image"
    abilities = frozenset({"read points"})
    origin = "index"
    per_image = True

    def sniff(self, path: Path) -> bool:
        """Say whether the first files that are not empty hold two numbers on each line."""
        return looks_like(path, lambda file: all(len(v) == 2 for v in first_numbers(file) or [[]]))

    def read(self, path: Path, *, images: ImageSource | None = None) -> Points:
        """Read a file, or all below a folder.

        Raises
        ------
        PointsError
            If the folder cannot be listed or holds no text file, or all numbers are fractions.
        """
        collector = Collector()
        add_files(collector, path, lambda lines, where: read_pairs(lines, where))
        return collector.points(self.source_of(path))


def read_pairs(lines: list[tuple[int, str]], where: str) -> list[Point | None]:
    """Return the points of lines of two numbers.

    Raises
    ------
    PointsError
        If a line holds something else, or all numbers are fractions from 0 to 1.
    """
    pairs = []
    for line, text in lines:
        values = numbers_of(text)
        if values is None or len(values) != 2:
            raise PointsError(f"{where}:{line}: not two numbers x y; correct the line")
        pairs.append(values)
    return points_of_pairs(pairs, where)


def points_of_pairs(pairs: list[list[float]], where: str) -> list[Point | None]:
    """Return points of pairs x, y.

    Raises
    ------
    PointsError
        If one is not finite, or all are fractions from 0 to 1.
    """
    values = [value for pair in pairs for value in pair]
    if values and all(0 <= value <= 1 for value in values) and any(0 < value < 1 for value in values):
        raise PointsError(
            f"{where}: all numbers are fractions from 0 to 1; if they are fractions of the size, multiply x "
            "by the width and y by the height"
        )
    if pairs:
        note(ORDER, where, len(pairs))
    return [Point(to_pixel(y, "index"), to_pixel(x, "index")) for x, y in pairs]
