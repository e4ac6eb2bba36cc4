"""JSON lines: one object per image, or one per point.

``{"image": "a.png", "points": [[x, y], ...]}``, where a point may also be ``{"x": 1, "y": 2, "label":
"boat"}`` and an empty list says that the image holds no target; or ``{"image": "a.png", "x": 1, "y": 2,
"label": "boat"}``. ``"frame"`` counts the pages of a multi-page file from 0. ``x`` and ``y`` are 0-based
pixel indices, column and row; a fraction is rounded to the nearest pixel, halves up.
"""

import json
from pathlib import Path
from typing import Any

from pointmask.errors import PointsError
from pointmask.io.files import write_whole
from pointmask.io.formats.base import Format
from pointmask.io.formats.parts.documents import brief, head_keys
from pointmask.io.formats.parts.documents import number as finite
from pointmask.io.formats.parts.origin import Origin, to_pixel
from pointmask.io.formats.parts.text import Collector, read_text
from pointmask.io.images.source import ImageSource
from pointmask.io.points.points import Point, Points

_ORIGIN: Origin = "index"


class JsonLines(Format):
    """One JSON object per image, or one per point."""

    name = "jsonl"
    description = "JSON lines"
    abilities = frozenset({"read points", "write points"})
    holds = frozenset({"points", "instances", "labels", "frames", "empty"})
    suffixes = (".jsonl", ".ndjson")
    origin = _ORIGIN
    layout = "file"

    def sniff(self, path: Path) -> bool:
        """Say whether the file begins with an object that has ``image``; with ``targets`` it holds masks."""
        keys = head_keys(path) if path.is_file() else frozenset()
        return "{" in keys and "image" in keys and "targets" not in keys

    def read(self, path: Path, *, images: ImageSource | None = None) -> Points:
        """Read JSON lines.

        Raises
        ------
        PointsError
            If the file is unreadable or empty, or a line is no JSON object with an image.
        """
        collector = Collector()
        empty = True
        # Not splitlines: JSON allows U+2028 and its like inside a string.
        for number, line in enumerate(read_text(path).split("\n"), 1):
            if line.strip():
                empty = False
                _add_line(collector, line, f"{path}:{number}")
        if empty:
            raise PointsError(
                f'{path}: the file is empty; write lines such as {{"image": "a.png", "points": [[12, 7]]}}'
            )
        return collector.points(self.source_of(path))

    def write(self, points: Points, path: Path) -> None:
        """Write one line per image; rejected images are left out.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        lines = [
            json.dumps({"image": key, "points": [_listed(point) for point in listed]})
            for key, listed in points
        ]
        write_whole(path, "".join(line + "\n" for line in lines), below=path.parent)


def _listed(point: Point) -> list[int] | dict[str, Any]:
    if point.label is None:
        return [point.col, point.row]
    return {"x": point.col, "y": point.row, "label": point.label}


def _add_line(collector: Collector, line: str, where: str) -> None:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise PointsError(f"{where}: not JSON ({error}); write one object per line") from None
    image = record.get("image") if isinstance(record, dict) else None
    if not isinstance(image, str):
        raise PointsError(
            f'{where}: no object with a text "image"; write {{"image": "a.png", "points": [[x, y]]}}'
        )
    try:
        if "frame" in record:
            image = f"{image}#{_frame(record['frame'])}"
        points = [_point(item) for item in _items(record)]
    except PointsError as error:
        collector.reject(image, where, str(error))
        return
    if not points:
        collector.add(image, where, None)
    for point in points:
        collector.add(image, where, point)


def _items(record: dict[str, Any]) -> list[Any]:
    if "points" not in record:
        return [record]
    if not isinstance(record["points"], list):
        raise PointsError(f'"points" is {brief(record["points"])}, not a list; write [[x, y], ...]')
    return record["points"]


def _frame(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise PointsError(f'"frame" is {brief(value)}, not a whole number from 0; correct it')
    return value


def _point(item: object) -> Point:
    if isinstance(item, list) and len(item) == 2:
        return Point(_pixel(item[1]), _pixel(item[0]))
    if isinstance(item, dict) and "x" in item and "y" in item:
        label = item.get("label")
        return Point(_pixel(item["y"]), _pixel(item["x"]), None if label is None else str(label))
    raise PointsError(f'point {brief(item)} is neither [x, y] nor an object with "x" and "y"; correct it')


def _pixel(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise PointsError(f"{brief(value)} is not a number; write the 0-based pixel index, such as 12")
    return to_pixel(finite(value, "a coordinate"), _ORIGIN)
