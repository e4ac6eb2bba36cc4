"""Where a training folder keeps its images and masks: the layouts of the field, and who lies beside whom."""

import re
from collections.abc import Mapping
from pathlib import Path

from pointmask.io.images.folder import FolderSource, list_images
from pointmask.io.layout import IMAGES, RESULTS, TRUE_MASKS
from pointmask.io.points.names import without_suffix
from pointmask_trainer.errors import DataError

_IMAGE_FOLDERS = (IMAGES, "origin/img")  # the field's usual one, and PAL's

_NO_IMAGES = frozenset({TRUE_MASKS, "masks_centroid", "masks_coarse", *RESULTS.values()})
_IMAGE_WORD = re.compile(r"(?:.*[ _-])?(?:imgs?|images?)(?:[ _-].*)?", re.IGNORECASE)
_MASK_WORD = re.compile(
    r"(?:.*[ _-])?(?:masks?|labels?|gts?|ground[ _-]?truth|annotations?)(?:[ _-].*)?", re.IGNORECASE
)


def image_folder(root: Path) -> Path:
    """
    Return where a training folder keeps its images.

    Returns
    -------
    Path
        Its ``images``, as BasicIRSTD has it, or PAL's ``origin/img``; else, if no image lies in the folder
        itself, its only folder that is called after images, such as ``IRSTD1k_Img``; else the folder itself.
    """
    usual = next((root / name for name in _IMAGE_FOLDERS if (root / name).is_dir()), None)
    return usual or _called(root, _IMAGE_WORD) or root


def mask_folder(root: Path) -> Path:
    """Return where a folder keeps its masks: in ``masks``, its only folder called after them, or itself."""
    usual = root / TRUE_MASKS
    return usual if usual.is_dir() else _called(root, _MASK_WORD) or root


def true_masks(root: Path) -> Path:
    """Return where the true masks of a training folder lie, or would lie if it had any."""
    folder = mask_folder(root)
    if folder != root:
        return folder
    is_mixed = root.is_dir() and any(map(lies_among_masks, list_images(root)))
    return root if is_mixed and image_folder(root) == root else root / TRUE_MASKS


def layout_note(root: Path) -> str:
    """Say where images and masks are taken from, if that is not where they usually lie."""
    images, masks = image_folder(root), mask_folder(root)
    if images == root or images in (root / name for name in _IMAGE_FOLDERS):
        return ""
    place = f" and masks from {masks.name}/" if masks not in (root, root / TRUE_MASKS) else ""
    return f"{root} holds no {IMAGES}/: images are taken from {images.name}/{place}"


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
        names = [name for name in names if not lies_among_masks(name)] or names
    found: dict[str, Path] = {}
    for name in names:
        key = without_suffix(name)
        if key in found:
            raise DataError(f"{found[key]} and {folder / name} differ only in their suffix; rename one")
        found[key] = folder / name
    if not found:
        seen = _folders(root)
        told = f"{root} holds no {IMAGES}/ but {', '.join(seen)}; " if seen and folder == root else ""
        raise DataError(told + FolderSource(folder).why_no_image())
    return found


def lies_among_masks(name: str) -> bool:
    """Say whether one of the folders of a file is called after masks and none further in after images."""
    for folder in reversed(name.split("/")[:-1]):
        if _MASK_WORD.fullmatch(folder):
            return True
        if _IMAGE_WORD.fullmatch(folder):
            return False
    return False


def image_names(images: Mapping[str, Path]) -> dict[str, str]:
    """
    Return the id of each image by its name relative to the image folder, with suffix.

    Parameters
    ----------
    images : Mapping
        From `find_images`.
    """
    return {key + path.suffix: key for key, path in images.items()}


def _called(root: Path, word: re.Pattern[str]) -> Path | None:
    """Return the only folder of that name with images, if none lie beside it."""
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
