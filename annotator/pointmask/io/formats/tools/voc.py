"""Pascal VOC XML, one document per image: boxes, of which the middle is the click.

``xmin`` to ``xmax`` count pixels from 1 and include both ends, as the VOC kit has it. An object's ``point``
element, if it has one, is the click itself, counted likewise. The turned boxes of roLabelImg (``robndbox``)
and outlines without box (``polygon``, also as in MIT's LabelMe) are clicked on in the middle; their numbers
count from the outer edge of the first pixel. A document without objects says that
its image holds no target; a size of 0 says nothing.
"""

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from pointmask.errors import PointsError
from pointmask.io.formats.base import DEFAULTS, DocumentFormat, WriteOptions
from pointmask.io.formats.labelled import NO_LABEL, Box, LabelledImage, LabelledTarget, Shape
from pointmask.io.formats.parts.decoding import peek
from pointmask.io.formats.parts.documents import number, numbers, read_xml
from pointmask.io.formats.parts.origin import Origin, from_pixel, to_pixel
from pointmask.io.formats.parts.per_image import (
    Parsed,
    any_document,
    document_name,
    parse_each,
    write_new,
)
from pointmask.io.formats.parts.shapes import box_of_edges, boxed, known_size, label_of
from pointmask.io.images.source import ImageSource
from pointmask.io.points.names import clean_key
from pointmask.io.points.points import Point

_ORIGIN: Origin = "one-based"
_ROOT = re.compile(r"\s*(<\?xml[^>]*\?>)?\s*(<!--.*?-->\s*)*<annotation[\s>]", re.DOTALL)
_OURS = re.compile(r"<(filename|bndbox|robndbox|size|path|object)[\s/>]")
_SIRST = re.compile(r"<(centroid|pixels)[\s/>]")


class Voc(DocumentFormat):
    """Pascal VOC XML."""

    name = "voc"
    description = "Pascal VOC XML"
    abilities = frozenset({"read points", "read masks", "write masks"})
    holds = frozenset({"points", "boxes", "instances", "labels", "frames", "empty"})
    origin = _ORIGIN
    layout = "folder"
    saved_as = "voc"
    per_image = True

    def sniff(self, path: Path) -> bool:
        """Say whether the file, or one of the first in the folder, begins like VOC, and none like SIRST's."""
        return any_document(path, ".xml", looks_like_voc) and not any_document(path, ".xml", looks_like_sirst)

    def parsed(self, path: Path, rejected: dict[str, str], images: ImageSource | None) -> Iterator[Parsed]:
        """Yield the points and boxes, which are no masks, of one document, or of each in a folder.

        Raises
        ------
        PointsError
            If the folder cannot be listed or holds no document. A document with a fault rejects its image.
        """
        return parse_each(path, ".xml", rejected, _parse)

    def write_masks(
        self,
        images: Iterable[LabelledImage],
        path: Path,
        *,
        source: ImageSource | None = None,
        options: WriteOptions = DEFAULTS,
    ) -> None:
        """Write one document per image into a folder; the box of a target without mask is its pixel.

        Raises
        ------
        OutputError
            If a document exists, as when images differ in their suffix alone, or cannot be written.
        """
        for image in images:
            root = _document(image)
            indent(root)
            content = tostring(root, encoding="unicode") + "\n"
            write_new(content, path / document_name(image.key, ".xml"))


def looks_like_voc(file: Path) -> bool:
    """Say whether a document has the root ``annotation`` and something that VOC has in it."""
    head = peek(file)
    return _ROOT.match(head) is not None and _OURS.search(head) is not None


def looks_like_sirst(file: Path) -> bool:
    """Say whether a document has the root ``annotation`` and centroids or pixels."""
    head = peek(file)
    return _ROOT.match(head) is not None and _SIRST.search(head) is not None


def _document(image: LabelledImage) -> Element:
    root = Element("annotation")
    folder, _, name = image.key.rpartition("/")
    _add(root, "folder", folder)
    _add(root, "filename", name)
    height, width = image.shape
    size = SubElement(root, "size")
    for tag, value in (("width", width), ("height", height), ("depth", 1)):
        _add(size, tag, value)
    _add(root, "segmented", 0)
    for target in image.targets:
        box = target.extent
        if box is not None:
            _add_object(root, target, box)
    return root


