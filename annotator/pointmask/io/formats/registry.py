"""The names of all formats, and what help says of them; loads neither numpy nor any of them.

One line of the table per format of ours; another package adds one by an entry point, see `base.Format`.
"""

import warnings
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pointmask.errors import PluginWarning, PointsError
from pointmask.registry import Registry

if TYPE_CHECKING:
    from pointmask.io.formats.base import Format, Layout


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
    "labelstudio-min": _Line("trade.labelstudio_min:LabelStudioMin"),
    "createml": _Line("trade.createml:CreateMl"),
    "coco-results": _Line("trade.coco_results:CocoResults"),
    "via": _Line("tools.via:Via"),
    "vott": _Line("trade.vott:Vott"),
    "supervisely": _Line("trade.supervisely:Supervisely"),
    "napari": _Line("tools.napari:Napari"),
    "mclc": _Line("folders.mclc:Mclc"),
    "labelme": _Line("tools.labelme:LabelMe", "folder", "labelme"),
    "sirst": _Line("trade.sirst:Sirst"),
    "voc": _Line("tools.voc:Voc", "folder", "voc"),
    "yolo-seg": _Line("yolo.polygons:YoloPolygons", "folder", "yolo-seg"),
    "yolo": _Line("yolo.boxes:YoloBoxes", "folder", "yolo"),
    "tensorflow": _Line("tables.tensorflow:TensorFlowCsv"),
    "makesense": _Line("tables.makesense:MakeSense"),
    "via-csv": _Line("tools.via_csv:ViaCsv"),
    "labelstudio-csv": _Line("tools.labelstudio_csv:LabelStudioCsv"),
    "imagej": _Line("tables.imagej:ImageJ"),
    "excel": _Line("tables.excel:Excel"),
    "matlab": _Line("tables.matlab:Matlab"),
    "ds9": _Line("tables.ds9:Ds9"),
    "visdrone": _Line("sequences.visdrone:VisDrone"),
    "mot": _Line("sequences.mot:Mot"),
    "sequence-boxes": _Line("sequences.boxes:SequenceBoxes"),
    "dota": _Line("sequences.dota:Dota"),
    "point-arrays": _Line("tables.point_arrays:PointArrays"),
    "point-texts": _Line("tables.point_texts:PointTexts"),
    "jsonl": _Line("tables.jsonl:JsonLines", "file"),
    "json": _Line("tables.plain_json:PlainJson"),
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
    {name: f"pointmask.io.formats.{line.place}" for name, line in _OURS.items()},
    _checked,
    PointsError,
)
"""All formats: ours in the order in which they are asked for recognition, then those of other packages."""


def usable() -> dict[str, "Format"]:
    """Load all formats; those of other packages that cannot be are passed over with a `PluginWarning`."""
    return {name: FORMATS.load(name) for name in FORMATS.ours} | FORMATS.others()


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
