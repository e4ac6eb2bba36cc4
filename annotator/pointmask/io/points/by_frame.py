"""Points by image and frame: what several names say of one frame is put together."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from pointmask.io.points.match import Matches, match
from pointmask.io.points.names import ImageFrame
from pointmask.io.points.points import Point, Points
from pointmask.io.points.settle import settled


@dataclass(frozen=True, slots=True)
class PointsByFrame:
    """
    Which points belong to which frame of which image.

    Attributes
    ----------
    points : Mapping[ImageFrame, tuple[Point, ...]]
        Points by (name, frame); an empty tuple is a frame known to hold no target.
    rejected : Mapping[ImageFrame, str]
        Frames with a row that could not be read, with the reason. None of them is in ``points``.
    notes : tuple of str
        What was assumed of names, a line per kind.
    unmatched, ambiguous, hints
        Of all keys, rejected ones included; see `pointmask.io.points.match.Matches`.
    """

    points: Mapping[ImageFrame, tuple[Point, ...]]
    rejected: Mapping[ImageFrame, str]
    unmatched: tuple[str, ...]
    ambiguous: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...] = ()
    hints: Mapping[str, str] = field(default_factory=dict)


def points_by_frame(points: Points, names: Iterable[str]) -> PointsByFrame:
    """
    Pair points with image files by name; see `pointmask.io.points.match.match` for the rule.

    Parameters
    ----------
    points : Points
        As read.
    names : iterable of str
        Image names relative to their folder, with forward slashes and suffix.

    Returns
    -------
    PointsByFrame
        Points of several keys that name the same frame are joined in their order.
    """
    names = list(names)
    found = settled(points, names)
    paired = join_points(found, match((*found.by_image, *found.rejected), names))
    return replace(paired, notes=(*found.notes[len(points.notes) :], *paired.notes))


def join_points(points: Points, matches: Matches) -> PointsByFrame:
    """Put together the points, and the rejected keys, of keys that are matched already."""
    by_frame: dict[ImageFrame, tuple[Point, ...]] = {}
    rejected: dict[ImageFrame, str] = {}
    for key, image in matches.by_key.items():
        if key in points.rejected:
            rejected[image] = points.rejected[key]
        else:
            by_frame[image] = by_frame.get(image, ()) + points.by_image[key]
    for image in rejected:
        by_frame.pop(image, None)
    return PointsByFrame(
        by_frame, rejected, matches.unmatched, matches.ambiguous, matches.notes, matches.hints
    )
