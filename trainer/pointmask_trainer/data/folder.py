"""What lies in a training folder: images and id lists."""

import fnmatch
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np

from pointmask.errors import PointsError
from pointmask.io.images.folder import FolderSource, list_images
from pointmask.io.layout import ID_LISTS, IMAGES, RESULTS, TRUE_MASKS
from pointmask.io.points.lists import read_ids
from pointmask.io.points.match import match
from pointmask.io.points.names import without_suffix
from pointmask_trainer.errors import DataError

_SHOWN = 3  # names in a message

_VALIDATION_SHARE = 0.2

_IMAGE_FOLDERS = (IMAGES, "origin/img")  # the field's usual one, and PAL's

_NO_IMAGES = frozenset({TRUE_MASKS, "masks_centroid", "masks_coarse", *RESULTS.values()})


def image_folder(root: Path) -> Path:
    """Return where a training folder keeps its images: a folder of its own, or itself."""
    return next((root / name for name in _IMAGE_FOLDERS if (root / name).is_dir()), root)


def find_images(root: Path) -> dict[str, Path]:
    """Image files of a training folder by id: in its `image_folder`, without masks that lie beside them.

    Raises
    ------
    DataError
        If there is no image, or two differ only in their suffix.
    """
    folder = image_folder(root)
    if not folder.is_dir():
        raise DataError(f"{root} is no folder; give the folder that holds images/ and masks/")
    names = list_images(folder)
    if folder == root:
        names = [name for name in names if not _NO_IMAGES.intersection(name.split("/")[:-1])]
    found: dict[str, Path] = {}
    for name in names:
        key = without_suffix(name)
        if key in found:
            raise DataError(f"{found[key]} and {folder / name} differ only in their suffix; rename one")
        found[key] = folder / name
    if not found:
        raise DataError(FolderSource(folder).why_no_image())
    return found


def image_names(images: Mapping[str, Path]) -> dict[str, str]:
    """
    Return the id of each image by its name relative to the image folder, with suffix.

    Parameters
    ----------
    images : Mapping
        From `find_images`.
    """
    return {key + path.suffix: key for key, path in images.items()}


def find_list(root: Path, name: str) -> Path | None:
    """Id list of a training folder, where BasicIRSTD and other collections keep it.

    Raises
    ------
    DataError
        If several lists fit.
    """
    patterns = (f"{ID_LISTS}/{name}_*.txt", f"{ID_LISTS}/{name}.txt", f"splits/{name}.txt", f"{name}.txt")
    for pattern in patterns:
        files = sorted(root.glob(pattern))
        if len(files) > 1:
            raise DataError(
                f"{root} holds several {name} lists ({', '.join(f.name for f in files[:_SHOWN])}); "
                f"choose one with --{name}-list FILE (evaluate: --list FILE)"
            )
        if files:
            return files[0]
    return None


def read_list(path: Path, images: Mapping[str, Path]) -> list[str]:
    """Read an id list as `pointmask.io.points.lists.read_ids` does, and find its images by name.

    Parameters
    ----------
    path : Path
        One image per line, with or without suffix.
    images : Mapping
        From `find_images`.

    Returns
    -------
    list of str
        Ids of images, in the order of the list.

    Raises
    ------
    DataError
        If the list is unreadable or empty, or a line names no image, several, or one that another line
        names too.
    """
    try:
        listed = read_ids(path)
    except PointsError as error:
        raise DataError(f"list {error}") from None
    ids = image_names(images)
    matches = match(listed.ids, ids)
    own = {key: ids[name] for key, (name, frame) in matches.by_key.items() if frame == 0}
    missing = [key for key in listed.ids if key not in own and key not in matches.ambiguous]
    if missing:
        raise DataError(f"list {path} names {some(missing)} that the image folder does not hold; correct it")
    for key, names in matches.ambiguous.items():
        others = " and ".join(ids[name] for name in names)
        raise DataError(f"list {path} says {key}, which fits {others}; write its path in the image folder")
    twice = [*listed.repeated, *(key for keys in matches.by_image().values() for key in keys[1:])]
    if twice:
        raise DataError(f"list {path} names {some(twice)} twice; keep one line of each")
    return list(own.values())


def split_ids(
    root: Path,
    images: Mapping[str, Path],
    *,
    train_list: Path | None = None,
    val_list: Path | None = None,
    include: str = "*",
    without: Collection[str] = (),
    seed: int = 0,
) -> tuple[list[str], list[str]]:
    """Ids to train on and to validate on.

    Parameters
    ----------
    root : Path
    images : Mapping
        From `find_images`.
    train_list, val_list : Path, optional
        Found in the folder by default. Without a train list all images are taken that are in no other
        list; without a validation list a fifth of the training images, drawn with the seed.
    include : str
        Shell pattern that ids must match, such as ``Misc_*``.
    without : collection of str
        Ids that are left out, also where a list names them.
    seed : int

    Raises
    ------
    DataError
        If a list cannot be read, nothing is left, or an image is in both lists.
    """
    train_path, val_path = train_list or find_list(root, "train"), val_list or find_list(root, "val")
    held_out = set()
    if test_path := find_list(root, "test"):
        held_out = set(read_list(test_path, images))
    val = read_list(val_path, images) if val_path else None
    rest = sorted(set(images) - held_out - set(val or ()))
    train = read_list(train_path, images) if train_path else rest
    dropped = frozenset(without)
    train = [key for key in train if fnmatch.fnmatchcase(key, include) and key not in dropped]
    if val is None:
        order = np.random.default_rng([seed, 0x5EED]).permutation(len(train))
        chosen = {train[k] for k in order[: max(1, round(_VALIDATION_SHARE * len(train)))]}
        val = [key for key in train if key in chosen]
        train = [key for key in train if key not in chosen]
    val = [key for key in val if fnmatch.fnmatchcase(key, include) and key not in dropped]
    if both := sorted(set(train) & set(val)):
        raise DataError(f"{some(both)} in both the train and the val list; remove from one")
    for name, ids in (("train", train), ("val", val)):
        if not ids:
            points = ", and the points" if dropped else ""
            raise DataError(
                f"no image is left to {name} on; check the {name} list and --include {include!r}{points}"
            )
    return train, val


def some(names: Sequence[str]) -> str:
    """Return the first few of some names, and how many more there are, for a message."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
