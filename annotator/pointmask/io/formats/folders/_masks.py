"""What the two folder formats share: walking a folder of mask-like images, and their components."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pointmask.components import components
from pointmask.errors import ImageError, PointsError
from pointmask.io.images.array import is_image, open_image
from pointmask.io.images.file import ImageFile
from pointmask.io.listing import files_below


def largest_component(mask: NDArray[np.bool_]) -> int:
    """Size in pixels of the largest 8-connected component of an (H, W) mask; 0 if there is none."""
    labels, count = components(mask)
    return int(np.bincount(labels[mask]).max()) if count else 0


def image_files(folder: Path) -> Iterator[Path]:
    """Iterate over the image files below a folder in a fixed order, without hidden ones.

    Raises
    ------
    OSError
        If the folder or one below it cannot be listed.
    """
    return files_below(folder, is_image)


def holds_images(path: Path) -> bool:
    """Say whether the path is a folder with an image somewhere below it."""
    try:
        return path.is_dir() and next(image_files(path), None) is not None
    except OSError:
        return False


def read_frames(folder: Path, rejected: dict[str, str]) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Yield (key, mask) for each frame below a folder; put those that cannot be read into ``rejected``.

    Raises
    ------
    PointsError
        If the folder cannot be listed or holds no image.
    """
    try:
        files = list(image_files(folder))
    except OSError as error:
        raise PointsError(
            f"{folder}: cannot be listed ({error.strerror}); check the path and its rights"
        ) from error
    if not files:
        raise PointsError(
            f"{folder}: no image in this folder; give the folder that holds the masks themselves"
        )
    for file in files:
        name = file.relative_to(folder).as_posix()
        try:
            with open_image(file) as image:
                yield from _frames_of(image, name, rejected)
        except ImageError as error:
            rejected[name] = str(error)


def _frames_of(
    image: ImageFile, name: str, rejected: dict[str, str]
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    for frame in range(image.frames):
        key = f"{name}#{frame}" if image.frames > 1 else name
        try:
            yield key, image.mask(frame)
        except ImageError as error:
            rejected[key] = str(error)
