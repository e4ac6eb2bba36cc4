"""Locations of images and masks in a training folder, for the directory layouts in common use."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from pointmask.io.images.folder import FolderSource, list_images
from pointmask.io.layout import IMAGES, RESULTS, TRUE_MASKS
from pointmask.io.points.names import without_suffix
from pointmask_trainer.errors import DataError

AS_FILES = "write each frame as a file: pointmask convert MASKS FOLDER --to basicirstd --images IMAGES"
"""What to do with stacks and videos."""

_SHOWN = 3  # names in a message

_IMAGE_FOLDERS = (IMAGES, "origin/img")  # the most common one, and PAL's

_NO_IMAGES = frozenset({TRUE_MASKS, "masks_centroid", "masks_coarse", *RESULTS.values()})
_IMAGE_WORD = re.compile(r"(?:.*[ _-])?(?:imgs?|images?)(?:[ _-].*)?", re.IGNORECASE)
_MASK_WORD = re.compile(
    r"(?:.*[ _-])?(?:masks?|labels?|gts?|ground[ _-]?truth|annotations?)(?:[ _-].*)?", re.IGNORECASE
)


def image_folder(root: Path) -> Path:
    """
    Return the folder that contains the images of a training folder.

    Returns
    -------
    Path
        ``images``, as in BasicIRSTD, or ``origin/img``, as in PAL; else, if the folder itself contains no
        image, its only subfolder named after images, such as ``IRSTD1k_Img``; else the folder itself.
    """
    usual = next((root / name for name in _IMAGE_FOLDERS if (root / name).is_dir()), None)
    return usual or _only_subfolder(root, _IMAGE_WORD) or root


def mask_folder(root: Path) -> Path:
    """Return the folder of masks: ``masks``, else the only subfolder named after masks, else `root`."""
    usual = root / TRUE_MASKS
    return usual if usual.is_dir() else _only_subfolder(root, _MASK_WORD) or root


def true_masks(root: Path) -> Path:
    """Return the folder of the true masks of a training folder, which need not exist."""
    folder = mask_folder(root)
    if folder != root:
        return folder
    is_mixed = root.is_dir() and any(map(lies_among_masks, list_images(root)))
    return root if is_mixed and image_folder(root) == root else root / TRUE_MASKS


def layout_note(root: Path) -> str:
    """Return a message with the folders of images and masks if they are unusual, else an empty string."""
    images, masks = image_folder(root), mask_folder(root)
    if images == root or images in (root / name for name in _IMAGE_FOLDERS):
        return ""
    place = f" and masks from {masks.name}/" if masks not in (root, root / TRUE_MASKS) else ""
    return f"{root} holds no {IMAGES}/: images are taken from {images.name}/{place}"


def find_images(root: Path) -> dict[str, Path]:
    """Return the image files of a training folder by id: those of its `image_folder` that are not masks.

    Raises
    ------
    DataError
        If there is no image, or two differ only in their suffix.
    """
    folder = image_folder(root)
    if not folder.is_dir():
        raise DataError(f"{root} is not a folder; give the folder that holds images/ and masks/")
    names = list_images(folder)
    if folder == root:
        names = [name for name in names if not _NO_IMAGES.intersection(name.split("/")[:-1])]
        names = [name for name in names if not lies_among_masks(name)] or names
    images: dict[str, Path] = {}
    for name in names:
        key = without_suffix(name)
        if key in images:
            raise DataError(f"{images[key]} and {folder / name} differ only in their suffix; rename one")
        images[key] = folder / name
    if not images:
        subfolders = _folders(root)
        is_root = bool(subfolders) and folder == root
        source = FolderSource(folder)
        if others := source.names():
            raise DataError(
                f"{folder} holds {', '.join(others[:_SHOWN])}, but a training reads no {_suffixes(others)}; "
                f"{AS_FILES}"
            )
        prefix = f"{root} holds no {IMAGES}/ but {', '.join(subfolders)}; " if is_root else ""
        raise DataError(prefix + source.why_no_image())
    return images


def _suffixes(names: Iterable[str]) -> str:
    return " or ".join(sorted({PurePosixPath(name).suffix for name in names}))


def lies_among_masks(name: str) -> bool:
    """Whether a parent folder of a file is named after masks and no deeper one after images."""
    for folder in reversed(name.split("/")[:-1]):
        if _MASK_WORD.fullmatch(folder):
            return True
        if _IMAGE_WORD.fullmatch(folder):
            return False
    return False


def image_names(images: Mapping[str, Path]) -> dict[str, str]:
    """Return the ids of images, as returned by `find_images`, by relative path including the suffix."""
    return {key + path.suffix: key for key, path in images.items()}


def _only_subfolder(root: Path, word: re.Pattern[str]) -> Path | None:
    """Return the only subfolder whose name matches, if it contains images and `root` itself does not."""
    if not root.is_dir():
        return None
    named = [root / name for name in _folders(root) if word.fullmatch(name)]
    if len(named) != 1 or not list_images(named[0]):
        return None
    has_own = any("/" not in name for name in list_images(root))
    return None if has_own else named[0]


def _folders(root: Path) -> list[str]:
    if not root.is_dir():
        return []
    return sorted(path.name for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
