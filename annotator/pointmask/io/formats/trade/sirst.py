"""The XML documents of SIRST-v2, one per image: centroids, boxes, or the word that there is no target.

``centroid`` (``xc``, ``yc``) is a click and ``bndbox`` a box, both counted from 1 like `voc`. An ``object``
with ``pixels`` and nothing else refers to a mask, and in the folder ``backgrounds`` to an empty one: its
image holds no target. A box beside ``pixels`` surrounds all targets of its image at once and says of none
where it is, so the masks are asked for instead.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from pointmask.errors import PointsError
from pointmask.io.formats.base import DocumentFormat
from pointmask.io.formats.folders._masks import holds_images
from pointmask.io.formats.labelled import LabelledTarget
from pointmask.io.formats.parts.documents import numbers
from pointmask.io.formats.parts.origin import Origin, to_pixel
from pointmask.io.formats.parts.per_image import Parsed, any_document, parse_each
from pointmask.io.formats.parts.shapes import label_of
from pointmask.io.formats.tools.voc import looks_like_sirst, parse_annotation, target_of_box
from pointmask.io.images.source import ImageSource
from pointmask.io.points.points import Point

_ORIGIN: Origin = "one-based"
_CENTROID = ("xc", "yc")
_BACKGROUND = re.compile(r"backgrounds?", re.IGNORECASE)


class Sirst(DocumentFormat):
    """SIRST-v2 XML."""

    name = "sirst"
    description = "SIRST XML"
    origin = _ORIGIN
    per_image = True

    def sniff(self, path: Path) -> bool:
        """Say whether documents hold centroids or pixels, and do not lie among the masks they refer to."""
        return any_document(path, ".xml", looks_like_sirst) and not holds_images(path)

    def parsed(self, path: Path, rejected: dict[str, str], images: ImageSource | None) -> Iterator[Parsed]:
        """Yield the targets of one document, or of each in a folder.

        Raises
        ------
        PointsError
            If the folder cannot be listed or holds no document. A document with a fault rejects its image.
        """
        return parse_each(path, ".xml", rejected, _parse)


def _parse(file: Path, folder: str) -> Parsed:
    key, shape, root = parse_annotation(file, folder)
    is_background = _BACKGROUND.fullmatch((root.findtext("folder") or "").strip()) is not None
    targets: list[LabelledTarget] = []
    for count, item in enumerate(root.iter("object")):
        targets += _targets(item, f"{file}: object {count}", is_background=is_background)
    return Parsed(key, shape, targets)


def _targets(item: Element, where: str, *, is_background: bool) -> list[LabelledTarget]:
    label = label_of((item.findtext("name") or "").strip())
    found = []
    for centroid in item.findall("centroid"):
        x, y = numbers([centroid.findtext(tag) for tag in _CENTROID], _CENTROID, f"{where}, centroid/")
        point = Point(to_pixel(y, _ORIGIN), to_pixel(x, _ORIGIN), label)
        found.append(LabelledTarget(point, None, None, label))
    if found:
        return found
    has_pixels, has_box = item.find("pixels") is not None, item.find("bndbox") is not None
    if has_box and not has_pixels:
        return [target_of_box(item, label, where)]
    if is_background and not has_box:
        return []
    what = "refers to a mask (<pixels>)" if has_pixels else "has neither <centroid> nor <bndbox>"
    around = ", and its box surrounds all targets of the image at once" if has_box and has_pixels else ""
    raise PointsError(
        f"{where} {what}{around}; give annotations/centroids or annotations/bboxes as points, or the folder "
        "of masks with --simulate centroid"
    )
