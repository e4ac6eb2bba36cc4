"""A text file per image, of points: which file belongs to which image, and what looks like such a folder."""

from collections.abc import Callable
from itertools import islice
from pathlib import Path

from pointmask.errors import PointsError
from pointmask.io.formats.parts.text import Collector, read_text
from pointmask.io.formats.sequences.sequence import lines_of
from pointmask.io.formats.yolo.root import filled
from pointmask.io.listing import files_below
from pointmask.io.points.points import Point

_SUFFIX = ".txt"
_SNIFFED = 16

ReadLines = Callable[[list[tuple[int, str]], str], list[Point | None]]
"""Takes (number, text) of the lines of a file, and its place; returns points, None for empty boxes."""


def looks_like(path: Path, fits: Callable[[Path], bool]) -> bool:
    """Say whether the first text files at a path that are not empty all fit; never raises."""
    files = list(islice(filled(path, _SNIFFED), _SNIFFED))
    return bool(files) and all(map(fits, files))


def add_files(collector: Collector, path: Path, read: ReadLines, suffix: str = _SUFFIX) -> None:
    """Add the points of a file, or of all files below a folder; one that cannot be read rejects its image.

    Raises
    ------
    PointsError
        If the folder cannot be listed or holds no such file.
    """
    if path.is_dir():
        try:
            files = list(files_below(path, lambda name: name.lower().endswith(suffix)))
        except OSError as error:
            raise PointsError(f"{path}: cannot be listed ({error.strerror}); check the folder") from error
        if not files:
            raise PointsError(f"{path}: no {suffix} file in this folder; give the folder with the files")
    else:
        files = [path]
    for file in files:
        key = (file.relative_to(path) if path.is_dir() else Path(file.name)).with_suffix("").as_posix()
        try:
            points = read(list(lines_of(read_text(file))), str(file))
        except PointsError as error:
            collector.reject(key, str(file), str(error).removeprefix(f"{file}: "))
            continue
        add_points(collector, key, points, str(file))


def add_points(collector: Collector, key: str, points: list[Point | None], where: str) -> None:
    """Add the points of an image; without any, or with empty boxes alone, it holds no target."""
    real = [point for point in points if point is not None]
    for point in real or (None,):
        collector.add(key, where, point)
