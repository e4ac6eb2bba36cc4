"""VGG Image Annotator: JSON projects and annotations of VIA 2, projects of VIA 3.

Points are read, and rectangles, circles, ellipses and polygons, clicked on in the middle. An image without
any region says that it holds no target; one that has another shape is rejected, as a target would be
missing. A region's first attribute that is a text is its label.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from pointmask.errors import PointsError
from pointmask.io.formats.base import Format
from pointmask.io.formats.parts.columns import EMPTY
from pointmask.io.formats.parts.decoding import peek
from pointmask.io.formats.parts.documents import brief, listing, mapping, number, read_json, text
from pointmask.io.formats.parts.json_stream import json_items
from pointmask.io.formats.parts.origin import Origin, to_pixel
from pointmask.io.formats.parts.shapes import box_around, outlined
from pointmask.io.formats.parts.text import Collector
from pointmask.io.formats.sequences.per_image import add_points
from pointmask.io.images.source import ImageSource
from pointmask.io.notes import note
from pointmask.io.points.points import Point, Points

_ORIGIN: Origin = "edge"
_PROJECT = re.compile(r'\s*\{\s*"_via_')
_ANNOTATIONS = re.compile(r'\s*\{\s*"[^"]*"\s*:\s*\{[^{}\[\]]*("regions"|"filename"[^{}\[\]]*"size")\s*:')
_PROJECT_3 = re.compile(r'\s*\{\s*"project"\s*:\s*\{[^{}]*"pid"\s*:')
# VIA 3 numbers the shapes; of each its name and the names of its numbers in VIA 2.
_SHAPES_3 = {
    1: ("point", ("cx", "cy")),
    2: ("rect", ("x", "y", "width", "height")),
    3: ("circle", ("cx", "cy", "r")),
    4: ("ellipse", ("cx", "cy", "rx", "ry")),
}
_POLYGON_3 = 7
_KEYS_3 = ("project", "config", "attribute", "file", "metadata", "view")
_IMAGES_2 = "_via_img_metadata"


class Via(Format):
    """VGG Image Annotator."""

    name = "via"
    description = "VGG Image Annotator JSON"
    abilities = frozenset({"read points"})
    origin = _ORIGIN

    def sniff(self, path: Path) -> bool:
        """Say whether the file begins as VIA's JSON does."""
        if not path.is_file():
            return False
        head = peek(path)
        return any(pattern.match(head) for pattern in (_PROJECT, _ANNOTATIONS, _PROJECT_3))

    def read(self, path: Path, *, images: ImageSource | None = None) -> Points:
        """Read the point regions.

        Raises
        ------
        PointsError
            If the file is unreadable or not VIA's JSON, or an image has no name.
        """
        collector = Collector()
        for name, regions in _images(path):
            where = f"{path}: image {brief(name)}"
            try:
                points = [_region(item, where) for item in regions]
            except PointsError as error:
                collector.reject(name, where, str(error))
                continue
            add_points(collector, name, points, where)
        return collector.points(self.source_of(path))


def _images(path: Path) -> Iterator[tuple[str, list[Any]]]:
    """Yield name and regions of each image; raises as `Via.read`."""
    first = ""
    has_images = False
    for inside, key, value in json_items(path, (_IMAGES_2,)):
        if key is None:
            mapping(value, f"{path}: {inside or 'the document'}")
            has_images = has_images or inside == _IMAGES_2
            continue
        first = first or str(key)
        if first in _KEYS_3:
            try:
                yield from _images_3(mapping(read_json(path), f"{path}: the document"))
            except PointsError as error:
                raise PointsError(f"{path}: {error}") from None
            return
        if inside or not first.startswith("_via_"):
            yield _image_2(value, f"of image {brief(key)} in {path}")
            has_images = True
        elif key == _IMAGES_2:
            mapping(value, f"{path}: {key}")
    if first and not has_images:
        raise PointsError(f"{path}: no {_IMAGES_2}, so it has no images; save the project again")


