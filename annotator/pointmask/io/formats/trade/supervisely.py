"""Supervisely JSON: a document per image, called like it (``a.png.json``), in ``ann`` beside ``img``.

``point`` is a click; ``rectangle`` is clicked on in the middle; ``polygon`` and ``bitmap`` (a PNG,
compressed, in base64) are masks. Coordinates are indices of pixels from 0: a rectangle includes its last row
and column, and a polygon the pixels on its outline, as Supervisely's own masks do. A document without objects
says that its image holds no target; one with any other shape is rejected.
"""

import base64
import io
import posixpath
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from pointmask.errors import PointsError
from pointmask.io.formats.base import DocumentFormat
from pointmask.io.formats.encodings.rle import MOST_PIXELS
from pointmask.io.formats.labelled import LabelledTarget, Patch, Shape
from pointmask.io.formats.parts.documents import (
    brief,
    head_keys,
    listing,
    mapping,
    numbers,
    read_json,
    text,
    whole,
)
from pointmask.io.formats.parts.origin import Origin, to_pixel
from pointmask.io.formats.parts.per_image import Parsed, any_document, parse_each
from pointmask.io.formats.parts.shapes import box_around, boxed, known_size, label_of, size_of
from pointmask.io.images.source import ImageSource
from pointmask.io.points.names import clean_key
from pointmask.io.points.points import Point

_ORIGIN: Origin = "index"
_XY = (", x of a corner", ", y of a corner")
_OF_PROJECT = ("meta.json", "obj_class_to_machine_color.json", "key_id_map.json")
_LONGEST_PNG = 1 << 26


class Supervisely(DocumentFormat):
    """Supervisely JSON."""

    name = "supervisely"
    description = "Supervisely JSON"
    origin = _ORIGIN
    per_image = True

    def sniff(self, path: Path) -> bool:
        """Say whether the file, or one of the first in the folder, begins like Supervisely's."""
        return any_document(path, ".json", lambda file: head_keys(file) >= {"{", "objects", "size"})

    def parsed(self, path: Path, rejected: dict[str, str], images: ImageSource | None) -> Iterator[Parsed]:
        """Yield the objects of one document, or of each in a folder.

        Raises
        ------
        PointsError
            If the folder cannot be listed or holds no document. A document with a fault rejects its image.
        """
        return parse_each(path, ".json", rejected, _parse, _OF_PROJECT)


def _parse(file: Path, folder: str) -> Parsed:
    fields = mapping(read_json(file), str(file))
    if "objects" not in fields:
        raise PointsError(f'{file}: no "objects", so this is no Supervisely document; move it elsewhere')
    size = fields.get("size")
    sides = (size.get("height"), size.get("width")) if isinstance(size, dict) else (None, None)
    shape = known_size(*sides, f"the size in {file}")
    objects = listing(fields["objects"], f"{file}: objects")
    found = [_target(item, shape, f"{file}: object {place}") for place, item in enumerate(objects)]
    # In a project the images lie in img/ beside ann/.
    parent, last = posixpath.split(folder)
    data_set = parent if last == "ann" else folder
    names = tuple(
        clean_key(posixpath.join(*parts, file.stem)) for parts in ((data_set, "img"), (data_set,), ("",))
    )
    return Parsed(names[1], shape, [target for target in found if target is not None], names)


def _target(stored: object, shape: Shape | None, where: str) -> LabelledTarget | None:
    """Return what one object stands for; None for a mask without a pixel in the image."""
    item = mapping(stored, where)
    title = item.get("classTitle")
    label = label_of(title) if isinstance(title, str) else None
    kind = item.get("geometryType")
    if kind == "bitmap":
        patch = _bitmap(mapping(item.get("bitmap"), f"{where}: bitmap"), where)
        return None if patch is None else LabelledTarget(None, patch, None, label)
    points = mapping(item.get("points", {}), where)
    corners = [_corner(pair, where) for pair in listing(points.get("exterior", []), where)]
    if kind == "point" and len(corners) == 1:
        x, y = corners[0]
        return LabelledTarget(Point(to_pixel(y, _ORIGIN), to_pixel(x, _ORIGIN), label), None, None, label)
    if kind == "rectangle" and len(corners) == 2:
        (x0, y0), (x1, y1) = corners
        return boxed([(min(x0, x1), min(y0, y1)), (max(x0, x1) + 1, max(y0, y1) + 1)], label)
    if kind == "polygon" and len(corners) > 2:
        holes = listing(points.get("interior", []), f"{where}: interior")
        inner = [[_corner(pair, where) for pair in listing(hole, f"{where}: interior")] for hole in holes]
        patch = _filled(corners, inner, shape, where)
        return None if patch is None else LabelledTarget(None, patch, None, label)
    raise PointsError(
        f"{where} is a {brief(kind)} of {len(corners)} corners; read are points, rectangles, polygons and "
        "bitmaps: delete it, or draw one of these"
    )


def _corner(pair: object, where: str) -> tuple[float, float]:
    values = listing(pair, where)
    if len(values) != 2:
        raise PointsError(f"{where}: a corner of {len(values)} numbers; write [x, y]")
    x, y = numbers(values, _XY, where)
    return x, y


def _filled(
    outer: list[tuple[float, float]], inner: list[list[tuple[float, float]]], shape: Shape | None, where: str
) -> Patch | None:
    """Return the pixels in and on a polygon, without its holes; None if none lies in the image."""
    top, left, bottom, right = box_around(outer)[1]
    height, width = shape or (bottom + 1, right + 1)
    row, col = max(top, 0), max(left, 0)
    size = min(right + 1, width) - col, min(bottom + 1, height) - row
    if min(size) < 1:
        return None
    if size[0] * size[1] > MOST_PIXELS:
        raise PointsError(f"{where}: a polygon of more than {MOST_PIXELS:,} pixels; correct it")
    mask = Image.new("L", size)
    draw = ImageDraw.Draw(mask)
    for corners, fill in ((outer, 1), *((hole, 0) for hole in inner if len(hole) > 2)):
        draw.polygon([(round(x) - col, round(y) - row) for x, y in corners], fill=fill, outline=fill)
    return Patch.crop(np.asarray(mask) != 0, row, col)


def _bitmap(fields: dict[str, Any], where: str) -> Patch | None:
    col, row = (whole(value, f"{where}: origin") for value in _pair(fields.get("origin"), where))
    try:
        packed = base64.b64decode(text(fields.get("data"), f"{where}: data"), validate=True)
        png = zlib.decompressobj().decompress(packed, _LONGEST_PNG)
        with Image.open(io.BytesIO(png), formats=("PNG",)) as image:
            size_of(image.height, image.width, f"the bitmap of {where}")
            bands = image.getbands()
            pixels = np.asarray(image.getchannel("A") if "A" in bands else image.convert("L")) != 0
    except PointsError:
        raise
    except (
        zlib.error,
        OSError,
        ValueError,
        SyntaxError,
        Image.DecompressionBombError,
    ) as error:
        raise PointsError(
            f"{where}: its bitmap is no compressed PNG in base64 ({str(error)[:200]}); export it again"
        ) from None
    return Patch.crop(pixels, row, col)


def _pair(value: object, where: str) -> list[Any]:
    items = listing(value, f"{where}: origin")
    if len(items) != 2:
        raise PointsError(f"{where}: an origin of {len(items)} numbers; write [x, y]")
    return items
