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
from pointmask.io.formats.parts.documents import brief, head_keys, read_json
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
        content = read_json(path)
        reader = RecordReader()
        if isinstance(content, dict):
            for image, items in content.items():
                reader.add_list(image, items, f"{path}: {brief(image)}")
        elif isinstance(content, list):
            for count, record in enumerate(content, 1):
                where = f"{path}: entry {count}"
                if not isinstance(record, dict):
                    raise PointsError(
                        f'{where} is {brief(record)}; write {{"image": "a.png", "points": [[x, y]]}}'
                    )
                reader.add(record, where)
        else:
            raise PointsError(
                f"{path}: it holds {brief(content)}, neither a list nor an object; export it again"
            )
        reader.check_fractions(str(path))
        return reader.collector.points(self.source_of(path))
