"""Annotations of any tool, in and out; here, points are read in whatever format they are.

A format is a class that derives from `base.Format`, in a file of its own in `tools`, `tables` or `folders`,
and a line of the table in `registry`, which names it without importing it. `convert` goes from any into any
other; `find` looks for the points of a training folder.
May import: points, images, files, layout; at run time this module loads no numpy. Open first: ``base.py``.
"""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pointmask.advice import command
from pointmask.errors import PointsError
from pointmask.io.formats.registry import FORMATS, sniffs, usable
from pointmask.io.notes import gathering
from pointmask.regular import check_regular

if TYPE_CHECKING:
    from pointmask.io.formats.base import Simulation
    from pointmask.io.images.source import ImageSource
    from pointmask.io.points.points import Points


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
    _check_regular(path)
    for name in FORMATS.ours:
        if FORMATS.load(name).sniff(path):
            return name
    for name, form in FORMATS.others().items():
        if sniffs(form, path):
            return name
    from pointmask.io.formats.parts.unread import named

    if reason := named(path):
        raise PointsError(f"{path}: {reason}")
    for name, form in usable().items():
        if path.is_file() and path.suffix.lower() in form.suffixes:
            return name
    from pointmask.io.formats.folders._masks import holds_images

    if path.is_dir() and holds_images(path):
        raise PointsError(
            f"{path}: a folder of pictures, neither points nor masks; points are a CSV with the columns "
            "image,x,y, a file of an annotation tool, or a folder of point images, and --points-format names "
            f"what is not recognised; to click on these pictures: {command('click', path)}"
        )
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
        The images: for formats whose coordinates are fractions of their sizes or that name frames by their
        place, and to judge what the numbers of others mean.

    Returns
    -------
    Points
        ``source`` tells the path and what it was recognised as, ``notes`` what was assumed.

    Raises
    ------
    PointsError
        If the path is not recognised or not readable as a whole. Rows that cannot be read only
        reject their image.
    PluginError
        If the format named is another package's and cannot be loaded.
    """
    path = Path(path)
    if path.exists():
        _check_regular(path)
    with gathering() as notes:
        if simulate is not None:
            if format is None and path.is_file():
                raise PointsError(
                    f"{path} is a file; --simulate clicks on the targets of a folder of masks: give one, or "
                    "leave out --simulate if these are points"
                )
            points = FORMATS.load(format or "masks").simulate(path, simulate, seed)
        else:
            form = FORMATS.load(format or recognise(path))
            source = None
            if images is not None:
                from pointmask.io.images.open import open_source

                source = open_source(images)
            points = form.read(path, images=source)
    lines = notes.lines()
    return replace(points, notes=(*points.notes, *lines)) if lines else points


def _check_regular(path: Path) -> None:
    try:
        check_regular(path)
    except OSError as error:
        raise PointsError(f"{path} cannot be read: {error.strerror}") from None
