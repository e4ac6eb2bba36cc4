"""Annotations of any tool, in and out: one class per format, one line per format in the table below.

`base` says what a format is; `tools`, `tables` and `folders` hold them; `convert` goes from any into any
other, and `find` looks for the points of a training folder.
May import: points, images, files, layout; here at run time only errors and registry, since help reads this
table and loads no numpy. Open first: ``base.py``.
"""

import warnings
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pointmask.errors import PluginWarning, PointsError
from pointmask.registry import Registry

if TYPE_CHECKING:
    from pointmask.io.formats.base import Ability, Format, Layout, Simulation
    from pointmask.io.images.source import ImageSource
    from pointmask.io.points.points import Points


class _Line(NamedTuple):
    """Where the class of a format lives, and what help says of it without loading the class, which agrees."""

    place: str
    layout: "Layout" = ""
    saved_as: str = ""


_OURS = {
    "native": _Line("tables.native:Native"),
    "basicirstd": _Line("folders.basicirstd:BasicIrstd", "training folder", "basicirstd"),
    "pal": _Line("folders.pal:Pal", "training folder", "pal"),
    "coco": _Line("tools.coco:Coco", "file", "coco.json"),
    "cvat": _Line("tools.cvat:Cvat", "file", "cvat.xml"),
    "labelstudio": _Line("tools.labelstudio:LabelStudio", "file", "labelstudio.json"),
    "via": _Line("tools.via:Via"),
    "napari": _Line("tools.napari:Napari"),
    "mclc": _Line("folders.mclc:Mclc"),
    "labelme": _Line("tools.labelme:LabelMe", "folder", "labelme"),
    "voc": _Line("tools.voc:Voc", "folder", "voc"),
    "yolo-seg": _Line("tools.yolo_seg:YoloPolygons", "folder", "yolo-seg"),
    "yolo": _Line("tools.yolo:YoloBoxes", "folder", "yolo"),
    "jsonl": _Line("tables.jsonl:JsonLines", "file"),
    "csv": _Line("tables.csv:Csv", "file"),
    "masks": _Line("folders.masks:Masks", "folder"),
    "point_images": _Line("folders.point_images:PointImages", "folder"),
}


def _checked(name: str, loaded: object) -> "Format":
    from pointmask.io.formats.base import checked

    return checked(name, loaded)


FORMATS: Registry["Format"] = Registry(
    "annotation format",
    "pointmask.formats",
    {name: f"{__name__}.{line.place}" for name, line in _OURS.items()},
    _checked,
    PointsError,
)
"""All formats: ours in the order in which they are asked for recognition, then those of other packages."""


def usable() -> dict[str, "Format"]:
    """Load all formats; those of other packages that cannot be are passed over with a `PluginWarning`."""
    return {name: FORMATS.load(name) for name in FORMATS.ours} | FORMATS.others()


def able(ability: "Ability") -> tuple[str, ...]:
    """Names of the formats with an ability."""
    return tuple(name for name, form in usable().items() if ability in form.abilities)


def layouts() -> dict[str, "Layout"]:
    """Return whether a file, a folder or a training folder is written, by format; loads none of ours."""
    ours: dict[str, Layout] = {name: line.layout for name, line in _OURS.items()}
    others = {name: form.layout for name, form in FORMATS.others().items()}
    return {name: layout for name, layout in (ours | others).items() if layout}


def saved_as(asked: Collection[str] | None = None) -> dict[str, str]:
    """Name the files and folders that ``annotate --save`` writes for other programs.

    Parameters
    ----------
    asked : collection of str, optional
        Words of a user; what is no format among them is passed over. All formats by default.

    Returns
    -------
    dict
        Name of the file or folder by name of the format: files first, training folders last, as they take
        longest. None of our formats is loaded.

    Raises
    ------
    PluginError
        If one of those asked is another package's and cannot be loaded.
    """
    lines = {name: (line.layout, line.saved_as) for name, line in _OURS.items()}
    if asked is None:
        others = FORMATS.others()
    else:
        others = {name: FORMATS.load(name) for name in asked if name in FORMATS and name not in _OURS}
    lines |= {name: (form.layout, form.saved_as) for name, form in others.items()}
    order = ("file", "folder", "training folder")
    chosen = [name for name, (_, file) in lines.items() if file and (asked is None or name in asked)]
    return {name: lines[name][1] for name in sorted(chosen, key=lambda n: (order.index(lines[n][0]), n))}


def sniffs(form: "Format", path: Path) -> bool:
    """Ask a format whether it recognises a path; if another package's fails, a `PluginWarning` says so."""
    if form.name in _OURS:
        return form.sniff(path)
    try:
        return form.sniff(path)
    except Exception as error:
        warnings.warn(
            f"{path}: format {form.name!r} of the package {FORMATS.package_of(form.name)} fails to recognise "
            f"it ({type(error).__name__}: {error}); mend or uninstall the package, all else works without it",
            PluginWarning,
            stacklevel=2,
        )
        return False


def recognise(path: str | Path) -> str:
    """Name the format of a point file or folder.

    Formats of other packages that are broken are passed over with a `PluginWarning`.

    Raises
    ------
    PointsError
        If the path does not exist or no format recognises it.
    """
    path = Path(path)
    if not path.exists():
        raise PointsError(f"{path}: no such file or folder; check the path of the points")
    for name in FORMATS.ours:
        if FORMATS.load(name).sniff(path):
            return name
    for name, form in FORMATS.others().items():
        if sniffs(form, path):
            return name
    for name, form in usable().items():
        if path.is_file() and path.suffix.lower() in form.suffixes:
            return name
    raise PointsError(
        f"{path}: not recognised as points; give a CSV with the columns image,x,y, a file of an annotation "
        "tool (COCO, LabelMe, CVAT, YOLO ...), a folder of point images, or one of masks with --simulate "
        "centroid or coarse; --points-format names what is not recognised"
    )


def read_points(
    path: str | Path,
    *,
    format: str | None = None,
    simulate: "Simulation | None" = None,
    seed: int = 0,
    images: "ImageSource | str | Path | None" = None,
) -> "Points":
    """Read points in any known format.

    Parameters
    ----------
    path : str or Path
        File or folder.
    format : str, optional
        A name in `FORMATS`; recognised from the content by default.
    simulate : {"centroid", "coarse"}, optional
        Take the path as a folder of masks and click on its targets; see `pointmask.io.formats.folders.masks`.
    seed : int
        For ``simulate="coarse"``.
    images : ImageSource, str or Path, optional
        The images, for formats whose coordinates are fractions of their sizes.

    Returns
    -------
    Points
        ``source`` tells the path and what it was recognised as.

    Raises
    ------
    PointsError
        If the path is not recognised or not readable as a whole. Rows that cannot be read only
        reject their image.
    PluginError
        If the format named is another package's and cannot be loaded.
    """
    path = Path(path)
    if simulate is not None:
        return FORMATS.load(format or "masks").simulate(path, simulate, seed)
    form = FORMATS.load(format or recognise(path))
    if images is None or not form.needs_images:
        return form.read(path)
    from pointmask.io.images.open import open_source

    return form.read(path, images=open_source(images))
