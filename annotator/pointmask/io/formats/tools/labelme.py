"""LabelMe JSON, one document per image: ``point`` and ``mask`` shapes, polygons and boxes.

A ``point`` is a click. A ``mask`` is a box with a PNG; a polygon encloses the pixels whose centres lie in
it; both are masks, clicked on in the middle unless a point has the same ``group_id``. Rectangles, also of
four corners and turned ones (``rotation``) as X-AnyLabeling writes them, quadrilaterals and circles are
boxes, clicked on in the middle unless a point has their ``group_id``. A document without shapes says that
its image holds no target; one with any other shape is rejected.

Written documents open in LabelMe 5 to 7: ``imageData`` is null, ``imagePath`` leads to the image if its
folder is known, and what LabelMe has no field for stands under ``pointmask``, which it keeps.
"""

import base64
import binascii
import json
import math
import os
import posixpath
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from pointmask.errors import ImageError, PointsError
from pointmask.io.formats.base import DEFAULTS, EVERYTHING, DocumentFormat, WriteOptions
from pointmask.io.formats.labelled import NO_LABEL, LabelledImage, LabelledTarget, Patch, Shape
from pointmask.io.formats.parts.decoding import peek
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
from pointmask.io.formats.parts.origin import Origin, from_pixel, to_pixel
from pointmask.io.formats.parts.per_image import (
    Parsed,
    any_document,
    document_key,
    document_name,
    parse_each,
    write_new,
)
from pointmask.io.formats.parts.shapes import (
    box_of_edges,
    boxed,
    known_size,
    label_of,
    outlined,
    score_of,
)
from pointmask.io.images.array import decode, encode_png
from pointmask.io.images.source import ImageSource
from pointmask.io.points.names import clean_key
from pointmask.io.points.points import Point

_ORIGIN: Origin = "edge"
_XY = (", x of a corner", ", y of a corner")
_KEYS = frozenset(("version", "flags", "imagePath", "imageData", "imageHeight", "imageWidth"))
_LONGEST = 1000  # letters of a label that is no text
_VERSION = "5.5.0"
"""Of the documents written: the oldest release with all fields of a mask shape."""


class LabelMe(DocumentFormat):
    """LabelMe JSON."""

    name = "labelme"
    description = "LabelMe JSON"
    abilities = frozenset({"read points", "read masks", "write masks"})
    holds = EVERYTHING
    origin = _ORIGIN
    layout = "folder"
    saved_as = "labelme"
    per_image = True

    def sniff(self, path: Path) -> bool:
        """Say whether the file, or one of the first in the folder, begins like a LabelMe document."""
        return any_document(path, ".json", _looks_like_labelme)

    def parsed(self, path: Path, rejected: dict[str, str], images: ImageSource | None) -> Iterator[Parsed]:
        """Yield the shapes of one document, or of each in a folder.

        Raises
        ------
        PointsError
            If the folder cannot be listed or holds no document. A document with a fault rejects its image.
        """
        return parse_each(path, ".json", rejected, _parse)

    def write_masks(
        self,
        images: Iterable[LabelledImage],
        path: Path,
        *,
        source: ImageSource | None = None,
        options: WriteOptions = DEFAULTS,
    ) -> None:
        """Write one document per image into a folder.

        Parameters
        ----------
        images : iterable of LabelledImage
            Two of them must differ in more than the suffix of their names.
        path : Path
            Folder; created if need be.
        source : ImageSource, optional
            The images, so that LabelMe finds them.

        Raises
        ------
        OutputError
            If a document exists or cannot be written.
        """
        for image in images:
            file = path / document_name(image.key, ".json")
            height, width = image.shape
            targets = enumerate(image.targets, 1)
            content = {
                "version": _VERSION,
                "flags": {},
                "shapes": [shape for number, one in targets for shape in _shapes_of(one, number)],
                "imagePath": _path_to(image.image, file, source),
                "imageData": None,
                "imageHeight": height,
                "imageWidth": width,
                "pointmask": {"image": image.image, "frame": image.frame},
            }
            write_new(json.dumps(content, indent=2, ensure_ascii=False) + "\n", file)


def _looks_like_labelme(file: Path) -> bool:
    """Say whether a document has shapes and something else that LabelMe writes."""
    keys = head_keys(file)
    return keys >= {"{", "shapes"} and (bool(keys & _KEYS) or '"shape_type"' in peek(file))


def _path_to(name: str, document: Path, source: ImageSource | None) -> str:
    if source is None:
        return posixpath.basename(name)
    return Path(os.path.relpath(source.root / name, document.parent)).as_posix()


def _shapes_of(target: LabelledTarget, group: int) -> Iterator[dict[str, Any]]:
    fields = {"label": target.label or NO_LABEL, "group_id": group, "description": "", "flags": {}}
    if target.confidence is not None:
        fields["score"] = target.confidence
    if target.point is not None:
        corner = [from_pixel(target.point.col, _ORIGIN), from_pixel(target.point.row, _ORIGIN)]
        yield fields | {"shape_type": "point", "points": [corner], "mask": None}
    if target.box is not None:
        top, left, bottom, right = target.box
        yield fields | {"shape_type": "rectangle", "points": [[left, top], [right, bottom]], "mask": None}
    if target.patch is not None:
        top, left, bottom, right = target.patch.box
        # LabelMe's box of a mask includes its last row and column.
        corners = [[left, top], [right - 1, bottom - 1]]
        png = base64.b64encode(encode_png(target.patch.pixels)).decode("ascii")
        yield fields | {"shape_type": "mask", "points": corners, "mask": png}


