"""MATLAB files with points: an array (n, 2) of x and y that counts from 1, per image or with names.

A file of its own per image is called as the image. A single file for all images has a cell array of n names
beside the array. Files of version 7.3 are HDF5 and are not read.
"""

from pathlib import Path

import numpy as np

from pointmask.errors import PointsError
from pointmask.io.formats.base import Format
from pointmask.io.formats.parts.documents import read_document
from pointmask.io.formats.parts.origin import to_pixel
from pointmask.io.formats.parts.text import Collector
from pointmask.io.formats.sequences.per_image import add_points
from pointmask.io.images.codecs.mat import Variable, variables
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
            return first is not None and any(map(_is_pairs, _variables(first).values()))
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


def _is_pairs(value: Variable) -> bool:
    """Say whether a variable is an array of points; that of none may be 0 x 0."""
    return (
        isinstance(value, np.ndarray) and value.ndim == 2 and (value.shape[1] == 2 or value.shape == (0, 0))
    )


def _variables(file: Path) -> dict[str, Variable]:
    data = read_document(file, _MOST_BYTES)
    if data.startswith(b"MATLAB 7.3"):
        raise PointsError(
            f"{file}: a MATLAB file of version 7.3, which is HDF5 and not read; save it in MATLAB with "
            "save(file, 'points', '-v7')"
        )
    try:
        return variables(data)
    except ValueError as error:
        raise PointsError(
            f"{file}: not a readable MATLAB file ({str(error)[:200]}); save it again with '-v7'"
        ) from None


def _add(collector: Collector, file: Path, key: str) -> None:
    found = _variables(file)
    pairs = [name for name, value in found.items() if _is_pairs(value)]
    chosen = pairs if len(pairs) == 1 else [name for name in pairs if name.lower() in _NAMES]
    if len(chosen) != 1:
        arrays = {name[:40]: value.shape for name, value in found.items() if isinstance(value, np.ndarray)}
        listed = ", ".join(f"{name} {shape}" for name, shape in [*arrays.items()][:8])
        raise PointsError(
            f"{file}: it holds {listed[:300] or 'no array'}, of which not one alone is an array (n, 2) "
            "of points; "
            "save x and y as points, and the names of images as names"
        )
    array = found[chosen[0]]
    assert isinstance(array, np.ndarray), "chosen among arrays"
    try:
        points = [
            Point(to_pixel(y, "one-based"), to_pixel(x, "one-based"))
            for x, y in array.reshape(-1, 2).tolist()
        ]
    except PointsError as error:
        raise PointsError(f"{file}: {chosen[0][:40]}: {error}") from None
    names = next(
        (value for value in found.values() if isinstance(value, list) and len(value) == len(points)), []
    )
    note(_ORDER, str(file), len(points))
    if not names:
        add_points(collector, key, [*points], str(file))
    elif not all(name.strip() for name in names):
        raise PointsError(
            f"{file}: a cell array of {len(names)} names, of which some are empty; correct them"
        )
    else:
        for name, point in zip(names, points, strict=True):
            collector.add(name, str(file), point)
