"""Where a training folder keeps its points, if the user does not say it.

Looked at are the files and folders right below the training folder, in every format that `read_points` reads.
Outlines and masks are never clicked on here: a training on points must not see the truth unasked.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pointmask.errors import PointmaskError, PointsError
from pointmask.io.formats import read_points
from pointmask.io.formats.base import Format
from pointmask.io.formats.folders.basicirstd import POINT_FOLDERS
from pointmask.io.formats.folders.masks import Masks
from pointmask.io.formats.registry import sniffs, usable
from pointmask.io.images.open import open_source
from pointmask.io.layout import MANIFEST, PREDICTIONS, RUN_CONFIG
from pointmask.io.points.points import Points

_DOCUMENTS = (".json", ".xml")  # beside the suffixes that formats name
_OUTPUTS = (MANIFEST, PREDICTIONS, RUN_CONFIG)  # of folders that a command wrote
_POINTS = re.compile(r"(point|click)", re.IGNORECASE)
_ANNOTATIONS = re.compile(r"(point|click|annotation|label)", re.IGNORECASE)  # folders whose files count, too
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class _Place:
    """A file or folder, as the format that recognised it."""

    path: Path
    format: Format


def find_points(root: Path, images: Path, needed_by: str) -> Points:
    """
    Read the one kind of points that a training folder holds.

    Parameters
    ----------
    root : Path
        Training folder.
    images : Path
        Its images, for formats whose coordinates are fractions of their sizes.
    needed_by : str
        What cannot go on without points, such as ``strategy d2d``, for messages.

    Returns
    -------
    Points
        ``source`` tells the path and what it was recognised as.

    Raises
    ------
    PointsError
        If there are none, several to choose from, or the only ones cannot be read.
    """
    refused: dict[str, str] = {}
    candidates = [place for place in _places(root, refused) if not _shows_masks(place, root, images, refused)]
    if len(candidates) > 1:
        names = [str(place.path.relative_to(root)) for place in candidates]
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        raise PointsError(
            f"{root} holds points more than once ({', '.join(names[:_SHOWN])}{more}); choose with --points, "
            f"such as: --points {candidates[0].path}"
        )
    if not candidates:
        unused = [f"; not used: {name}, {reason}" for name, reason in refused.items()]
        raise PointsError(
            f"{needed_by} needs points, and {root} holds none that are recognised: a table or JSON lines "
            "(points.csv with the columns image,x,y), the file or folder of an annotation tool (COCO, "
            f"LabelMe, CVAT, YOLO ...), or point images in {'/, '.join(POINT_FOLDERS)}/ or points/; name "
            f"them with --points FILE{''.join(unused[:_SHOWN])}"
        )
    return _read(candidates[0], images)


def _places(root: Path, refused: dict[str, str]) -> Iterator[_Place]:
    """Yield what may hold points, each once."""
    whole: set[Format] = set()  # formats of which the folder itself is the collection
    for file in _files(root):
        form = _format_of(file)
        if form is not None and form.per_image:
            if form not in whole:
                whole.add(form)
                yield _Place(root, form)
        elif form is not None:
            yield _Place(file, form)
        elif _POINTS.match(file.name):
            refused[file.name] = _why_not(file)
    for folder in _folders(root):
        if any((folder / output).exists() for output in _OUTPUTS):
            continue
        form = _format_of(folder)
        if form in whole:
            continue
        if form is not None:
            yield _Place(folder, form)
        elif _ANNOTATIONS.match(folder.name):
            yield from (_Place(file, kind) for file in _files(folder) if (kind := _format_of(file)))
            if Masks().sniff(folder):
                refused[folder.name] = "which holds masks, not clicks"


def _files(folder: Path) -> list[Path]:
    suffixes = {*_DOCUMENTS, *(suffix for form in usable().values() for suffix in form.suffixes)}
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in suffixes and path.is_file())
    return [path for path in files if not path.name.startswith(".")]


def _folders(root: Path) -> list[Path]:
    """Return the folders in a training folder, and those of PAL's training images."""
    parents = [root, root / "origin"] if (root / "origin").is_dir() else [root]
    return sorted(
        path
        for parent in parents
        for path in parent.iterdir()
        if path.is_dir() and not path.name.startswith(".")
    )


def _format_of(path: Path) -> Format | None:
    return next((form for form in usable().values() if _may_be(form, path) and sniffs(form, path)), None)


def _may_be(form: Format, path: Path) -> bool:
    if form.searched == "by name":
        return path.name in POINT_FOLDERS or bool(_POINTS.match(path.name) and not Masks().sniff(path))
    return form.searched == "always"


def _why_not(file: Path) -> str:
    """Say what a file lacks that is called points and recognised as none."""
    try:
        read_points(file)
    except PointmaskError as error:
        return str(error)
    return "which no format recognises"


def _shows_masks(place: _Place, root: Path, images: Path, refused: dict[str, str]) -> bool:
    """Say whether a target is known by its mask alone, so that a point would come from the truth."""
    form = place.format
    if "read masks" not in form.abilities:
        return False
    given = open_source(images) if form.needs_images else None
    rejected: dict[str, str] = {}
    try:
        labelled = form.read_masks(place.path, rejected, images=given)
        has_masks = any(target.point is None for image in labelled for target in image.targets)
        # Of an image without size nobody can say what its targets are.
        is_unknown = not has_masks and bool(set(rejected) - set(_read(place, images).rejected))
    except PointmaskError:
        return False  # whoever reads it says what is wrong
    if has_masks or is_unknown:
        what = "outlines or masks" if has_masks else "targets of images without size"
        refused[str(place.path.relative_to(root))] = (
            f"which holds {what}; to click on their middles name it with --points"
        )
    return has_masks or is_unknown


def _read(place: _Place, images: Path) -> Points:
    return read_points(place.path, format=place.format.name, images=images)
