"""A ``.npy`` file per image that holds an array (n, 2) of points x, y: column and row from 0."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pointmask.errors import PointsError
from pointmask.io.formats.base import Format
from pointmask.io.formats.folders._point_arrays import array_files, array_shape, holds_point_arrays
from pointmask.io.formats.parts.documents import read_document
from pointmask.io.formats.parts.text import Collector
from pointmask.io.formats.sequences.per_image import add_points
from pointmask.io.formats.tables.point_texts import points_of_pairs
from pointmask.io.images.source import ImageSource
from pointmask.io.points.points import Points

_MOST_BYTES = 1 << 28
_MOST_POINTS = 1 << 24


class PointArrays(Format):
    """An array of points per image."""

    name = "point-arrays"
    description = "NumPy array of points x, y per image"
    abilities = frozenset({"read points"})
    origin = "index"
    per_image = True

    def sniff(self, path: Path) -> bool:
        """Say whether the first arrays are all of shape (n, 2), which no image is."""
        return holds_point_arrays(path)

    def read(self, path: Path, *, images: ImageSource | None = None) -> Points:
        """Read an array, or all below a folder; one of another shape rejects its image.

        Raises
        ------
        PointsError
            If the folder cannot be listed or holds no ``.npy`` file.
        """
        try:
            files = list(array_files(path))
        except OSError as error:
            raise PointsError(f"{path}: cannot be listed ({error.strerror}); check the folder") from error
        if not files:
            raise PointsError(f"{path}: no .npy file in this folder; give the folder with the arrays")
        collector = Collector()
        for file in files:
            key = (file.relative_to(path) if path.is_dir() else Path(file.name)).with_suffix("").as_posix()
            try:
                points = points_of_pairs(_pairs(file).tolist(), str(file))
            except PointsError as error:
                collector.reject(key, str(file), str(error).removeprefix(f"{file}: "))
                continue
            add_points(collector, key, points, str(file))
        return collector.points(self.source_of(path))


def _pairs(file: Path) -> NDArray[np.float64]:
    shape = array_shape(file)
    if shape is None:
        raise PointsError(f"{file}: not an array of numbers; save points as an array of shape (n, 2)")
    if shape in ((0,), (0, 2)):
        return np.empty((0, 2))
    if len(shape) != 2 or shape[1] != 2 or not 0 <= shape[0] <= _MOST_POINTS:
        fix = "transpose it" if len(shape) == 2 and shape[0] == 2 else "keep x and y alone"
        raise PointsError(f"{file}: an array of shape {str(shape)[:60]}, not (n, 2) with x and y; {fix}")
    read_document(file, _MOST_BYTES)
    try:
        array = np.load(file, allow_pickle=False)
    except Exception as error:  # NumPy lets pass what its header leads to
        raise PointsError(f"{file}: not a readable array ({str(error)[:200]}); save it again") from None
    return np.asarray(array, np.float64)
