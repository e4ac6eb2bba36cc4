"""YOLO boxes, one text file per image; see `pointmask.io.formats.tools._yolo` for both kinds.

The click is the middle of the box. A box is no mask, so none is read from it.
"""

from collections.abc import Iterable
from pathlib import Path

from pointmask.io.formats.base import Feature
from pointmask.io.formats.labelled import LabelledImage, LabelledTarget, Shape
from pointmask.io.formats.tools._yolo import NEEDS_IMAGES as NEEDS_IMAGES
from pointmask.io.formats.tools._yolo import ORIGIN as ORIGIN
from pointmask.io.formats.tools._yolo import holds_boxes, holds_polygons, write_lines
from pointmask.io.formats.tools._yolo import read as read
from pointmask.io.formats.tools._yolo import read_masks as read_masks

DESCRIPTION = "YOLO boxes"
HOLDS: frozenset[Feature] = frozenset({"boxes", "instances", "labels", "frames", "empty"})


def sniff(path: Path) -> bool:
    """Say whether one of the first label files holds boxes, and none polygons."""
    return holds_boxes(path) and not holds_polygons(path)


def write_masks(images: Iterable[LabelledImage], path: Path) -> None:
    """Write ``labels/`` and ``classes.txt``; the box of a target without mask is its pixel.

    Raises
    ------
    OutputError
        If a file exists, as when images differ in their suffix alone, or cannot be written.
    """
    write_lines(images, path, _coordinates)


def _coordinates(target: LabelledTarget, shape: Shape) -> list[float]:
    box = target.extent
    if box is None:
        return []
    height, width = shape
    return [
        (box.left + box.right) / 2 / width,
        (box.top + box.bottom) / 2 / height,
        (box.right - box.left) / width,
        (box.bottom - box.top) / height,
    ]
