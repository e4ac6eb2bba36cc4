"""MCLC's ``image_info``: one ``.npy`` per image, which holds a dict.

``centroid_label_y`` and ``centroid_label_x`` are lists of 0-based pixel indices, or the number 0 in an image
without targets, whose ``target_type`` is then "non_target". The image is named by ``name``, or else by the
file. The boxes beside them are drawn from the area of the true mask, so they are not read. Nothing that the
file asks for is run; see `pointmask.io.formats.encodings.object_npy`.
"""

from pathlib import Path
from typing import Any

from pointmask.errors import PointsError
from pointmask.io.formats.base import Format
from pointmask.io.formats.encodings import object_npy
from pointmask.io.formats.parts.documents import brief, mapping, number, read_document
from pointmask.io.formats.parts.origin import Origin, to_pixel
from pointmask.io.formats.parts.text import Collector
from pointmask.io.images.source import ImageSource
from pointmask.io.points.points import Point, Points
from pointmask.regular import open_regular

_ORIGIN: Origin = "index"
_SUFFIX = ".npy"
_MOST_BYTES = 1 << 24
_HEAD = 128
_Y, _X, _KIND, _NO_TARGET = "centroid_label_y", "centroid_label_x", "target_type", "non_target"


class Mclc(Format):
    """MCLC's folder ``image_info``."""

    name = "mclc"
    description = "MCLC image_info"
    abilities = frozenset({"read points"})
    origin = _ORIGIN

    def sniff(self, path: Path) -> bool:
        """Say whether the file, or the first ``.npy`` in the folder, holds an object."""
        return holds_objects(path)

    def read(self, path: Path, *, images: ImageSource | None = None) -> Points:
        """Read one file, or all ``.npy`` in a folder; a file that cannot be read rejects its image.

        Raises
        ------
        PointsError
            If the folder cannot be listed or holds no such file, or a file asks for code to be run.
        """
        try:
            files = _files(path)
        except OSError as error:
            raise PointsError(
                f"{path}: cannot be listed ({error.strerror}); check the path and its rights"
            ) from error
        if not files:
            raise PointsError(f"{path}: no .npy in this folder; give MCLC's folder image_info")
        collector = Collector()
        for file in files:
            _read_file(file, collector)
        return collector.points(self.source_of(path))


def holds_objects(path: Path) -> bool:
    """Say whether the file, or the first ``.npy`` in the folder, holds an object."""
    try:
        first = next(iter(_files(path)), None)
        if first is None:
            return False
        with open_regular(first) as file:
            return object_npy.is_object(file.read(_HEAD))
    except OSError:
        return False


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path] if path.is_file() else []
    return sorted(file for file in path.glob(f"*{_SUFFIX}") if not file.name.startswith("."))


def _read_file(file: Path, collector: Collector) -> None:
    image = file.stem
    try:
        content = mapping(object_npy.decode(read_document(file, _MOST_BYTES)), "its object")
        name = content.get("name")
        image = name if isinstance(name, str) and name else image
        points = _points(content)
    except object_npy.UnsafePickleError as error:
        raise PointsError(f"{file}: {error}") from None
    except PointsError as error:
        collector.reject(image, str(file), str(error))
        return
    for point in points or (None,):
        collector.add(image, str(file), point)


def _points(content: dict[str, Any]) -> list[Point]:
    rows, cols = content.get(_Y), content.get(_X)
    if rows == 0 and cols == 0 and content.get(_KIND, _NO_TARGET) == _NO_TARGET:
        return []
    if not isinstance(rows, list) or not isinstance(cols, list) or len(rows) != len(cols):
        raise PointsError(
            f"{_Y} is {brief(rows)} and {_X} is {brief(cols)}; both must be lists of equal length, or 0"
        )
    return [
        Point(to_pixel(number(row, _Y), _ORIGIN), to_pixel(number(col, _X), _ORIGIN))
        for row, col in zip(rows, cols, strict=True)
    ]