def _parse(file: Path, folder: str) -> Parsed:
    fields = mapping(read_json(file), str(file))
    if "shapes" not in fields:
        raise PointsError(f'{file}: no "shapes", so this is no LabelMe document; move it elsewhere')
    shape = _shape_of(fields, str(file))
    return Parsed(_key_of(fields, folder, str(file)), shape, _targets(fields, shape, str(file)))


def _key_of(fields: dict[str, Any], folder: str, where: str) -> str:
    ours = fields.get("pointmask")
    if isinstance(ours, dict) and "image" in ours:
        key = clean_key(text(ours["image"], f"{where}: the image under pointmask"))
        frame = whole(ours.get("frame", 0), f"{where}: the frame under pointmask")
        return f"{key}#{frame}" if frame else key
    if not fields.get("imagePath"):
        return document_key(Path(where), folder)
    name = text(fields["imagePath"], f"{where}: imagePath").replace("\\", "/")
    if name.startswith("/") or name[1:2] == ":":
        name = posixpath.basename(name)  # of somebody else's machine
    # Documents often lie beside the folder of images: ../images/a.png
    return clean_key(posixpath.normpath(posixpath.join("/", folder, name)))


def _shape_of(fields: dict[str, Any], where: str) -> Shape | None:
    height, width = fields.get("imageHeight"), fields.get("imageWidth")
    return known_size(height, width, where)


def _targets(fields: dict[str, Any], shape: Shape | None, where: str) -> list[LabelledTarget]:
    """Return the targets of a document; a point and a mask of one group are one target."""
    found: list[LabelledTarget] = []
    members: defaultdict[Hashable, list[LabelledTarget]] = defaultdict(list)
    for count, item in enumerate(listing(fields["shapes"], f"{where}: shapes")):
        what = f"{where}: shape {count}"
        record = mapping(item, what)
        target = _target(record, shape, what)
        if target is None:
            continue
        group = record.get("group_id")
        if isinstance(group, (int, float, str)) and group != "":
            members[group].append(target)
        else:
            found.append(target)
    for group_members in members.values():
        found.extend(_joined(group_members))
    return found


def _joined(members: list[LabelledTarget]) -> list[LabelledTarget]:
    clicks = [target for target in members if target.patch is None and target.box is None]
    rest = [target for target in members if target.patch is not None or target.box is not None]
    if len(clicks) == len(rest) == 1:
        return [replace(rest[0], point=clicks[0].point)]
    return members


def _target(record: dict[str, Any], shape: Shape | None, what: str) -> LabelledTarget | None:
    """Return what one shape stands for; None for an empty mask."""
    named = record.get("label")
    label = None if named is None else label_of(str(named)[:_LONGEST])
    confidence = score_of(record.get("score"))
    kind = record.get("shape_type", "polygon")  # as LabelMe 3 left it out
    corners = [_corner(pair, what) for pair in listing(record.get("points"), what)]
    if kind == "point" and len(corners) == 1:
        return LabelledTarget(_point(*corners[0], label), None, confidence, label)
    if kind in ("rectangle", "circle") and len(corners) == 2:
        (x0, y0), (x1, y1) = corners if kind == "rectangle" else _around(*corners)
        box = box_of_edges(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
        return LabelledTarget(_point((x0 + x1) / 2, (y0 + y1) / 2, label), None, confidence, box=box)
    if kind in ("rectangle", "rotation", "quadrilateral") and len(corners) == 4:
        return boxed(corners, label, confidence)
    if kind == "mask" and len(corners) == 2:
        patch = _patch(record.get("mask"), corners, what)
    elif kind == "polygon" and len(corners) > 2:
        patch = outlined(corners, shape, what)
        if patch is None:  # it holds the middle of no pixel
            return boxed(corners, label, confidence)
    else:
        raise PointsError(
            f"{what} is a {brief(kind)} with {len(corners)} corners; read are points, masks, polygons, "
            "rectangles (also turned) and circles: delete it, or draw one of these"
        )
    return None if patch is None else LabelledTarget(None, patch, confidence, label)


def _around(
    centre: tuple[float, float], edge: tuple[float, float]
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return two corners of the square around a circle, given by its centre and a point of its edge."""
    (x, y), radius = centre, math.dist(centre, edge)
    return (x - radius, y - radius), (x + radius, y + radius)


def _corner(pair: object, what: str) -> tuple[float, float]:
    values = listing(pair, what)
    if len(values) != 2:
        raise PointsError(f"a corner of {what} has {len(values)} numbers; write [x, y]")
    x, y = numbers(values, _XY, what)
    return x, y


def _point(x: float, y: float, label: str | None) -> Point:
    return Point(to_pixel(y, _ORIGIN), to_pixel(x, _ORIGIN), label)


def _patch(value: object, corners: list[tuple[float, float]], what: str) -> Patch | None:
    try:
        png = base64.b64decode(text(value, f"the mask of {what}"), validate=True)
        pixels = decode(png, f"the mask of {what}") != 0
    except (binascii.Error, ImageError, ValueError) as error:
        if isinstance(error, PointsError):
            raise
        raise PointsError(f"the mask of {what} is no PNG in base64 ({error}); save it again") from None
    (x0, y0), (x1, y1) = corners
    height, width = pixels.shape
    if not (0 <= width - (x1 - x0) < 2 and 0 <= height - (y1 - y0) < 2) or min(x0, y0) < 0:
        raise PointsError(
            f"the mask of {what} has {width} x {height} pixels, but its box goes from {corners[0]} to "
            f"{corners[1]}; save it again"
        )
    return Patch.crop(pixels, to_pixel(y0, _ORIGIN), to_pixel(x0, _ORIGIN))