def _add_object(root: Element, target: LabelledTarget, box: Box) -> None:
    item = SubElement(root, "object")
    for tag, text in (
        ("name", target.label or NO_LABEL),
        ("pose", "Unspecified"),
        ("truncated", 0),
        ("difficult", 0),
    ):
        _add(item, tag, text)
    bounds = SubElement(item, "bndbox")
    # Half-open from 0 to closed from 1: the upper bounds stay as they are.
    for tag, bound in (
        ("xmin", box.left + 1),
        ("ymin", box.top + 1),
        ("xmax", box.right),
        ("ymax", box.bottom),
    ):
        _add(bounds, tag, bound)
    if target.point is not None:
        point = SubElement(item, "point")
        _add(point, "x", from_pixel(target.point.col, _ORIGIN))
        _add(point, "y", from_pixel(target.point.row, _ORIGIN))


def _add(parent: Element, tag: str, text: object) -> None:
    SubElement(parent, tag).text = str(text)


def _parse(file: Path, folder: str) -> Parsed:
    key, shape, root = parse_annotation(file, folder)
    objects = enumerate(root.iter("object"))
    return Parsed(key, shape, [_target(item, f"{file}: object {count}") for count, item in objects])


def parse_annotation(file: Path, folder: str) -> tuple[str, Shape | None, Element]:
    """Return key, size if the document knows it, and root element; a fault raises PointsError."""
    root = read_xml(file)
    if root.tag != "annotation":
        raise PointsError(f"{file}: its root element is not <annotation>, so this is no VOC document")
    named = (root.findtext("filename") or "").strip()
    key = clean_key(posixpath.join(folder, named or file.stem))
    size = root.find("size")
    where = f"the size in {file}"
    shape = None if size is None else known_size(size.findtext("height"), size.findtext("width"), where)
    return key, shape, root


def _target(item: Element, where: str) -> LabelledTarget:
    """Return the click, or the middle of what surrounds the target."""
    label = label_of((item.findtext("name") or "").strip())
    boxes = len(item.findall("bndbox"))
    if boxes > 1:
        raise PointsError(f"{where}: {boxes} boxes; write one <object> for each target")
    if not boxes:
        return _without_box(item, label, where)
    return target_of_box(item, label, where)


def _without_box(item: Element, label: str | None, where: str) -> LabelledTarget:
    """Return the click, or the middle of what is there instead of a box."""
    if item.find("point") is not None:
        x, y = _numbers(item, "point", "xy", where)
        return LabelledTarget(Point(to_pixel(y, _ORIGIN), to_pixel(x, _ORIGIN), label), None)
    if item.find("robndbox") is not None:
        x, y, w, h = _numbers(item, "robndbox", ("cx", "cy", "w", "h"), where)
        return boxed([(x - w / 2, y - h / 2), (x + w / 2, y + h / 2)], label)
    polygon = item.find("polygon")
    if polygon is None:
        tags = ", ".join(sorted({child.tag[:40] for child in item})) or "nothing"
        raise PointsError(
            f"{where}: no <bndbox> or <point>; this has {tags[:200]}: mark the target with a box, or "
            "delete it"
        )
    corners = polygon.findall("pt")
    if corners:
        pairs = [(number(pt.findtext("x"), where), number(pt.findtext("y"), where)) for pt in corners]
    else:
        values = [number(child.text, where) for child in polygon]
        pairs = list(zip(values[::2], values[1::2], strict=False))
    return boxed(pairs, label)


def target_of_box(item: Element, label: str | None, where: str) -> LabelledTarget:
    """Return the click, or the middle of the box, with the box."""
    left, right, top, bottom = _numbers(item, "bndbox", ("xmin", "xmax", "ymin", "ymax"), where)
    if right < left or bottom < top:
        raise PointsError(f"{where}: its box ends before it begins; correct it")
    x, y = (left + right) / 2, (top + bottom) / 2
    if item.find("point") is not None:
        x, y = _numbers(item, "point", "xy", where)
    point = Point(to_pixel(y, _ORIGIN), to_pixel(x, _ORIGIN), label)
    # Closed from 1 to half-open from 0: the upper bounds stay as they are.
    return LabelledTarget(point, None, None, label, box_of_edges(left - 1, top - 1, right, bottom))


def _numbers(item: Element, name: str, tags: Sequence[str], where: str) -> list[float]:
    """Return the numbers in a child of an object."""
    child = item.find(name)
    return numbers(
        [child.findtext(tag) if child is not None else None for tag in tags], tags, f"{where}, {name}/"
    )
