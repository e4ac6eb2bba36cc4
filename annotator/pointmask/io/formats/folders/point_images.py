"""A folder of images in which each bright pixel is a target, as in ``masks_centroid/``.

Every pixel above half of the range is one point, also where two of them touch. A black image says that
its image holds no target. Keys are paths relative to the folder; ``#k`` before the suffix is frame k.
"""

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import numpy as np

from pointmask.errors import ImageError, PointsError
from pointmask.io.formats.base import DEFAULTS, Format, WriteOptions
from pointmask.io.formats.folders._masks import (
    holds_images,
    image_files,
    largest_target,
    read_frames,
)
from pointmask.io.formats.folders._point_arrays import holds_point_arrays
from pointmask.io.formats.folders.mclc import holds_objects
from pointmask.io.formats.labelled import LabelledImage
from pointmask.io.formats.parts.per_image import document_name, write_new
from pointmask.io.images.array import encode_png, read
from pointmask.io.images.source import ImageSource
from pointmask.io.layout import is_tree
from pointmask.io.points.points import Point, Points

_SNIFFED = 8  # images looked at before a folder is said to be of another kind
_DARK = 0.7  # least share of black pixels
_RIPPLE = 10

LARGEST_BLOB = 4
"""Bright pixels in one piece; more of them are an outlined target, not clicks."""


class PointImages(Format):
    """A folder of images in which each bright pixel is a target."""

    name = "point_images"
    description = "folder of point images"
    abilities = frozenset({"read points", "write masks"})
    holds = frozenset({"points", "frames", "empty"})
    layout = "folder"
    searched = "by name"

    def sniff(self, path: Path) -> bool:
        """Say whether the first images in a folder are nearly black; MCLC's `.npy` files are none."""
        if not holds_images(path) or is_tree(path) or holds_objects(path) or holds_point_arrays(path):
            return False
        try:
            return all(_is_nearly_black(file) for file in islice(image_files(path), _SNIFFED))
        except OSError:
            return False

    def read(self, path: Path, *, images: ImageSource | None = None) -> Points:
        """Read point images; those that cannot be read reject their image.

        Raises
        ------
        PointsError
            If the folder holds no image, or the images look like masks.
        """
        by_image: dict[str, tuple[Point, ...]] = {}
        rejected: dict[str, str] = {}
        for key, labels in read_frames(path, rejected):
            blob = largest_target(labels)
            if blob > LARGEST_BLOB:
                raise PointsError(
                    f"{path}: {key} has {blob} bright pixels in one piece, more than {LARGEST_BLOB}, so this "
                    "looks like a folder of masks; to click on its targets pass --simulate centroid or coarse"
                )
            shape = labels.shape[0], labels.shape[1]
            by_image[key] = tuple(
                Point(int(row), int(col), image_shape=shape) for row, col in np.argwhere(labels)
            )
        return Points(by_image, self.source_of(path), rejected)

    def write_masks(
        self,
        images: Iterable[LabelledImage],
        path: Path,
        *,
        source: ImageSource | None = None,
        options: WriteOptions = DEFAULTS,
    ) -> None:
        """Write the clicks of each image as a PNG into a folder; order and repeated points cannot be kept.

        Raises
        ------
        PointsError
            If a point lies outside of its image.
        OutputError
            If a file exists, as when images differ in their suffix alone, or cannot be written.
        """
        for image in images:
            write_new(encode_clicks(image), path / document_name(image.key, ".png"))


def _is_nearly_black(file: Path) -> bool:
    """Say whether most pixels of an image are 0, as of clicks and of masks; also if it cannot be read."""
    try:
        pixels = read(file)
    except ImageError:
        return True
    # JPEG leaves ripples round a bright pixel.
    dark = pixels <= (_RIPPLE if pixels.dtype == np.uint8 else 0)
    return bool(np.count_nonzero(dark) >= _DARK * pixels.size)


def encode_clicks(image: LabelledImage) -> bytes:
    """Return a PNG in which the click on each target is bright: its point, or the middle of its mask.

    Raises
    ------
    PointsError
        If a point lies outside of the image.
    """
    height, width = image.shape
    clicks = np.zeros(image.shape, np.bool_)
    for point in image.clicks:
        if not (0 <= point.row < height and 0 <= point.col < width):
            raise PointsError(
                f"{image.key}: point (row {point.row}, col {point.col}) lies outside the image of "
                f"{height} x {width} pixels; correct it"
            )
        clicks[point.row, point.col] = True
    return encode_png(clicks)
