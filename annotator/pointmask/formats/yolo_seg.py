"""YOLO polygons, one text file per image; see `pointmask.formats._yolo` for both kinds.

Polygons are written along pixel edges, which is exact; pieces and holes are joined by bridges that enclose
nothing. Programs that draw polygons through pixel centres make such masks larger, and drop or distort
those below `LEAST_PIXELS`: prefer run lengths (COCO) where there is a choice.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from pointmask.codecs import outline
from pointmask.formats import Feature
from pointmask.formats._per_image import images_of, points_of
from pointmask.formats._yolo import ORIGIN as ORIGIN
from pointmask.formats._yolo import holds_polygons, parsed, write_lines
from pointmask.image_source import ImageSource
from pointmask.labelled import LabelledImage, LabelledTarget, Shape
from pointmask.points import Points

DESCRIPTION = "YOLO polygons"
NEEDS_IMAGES = True
HOLDS: frozenset[Feature] = frozenset({"masks", "instances", "labels", "frames", "empty"})
LEAST_PIXELS = 4
"""The smallest target that programs which read polygons usually keep."""


def sniff(path: Path) -> bool:
    """Say whether one of the first label files holds polygons."""
    return holds_polygons(path)


def read(path: Path, *, images: ImageSource | None = None) -> Points:
    """Read the middles of polygons, and of boxes if there are any.

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
    """Yield images with masks; see `pointmask.formats`."""
    return images_of(parsed(path, rejected, images), rejected)


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
