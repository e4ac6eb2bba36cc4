"""YOLO polygons, one text file per image; see `pointmask.io.formats.tools._yolo` for both kinds.

Polygons are written along pixel edges, which is exact; pieces and holes are joined by bridges that enclose
nothing. Programs that draw polygons through pixel centres make such masks larger, and drop or distort
those below `LEAST_PIXELS`: prefer run lengths (COCO) where there is a choice.
"""

from collections.abc import Iterable
from pathlib import Path

from pointmask.io.formats.base import Feature
from pointmask.io.formats.encodings import outline
from pointmask.io.formats.labelled import LabelledImage, LabelledTarget, Shape
from pointmask.io.formats.tools._yolo import NEEDS_IMAGES as NEEDS_IMAGES
from pointmask.io.formats.tools._yolo import ORIGIN as ORIGIN
from pointmask.io.formats.tools._yolo import holds_polygons, write_lines
from pointmask.io.formats.tools._yolo import read as read
from pointmask.io.formats.tools._yolo import read_masks as read_masks

DESCRIPTION = "YOLO polygons"
HOLDS: frozenset[Feature] = frozenset({"masks", "instances", "labels", "frames", "empty"})
LEAST_PIXELS = 4
"""The smallest target that programs which read polygons usually keep."""


def sniff(path: Path) -> bool:
    """Say whether one of the first label files holds polygons."""
    return holds_polygons(path)


def write_masks(images: Iterable[LabelledImage], path: Path) -> None:
    """Write ``labels/`` and ``classes.txt``; a target without mask is left out.

    Raises
    ------
    OutputError
        If a file exists, as when images differ in their suffix alone, or cannot be written.
    """
    write_lines(images, path, _coordinates)


def _coordinates(target: LabelledTarget, shape: Shape) -> list[float]:
    if target.patch is None:
        return []
    patch = target.patch
    height, width = shape
    corners = outline.join(outline.trace(patch.pixels, patch.row, patch.col)) / (width, height)
    return [float(value) for value in corners.ravel()]
