"""What the text formats share: reading text, collecting points row by row."""

from collections.abc import Iterator
from pathlib import Path

from pointmask.errors import PointsError
from pointmask.io.points.names import clean_key
from pointmask.io.points.packed import PackedPoints
from pointmask.io.points.points import Point, Points

_BOTH = "is listed with a point and also as having no target; delete one of the two"


class Collector:
    """Gathers points by image and keeps the images apart whose rows are wrong.

    An image with one wrong row is rejected whole: a mask with a target missing is worse than none.
    """

    def __init__(self) -> None:
        self._points = PackedPoints()
        self._rejected: dict[str, str] = {}

    def add(self, image: str, where: str, point: Point | None) -> None:
        """Add a point, or None for an image that is said to hold no target."""
        key = self._key(image, where)
        if self._points.add(key, point):
            self.reject(key, where, _BOTH)

    def reject(self, image: str, where: str, reason: str) -> None:
        """Keep the first reason why an image cannot be used."""
        self._rejected.setdefault(self._key(image, where), f"{where}: {reason}")

    def points(self, source: str) -> Points:
        """Return everything gathered; nothing can be added afterwards."""
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
    """Read UTF-8, or UTF-16 with its mark as spreadsheets save it.

    Raises
    ------
    PointsError
        If the file cannot be read or is in another encoding.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise PointsError(
            f"{path}: cannot be read ({error.strerror}); check the path and its rights"
        ) from error
    return decode_text(data, path)


def decode_text(data: bytes, path: Path) -> str:
    """Decode UTF-8, or UTF-16 with its mark; ``path`` is for messages.

    Raises
    ------
    PointsError
        If the bytes are in another encoding.
    """
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise PointsError(
            f"{path}:{line}: byte {error.start} is not {encoding}; save the file with the encoding UTF-8"
        ) from error


def peek(path: Path, size: int = 4096) -> str:
    """Return the beginning of a file as text; empty if it is no readable text file."""
    try:
        with path.open("rb") as file:
            data = file.read(size)
    except OSError:
        return ""
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    text = data.decode(encoding, errors="replace")
    return "" if "\x00" in text else text


def rows_of(points: Points) -> Iterator[tuple[str, Point | None]]:
    """Yield (key, point), or (key, None) for an image without targets."""
    for key, listed in points:
        if not listed:
            yield key, None
        for point in listed:
            yield key, point
