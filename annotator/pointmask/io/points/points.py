"""Points as every other module sees them: integer pixels, grouped by image, paired with files by name."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pointmask.errors import PointsError
from pointmask.io.points.names import NameIndex as NameIndex
from pointmask.io.points.names import without_suffix as without_suffix

ImageFrame = tuple[str, int]
"""An image's name relative to its folder, with forward slashes, and a 0-based frame."""


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
    """

    row: int
    col: int
    label: str | None = None
    flags: tuple[str, ...] = ()


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
    """

    by_image: Mapping[str, tuple[Point, ...]]
    source: str = "memory"
    rejected: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return sum(len(points) for points in self.by_image.values())

    def __iter__(self) -> Iterator[tuple[str, tuple[Point, ...]]]:
        return iter(self.by_image.items())


@dataclass(frozen=True, slots=True)
class Matches:
    """Which points belong to which image file; see `match`.

    Attributes
    ----------
    points : Mapping[ImageFrame, tuple[Point, ...]]
        Points by (name, frame); an empty tuple is an image known to hold no target.
    rejected : Mapping[ImageFrame, str]
        Images whose rows could not be read, with the reason. None of them is in ``points``.
    unmatched : tuple[str, ...]
        Keys, rejected ones included, that name no image.
    ambiguous : Mapping[str, tuple[str, ...]]
        Keys that fit several images, with their names; or that share their only image with a key from
        another folder.
    """

    points: Mapping[ImageFrame, tuple[Point, ...]]
    rejected: Mapping[ImageFrame, str]
    unmatched: tuple[str, ...]
    ambiguous: Mapping[str, tuple[str, ...]]


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


def clean_key(text: str) -> str:
    """Bring an image name from a list into the form of a key.

    Surrounding space is dropped, backslashes become slashes, and a leading slash or ``./`` goes.

    Raises
    ------
    PointsError
        If nothing is left, or the name climbs out of its folder with ``..``.
    """
    stripped = (part.strip() for part in text.replace("\\", "/").split("/"))
    parts = [part for part in stripped if part not in ("", ".")]
    if not parts:
        raise PointsError(f"image name {text[:60]!r} is empty; write the file name of the image")
    if ".." in parts:
        raise PointsError(f"image name {text[:60]!r} climbs out of the image folder; write it without '..'")
    return "/".join(parts)


def match(points: Points, names: Iterable[str]) -> Matches:
    """Pair the keys of points with image files by name.

    A key fits a name, in this order of preference, if it is the whole name; the name without its
    suffix; or the name but for another image suffix. A key without a folder may fit the last part of
    a name; a key with folders may fit a name after its leading folders are dropped, as long as all
    such keys for that image drop the same ones. ``#k`` at the end, or before the suffix, stands for
    frame ``k``; without it frame 0 is meant. An image whose own name ends in ``#k`` takes precedence.

    Parameters
    ----------
    points : Points
        Keys in the form of `clean_key`.
    names : Iterable[str]
        Image names relative to their folder, with forward slashes and suffix.

    Returns
    -------
    Matches
        Points of several keys that name the same frame are joined in their order.
    """
    index = NameIndex(names)
    found: dict[str, tuple[ImageFrame, str]] = {}
    ambiguous: dict[str, tuple[str, ...]] = {}
    unmatched = []
    dropped: defaultdict[ImageFrame, set[str]] = defaultdict(set)
    for key in (*points.by_image, *points.rejected):
        names_found, frame, prefix = index.find(key)
        if not names_found:
            unmatched.append(key)
        elif len(names_found) > 1:
            ambiguous[key] = names_found
        else:
            found[key] = (names_found[0], frame), prefix
            dropped[found[key][0]].add(prefix)
    paired: dict[ImageFrame, tuple[Point, ...]] = {}
    rejected: dict[ImageFrame, str] = {}
    for key, (target, prefix) in found.items():
        if prefix and len(dropped[target]) > 1:
            ambiguous[key] = (target[0],)
        elif key in points.rejected:
            rejected[target] = points.rejected[key]
        else:
            paired[target] = paired.get(target, ()) + points.by_image[key]
    for target in rejected:
        paired.pop(target, None)
    return Matches(paired, rejected, tuple(unmatched), ambiguous)
