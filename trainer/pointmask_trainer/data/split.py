"""A training folder in memory: images, points, true masks and lists, checked before anything is trained."""

import fnmatch
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from pointmask.errors import ImageError
from pointmask.io.files import RESULTS, list_images
from pointmask.io.images.array import read, read_mask
from pointmask.io.points.points import Points, match, without_suffix
from pointmask_trainer.data.pool import Pool
from pointmask_trainer.errors import DataError

Mask = NDArray[np.bool_]
T = TypeVar("T")

_SHOWN = 3  # names in a message
_VALIDATION_SHARE = 0.2
_IMAGE_FOLDERS = ("images", "origin/img")  # the field's usual one, and PAL's
_NO_IMAGES = frozenset({"masks", "masks_centroid", "masks_coarse", *RESULTS.values()})


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """The images of one list.

    Attributes
    ----------
    name : str
        ``train``, ``val`` or ``test``.
    ids : tuple of str
        Image names relative to the image folder, without suffix.
    files : tuple of Path
    images : Pool
        As stored, on the device.
    points : tuple of (K, 2) int arrays
        Row and column of each image's points; none where no points are known.
    """

    name: str
    ids: tuple[str, ...]
    files: tuple[Path, ...]
    images: Pool
    points: tuple[NDArray[np.int64], ...]

    def __len__(self) -> int:
        return len(self.ids)


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
        raise DataError(f"{folder} holds no image; see what is recognised with: pointmask check {folder}")
    return found


def find_list(root: Path, name: str) -> Path | None:
    """Id list of a training folder, where BasicIRSTD and other collections keep it.

    Raises
    ------
    DataError
        If several lists fit.
    """
    patterns = (f"img_idx/{name}_*.txt", f"img_idx/{name}.txt", f"splits/{name}.txt", f"{name}.txt")
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
    """Read an id list: one image per line, with or without suffix or leading slash.

    Raises
    ------
    DataError
        If the list is unreadable or empty, names an image twice, or one that does not exist.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"list {path} cannot be read ({error}); check the path") from None
    ids = [without_suffix(line.strip().replace("\\", "/").lstrip("/")) for line in lines if line.strip()]
    if not ids:
        raise DataError(f"list {path} is empty; write one image name per line")
    missing = [key for key in ids if key not in images]
    if missing:
        raise DataError(f"list {path} names {some(missing)} that the image folder does not hold")
    if len(set(ids)) < len(ids):
        raise DataError(f"list {path} names {some([k for k in set(ids) if ids.count(k) > 1])} twice")
    return ids


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


def load_split(
    name: str,
    ids: Sequence[str],
    images: Mapping[str, Path],
    points: Points | None,
    device: torch.device | str = "cpu",
) -> Split:
    """Read the images of a list into memory.

    Raises
    ------
    DataError
        If images cannot be read, or points lie outside their image.
    """
    files = tuple(images[key] for key in ids)
    arrays = _read_all(files, read)
    dtype = _common_dtype(arrays)
    pool = Pool([array.astype(dtype, copy=False) for array in arrays], device)
    return Split(name, tuple(ids), files, pool, _points_of(ids, pool, points))


def load_masks(split: Split, folder: Path) -> list[Mask]:
    """Read the masks of a split's images from a folder, or from the ``masks`` folder in it.

    Raises
    ------
    DataError
        If masks are missing, unreadable, of another size than their image, or all empty.
    """
    if (folder / "masks").is_dir():
        folder = folder / "masks"
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder; give the folder of the masks")
    by_id = {without_suffix(name): folder / name for name in list_images(folder)}
    missing = [key for key in split.ids if key not in by_id]
    if missing:
        raise DataError(
            f"{folder} holds no mask for {some(missing)} of the {split.name} list; annotate them "
            "(pointmask annotate), or take them off the list"
        )
    masks = _read_all([by_id[key] for key in split.ids], read_mask)
    wrong = [
        f"{key} (mask {mask.shape[1]} x {mask.shape[0]}, image {shape[1]} x {shape[0]})"
        for key, mask, shape in zip(split.ids, masks, split.images.shapes, strict=True)
        if mask.shape != shape
    ]
    if wrong:
        raise DataError(f"{folder}: the mask has another size than the image for {some(wrong)}; redo them")
    if not any(mask.any() for mask in masks):
        raise DataError(f"{folder}: every mask of the {split.name} list is empty; check the masks")
    return masks


def known_masks(split: Split, folder: Path) -> list[Mask] | None:
    """Read the true masks of a split, a diagnostic that nothing needs; None unless a folder has them all."""
    if not folder.is_dir():
        return None
    try:
        return load_masks(split, folder)
    except DataError:
        return None


def _points_of(ids: Sequence[str], pool: Pool, points: Points | None) -> tuple[NDArray[np.int64], ...]:
    if points is None:
        return tuple(np.empty((0, 2), np.int64) for _ in ids)
    names = [f"{key}.png" for key in ids]  # any image suffix: keys are matched without theirs
    found = match(points, names)
    if found.rejected:
        (name, _), reason = next(iter(found.rejected.items()))
        raise DataError(f"points of {name} cannot be used: {reason}")
    listed = []
    for key, name, (height, width) in zip(ids, names, pool.shapes, strict=True):
        places = np.array([(p.row, p.col) for p in found.points.get((name, 0), ())], np.int64).reshape(-1, 2)
        if ((places < 0) | (places >= (height, width))).any():
            raise DataError(
                f"{points.source}: a point of {key} lies outside its {width} x {height} image; correct it (x "
                "is the column, y the row, both from 0)"
            )
        listed.append(places)
    return tuple(listed)


def _read_all(files: Sequence[Path], reader: Callable[[Path], T]) -> list[T]:
    """Read files in threads, in order; say which cannot be read."""

    def one(file: Path) -> T | ImageError:
        try:
            return reader(file)
        except ImageError as error:
            return error

    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(one, files))
    errors = [result for result in results if isinstance(result, ImageError)]
    if errors:
        raise DataError(f"{errors[0]}" + (f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""))
    return [result for result in results if not isinstance(result, ImageError)]


def _common_dtype(arrays: Iterable[NDArray[np.generic]]) -> np.dtype[np.generic]:
    """Smallest of uint8, uint16, int32 and float32 that holds all images as they are."""
    joined = np.result_type(*{array.dtype for array in arrays})
    for dtype in (np.uint8, np.uint16, np.int32):
        if np.can_cast(joined, dtype):
            return np.dtype(dtype)
    return np.dtype(np.float32)


def some(names: Sequence[str]) -> str:
    """Return the first few of some names, and how many more there are, for a message."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
