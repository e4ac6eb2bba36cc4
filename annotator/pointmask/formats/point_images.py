"""A folder of images in which each bright pixel is a target, as in ``masks_centroid/``.

Every pixel above half of the range is one point, also where two of them touch. A black image says that
its image holds no target. Keys are paths relative to the folder; ``#k`` before the suffix is frame k.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from pointmask.errors import PointsError
from pointmask.formats import mclc
from pointmask.formats._files import write_atomically
from pointmask.formats._masks import holds_images, largest_component, read_frames
from pointmask.formats._per_image import document_name
from pointmask.images import encode_png
from pointmask.points import Point, Points

DESCRIPTION = "folder of point images"
LARGEST_BLOB = 4
"""Bright pixels in one piece; more of them are an outlined target, not clicks."""


def sniff(path: Path) -> bool:
    """Say whether the path is a folder with images in it; MCLC's `.npy` files are none."""
    return holds_images(path) and not mclc.sniff(path)


def read(path: Path) -> Points:
    """Read point images; those that cannot be read reject their image.

    Raises
    ------
    PointsError
        If the folder holds no image, or the images look like masks.
    """
    by_image: dict[str, tuple[Point, ...]] = {}
    rejected: dict[str, str] = {}
    for key, mask in read_frames(path, rejected):
        blob = largest_component(mask)
        if blob > LARGEST_BLOB:
            raise PointsError(
                f"{path}: {key} has {blob} bright pixels in one piece, more than {LARGEST_BLOB}, so this "
                "looks like a folder of masks; to click on its targets pass --simulate centroid or coarse"
            )
        by_image[key] = tuple(Point(int(row), int(col)) for row, col in np.argwhere(mask))
    return Points(by_image, f"{path} ({DESCRIPTION})", rejected)


def write(points: Points, path: Path, *, shapes: Mapping[str, tuple[int, int]]) -> None:
    """Write one 8-bit PNG per key; labels, order and repeated points cannot be kept.

    Parameters
    ----------
    points : Points
        Rejected images are left out.
    path : Path
        Folder; created if need be.
    shapes : Mapping[str, tuple[int, int]]
        Height and width in pixels of the image of each key.

    Raises
    ------
    PointsError
        If a shape is missing or a point lies outside.
    OutputError
        If a file cannot be written.
    """
    for key, listed in points:
        if key not in shapes:
            raise PointsError(
                f"{key}: its height and width are needed to write a point image; add it to shapes"
            )
        height, width = shapes[key]
        mask = np.zeros((height, width), np.bool_)
        for point in listed:
            if not (0 <= point.row < height and 0 <= point.col < width):
                raise PointsError(
                    f"{key}: point (row {point.row}, col {point.col}) lies outside the image of "
                    f"{height} x {width} pixels; correct it"
                )
            mask[point.row, point.col] = True
        file = path / document_name(key, ".png")
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(encode_png(mask), file)
