"""Points in any format, paired with the images of a session; what was assumed or left out is told."""

from collections.abc import Callable, Sequence
from pathlib import Path

from pointmask.io.formats import read_points
from pointmask.io.images.source import ImageSource
from pointmask.io.points.by_frame import PointsByFrame, points_by_frame

Warn = Callable[[str], None]

_SHOWN = 3  # names in a sentence


def paired(
    path: Path, images: ImageSource, names: Sequence[str], warn: Warn, *, point_format: str | None = None
) -> PointsByFrame:
    """
    Read points, and pair them with images.

    Parameters
    ----------
    path : Path
        In any format that `pointmask annotate` reads.
    images : ImageSource
    names : sequence of str
        Of all images.
    warn : callable
        Takes a sentence about what was assumed, or is left out.
    point_format : str, optional
        Its name, where it is not recognised.

    Raises
    ------
    PointsError
        If they cannot be read.
    """
    points = read_points(path, format=point_format, images=images)
    found = points_by_frame(points, names)
    for line in dict.fromkeys((*points.notes, *found.notes)):
        warn(line)
    for what, keys in (
        ("name no image here", found.unmatched),
        ("fit several images", tuple(found.ambiguous)),
        ("have a row that cannot be read", tuple(dict.fromkeys(name for name, _ in found.rejected))),
    ):
        if keys:
            warn(f"{points.source}: {len(keys):,} of its images {what} and are left out: {_some(keys)}")
    return found


def _some(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
