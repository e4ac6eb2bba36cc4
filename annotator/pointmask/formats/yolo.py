"""YOLO boxes, one text file per image; see `pointmask.formats._yolo` for both kinds.

The click is the middle of the box. A box is no mask, so none is read from it.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from pointmask.formats import Feature
from pointmask.formats._per_image import box_of, images_of, points_of
from pointmask.formats._yolo import ORIGIN as ORIGIN
from pointmask.formats._yolo import holds_boxes, holds_polygons, parsed, write_lines
from pointmask.image_source import ImageSource
from pointmask.labelled import LabelledImage, LabelledTarget, Shape
from pointmask.points import Points

DESCRIPTION = "YOLO boxes"
NEEDS_IMAGES = True
HOLDS: frozenset[Feature] = frozenset({"instances", "labels", "frames", "empty"})


def sniff(path: Path) -> bool:
    """Say whether one of the first label files holds boxes, and none polygons."""
    return holds_boxes(path) and not holds_polygons(path)


def read(path: Path, *, images: ImageSource | None = None) -> Points:
    """Read the middles of boxes.

    Parameters
    ----------
    path : Path
        A label file, or a folder of them.
    images : ImageSource, optional
        Found in the folder ``images`` beside ``labels``, or among the labels, if not given.

    Raises
    ------
    PointsError
        If there is no label file, or the images are not found. A label file with a fault rejects its image.
    """
    rejected: dict[str, str] = {}
    return points_of(parsed(path, rejected, images), rejected, f"{path} ({DESCRIPTION})")


def read_masks(
    path: Path, rejected: dict[str, str], *, images: ImageSource | None = None
) -> Iterator[LabelledImage]:
    """Yield images with points alone, as boxes are no masks; see `pointmask.formats`."""
    return images_of(parsed(path, rejected, images), rejected)


def write_masks(images: Iterable[LabelledImage], path: Path) -> None:
    """Write ``labels/`` and ``classes.txt``; the box of a target without mask is its pixel.

    Raises
    ------
    OutputError
        If a file exists, as when images differ in their suffix alone, or cannot be written.
    """
    write_lines(images, path, _coordinates)


def _coordinates(target: LabelledTarget, shape: Shape) -> list[float]:
    box = box_of(target)
    if box is None:
        return []
    height, width = shape
    return [
        (box.left + box.right) / 2 / width,
        (box.top + box.bottom) / 2 / height,
        (box.right - box.left) / width,
        (box.bottom - box.top) / height,
    ]
