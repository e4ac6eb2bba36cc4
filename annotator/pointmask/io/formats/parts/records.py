"""Points as JSON objects: one per image with a list of points, or one per point or box.

The names of keys mean what the same names of columns do; see `pointmask.io.formats.parts.columns`.
"""

import functools
import math
from typing import Any

from pointmask.errors import PointsError
from pointmask.io.formats.parts.columns import LEAST_IMAGE, Columns, columns_of, middle
from pointmask.io.formats.parts.documents import brief, listing
from pointmask.io.formats.parts.documents import number as finite
from pointmask.io.formats.parts.origin import to_pixel
from pointmask.io.formats.parts.text import Collector
from pointmask.io.notes import note
from pointmask.io.points.points import Point

IMAGES = ("image", "filename", "file_name", "file", "name", "image_name", "image_path", "img", "path")
"""Keys under which an object names its image, the first that is there."""

_CORRECTED = frozenset({"level", "ring", "polarity"})
_AS_CLICKED = _CORRECTED | {"x", "y", "label"}
_NOT_APPLIED = (
    "the level, ring and polarity that people chose on the click page are left out: points alone are read; "
    "the corrected masks are those that lie beside this list"
)


class RecordReader:
    """Reads objects one by one.

    Attributes
    ----------
    collector : Collector
        Gets the points.
    """

    def __init__(self) -> None:
        self.collector = Collector()
        self._has_decimals = False
        self._is_fraction = True

    def add(self, record: dict[str, Any], where: str) -> None:
        """Add what an object says.

        Raises
        ------
        PointsError
            If it names no image.
        """
        image = next((record[key] for key in IMAGES if isinstance(record.get(key), str)), None)
        if image is None:
            raise PointsError(
                f'{where}: no object with a text "image"; write {{"image": "a.png", "points": [[x, y]]}}'
            )
        try:
            if record.get("frame") is not None:
                image = f"{image}#{_frame(record['frame'])}"
            points = [self._point(item, where) for item in _items(record)]
        except PointsError as error:
            self.collector.reject(image, where, str(error))
            return
        self.add_points(image, points, where)

    def add_list(self, image: str, items: object, where: str) -> None:
        """Add the list of points of an image."""
        try:
            points = [self._point(item, where) for item in listing(items, "the points")]
        except PointsError as error:
            self.collector.reject(image, where, str(error))
            return
        self.add_points(image, points, where)

    def add_points(self, image: str, points: list[Point | None], where: str) -> None:
        """Add points, of which those that are None are empty."""
        real = [point for point in points if point is not None]
        for point in real:
            self.collector.add(image, where, point)
        if not real:
            if points:
                self.collector.add_empty_box(image, where)
            else:
                self.collector.add(image, where, None)

    def check_fractions(self, source: str) -> None:
        """Refuse points that are all fractions of the size of their images.

        Raises
        ------
        PointsError
            If all coordinates lie from 0 to 1 and some have decimals.
        """
        if self._has_decimals and self._is_fraction:
            raise PointsError(
                f"{source}: all coordinates are fractions from 0 to 1, which as pixels would all lie in the "
                "first corner. Are they fractions of the size? Multiply them by width and height"
            )

    def _point(self, item: object, where: str) -> Point | None:
        if isinstance(item, list) and len(item) == 2:
            return Point(self._pixel(item[1]), self._pixel(item[0]))
        if isinstance(item, list) and len(item) == 4:
            raise PointsError(
                "point of 4 numbers, which may be two corners of a box, or a corner and its size; write "
                'points [x, y], or say which with {"xmin", "ymin", "xmax", "ymax"} or {"x", "y", "width", '
                '"height"}'
            )
        if isinstance(item, dict):
            if _CORRECTED.intersection(item) and _AS_CLICKED.issuperset(item):
                note(_NOT_APPLIED, where)
            columns = _meaning(tuple(item))
            if columns is not None and columns.origin in ("index", "edge"):
                return self._of_columns(item, columns, where)
        raise PointsError(f'point {brief(item)} is neither [x, y] nor an object with "x" and "y"; correct it')

    def _of_columns(self, item: dict[str, Any], columns: Columns, where: str) -> Point | None:
        values = list(item.values())
        label = None if columns.label is None else values[columns.label]
        label = None if label is None else str(label)
        numbers = [values[place] for place in columns.places]
        if all(value is None or value != value for value in numbers):  # NaN
            return None
        if columns.kind == "box" and _are_sizes_of_images(numbers):
            note("width and height exceed x and y, so they are the size of the image, not of a box", where)
            columns = columns._replace(kind="point")
        if columns.kind == "point":
            return Point(self._pixel(numbers[1]), self._pixel(numbers[0]), label)
        pixel = middle(columns.kind, [self._number(value) for value in numbers], where)
        return None if pixel is None else Point(*pixel, label)

    def _pixel(self, value: object) -> int:
        return to_pixel(self._number(value), "index")

    def _number(self, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise PointsError(f"{brief(value)} is not a number; write the 0-based pixel index, such as 12")
        found = finite(value, "a coordinate")
        if self._is_fraction:
            self._is_fraction = 0 <= found <= 1
            self._has_decimals |= found != math.floor(found)
        return found


def _are_sizes_of_images(numbers: list[Any]) -> bool:
    """Say whether a width and height are too large for a small target and hold the point."""
    if not all(isinstance(value, (int, float)) for value in numbers):
        return False
    x, y, width, height = numbers
    return min(width, height) >= LEAST_IMAGE and bool(0 <= x < width and 0 <= y < height)


def says_points(keys: frozenset[str]) -> bool:
    """Say whether objects with these keys name an image and points."""
    if not keys.intersection(IMAGES):
        return False
    columns = columns_of(sorted(keys))
    return "points" in keys or (columns is not None and columns.image is not None)


@functools.lru_cache(maxsize=64)
def _meaning(keys: tuple[str, ...]) -> Columns | None:
    return columns_of(keys) if len(keys) < 100 else None


def _items(record: dict[str, Any]) -> list[Any]:
    if "points" not in record:
        return [record]
    if not isinstance(record["points"], list):
        raise PointsError(f'"points" is {brief(record["points"])}, not a list; write [[x, y], ...]')
    return record["points"]


def _frame(value: object) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise PointsError(f'"frame" is {brief(value)}, not a whole number from 0; correct it')
    return value
