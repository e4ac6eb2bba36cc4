"""The points of a table whose columns are known by name, and whether its numbers can be pixels."""

import math
import re
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

from pointmask.errors import ImageError, PointsError
from pointmask.io.formats.labelled import Shape
from pointmask.io.formats.parts.columns import LEAST_IMAGE, Columns, middle, pixel_of
from pointmask.io.formats.parts.documents import brief
from pointmask.io.formats.parts.finder import ImageFinder
from pointmask.io.formats.parts.origin import to_pixel
from pointmask.io.formats.parts.table import Head, as_number, is_nothing, is_number, number_in, rows_below
from pointmask.io.formats.parts.text import Collector
from pointmask.io.images.source import ImageSource
from pointmask.io.notes import note
from pointmask.io.points.points import Point, Points

_FRAME = re.compile(r"([0-9]{1,9})(?:\.0*)?")
_SAMPLED = 16
_ROWS_SAMPLED = 1000
_FEWEST_PERCENTS = 4


class TableReader:
    """Reads a table.

    Parameters
    ----------
    text : str
        The whole of it.
    path : Path
        For messages.
    head : Head
        Its header line.
    columns : Columns
        What that says; `image` is known.
    images : ImageSource, optional
        For coordinates in percent, and to judge whether the column frame can be meant.
    """

    def __init__(
        self, text: str, path: Path, head: Head, columns: Columns, images: ImageSource | None
    ) -> None:
        self._text, self._path, self._head, self._columns, self._images = text, path, head, columns, images
        self._finder: ImageFinder | None = None
        self._shape: tuple[str, Shape] = "", (0, 0)  # of the last image asked for; its rows lie together

    def points(self, source: str) -> Points:
        """Read all rows.

        Raises
        ------
        PointsError
            If a row names no image, or all numbers are fractions of the size of images.
        csv.Error
            If it is no table.
        """
        if self._columns.kind == "box" and self._sizes_are_of_images():
            note(
                "width and height exceed every x and y, so they are the size of the image, not of a box",
                str(self._path),
            )
            self._columns = self._columns._replace(
                kind="point", places=self._columns.places[:2], origin="index"
            )
        collector = self._read()
        self._judge(collector)
        if self._columns.frame is not None and self._frames_are_superfluous(collector):
            note(
                "the column frame is superfluous and was left out, as each image is a file of one frame; "
                "delete the column",
                str(self._path),
            )
            self._columns = self._columns._replace(frame=None)
            collector = self._read()
        return collector.points(source)

    def _read(self) -> Collector:
        collector = Collector()
        columns, path, width = self._columns, self._path, len(self._head.cells)
        image_at, frame_at, last = columns.image, columns.frame, max(columns.places)
        assert image_at is not None
        is_plain = columns.kind == "point" and columns.origin == "index"
        x_at, y_at = columns.places[:2]
        label_at = columns.label
        needed = max(image_at, last)
        for line, cells in rows_below(self._text, self._head):
            count = len(cells)
            where = f"{path}:{line}"
            image = cells[image_at] if image_at < count else ""
            if count <= needed or (count > width and any(cells[width:])):
                collector.reject(
                    image, where, f"has {count} cells, the header has {width}; write one cell per column"
                )
                continue
            if frame_at is not None and frame_at < count and not is_nothing(cells[frame_at]):
                frame = _FRAME.fullmatch(cells[frame_at])
                if frame is None:
                    reason = f"frame {brief(cells[frame_at])} is not a number from 0; correct it"
                    collector.reject(image, where, reason)
                    continue
                image = f"{image}#{int(frame[1])}"
            label = cells[label_at] or None if label_at is not None and label_at < count else None
            if is_plain:
                try:
                    point = Point(
                        to_pixel(as_number(cells[y_at]), "index"),
                        to_pixel(as_number(cells[x_at]), "index"),
                        label,
                    )
                except (ValueError, PointsError):
                    pass
                else:
                    collector.add(image, where, point)
                    continue
            self._add(collector, cells, image, label, where)
        return collector

    def _add(self, collector: Collector, cells: list[str], image: str, label: str | None, where: str) -> None:
        """Add a row that is not a plain point."""
        columns = self._columns
        values = [cells[place] for place in columns.places]
        try:
            numbers = [*map(as_number, values)]
        except ValueError:
            numbers = []
        if not numbers or not all(map(math.isfinite, numbers)):
            if all(map(is_nothing, values)):
                collector.add(image, where, None)
                return
            numbers = []
        try:
            numbers = numbers or [
                number_in(value, self._head.cells[place], self._head.delimiter, where)
                for value, place in zip(values, columns.places, strict=True)
            ]
            if columns.kind == "point":
                shape = None if columns.origin == "index" else self._shape_of(image)
                pixel: tuple[int, int] | None = pixel_of(columns.origin, numbers[0], numbers[1], shape)
            else:
                pixel = middle(columns.kind, numbers, where)
        except PointsError as error:
            collector.reject(image, where, str(error))
            return
        if pixel is None:
            collector.add_empty_box(image, where)
        else:
            collector.add(image, where, Point(*pixel, label))

    def _shape_of(self, key: str) -> Shape:
        if self._images is None:
            raise PointsError(
                "coordinates relative to the size of the image need the images; give their folder with "
                "--images"
            )
        if self._finder is None:
            self._finder = ImageFinder(self._images)
        if self._shape[0] != key:
            self._shape = key, self._finder.shape_of(key)
        return self._shape[1]

    def _values(self, count: int) -> Mapping[int, list[float]]:
        """Return the numbers of each place in the first rows, as far as they are numbers."""
        found: dict[int, list[float]] = {place: [] for place in self._columns.places}
        for _, cells in islice(rows_below(self._text, self._head), count):
            if len(cells) > max(found):
                values = [cells[place].replace(",", ".") for place in found]
                if all(map(is_number, values)):
                    for place, value in zip(found, values, strict=True):
                        found[place].append(as_number(value))
        return found

    def _sizes_are_of_images(self) -> bool:
        x, y, width, height = self._values(len(self._text)).values()
        return bool(x) and all(
            w >= LEAST_IMAGE and h >= LEAST_IMAGE and 0 <= col < w and 0 <= row < h
            for col, row, w, h in zip(x, y, width, height, strict=True)
        )

    def _judge(self, collector: Collector) -> None:
        """Refuse fractions of the size of images, and note what may be percents of it."""
        bounds = collector.bounds()
        if bounds is None or self._columns.origin not in ("index", "edge") or min(bounds[::2]) < 0:
            return
        largest = max(bounds[1::2])
        if largest > 100:
            return
        sampled = self._values(_ROWS_SAMPLED).values()
        values = [value for column in sampled for value in column if math.isfinite(value)]
        decimals = sum(value != int(value) for value in values)
        x, y = (self._head.cells[place] for place in self._columns.places[:2])
        if largest <= 1 and decimals and all(0 <= value <= 1 for value in values):
            raise PointsError(
                f"{self._path}: all of {x} and {y} are fractions from 0 to 1, which as pixels would all lie "
                "in the first corner. Are they fractions of the size? Multiply them by width and height, or "
                "name the columns x_fraction,y_fraction; for YOLO labels: --points-format yolo"
            )
        if largest > 1 and 2 * _FEWEST_PERCENTS <= len(values) <= 2 * decimals:
            side = self._smallest_side()
            if side > 100:
                note(
                    f"all of {x} and {y} lie from 0 to 100 and have decimals, though images are larger; if "
                    "these are percent of the size, name the columns x_percent,y_percent",
                    str(self._path),
                )

    def _smallest_side(self) -> int:
        """Return the smallest longer side of the first images; 0 if it is not known."""
        if self._images is None:
            return 0
        sides = []
        try:
            for name in self._images.names()[:3]:
                with self._images.open(name) as file:
                    sides.append(max(file.decode(0).shape))
        except ImageError:
            return 0
        return min(sides, default=0)

    def _frames_are_superfluous(self, collector: Collector) -> bool:
        """Say whether each image has but one number of a frame, which its file does not have."""
        frames: dict[str, str] = {}
        for key in collector.listed_keys():
            name, _, frame = key.rpartition("#")
            if frames.setdefault(name, frame) != frame:
                return False
        later = [f"{name}#{frame}" for name, frame in frames.items() if name and frame.strip("0")]
        if self._images is None or not later:
            return False
        finder = ImageFinder(self._images)
        try:
            return all(self._images.frame_count(finder.frame_of(key)[0]) == 1 for key in later[:_SAMPLED])
        except (ImageError, PointsError):
            return False
