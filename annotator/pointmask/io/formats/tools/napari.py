"""napari's points layer as CSV: ``index,axis-0,axis-1``, one file per image.

The last two axes are row and column, 0 at the centre of the first pixel; before them may come one axis of
frames. The image is named by the file: ``a.csv`` holds the points of ``a``. A folder of such files is read
as a whole. A file with its header alone says that the image holds no target. A column ``label`` is read.
"""

import csv
import io
import re
from pathlib import Path

from pointmask.errors import PointsError
from pointmask.io.formats.base import Format
from pointmask.io.formats.parts.decoding import decode_text, peek
from pointmask.io.formats.parts.documents import number, read_document, whole
from pointmask.io.formats.parts.finder import ImageFinder
from pointmask.io.formats.parts.origin import Origin, to_pixel
from pointmask.io.formats.parts.text import Collector
from pointmask.io.images.source import ImageSource
from pointmask.io.notes import note
from pointmask.io.points.names import in_natural_order
from pointmask.io.points.points import Point, Points

_ORIGIN: Origin = "index"
_HEADER = re.compile(r'"?index"?,"?axis-0"?,"?axis-1"?[,\r\n]', re.IGNORECASE)
_SUFFIX = ".csv"


class Napari(Format):
    """napari's points layer."""

    name = "napari"
    description = "napari points"
    abilities = frozenset({"read points"})
    origin = _ORIGIN
    per_image = True

    def sniff(self, path: Path) -> bool:
        """Say whether the file, or the first ``.csv`` in the folder, has napari's header."""
        try:
            first = next(iter(_files(path)), None)
        except OSError:
            return False
        return first is not None and _HEADER.match(peek(first) + "\n") is not None

    def read(self, path: Path, *, images: ImageSource | None = None) -> Points:
        """Read one file, or all ``.csv`` in a folder and those below it.

        Raises
        ------
        PointsError
            If the folder cannot be listed, or a file is unreadable or has another header.
        """
        collector = Collector()
        try:
            files = _files(path)
        except OSError as error:
            raise PointsError(
                f"{path}: cannot be listed ({error.strerror}); check the path and its rights"
            ) from error
        if not files:
            raise PointsError(
                f"{path}: no .csv in this folder; give the folder with the layers that napari saved"
            )
        for file in files:
            image = file.relative_to(path).with_suffix("").as_posix() if path.is_dir() else file.stem
            try:
                _read_file(file, image, collector, None if path.is_dir() else images)
            except csv.Error as error:
                raise PointsError(f"{file}: not a readable table ({error}); save the layer again") from None
        return collector.points(self.source_of(path))


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path] if path.is_file() else []
    return sorted(file for file in path.rglob(f"*{_SUFFIX}") if not file.name.startswith("."))


def _read_file(file: Path, image: str, collector: Collector, images: ImageSource | None) -> None:
    text = decode_text(read_document(file), file)
    if not _HEADER.match(text + "\n"):
        raise PointsError(
            f"{file}: the table does not begin with index,axis-0,axis-1 as napari's do; save it again"
        )
    rows = csv.reader(io.StringIO(text, newline=""))
    columns = [name.strip().lower() for name in next(rows)]
    axes = [k for k, name in enumerate(columns) if name == f"axis-{k - 1}"]
    if len(axes) > 3:
        raise PointsError(
            f"{file}: it has {len(axes)} axes; save a layer of row and column, or frame, row, column"
        )
    names = _frames(file, image, text, images) if len(axes) == 3 and images is not None else None
    empty = True
    for cells in rows:
        if cells:
            empty = False
            _add(collector, cells, columns, len(axes), names or image, f"{file}:{rows.line_num}")
    if empty:
        collector.add(image, str(file), None)


def _frames(file: Path, image: str, text: str, images: ImageSource) -> list[str] | None:
    """Return the images of a stack that napari made of a folder; None if the file is called as its stack."""
    if ImageFinder(images).has(image):
        return None
    names = in_natural_order(images.names())
    frames = [cells[1] for cells in csv.reader(io.StringIO(text, newline="")) if len(cells) > 1][1:]
    try:
        last = int(max(map(float, frames), default=-1))
    except (ValueError, OverflowError):
        last = -1
    if last + 1 != len(names):
        raise PointsError(
            f"{file}: these are napari points of a stack {image!r}, which is not among the images, and "
            "its frames "
            f"go to {last} where there are {len(names)} images; call the file as the stack, or write a table "
            "with the columns image,x,y"
        )
    note("the first axis of napari's points was read as the images in natural order", str(file))
    return names


def _add(
    collector: Collector,
    cells: list[str],
    columns: list[str],
    axes: int,
    image: str | list[str],
    where: str,
) -> None:
    if len(cells) != len(columns):
        if isinstance(image, list):
            raise PointsError(f"{where}: {len(cells)} cells, not {len(columns)}; save the layer again")
        collector.reject(image, where, f"has {len(cells)} cells, not {len(columns)}; save the layer again")
        return
    try:
        row, col = (to_pixel(number(cells[k], columns[k]), _ORIGIN) for k in (axes - 1, axes))
        if isinstance(image, list):
            image = key = image[whole(cells[1], columns[1], most=len(image) - 1)]
        else:
            key = f"{image}#{whole(cells[1], columns[1])}" if axes == 3 else image
        label = cells[columns.index("label")] if "label" in columns else None
    except PointsError as error:
        if isinstance(image, list):
            raise PointsError(f"{where}: {error}") from None
        collector.reject(image, where, str(error))
    else:
        collector.add(key, where, Point(row, col, label or None))
