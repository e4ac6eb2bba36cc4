"""What kind of folder a path is, so that a command that was given another can name the one that was meant."""

import json
from pathlib import Path
from typing import Literal

import numpy as np

from pointmask.errors import ImageError
from pointmask.io.images.array import open_image
from pointmask.io.images.folder import list_images, some_images
from pointmask.io.layout import (
    CLICKS,
    ID_LISTS,
    IMAGES,
    MANIFEST,
    MASKS,
    POINT_LIST,
    PREDICTIONS,
    RUN_CONFIG,
    RUN_SOURCE,
    TRUE_MASKS,
)

Kind = Literal["training folder", "run", "output", "detections", "masks", "other"]

_BESIDE = (TRUE_MASKS, ID_LISTS, "masks_centroid", "masks_coarse")
_SAMPLE = 6  # images that are looked at


def kind_of(path: Path) -> Kind:
    """
    Tell what a folder is for, by the files in it.

    Parameters
    ----------
    path : Path
        Anything; what is no folder is ``other``.

    Returns
    -------
    {"training folder", "run", "output", "detections", "masks", "other"}
        ``training folder``: ``images/`` beside ``masks/``, lists or point images. ``output``: of annotate or
        click.
        ``masks``: the first pictures all have two values, the most frequent of which is the lower.
    """
    if not path.is_dir():
        return "other"
    if (path / RUN_CONFIG).is_file() and not some_images(path, 1):
        return "run"
    if (path / PREDICTIONS).is_file():
        return "detections"
    if any((path / name).is_file() for name in (MANIFEST, MASKS, CLICKS)):
        return "output"
    if (path / IMAGES).is_dir() and any((path / name).is_dir() for name in _BESIDE):
        return "training folder"
    return "masks" if _holds_masks(path) else "other"


def check_images(path: Path) -> None:
    """
    Refuse a place that is no place of images, though pictures may lie in it.

    Parameters
    ----------
    path : Path
        What a command was given for its images.

    Raises
    ------
    ImageError
        If it is a training folder, a run, an output of ours or a folder of masks; says what was meant.
    """
    kind = kind_of(path)
    if kind == "other":
        return
    images = images_of(path)
    meant = f"; give the images: {images}" if images is not None else "; give the folder of the images"
    reasons = {
        "training folder": f"{path} is a training folder, with more than images in it",
        "run": f"{path} is a run of pointmask train, which holds weights and no images",
        "output": f"{path} holds masks that pointmask made, not images",
        "detections": f"{path} holds what pointmask predict found, not images",
        "masks": f"{path} holds masks, not images: all pictures looked at have two values",
    }
    raise ImageError(f"{reasons[kind]}{meant}")


def training_folder_of(path: Path) -> Path | None:
    """Return the training folder of which a path is ``images/`` or ``masks/``, or None."""
    is_part = path.name in (IMAGES, TRUE_MASKS) and (path.parent / IMAGES).is_dir()
    beside = (*_BESIDE, POINT_LIST)
    others = any((path.parent / name).exists() for name in beside if name != path.name)
    return path.parent if is_part and others else None


def data_of(images: Path) -> Path | None:
    """Return the training folder whose ``images/`` these are, whatever else is in it, or None."""
    return images.parent if images.name == IMAGES and images.is_dir() else None


def true_masks_of(images: Path) -> Path | None:
    """Return the ``masks/`` beside the images of a training folder; None if it has none."""
    data = data_of(images)
    return data / TRUE_MASKS if data is not None and (data / TRUE_MASKS).is_dir() else None


def points_of(images: Path) -> Path | None:
    """Return the list of points beside the images of a training folder; None if it has none."""
    data = data_of(images)
    return data / POINT_LIST if data is not None and (data / POINT_LIST).is_file() else None


def data_of_run(run: Path) -> Path | None:
    """Return the training folder that a run says it was trained on, if it is still there; else None."""
    try:
        root = Path(json.loads((run / RUN_SOURCE).read_bytes())["root"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return root if root.is_dir() else None


def is_made_here(path: Path) -> bool:
    """Whether a folder holds masks that annotate, click or predict made."""
    return kind_of(path) in ("output", "detections")


def images_of(path: Path) -> Path | None:
    """Return where the images lie: in a training folder, or beside a folder of masks; None if nowhere."""
    places = (path / IMAGES, path.parent / IMAGES)
    return next((place for place in places if place.is_dir() and place.resolve() != path.resolve()), None)


def _holds_masks(path: Path) -> bool:
    try:
        # In order only if these are masks: where masks lie beside their images, these might be so by chance.
        # To list a folder takes a second for a million files.
        return _are_masks(path, some_images(path, _SAMPLE)) and _are_masks(path, list_images(path)[:_SAMPLE])
    except (ImageError, OSError):
        return False


def _are_masks(path: Path, names: list[str]) -> bool:
    return len(names) > 1 and all(_is_mask(path / name) for name in names)


def _is_mask(path: Path) -> bool:
    with open_image(path) as file:
        values, counts = np.unique(file.mask_numbers(), return_counts=True)
    return len(values) == 2 and values[0] == 0 and values[1] in (1, 255, 65535) and counts[0] > counts[1]
