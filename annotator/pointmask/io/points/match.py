"""Which name belongs to which image."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pointmask.io.points.names import NameIndex as NameIndex
from pointmask.io.points.points import ImageFrame, Point, Points


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
