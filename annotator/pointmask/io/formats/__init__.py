"""Annotations of every kind in and out: one module per format, one line in the table below.

A format module has

* ``DESCRIPTION``, a few words for messages;
* ``sniff(path) -> bool``, which looks at as little as it can and never raises;
* ``SUFFIXES``, if a file that nothing recognises is this format for its name alone, so that its reader can
  say what is wrong;
* ``read(path) -> Points``, if it holds points;
* ``write(points, path)``, if it holds points and nothing that would need the size of an image;
* ``read_masks(path, rejected) -> Iterator[LabelledImage]``, if it holds masks or sizes: image by image,
  putting the key of an image that cannot be read into ``rejected`` with the reason;
* ``write_masks(images, path)``, which takes any iterable of `LabelledImage` and holds no more than one of
  them where the format allows it; with it ``HOLDS``, the set of `Feature` that survive the writing;
* ``OPTIONS``, the names of further keywords that ``write_masks`` takes: ``source``, the images, and what
  else the module documents;
* ``NEEDS_IMAGES``, true if its coordinates mean nothing without the sizes of the images: ``read`` and
  ``read_masks`` then take ``images``, an `ImageSource` or None to look for them beside the annotations;
* ``ORIGIN``, what its coordinates mean (`pointmask.io.formats.parts.origin`), if it has any.
"""

from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from pointmask.errors import PointsError
from pointmask.io.formats.base import Simulation
from pointmask.io.images.source import ImageSource
from pointmask.io.points.points import Points

FORMATS = {
    "native": "pointmask.io.formats.tables.native",
    "basicirstd": "pointmask.io.formats.folders.basicirstd",
    "pal": "pointmask.io.formats.folders.pal",
    "coco": "pointmask.io.formats.tools.coco",
    "cvat": "pointmask.io.formats.tools.cvat",
    "labelstudio": "pointmask.io.formats.tools.labelstudio",
    "via": "pointmask.io.formats.tools.via",
    "napari": "pointmask.io.formats.tools.napari",
    "mclc": "pointmask.io.formats.folders.mclc",
    "labelme": "pointmask.io.formats.tools.labelme",
    "voc": "pointmask.io.formats.tools.voc",
    "yolo-seg": "pointmask.io.formats.tools.yolo_seg",
    "yolo": "pointmask.io.formats.tools.yolo",
    "jsonl": "pointmask.io.formats.tables.jsonl",
    "csv": "pointmask.io.formats.tables.csv",
    "masks": "pointmask.io.formats.folders.masks",
    "point_images": "pointmask.io.formats.folders.point_images",
}
"""Name to module, in the order in which they are asked whether they recognise a path."""


class Format(Protocol):
    """What a format module provides."""

    DESCRIPTION: str

    def sniff(self, path: Path) -> bool:
        """Say whether the path looks like this format."""

    def read(self, path: Path) -> Points:
        """Read all points."""


class SizedFormat(Protocol):
    """A format module with ``NEEDS_IMAGES``."""

    def read(self, path: Path, *, images: ImageSource | None = None) -> Points:
        """Read all points."""


def load_format(name: str) -> Format:
    """Import a format by its name in `FORMATS`.

    Raises
    ------
    PointsError
        If there is no such format.
    """
    if name not in FORMATS:
        raise PointsError(f"point format {name!r} is not known; use one of: {', '.join(FORMATS)}")
    return cast(Format, import_module(FORMATS[name]))


def writable() -> tuple[str, ...]:
    """Names of the formats that can be written from points alone."""
    return _with("write")


def mask_writable() -> tuple[str, ...]:
    """Names of the formats to which masks can be written."""
    return _with("write_masks")


def _with(attribute: str) -> tuple[str, ...]:
    return tuple(name for name in FORMATS if hasattr(load_format(name), attribute))


def recognise(path: str | Path) -> str:
    """Name the format of a point file or folder.

    Raises
    ------
    PointsError
        If the path does not exist or no format recognises it.
    """
    path = Path(path)
    if not path.exists():
        raise PointsError(f"{path}: no such file or folder; check the path of the points")
    for name in FORMATS:
        if load_format(name).sniff(path):
            return name
    for name in FORMATS:
        if path.is_file() and path.suffix.lower() in getattr(load_format(name), "SUFFIXES", ()):
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
    simulate: Simulation | None = None,
    seed: int = 0,
    images: ImageSource | str | Path | None = None,
) -> Points:
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
    """
    path = Path(path)
    if simulate is not None:
        if format not in (None, "masks"):
            raise PointsError(
                f"points of format {format!r} cannot be simulated; --simulate takes a folder of masks"
            )
        from pointmask.io.formats.folders import masks

        return masks.read(path, simulate=simulate, seed=seed)
    module = load_format(format or recognise(path))
    if not getattr(module, "NEEDS_IMAGES", False):
        return module.read(path)
    from pointmask.io.images.open import open_source

    source = None if images is None else open_source(images)
    return cast(SizedFormat, module).read(path, images=source)
