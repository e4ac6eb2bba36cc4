"""Selection of the images of a training folder for training and validation."""

import fnmatch
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from pointmask.errors import ImageError, PointsError
from pointmask.io.images.array import open_image
from pointmask.io.images.kinds import may_hold_frames
from pointmask.io.points.lists import read_ids
from pointmask.io.points.match import match
from pointmask_trainer.data.layout import AS_FILES
from pointmask_trainer.data.layout import find_images as find_images
from pointmask_trainer.data.layout import image_names as image_names
from pointmask_trainer.data.lists import choose_lists
from pointmask_trainer.data.lists import find_list as find_list
from pointmask_trainer.errors import DataError

FIRST_ALONE = f"of files with several frames, the first alone is trained on; to train on all, {AS_FILES}"
"""What is said of stacks and videos."""

_SHOWN = 3  # names in a message

_VALIDATION_SHARE = 0.2


def read_list(path: Path, images: Mapping[str, Path]) -> list[str]:
    """Read an id list with `pointmask.io.points.lists.read_ids`, and match it with images by name.

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
        If the list is unreadable or empty, a line matches no image or several, or two lines match the same
        image.
    """
    try:
        id_list = read_ids(path)
    except PointsError as error:
        raise DataError(f"list {error}") from None
    ids = image_names(images)
    matches = match(id_list.ids, ids)
    own = {key: ids[name] for key, (name, frame) in matches.by_key.items() if frame == 0}
    missing = [key for key in id_list.ids if key not in own and key not in matches.ambiguous]
    if missing:
        hint = next((f"; {matches.hints[key]}" for key in missing if key in matches.hints), "")
        examples = "" if own else f" (it holds {some(sorted(images))})"
        raise DataError(
            f"list {path} names {some(missing)} that the image folder does not hold{hint}; correct "
            f"it{examples}"
        )
    for key, names in matches.ambiguous.items():
        others = " and ".join(ids[name] for name in names)
        raise DataError(f"list {path} says {key}, which fits {others}; write its path in the image folder")
    twice = [*id_list.repeated, *(key for keys in matches.by_image().values() for key in keys[1:])]
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
    say: Callable[[str], None] = lambda text: None,
) -> tuple[list[str], list[str]]:
    """Return the ids of the images to train on and of those to validate on.

    Parameters
    ----------
    root : Path
    images : Mapping
        From `find_images`.
    train_list, val_list : Path, optional
        By default those in the folder, see `pointmask_trainer.data.lists.choose_lists`; a ``trainval`` list
        is a train list. Without a train list, all images in no other list are used; without a validation
        list, a random fifth of the training images is held out.
    include : str
        Shell pattern that ids must match, such as ``Misc_*``.
    without : collection of str
        Ids to exclude, even if a list contains them.
    seed : int
    say : callable
        Called with messages about lists in unusual places and lists that are not used.

    Raises
    ------
    DataError
        If a list cannot be read, a split is empty, or an image is in both lists.
    """
    train_path, val_path, test_path = choose_lists(root, images, train_list, val_list, say)
    held_out = set() if train_path or test_path is None else set(read_list(test_path, images))
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
            frames = f"; {FIRST_ALONE}" if _has_frames(images) else ""
            raise DataError(
                f"no image is left to {name} on; check the {name} list and --include "
                f"{include!r}{points}{frames}"
            )
    return train, val


def _has_frames(images: Mapping[str, Path]) -> bool:
    """Whether one of the first images is a file of several frames."""
    for path in list(images.values())[:_SHOWN]:
        if may_hold_frames(path.name):
            with suppress(ImageError), open_image(path) as file:
                if file.frames > 1:
                    return True
    return False


def some(names: Sequence[str]) -> str:
    """Format the first few names and the number of the others, for a message."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
