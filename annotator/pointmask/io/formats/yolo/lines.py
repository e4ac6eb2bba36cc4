"""What the numbers of a YOLO line mean: a box, a box with key points, or a polygon.

Behind the class come, in all dialects, coordinates as fractions of the size of the image:

========================================= ===========================================
numbers                                   line
========================================= ===========================================
``x y w h``                               box
``x y w h confidence``                    box, as detectors write it
``x y w h track``                         box with the number of its track
``x y w h confidence track``              both
``x y w h (kx ky [visibility])...``       box with key points
``x y x y x y ... [confidence]``          polygon; four corners are an oriented box, too
========================================= ===========================================

Six and more numbers may be several of these. ``kpt_shape`` in ``data.yaml`` decides if it is there; else all
lines of a length must fit: visibilities are 0, 1 or 2; tracks are whole numbers; and if the corners of a
polygon could as well be a box with key points in it, it is the smaller of the two areas.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Literal

from pointmask.errors import PointsError

Kind = Literal["box", "pose2", "pose3", "polygon", "polygon and confidence"]

MOST = 2
"""Of a fraction: what is larger is a pixel; what is not may lie beside the image."""
_SLACK = 1e-4
"""Of a fraction: tools round to four digits or more."""


def words_of(line: str) -> tuple[int, list[float]] | None:
    """Return class and numbers of a line; None if it is no line of labels."""
    words = line.split()
    try:
        index, values = float(words[0]), [float(word) for word in words[1:]]
    except (ValueError, IndexError):
        return None
    if len(values) < 4 or not index.is_integer() or not 0 <= index < 1 << 31:
        return None
    return int(index), values


def kinds_of(lines: Sequence[Sequence[float]], shape: tuple[int, int] | None) -> dict[int, Kind]:
    """Say what lines are, by how many numbers they have.

    Parameters
    ----------
    lines : sequence of sequences of float
        Numbers behind the class, of many lines of one collection.
    shape : (int, int), optional
        ``kpt_shape``: how many key points, of how many numbers each.
    """
    by_count: dict[int, list[Sequence[float]]] = {}
    for values in lines:
        by_count.setdefault(len(values), []).append(values)
    return {count: _kind(count, group, shape) for count, group in by_count.items()}


def _kind(count: int, group: Sequence[Sequence[float]], shape: tuple[int, int] | None) -> Kind:
    if count <= 5 or (count == 6 and _are_tracks(group)):
        return "box"
    if shape is not None and count - 4 == shape[0] * shape[1]:
        return "pose3" if shape[1] == 3 else "pose2"
    if not _are_smaller_polygons(group, count):
        if (count - 4) % 3 == 0 and all(_is_pose(values, 3) for values in group):
            return "pose3"
        if count % 2 == 0 and all(_is_pose(values, 2) for values in group):
            return "pose2"
    return "polygon and confidence" if count % 2 else "polygon"


def _are_tracks(group: Sequence[Sequence[float]]) -> bool:
    """Say whether all lines end in a confidence and a whole number that is no coordinate of all of them."""
    if not all(0 <= values[4] <= 1 and values[5].is_integer() and values[5] >= 0 for values in group):
        return False
    return any(values[5] > 1 for values in group) or not _are_smaller_polygons(group, 6)


def _is_pose(values: Sequence[float], numbers: int) -> bool:
    """Say whether key points of two or three numbers each lie in the box before them."""
    x, y, width, height = values[:4]
    if width <= 0 or height <= 0:
        return False
    for place in range(4, len(values), numbers):
        if numbers == 3 and values[place + 2] not in (0, 1, 2):
            return False
        if numbers == 3 and values[place + 2] == 0:
            continue
        if abs(values[place] - x) > width / 2 + _SLACK or abs(values[place + 1] - y) > height / 2 + _SLACK:
            return False
    return True


def _are_smaller_polygons(group: Sequence[Sequence[float]], count: int) -> bool:
    """Say whether the lines cover less as polygons than as boxes with key points."""
    if count % 2:
        return False
    boxes = sum(values[2] * values[3] for values in group)
    polygons = sum(_span(values[0::2]) * _span(values[1::2]) for values in group)
    return polygons < boxes


def _span(values: Sequence[float]) -> float:
    return max(values) - min(values)


def check_fractions(lines: Mapping[str, Sequence[float]]) -> None:
    """Refuse labels that are pixels.

    Parameters
    ----------
    lines : Mapping[str, Sequence[float]]
        Numbers behind the class by the place of the line; those of boxes.

    Raises
    ------
    PointsError
        If most lines have coordinates that lie far beyond the image as fractions.
    """
    beyond = [where for where, values in lines.items() if max(values[:4]) > MOST]
    if beyond and 2 * len(beyond) > len(lines):
        values = " ".join(f"{value:g}" for value in lines[beyond[0]][:4])
        raise PointsError(
            f"{beyond[0]}: {values} are pixels, not fractions of the size of the image, as YOLO's are; "
            "divide x and width by the image's width, y and height by its height, or write a table with the "
            "columns image,xmin,ymin,xmax,ymax or image,x,y,width,height, whichever they are"
        )


def key_point(kind: Kind, values: Sequence[float]) -> tuple[float, float]:
    """Return x and y of the only visible key point of a line, or of the middle of its box."""
    if kind in ("pose2", "pose3"):
        numbers = 3 if kind == "pose3" else 2
        points = [values[place : place + numbers] for place in range(4, len(values), numbers)]
        seen = [point for point in points if (point[2] > 0 if numbers == 3 else any(point[:2]))]
        if len(seen) == 1 and all(map(math.isfinite, seen[0])):
            return seen[0][0], seen[0][1]
    return values[0], values[1]
