"""DOTA: a text file per image, ``x1 y1 x2 y2 x3 y3 x4 y4 category difficult``, clicked on in the middle.

Lines such as ``imagesource:GoogleEarth`` and ``gsd:0.1`` before them are skipped.
"""

from pathlib import Path

from pointmask.errors import PointsError
from pointmask.io.formats.base import Format
from pointmask.io.formats.parts.columns import MIDDLES
from pointmask.io.formats.parts.decoding import peek
from pointmask.io.formats.parts.origin import to_pixel
from pointmask.io.formats.parts.text import Collector
from pointmask.io.formats.sequences.per_image import add_files, looks_like
from pointmask.io.formats.sequences.sequence import lines_of, numbers_of
from pointmask.io.images.source import ImageSource
from pointmask.io.notes import note
from pointmask.io.points.points import Point, Points

_HEAD = ("imagesource", "gsd")


class Dota(Format):
    """DOTA's oriented boxes."""

    name = "dota"
    description = "DOTA oriented boxes"
    abilities = frozenset({"read points"})
    origin = "edge"
    per_image = True

    def sniff(self, path: Path) -> bool:
        """Say whether the first label of each of the first files has eight numbers and a category."""
        return looks_like(path, _is_dota)

    def read(self, path: Path, *, images: ImageSource | None = None) -> Points:
        """Read the middles of the oriented boxes.

        Raises
        ------
        PointsError
            If the folder cannot be listed or holds no text file.
        """
        collector = Collector()
        add_files(collector, path, _points)
        return collector.points(self.source_of(path))


def _is_dota(file: Path) -> bool:
    for _, line in lines_of(peek(file)):
        if not line.lower().startswith(_HEAD):
            return _corners(line) is not None
    return True


def _corners(line: str) -> tuple[list[float], str] | None:
    words = line.split()
    if len(words) not in (9, 10):
        return None
    try:
        values = [*map(float, words[:8])]
    except ValueError:
        return None
    return (values, words[8]) if numbers_of(words[8]) is None else None


def _points(lines: list[tuple[int, str]], where: str) -> list[Point | None]:
    found: list[Point | None] = []
    for line, text in lines:
        if text.lower().startswith(_HEAD):
            continue
        parsed = _corners(text)
        if parsed is None:
            raise PointsError(f"{where}:{line}: not x1 y1 ... x4 y4 category difficult; correct it")
        values, category = parsed
        note(MIDDLES, f"{where}:{line}")
        found.append(
            Point(to_pixel(sum(values[1::2]) / 4, "edge"), to_pixel(sum(values[0::2]) / 4, "edge"), category)
        )
    return found
