"""Plain JSON as scripts write it: a list of objects, or points by image.

``[{"image": "a.png", "points": [[x, y], ...]}, ...]``, ``[{"image": "a.png", "x": 1, "y": 2}, ...]``, or
``{"a.png": [[x, y], ...], "b.png": []}``. The objects are those of JSON lines; see
`pointmask.io.formats.parts.records`.
"""

import re
from pathlib import Path

from pointmask.errors import PointsError
from pointmask.io.formats.base import Format
from pointmask.io.formats.parts.decoding import peek
from pointmask.io.formats.parts.documents import brief, head_keys
from pointmask.io.formats.parts.json_stream import json_items
from pointmask.io.formats.parts.records import RecordReader, says_points
from pointmask.io.images.kinds import is_image_or_raw
from pointmask.io.images.source import ImageSource
from pointmask.io.points.points import Points

_SNIFFED = 1 << 12
_ENTRY = re.compile(r'\s*\{\s*"((?:[^"\\]|\\.)*)"\s*:\s*\[')


class PlainJson(Format):
    """A list of objects with points, or a dict of points by image."""

    name = "json"
    description = "plain JSON list or dict of points"
    abilities = frozenset({"read points"})
    origin = "index"

    def sniff(self, path: Path) -> bool:
        """Say whether the first object of a list names an image and points, or the first key is an image."""
        if not path.is_file():
            return False
        keys = head_keys(path)
        if "[" in keys:
            return says_points(keys - {"["})
        entry = _ENTRY.match(peek(path, _SNIFFED)) if "{" in keys else None
        return entry is not None and is_image_or_raw(entry[1])

    def read(self, path: Path, *, images: ImageSource | None = None) -> Points:
        """Read it.

        Raises
        ------
        PointsError
            If it is unreadable, not JSON, of another structure, or all numbers are fractions.
        """
        reader = RecordReader()
        for _, key, value in json_items(path):
            if isinstance(key, str):
                reader.add_list(key, value, f"{path}: {brief(key)}")
            elif key is None and not isinstance(value, (list, dict)):
                raise PointsError(
                    f"{path}: it holds {brief(value)}, neither a list nor an object; export it again"
                )
            elif key is not None:
                where = f"{path}: entry {key + 1}"
                if not isinstance(value, dict):
                    raise PointsError(
                        f'{where} is {brief(value)}; write {{"image": "a.png", "points": [[x, y]]}}'
                    )
                reader.add(value, where)
        reader.check_fractions(str(path))
        return reader.collector.points(self.source_of(path))
