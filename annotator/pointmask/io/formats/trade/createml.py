"""CreateML JSON, as Apple reads it and Roboflow exports it: boxes, each clicked on in the middle.

``x`` and ``y`` of ``coordinates`` are the middle of the box, in pixels. An image without annotations holds no
target.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pointmask.errors import PointsError
from pointmask.io.formats.base import DocumentFormat
from pointmask.io.formats.labelled import NO_LABEL, LabelledTarget
from pointmask.io.formats.parts.decoding import peek
from pointmask.io.formats.parts.documents import (
    brief,
    head_keys,
    listing,
    mapping,
    number,
    rejecting,
    text,
)
from pointmask.io.formats.parts.json_stream import json_list
from pointmask.io.formats.parts.origin import Origin
from pointmask.io.formats.parts.per_image import Parsed, key_to_reject, new_key
from pointmask.io.formats.parts.shapes import boxed, label_of, score_of
from pointmask.io.images.source import ImageSource

_ORIGIN: Origin = "edge"
_IMAGE = ("image", "imagefilename")
_ANNOTATIONS = ("annotations", "annotation")
_FULL = re.compile(r'"annotations?"\s*:\s*\[\s*[^\s\]]')  # a list with something in it
_SNIFFED = 1 << 16
_NUMBERS = ("x", "y", "width", "height")


class CreateMl(DocumentFormat):
    """CreateML JSON."""

    name = "createml"
    description = "CreateML JSON"
    origin = _ORIGIN

    def sniff(self, path: Path) -> bool:
        """Say whether the file is a JSON list of images with annotations."""
        keys = head_keys(path)
        if "[" not in keys or not keys & {*_IMAGE} or not keys & {*_ANNOTATIONS}:
            return False
        head = peek(path, _SNIFFED)
        return '"coordinates"' in head or _FULL.search(head) is None

    def parsed(self, path: Path, rejected: dict[str, str], images: ImageSource | None) -> Iterator[Parsed]:
        """Yield the boxes of each image.

        Raises
        ------
        PointsError
            If the file is unreadable or no list of images with names.
        """
        seen: set[str] = set()
        for place, item in enumerate(json_list(path), 1):
            where = f"{path}: image {place}"
            image = mapping(item, where)
            name = text(next((image[key] for key in _IMAGE if key in image), None), f"{where}: its name")
            with rejecting(key_to_reject(name), rejected, f"{where}, {brief(name)}"):
                stored: object = next((image[key] for key in _ANNOTATIONS if key in image), [])
                targets = [_target(mapping(one, "an annotation")) for one in listing(stored, "annotations")]
                yield Parsed(new_key(name, seen), None, targets)


def _target(item: dict[str, Any]) -> LabelledTarget:
    place = mapping(item.get("coordinates"), "coordinates")
    x, y, width, height = (number(place.get(name), f"coordinates, {name}") for name in _NUMBERS)
    if width < 0 or height < 0:
        raise PointsError(f"a box of {width:g} x {height:g} pixels; correct it")
    label = item.get("label", NO_LABEL)
    corners = [(x - width / 2, y - height / 2), (x + width / 2, y + height / 2)]
    return boxed(
        corners, label_of(label) if isinstance(label, str) else None, score_of(item.get("confidence"))
    )
