"""DS9 region files in image coordinates, which count from 1: points, and the middles of other regions.

The image is named by a comment ``# Filename: a.fits``, or else by the file: ``a.reg`` belongs to ``a``.
Regions on the sky need the coordinates of the sky in the image, and are refused.
"""

import re
from pathlib import Path

from pointmask.errors import PointsError
from pointmask.io.formats.base import Format
from pointmask.io.formats.parts.columns import MIDDLES
from pointmask.io.formats.parts.decoding import peek
from pointmask.io.formats.parts.documents import number
from pointmask.io.formats.parts.finder import ImageFinder
from pointmask.io.formats.parts.origin import to_pixel
from pointmask.io.formats.parts.per_image import any_document
from pointmask.io.formats.parts.text import Collector, read_text
from pointmask.io.formats.sequences.per_image import add_files, add_points
from pointmask.io.formats.sequences.sequence import lines_of
from pointmask.io.images.source import ImageSource
from pointmask.io.notes import note
from pointmask.io.points.points import Point, Points

_SUFFIX = ".reg"
_HEAD = "Region file format: DS9"
_FILE = re.compile(r"#\s*filename:\s*([^\[]+)(\[.*\])?", re.IGNORECASE)
_SHAPE = re.compile(r"([+-]?)\s*([a-z]+)\s*\(([^()]*)\)", re.IGNORECASE)
_TEXT = re.compile(r"""text\s*=\s*[{"']([^}"']*)""")
_DIVIDER = re.compile(r"[,\s]+")
_MIDDLES = ("circle", "ellipse", "box", "annulus", "text")
_SKY = ("fk4", "fk5", "b1950", "j2000", "icrs", "galactic", "ecliptic", "wcs", "wcsa", "linear")
_OTHERS = ("physical", "detector", "amplifier")


class Ds9(Format):
    """DS9 regions."""

    name = "ds9"
    description = "DS9 regions"
    abilities = frozenset({"read points"})
    suffixes = (_SUFFIX,)
    origin = "one-based"
    per_image = True

    def sniff(self, path: Path) -> bool:
        """Say whether the file, or one of the first in the folder, says that it is DS9's or has regions."""
        return any_document(path, _SUFFIX, _looks_like_ds9) or _HEAD in peek(path)

    def read(self, path: Path, *, images: ImageSource | None = None) -> Points:
        """Read a file, or all ``.reg`` below a folder.

        Raises
        ------
        PointsError
            If the folder cannot be listed or holds no such file, or a single file is not readable or of no
            image.
        """
        collector = Collector()
        if path.is_dir():
            add_files(collector, path, _points, _SUFFIX)
        else:
            lines = list(lines_of(read_text(path)))
            named = next((found[1] for _, line in lines if (found := _FILE.fullmatch(line.strip()))), "")
            key = named.replace("\\", "/").rpartition("/")[2] or path.stem
            if images is not None and not ImageFinder(images).has(key):
                raise PointsError(
                    f"{path}: these are DS9 regions of an image {key!r}, which is not among the images; "
                    "call the "
                    "file as its image, or write a comment such as # Filename: a.fits"
                )
            add_points(collector, key, _points(lines, str(path)), str(path))
        return collector.points(self.source_of(path))


def _looks_like_ds9(file: Path) -> bool:
    text = peek(file)
    return _HEAD in text or any(map(_SHAPE.search, text.splitlines()))


def _points(lines: list[tuple[int, str]], where: str) -> list[Point | None]:
    found: list[Point | None] = []
    system = "physical" if not any("image" in text.lower() for _, text in lines) else "image"
    for line, text in lines:
        if text.lstrip().startswith("#"):
            continue
        body, _, comment = text.partition("#")
        for part in body.split(";"):
            word = part.strip().lower()
            if word in (*_SKY, *_OTHERS, "image"):
                system = word
                continue
            shape = _SHAPE.search(part)
            if shape is None or shape[1] == "-":
                continue
            if system != "image":
                raise PointsError(
                    f"{where}:{line}: DS9 regions in {system} coordinates, not in those of the image; in DS9 "
                    "save them with Region > Save, Coordinate System: image"
                )
            label = _TEXT.search(comment)
            found.append(_point(shape[2].lower(), shape[3], label[1] if label else None, f"{where}:{line}"))
    return found


def _point(kind: str, text: str, label: str | None, where: str) -> Point:
    words = [word for word in _DIVIDER.split(text.strip()) if word]
    if kind == "polygon" or kind == "line":
        values = [number(word, where) for word in words]
        if len(values) < 4 or len(values) % 2:
            raise PointsError(f"{where}: a {kind} without pairs of corners; correct it")
        note(MIDDLES, where)
        x, y = (sum(values[axis::2]) / (len(values) // 2) for axis in (0, 1))
    elif (kind == "point" or kind in _MIDDLES) and len(words) >= 2:
        if kind != "point":
            note(MIDDLES, where)
        x, y = (number(word, where) for word in words[:2])
    else:
        raise PointsError(
            f"{where}: a region {kind[:40]}({text[:40]}), which is not read; mark it as a point"
        )
    try:
        return Point(to_pixel(y, "one-based"), to_pixel(x, "one-based"), label or None)
    except PointsError as error:
        raise PointsError(f"{where}: {error}") from None
