"""VisDrone-DET: a text file per image, ``left,top,width,height,score,category,truncation,occlusion``.

A score or category of 0 marks a region to be ignored. The file is called as its image; an empty one says that
the image holds no target. ``left`` and ``top`` count pixels from 0: boxes at the border of VisDrone's images
have a 0 there.
"""

from pathlib import Path

from pointmask.errors import PointsError
from pointmask.io.formats.base import Format
from pointmask.io.formats.parts.columns import middle
from pointmask.io.formats.parts.text import Collector
from pointmask.io.formats.sequences.per_image import add_files, looks_like
from pointmask.io.formats.sequences.sequence import first_numbers, numbers_of
from pointmask.io.images.source import ImageSource
from pointmask.io.points.points import Point, Points

_CATEGORIES = (
    None, "pedestrian", "people", "bicycle", "car", "van", "truck", "tricycle", "awning-tricycle", "bus",
    "motor", "others",
)  # fmt: skip


class VisDrone(Format):
    """VisDrone's detection annotations."""

    name = "visdrone"
    description = "VisDrone boxes"
    abilities = frozenset({"read points"})
    origin = "edge"
    per_image = True

    def sniff(self, path: Path) -> bool:
        """Say whether the first files that are not empty hold lines of VisDrone alone."""
        return looks_like(path, lambda file: all(map(is_visdrone, first_numbers(file) or [[]])))

    def read(self, path: Path, *, images: ImageSource | None = None) -> Points:
        """Read the middles of the boxes.

        Raises
        ------
        PointsError
            If the folder cannot be listed or holds no text file.
        """
        collector = Collector()
        add_files(collector, path, _points)
        return collector.points(self.source_of(path))


def is_visdrone(values: list[float]) -> bool:
    """Say whether numbers are those of a line."""
    if len(values) != 8 or not all(value.is_integer() for value in values[5:]):
        return False
    return (
        0 <= values[4] <= 1
        and 0 <= values[5] < len(_CATEGORIES)
        and values[6] in (-1, 0, 1)
        and (values[7] in (-1, 0, 1, 2))
    )


def _points(lines: list[tuple[int, str]], where: str) -> list[Point | None]:
    found: list[Point | None] = []
    for line, text in lines:
        values = numbers_of(text)
        if values is None or not is_visdrone(values):
            raise PointsError(
                f"{where}:{line}: not left,top,width,height,score,category,truncation,occlusion; correct it"
            )
        category = _CATEGORIES[int(values[5])]
        if values[4] == 0 or category is None:
            continue
        pixel = middle("box", values[:4], f"{where}:{line}")
        found.append(None if pixel is None else Point(*pixel, category))
    return found
