"""From folders to the pairs that `pointmask.calibrate` fits to."""

from collections.abc import Iterator
from pathlib import Path

from pointmask.calibrate.fit import Pair, check_pair
from pointmask.errors import ImageError, PointmaskError
from pointmask.io.images.array import read, read_mask
from pointmask.io.images.folder import list_images
from pointmask.io.points.match import match
from pointmask.io.points.points import Point, Points


def read_pairs(images: Path, masks: Path, points: Points, skipped: list[tuple[str, str]]) -> Iterator[Pair]:
    """Pair images with points and masks by name, one in memory at a time.

    Parameters
    ----------
    images, masks : Path
        Folders. An image without a mask, or without points, is passed over: a user outlines a few only.
    points : Points
    skipped : list
        Gets (image, reason) of those that have all three but cannot be used.

    Yields
    ------
    Pair
        In the order of the image names.

    Raises
    ------
    ImageError
        If a folder is unreadable, or no image has a mask and points.
    """
    names = list_images(images)
    # The label carries the mask's name through the one pairing rule that there is.
    by_mask = Points({name: (Point(0, 0, name),) for name in list_images(masks)}, str(masks))
    mask_of = {key: found[0].label or "" for key, found in match(by_mask, names).points.items()}
    found = match(points, names)
    skipped += [(key[0], reason) for key, reason in found.rejected.items() if key in mask_of]
    usable = sorted(key for key in found.points if key in mask_of)
    if not usable:
        raise ImageError(
            f"no image in {images} has both a mask in {masks} and points in {points.source}; their names "
            f"must agree, check them with: pointmask check {images}"
        )
    for key in usable:
        name, frame = key
        clicks = [(point.row, point.col) for point in found.points[key]]
        try:
            image, truth = read(images / name, frame), read_mask(masks / mask_of[key])
            check_pair(image, clicks, truth)
        except PointmaskError as error:
            skipped.append((name, str(error)))
        else:
            yield image, clicks, truth
