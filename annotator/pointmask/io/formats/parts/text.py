"""What the text formats share: reading text, collecting points row by row."""

from collections.abc import Iterator
from pathlib import Path

from pointmask.errors import PointsError
from pointmask.io.formats.parts.decoding import decode_text
from pointmask.io.points.names import clean_key
from pointmask.io.points.packed import PackedPoints
from pointmask.io.points.points import Point, Points
from pointmask.regular import read_regular

_BOTH = "is listed with a point and also as having no target; delete one of the two"


class Collector:
    """Gathers points by image and keeps the images apart whose rows are wrong.

    An image with one wrong row is rejected whole: a mask with a target missing is worse than none.
    """

    def __init__(self) -> None:
        self._points = PackedPoints()
        self._rejected: dict[str, str] = {}
        self._empty_boxes: dict[str, str] = {}

    def add(self, image: str, where: str, point: Point | None) -> None:
        """Add a point, or None for an image that is said to hold no target."""
        key = self._key(image, where)
        if self._points.add(key, point):
            self.reject(key, where, _BOTH)

    def add_empty_box(self, image: str, where: str) -> None:
        """Note that a box shows no target: if nothing else is said of the image, it holds none."""
        self._empty_boxes.setdefault(self._key(image, where), where)

    def listed_keys(self) -> Iterator[str]:
        """Yield each key of what was gathered; one that was listed in several stretches, several times."""
        return iter(self._points)

    def bounds(self) -> tuple[int, int, int, int] | None:
        """Return the smallest and largest row, then column, so far; None without points."""
        return self._points.bounds()

    def reject(self, image: str, where: str, reason: str) -> None:
        """Keep the first reason why an image cannot be used."""
        self._rejected.setdefault(self._key(image, where), f"{where}: {reason}")

    def points(self, source: str) -> Points:
        """Return everything gathered; nothing can be added afterwards."""
        if self._empty_boxes:
            listed = set(self._points)
            for key in self._empty_boxes.keys() - listed - self._rejected.keys():
                self._points.add(key, None)
        for key in self._points.close():
            self._rejected.setdefault(key, f"{source}: {key} {_BOTH}")
        self._points.remove(self._rejected.keys())
        return Points(self._points, source, self._rejected)

    def _key(self, image: str, where: str) -> str:
        try:
            return clean_key(image)
        except PointsError as error:
            if not image.strip():
                # Nobody can tell which image to skip.
                raise PointsError(f"{where}: {error}") from None
            self._rejected.setdefault(image, f"{where}: {error}")
            return image


def read_text(path: Path) -> str:
    """Read text in any encoding that `pointmask.io.formats.parts.decoding` recognises.

    Raises
    ------
    PointsError
        If the file cannot be read or is in another encoding.
    """
    try:
        data = read_regular(path)
    except OSError as error:
        raise PointsError(
            f"{path}: cannot be read ({error.strerror}); check the path and its rights"
        ) from error
    return decode_text(data, path)


def rows_of(points: Points) -> Iterator[tuple[str, Point | None]]:
    """Yield (key, point), or (key, None) for an image without targets."""
    for key, listed in points:
        if not listed:
            yield key, None
        for point in listed:
            yield key, point
