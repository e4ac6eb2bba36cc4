"""Where a training folder keeps its points, if the user does not say it.

Looked at are the files and folders right below the training folder, in every format that `pointmask annotate`
reads. Outlines and masks are never clicked on here: a training on points must not see the truth unasked.
"""

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pointmask.errors import PointmaskError
from pointmask.io.formats import FORMATS, load_format, read_points
from pointmask.io.formats.folders import masks
from pointmask.io.formats.folders.basicirstd import POINT_FOLDERS
from pointmask.io.points.points import Points
from pointmask_trainer.data.folder import image_folder
from pointmask_trainer.errors import DataError

_DOCUMENTS = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".xml")
_OUTPUTS = ("manifest.jsonl", "predictions.jsonl", "config.toml")  # of folders that a command wrote
_POINTS = re.compile(r"(point|click)", re.IGNORECASE)
_ANNOTATIONS = re.compile(r"(point|click|annotation|label)", re.IGNORECASE)  # folders whose files count, too
_PER_IMAGE = ("labelme", "voc", "yolo", "yolo-seg", "napari")  # a file of these tells of one image
_FOLDERS_OF_MASKS = ("native", "basicirstd", "pal", "masks")
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class _Place:
    """A file or folder, as the format that recognised it."""

    path: Path
    format: str


def find_points(root: Path, wanted_by: str) -> Points:
    """Read the one kind of points that a training folder holds.

    Parameters
    ----------
    root : Path
        Training folder.
    wanted_by : str
        Strategy, for messages.

    Raises
    ------
    DataError
        If there are none, or several to choose from.
    PointsError
        If the only points there cannot be read.
    """
    refused: dict[str, str] = {}
    found = [place for place in _places(root, refused) if not _shows_masks(place, root, refused)]
    if len(found) > 1:
        names = [str(place.path.relative_to(root)) for place in found]
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        raise DataError(
            f"{root} holds points more than once ({', '.join(names[:_SHOWN])}{more}); choose with --points, "
            f"such as: --points {found[0].path}"
        )
    if not found:
        told = "".join(f"\n  not used: {name}, {reason}" for name, reason in list(refused.items())[:_SHOWN])
        raise DataError(
            f"strategy {wanted_by} needs points, and {root} holds none that are recognised: a table or JSON "
            "lines (points.csv with the columns image,x,y), the file or folder of an annotation tool (COCO, "
            f"LabelMe, CVAT, YOLO ...), or point images in {'/, '.join(POINT_FOLDERS)}/ or points/; name "
            f"them with --points FILE{told}"
        )
    return _read(found[0], root)


def _places(root: Path, refused: dict[str, str]) -> Iterator[_Place]:
    """Yield what may hold points, each once."""
    whole: set[str] = set()  # formats of which the folder itself is the collection
    for file in _files(root):
        name = _format_of(file)
        if name in _PER_IMAGE:
            if name not in whole:
                whole.add(name)
                yield _Place(root, name)
        elif name is not None:
            yield _Place(file, name)
        elif _POINTS.match(file.name):
            refused[file.name] = _why_not(file)
    for folder in _folders(root):
        if any((folder / output).exists() for output in _OUTPUTS):
            continue
        name = _format_of(folder)
        if name in whole:
            continue
        if name is not None:
            yield _Place(folder, name)
        elif _ANNOTATIONS.match(folder.name):
            yield from (_Place(file, kind) for file in _files(folder) if (kind := _format_of(file)))
            if masks.sniff(folder):
                refused[folder.name] = "which holds masks, not clicks"


def _files(folder: Path) -> list[Path]:
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in _DOCUMENTS and path.is_file())
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


def _format_of(path: Path) -> str | None:
    for name in FORMATS:
        if name in _FOLDERS_OF_MASKS:
            continue
        if name == "point_images" and not (
            path.name in POINT_FOLDERS or (_POINTS.match(path.name) and not masks.sniff(path))
        ):
            continue  # any folder with images looks like one
        if load_format(name).sniff(path):
            return name
    return None


def _why_not(file: Path) -> str:
    """Say what a file lacks that is called points and recognised as none."""
    try:
        read_points(file)
    except PointmaskError as error:
        return str(error)
    return "which no format recognises"


def _shows_masks(place: _Place, root: Path, refused: dict[str, str]) -> bool:
    """Say whether a target is known by its mask alone, so that a point would come from the truth."""
    module = load_format(place.format)
    reads_masks = getattr(module, "read_masks", None)
    if reads_masks is None:
        return False
    rejected: dict[str, str] = {}
    try:
        images = reads_masks(place.path, rejected, **_images_for(reads_masks, root))
        shown = any(target.point is None for image in images for target in image.targets)
        # Of an image without size nobody can say what its targets are.
        unseen = not shown and bool(set(rejected) - set(_read(place, root).rejected))
    except PointmaskError:
        return False  # whoever reads it says what is wrong
    if shown or unseen:
        what = "outlines or masks" if shown else "targets of images without size"
        refused[str(place.path.relative_to(root))] = (
            f"which holds {what}; to click on their middles name it with --points"
        )
    return shown or unseen


def _images_for(reader: object, root: Path) -> dict[str, object]:
    if "images" not in inspect.signature(reader).parameters:  # type: ignore[arg-type]
        return {}
    from pointmask.io.images.open import open_source

    return {"images": open_source(image_folder(root))}


def _read(place: _Place, root: Path) -> Points:
    return read_points(place.path, format=place.format, images=image_folder(root))
