"""Points as every other module sees them: integer pixels, grouped by the name of their image."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pointmask.errors import PointsError


@dataclass(frozen=True, slots=True)
class Point:
    """One annotated pixel.

    Attributes
    ----------
    row, col : int
        0-based pixel index, origin at the top left.
    label : str or None
        Class name or target identifier as the user wrote it.
    flags : tuple of str
        What is to be known of where the point comes from; the manifest repeats it. See
        `pointmask.tracking.sequences`.
    image_shape : (int, int) or None
        Height and width of the image in which the point was marked, if its document says them. Whoever uses
        the point has the image, and calls `pointmask.io.points.fit.fitted`. Not compared.
    """

    row: int
    col: int
    label: str | None = None
    flags: tuple[str, ...] = ()
    image_shape: tuple[int, int] | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Points:
    """All points of a folder, by image key.

    A key is a file name (``a.png``), a stem (``a``), a path relative to the image folder
    (``seq1/a.png``), or one of these followed by ``#k`` for frame ``k`` (0-based) of a multi-page
    file. An image mapped to an empty tuple is known to hold no target; an image that is absent is
    simply not annotated.

    Attributes
    ----------
    by_image : Mapping[str, tuple[Point, ...]]
        Points in the order in which they were listed.
    source : str
        Where they came from, for messages.
    rejected : Mapping[str, str]
        Image keys whose rows could not be read, with the reason. Such images are skipped, so that
        a target is never silently missing from a mask.
    notes : tuple of str
        What was assumed when they were read, a sentence each, to be shown to the user once.
    names : Mapping[str, tuple[str, ...]]
        Further names of an image, by its key: what its document is called if that differs from what the
        document says, and the like. They are tried in this order, before the key; see
        `pointmask.io.points.settle`.
    counted : Sequence[str]
        Keys ``prefix0003.suffix`` that the reader made from a frame number of a video, which counts from 0.
    """

    by_image: Mapping[str, tuple[Point, ...]]
    source: str = "memory"
    rejected: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    counted: Sequence[str] = ()
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return sum(len(points) for points in self.by_image.values())

    def __iter__(self) -> Iterator[tuple[str, tuple[Point, ...]]]:
        return iter(self.by_image.items())


def pixel_index(value: float) -> int:
    """Return the pixel index nearest to a coordinate in which 0 is the centre of the first pixel.

    Parameters
    ----------
    value : float
        Row or column; a half is rounded up, so that 11.5 and 12.4 are both 12.

    Raises
    ------
    PointsError
        If the value is NaN or infinite.
    """
    if not math.isfinite(value):
        raise PointsError(f"{value} is not a pixel index; write a finite number")
    return math.floor(value + 0.5)
