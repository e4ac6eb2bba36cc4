"""JSON lines: one object per image, or one per point.

``{"image": "a.png", "points": [[x, y], ...]}``, where a point may also be ``{"x": 1, "y": 2, "label":
"boat"}`` and an empty list says that the image holds no target; or ``{"image": "a.png", "x": 1, "y": 2,
"label": "boat"}``. ``"frame"`` counts the pages of a multi-page file from 0. ``x`` and ``y`` are 0-based
pixel indices, column and row; a fraction is rounded to the nearest pixel, halves up. What other keys mean,
`pointmask.io.formats.parts.records` says.
"""

import json
import re
from pathlib import Path
from typing import Any

from pointmask.errors import PointsError
from pointmask.io.files import write_whole
from pointmask.io.formats.base import Format
from pointmask.io.formats.parts.decoding import peek
from pointmask.io.formats.parts.documents import head_keys
from pointmask.io.formats.parts.records import RecordReader, says_points
from pointmask.io.formats.parts.text import read_text
from pointmask.io.images.source import ImageSource
from pointmask.io.points.points import Point, Points

_LINE = re.compile(r"[^\r\n]*\}\s*(?:[\r\n]|$)")


class JsonLines(Format):
    """One JSON object per image, or one per point."""

    name = "jsonl"
    description = "JSON lines"
    abilities = frozenset({"read points", "write points"})
    holds = frozenset({"points", "instances", "labels", "frames", "empty"})
    suffixes = (".jsonl", ".ndjson")
    origin = "index"
    layout = "file"

    def sniff(self, path: Path) -> bool:
        """Say whether the file begins with an object of points on a line; with ``targets`` it holds masks."""
        keys = head_keys(path)
        if "{" not in keys or "targets" in keys or not says_points(keys - {"{"}):
            return False
        # A document with a key of this name is no line.
        return path.suffix.lower() in self.suffixes or bool(_LINE.match(peek(path)))

    def read(self, path: Path, *, images: ImageSource | None = None) -> Points:
        """Read JSON lines.

        Raises
        ------
        PointsError
            If the file is unreadable or empty, or a line is no JSON object with an image.
        """
        reader = RecordReader()
        empty = True
        # Not splitlines: JSON allows U+2028 and its like inside a string.
        for number, line in enumerate(read_text(path).split("\n"), 1):
            if line.strip():
                empty = False
                where = f"{path}:{number}"
                reader.add(_record(line, where), where)
        if empty:
            raise PointsError(
                f'{path}: the file is empty; write lines such as {{"image": "a.png", "points": [[12, 7]]}}'
            )
        reader.check_fractions(str(path))
        return reader.collector.points(self.source_of(path))

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


def _record(line: str, where: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise PointsError(f"{where}: not JSON ({error}); write one object per line") from None
    if not isinstance(record, dict):
        raise PointsError(
            f'{where}: no object with a text "image"; write {{"image": "a.png", "points": [[x, y]]}}'
        )
    return record
