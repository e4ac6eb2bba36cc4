"""What the two folder formats share: walking a folder of mask-like images, and their components."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pointmask.errors import ImageError, PointsError
from pointmask.io.images.array import is_image, open_image
from pointmask.io.images.file import ImageFile
from pointmask.io.images.masks import targets_of
from pointmask.io.listing import files_below
from pointmask.io.notes import note
from pointmask.io.points.names import PICTURE_WORDS, TRUTH_WORDS, without_suffix

_PICTURES = re.compile(f"{PICTURE_WORDS}|frames?", re.IGNORECASE)
_TRUTHS = re.compile(TRUTH_WORDS, re.IGNORECASE)


def largest_target(labels: NDArray[np.int32]) -> int:
    """Size in pixels of the largest target, given the (H, W) numbers of all; 0 if there is none."""
    sizes = np.bincount(labels.ravel())[1:]
    return int(sizes.max()) if len(sizes) else 0


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


def read_frames(folder: Path, rejected: dict[str, str]) -> Iterator[tuple[str, NDArray[np.int32]]]:
    """
    Yield (key, numbers of the targets) for each frame below a folder.

    Parameters
    ----------
    folder : Path
    rejected : dict
        Gets those that cannot be read, with the reason.

    Raises
    ------
    PointsError
        If the folder cannot be listed, holds no image, or none of its images can be read as a mask.
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
    refused: list[str] = []
    frames = 0
    named = {file.relative_to(folder).as_posix(): file for file in files}
    image_of = twins(list(named))
    if image_of:
        note("masks are read from the folder beside the images'", next(iter(image_of)), len(image_of))
    pictures = set(image_of.values())
    for path, file in named.items():
        if without_suffix(path) in pictures:
            continue
        name = image_of.get(path, path)
        try:
            with open_image(file) as image:
                for found in _frames_of(image, name, refused, rejected):
                    frames += 1
                    yield found
        except ImageError as error:
            rejected[name] = str(error)
    if refused and not frames:
        raise PointsError(
            f"{folder}: none of its {len(files):,} files can be read as a mask or point image; {refused[0]}"
        )


def twins(names: Sequence[str]) -> dict[str, str]:
    """Find masks that lie beside their images: ``seq/mask/a.png`` beside ``seq/img/a.png``.

    Parameters
    ----------
    names : sequence of str
        Files below one folder, relative to it.

    Returns
    -------
    dict of str to str
        Name of each such mask, and that of its image without suffix.
    """

    def places(name: str, role: re.Pattern[str]) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
        *folders, last = without_suffix(name).split("/")
        for k, folder in enumerate(folders):
            if role.fullmatch(folder):
                yield tuple(folders[:k]), (*folders[k + 1 :], last)

    images = {place: without_suffix(name) for name in names for place in places(name, _PICTURES)}
    return {name: images[place] for name in names for place in places(name, _TRUTHS) if place in images}


def _frames_of(
    image: ImageFile, name: str, refused: list[str], rejected: dict[str, str]
) -> Iterator[tuple[str, NDArray[np.int32]]]:
    """Yield the frames of a file; ``refused`` gets why the numbers of readable ones make no mask."""
    for frame in range(image.frames):
        key = f"{name}#{frame}" if image.frames > 1 else name
        try:
            numbers = image.mask_numbers(frame)
        except ImageError as error:
            rejected[key] = str(error)
            continue
        try:
            yield key, targets_of(numbers, name)[0]
        except ImageError as error:
            rejected[key] = str(error)
            refused.append(str(error))
