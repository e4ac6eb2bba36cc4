"""MATLAB files with points: an array (n, 2) of x and y that counts from 1, per image or with names.

A file of its own per image is called as the image. A single file for all images has a cell array of n names
beside the array. Files of version 7.3 are HDF5 and are not read.
"""

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from pointmask.errors import PointsError
from pointmask.io.formats.base import Format
from pointmask.io.formats.parts.documents import brief, read_document
from pointmask.io.formats.parts.origin import to_pixel
from pointmask.io.formats.parts.text import Collector
from pointmask.io.formats.sequences.per_image import add_points
from pointmask.io.images.source import ImageSource
from pointmask.io.listing import files_below
from pointmask.io.notes import note
from pointmask.io.points.points import Point, Points

_SUFFIX = ".mat"
_MOST_BYTES = 1 << 28
_NAMES = ("points", "point", "centroid", "centroids", "xy", "coords", "coordinates", "targets", "centers")
_ORDER = "MATLAB arrays were read as x, y (column, row) that count from 1"


class Matlab(Format):
    """Points in MATLAB files up to version 7."""

    name = "matlab"
    description = "MATLAB points"
    abilities = frozenset({"read points"})
    suffixes = (_SUFFIX,)
    origin = "one-based"
    per_image = True

    def sniff(self, path: Path) -> bool:
        """Say whether the file, or the first in the folder, has an array (n, 2)."""
        try:
            first = next(iter(_files(path)), None)
            return first is not None and any(_is_pairs(shape, kind) for _, shape, kind in _listed(first))
        except (OSError, PointsError):
            return False

    def read(self, path: Path, *, images: ImageSource | None = None) -> Points:
        """Read a file, or all below a folder; one that cannot be read rejects its image.

        Raises
        ------
        PointsError
            If the folder cannot be listed or holds no such file, or a single file cannot be read.
        """
        try:
            files = list(_files(path))
        except OSError as error:
            raise PointsError(f"{path}: cannot be listed ({error.strerror}); check the folder") from error
        if not files:
            raise PointsError(f"{path}: no .mat file in this folder; give the folder with the files")
        collector = Collector()
        for file in files:
            key = (file.relative_to(path) if path.is_dir() else Path(file.name)).with_suffix("").as_posix()
            try:
                _add(collector, file, key)
            except PointsError as error:
                if not path.is_dir():
                    raise
                collector.reject(key, str(file), str(error).removeprefix(f"{file}: "))
        return collector.points(self.source_of(path))


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return list(files_below(path, lambda name: name.lower().endswith(_SUFFIX)))
    return [path] if path.is_file() and path.suffix.lower() == _SUFFIX else []


def _is_pairs(shape: tuple[int, ...], kind: str) -> bool:
    numbers = ("double", "single", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
    return len(shape) == 2 and (shape[1] == 2 or shape in ((0, 0), (0, 2))) and kind in numbers


def _scipy(file: Path, call: str, **options: object) -> Any:  # noqa: ANN401 - as in SciPy
    from scipy import io

    head = read_document(file, _MOST_BYTES)[:128]
    if head.startswith(b"MATLAB 7.3"):
        raise PointsError(
            f"{file}: a MATLAB file of version 7.3, which is HDF5 and not read; save it in MATLAB with "
            "save(file, 'points', '-v7')"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return getattr(io, call)(str(file), **options)
    except Exception as error:  # SciPy lets pass whatever damage leads to
        raise PointsError(
            f"{file}: not a readable MATLAB file ({type(error).__name__}: {str(error)[:200]}); save it again"
        ) from None


def _listed(file: Path) -> list[tuple[str, tuple[int, ...], str]]:
    return [(name, tuple(shape), kind) for name, shape, kind in _scipy(file, "whosmat")]


def _add(collector: Collector, file: Path, key: str) -> None:
    listed = _listed(file)
    pairs = [name for name, shape, kind in listed if _is_pairs(shape, kind)]
    known = [name for name in pairs if name.lower() in _NAMES]
    chosen = pairs if len(pairs) == 1 else known
    if len(chosen) != 1:
        found = ", ".join(f"{name} {shape}" for name, shape, _ in listed[:8])
        raise PointsError(
            f"{file}: it holds {found[:300] or 'nothing'}, of which not one alone is an array (n, 2) of "
            "points; "
            "save x and y as points, and the names of images as names"
        )
    cells = [name for name, _, kind in listed if kind == "cell"]
    content = _scipy(file, "loadmat", variable_names=[chosen[0], *cells])
    array = np.asarray(content.get(chosen[0]), np.float64).reshape(-1, 2)
    if not np.isfinite(array).all():
        raise PointsError(f"{file}: {chosen[0]} holds NaN or infinity; delete these rows")
    points = [Point(to_pixel(y, "one-based"), to_pixel(x, "one-based")) for x, y in array.tolist()]
    names = next((texts for cell in cells if (texts := _texts(content.get(cell), len(points)))), None)
    note(_ORDER, str(file), len(points))
    if names is None:
        add_points(collector, key, [*points], str(file))
        return
    for name, point in zip(names, points, strict=True):
        collector.add(name, str(file), point)


def _texts(cell: object, count: int) -> list[str] | None:
    """Return the texts of a cell array, if there are as many as points."""
    if not isinstance(cell, np.ndarray) or cell.size != count or not count:
        return None
    texts = [
        str(item.item()) if isinstance(item, np.ndarray) and item.size == 1 else "" for item in cell.flat
    ]
    if not all(texts):
        raise PointsError(f"a cell array of {brief(count)} names, of which some are empty; correct them")
    return texts
