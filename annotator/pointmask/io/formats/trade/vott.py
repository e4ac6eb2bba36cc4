"""VoTT JSON: an export of all assets in one document, or a document per asset (``...-asset.json``).

Rectangles and squares are clicked on in the middle, polygons are masks, points are clicks. A visited asset
without regions holds no target; one that nobody visited is left out.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from pointmask.errors import PointsError
from pointmask.io.formats.base import DocumentFormat
from pointmask.io.formats.labelled import LabelledTarget, Shape
from pointmask.io.formats.parts.decoding import peek
from pointmask.io.formats.parts.documents import (
    brief,
    head_keys,
    listing,
    mapping,
    number,
    read_json,
    rejecting,
    text,
)
from pointmask.io.formats.parts.json_stream import json_items
from pointmask.io.formats.parts.origin import Origin, to_pixel
from pointmask.io.formats.parts.per_image import Parsed, any_document, key_to_reject, new_key, parse_each
from pointmask.io.formats.parts.shapes import boxed, known_size, label_of, outlined
from pointmask.io.images.source import ImageSource
from pointmask.io.points.points import Point

_ORIGIN: Origin = "edge"
_NOT_VISITED = 0
_SNIFFED = 1 << 16


class Vott(DocumentFormat):
    """VoTT JSON."""

    name = "vott"
    description = "VoTT JSON"
    origin = _ORIGIN

    def sniff(self, path: Path) -> bool:
        """Say whether the file is an export with assets, or a document of one asset, or holds these."""
        if path.is_file() and head_keys(path) >= {"{", "assets"}:
            return '"asset"' in peek(path, _SNIFFED)
        return any_document(path, ".json", lambda file: head_keys(file) >= {"{", "asset", "regions"})

    def parsed(self, path: Path, rejected: dict[str, str], images: ImageSource | None) -> Iterator[Parsed]:
        """Yield the regions of each asset.

        Raises
        ------
        PointsError
            If the file is unreadable or no such document, or the folder holds none.
        """
        if path.is_dir():
            yield from parse_each(
                path, ".json", rejected, lambda file, _: _asset(mapping(read_json(file), str(file)))
            )
            return
        seen: set[str] = set()
        for key, item in _assets(path):
            record = mapping(item, f"{path}: asset {brief(key)}")
            name = _name(record, f"{path}: asset {brief(key)}")
            with rejecting(key_to_reject(name), rejected, f"{path}: asset {brief(name)}"):
                found = _asset(record)
                visited = mapping(record.get("asset"), "asset").get("state") != _NOT_VISITED
                if found.targets or visited:
                    yield found._replace(key=new_key(name, seen))


def _assets(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield key and content of each asset; a document of one asset has it without key."""
    single: dict[str, Any] = {}
    is_export = False
    for inside, key, value in json_items(path, ("assets",)):
        if inside and key is not None:
            yield str(key), value
        elif inside or key == "assets":
            is_export = True
            mapping(value, f"{path}: assets")
        elif isinstance(key, str):
            single[key] = value
        else:
            mapping(value, str(path))
    if not is_export:
        yield "", single


def _document(file: Path, _: str) -> Parsed:
    return _asset(mapping(read_json(file), str(file)))


def _name(record: dict[str, Any], where: str) -> str:
    asset = mapping(record.get("asset"), f"{where}: asset")
    return unquote(text(asset.get("name"), f"{where}: its name"))


def _asset(record: dict[str, Any]) -> Parsed:
    asset = mapping(record.get("asset"), "asset")
    size = asset.get("size")
    shape = known_size(size.get("height"), size.get("width"), "its size") if isinstance(size, dict) else None
    regions = listing(record.get("regions", []), "regions")
    targets = [_target(mapping(item, "a region"), shape) for item in regions]
    return Parsed(key_to_reject(_name(record, "the document")), shape, targets)


def _target(region: dict[str, Any], shape: Shape | None) -> LabelledTarget:
    tags = region.get("tags")
    label = label_of(tags[0]) if isinstance(tags, list) and tags and isinstance(tags[0], str) else None
    kind = str(region.get("type")).upper()
    box = region.get("boundingBox")
    if kind in ("RECTANGLE", "SQUARE") and isinstance(box, dict):
        left, top, width, height = (
            number(box.get(name), name) for name in ("left", "top", "width", "height")
        )
        return boxed([(left, top), (left + width, top + height)], label)
    corners = []
    for item in listing(region.get("points"), "points of a region"):
        corner = mapping(item, "a point of a region")
        corners.append((number(corner.get("x"), "x"), number(corner.get("y"), "y")))
    if kind == "POINT" and len(corners) == 1:
        return LabelledTarget(
            Point(to_pixel(corners[0][1], _ORIGIN), to_pixel(corners[0][0], _ORIGIN), label), None
        )
    if kind in ("RECTANGLE", "SQUARE"):
        return boxed(corners, label)
    if kind != "POLYGON":
        raise PointsError(
            f"has a {brief(kind)} of {len(corners)} points, which is not read, so that a target would be "
            "missing; mark it with a rectangle, polygon or point, or delete it"
        )
    patch = outlined(corners, shape, "a polygon")
    return boxed(corners, label) if patch is None else LabelledTarget(None, patch, None, label)