def _region(item: object, where: str) -> Point | None:
    """Return the point of a region, or the middle of another shape; None for an empty rectangle."""
    region = mapping(item, "a region")
    shape = mapping(region.get("shape_attributes"), "shape_attributes")
    kind = text(shape.get("name"), "name of a shape")
    label = next((v for v in _values(region.get("region_attributes")) if isinstance(v, str) and v), None)
    if kind == "point":
        col, row = (to_pixel(number(shape.get(name), name), _ORIGIN) for name in ("cx", "cy"))
        return Point(row, col, label)
    if kind in ("polygon", "polyline") and (kind == "polygon" or _is_closed(shape)):
        xs, ys = (listing(shape.get(f"all_points_{axis}"), f"all_points_{axis}") for axis in "xy")
        if len(xs) != len(ys):
            raise PointsError(f"a polygon has {len(xs)} x and {len(ys)} y; correct it")
        corners = [(number(x, "a corner"), number(y, "a corner")) for x, y in zip(xs, ys, strict=True)]
        patch = outlined(corners, None, "a polygon")
        middle = box_around(corners)[0] if patch is None else patch.centre
    elif kind == "rect":
        x, y, width, height = (number(shape.get(name), name) for name in ("x", "y", "width", "height"))
        if not width and not height:
            note(EMPTY, where)
            return None
        middle = box_around([(x, y), (x + width, y + height)])[0]
    elif kind in ("circle", "ellipse"):
        x, y = (number(shape.get(name), name) for name in ("cx", "cy"))
        middle = box_around([(x, y)])[0]
    else:
        raise PointsError(
            f"has a {brief(kind)}, which is not read, so that a target would be missing; mark it with a "
            "point, rectangle, circle, ellipse or polygon, or delete it"
        )
    note("boxes and outlines are clicked on in the middle", where)
    return replace(middle, label=label)


def _is_closed(shape: dict[str, Any]) -> bool:
    """Say whether a line ends where it begins."""
    xs, ys = shape.get("all_points_x"), shape.get("all_points_y")
    return isinstance(xs, list) and isinstance(ys, list) and xs[:1] == xs[-1:] and ys[:1] == ys[-1:]


def _values(attributes: object) -> list[object]:
    return list(attributes.values()) if isinstance(attributes, dict) else []


def _image_2(item: object, where: str) -> tuple[str, list[Any]]:
    """Return name and regions of an image of VIA 2 or 1."""
    image = mapping(item, f"entry {where}")
    regions = image.get("regions", [])
    if isinstance(regions, dict):  # VIA 1 numbers them
        regions = list(regions.values())
    return text(image.get("filename"), f"filename {where}"), listing(regions, f"regions {where}")


def _images_3(document: dict[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    """Yield the same of a project of VIA 3, in which views show files and regions belong to views."""
    names = {}
    for key, item in mapping(document.get("view"), "view").items():
        shown = listing(mapping(item, f"view {brief(key)}").get("fid_list"), f"fid_list of view {brief(key)}")
        if len(shown) != 1:
            raise PointsError(f"view {brief(key)} shows {len(shown)} files; only views of one image are read")
        file = mapping(document.get("file"), "file").get(str(shown[0]))
        names[key] = text(mapping(file, f"file {brief(shown[0])}").get("fname"), "fname")
    regions: dict[str, list[Any]] = {key: [] for key in names}
    for key, item in mapping(document.get("metadata"), "metadata").items():
        entry = mapping(item, f"metadata {brief(key)}")
        view = str(entry.get("vid"))
        if view not in regions:
            raise PointsError(f"metadata {brief(key)} belong to view {brief(view)}, which is not there")
        regions[view].append(_as_in_2(entry, document.get("attribute")))
    for key, name in names.items():
        yield name, regions[key]


def _as_in_2(entry: dict[str, Any], attributes: object) -> dict[str, Any]:
    """Return a region of VIA 3 in the form of VIA 2; its shape is a number and coordinates."""
    numbers = entry.get("xy")
    shape: dict[str, Any] = {}
    if entry.get("z"):
        shape = {"name": "segment of a video"}
    elif isinstance(numbers, list) and numbers:
        name, fields = _SHAPES_3.get(numbers[0], ("", ())) if isinstance(numbers[0], int) else ("", ())
        shape = {"name": f"shape of number {brief(numbers[0])}"}
        if numbers[0] == _POLYGON_3:
            shape = {"name": "polygon", "all_points_x": numbers[1::2], "all_points_y": numbers[2::2]}
        elif name and len(numbers) == 1 + len(fields):
            shape = {"name": name, **dict(zip(fields, numbers[1:], strict=True))}
    return {"shape_attributes": shape, "region_attributes": _labels_3(entry.get("av"), attributes)}


def _labels_3(values: object, attributes: object) -> dict[str, object]:
    """Return the values of attributes; those chosen from options are stored by the option's number."""
    if not isinstance(values, dict):
        return {}
    known = attributes if isinstance(attributes, dict) else {}
    found = {}
    for key, value in values.items():
        attribute = known.get(key)
        options = attribute.get("options") if isinstance(attribute, dict) else None
        found[key] = options.get(str(value), value) if isinstance(options, dict) else value
    return found
