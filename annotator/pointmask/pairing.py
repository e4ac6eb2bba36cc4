"""What a folder job has to do: which image gets which points, and what cannot be done, and why."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pointmask.errors import ImageError
from pointmask.files import stem_of
from pointmask.id_lists import Choice, IdList, choose
from pointmask.image_source import ImageSource
from pointmask.manifest import Wanted
from pointmask.points import Point, Points, match
from pointmask.runs import Key


@dataclass(frozen=True, slots=True)
class Plan:
    """
    What a job has to do.

    Attributes
    ----------
    wanted : Mapping
        Points by image and frame. An empty tuple asks for an empty mask.
    skipped : Mapping
        Reasons by (image, frame), for what can be told without opening an image.
    without_points : tuple of str
        Images that the points do not name, and for which nothing is written.
    """

    wanted: Wanted
    skipped: Mapping[Key, str]
    without_points: tuple[str, ...]


def make_plan(
    images: ImageSource,
    names: Sequence[str],
    points: Points,
    *,
    empty_masks: bool = False,
    only: IdList | None = None,
) -> Plan:
    """
    Pair images with points.

    Parameters
    ----------
    images : ImageSource
        Where they lie.
    names : sequence of str
        Their names, sorted.
    points : Points
        As read.
    empty_masks : bool
        Ask for an empty mask for every frame that the points do not name. This reads the headers
        of files that may hold several frames.
    only : IdList, optional
        Leave all other images, and their points, alone.

    Returns
    -------
    Plan
        An image is in one of `wanted`, `skipped` and `without_points`: one bad row, and the image
        is skipped whole, so that no target is silently missing from a mask.
    """
    wanted: defaultdict[str, dict[int, tuple[Point, ...]]] = defaultdict(dict)
    found = match(points, names)
    skipped = dict(found.rejected)
    for (name, frame), its_points in found.points.items():
        wanted[name][frame] = its_points
    for key in found.unmatched:
        skipped[key, 0] = points.rejected.get(key) or (
            f"{points.source} names this image, but {images.root} holds no file of that name; "
            "correct the name"
        )
    for key, candidates in found.ambiguous.items():
        for name in candidates:
            skipped[name, 0] = _ambiguous(key, candidates, points.source)
    skipped.update({(name, 0): reason for name, reason in images.refused().items()})
    if only is not None:
        names = _restrict(choose(only, names, str(images.root)), names, wanted, skipped)
    if empty_masks:
        _add_empty(images, names, wanted, skipped)
    for twins in shared_stems(wanted):
        for name in twins:
            skipped[name, 0] = (
                f"{' and '.join(twins)} would both write the mask {stem_of(name)}.png; rename all but one, "
                "or keep them in different folders"
            )
    touched = {name for name, _ in skipped}
    for name in touched:
        wanted.pop(name, None)
    without = tuple(name for name in names if name not in wanted and name not in touched)
    return Plan(dict(wanted), skipped, without)


def _ambiguous(key: str, candidates: tuple[str, ...], source: str) -> str:
    if len(candidates) == 1:
        return (
            f"{source} gives this image as {key} and in another folder too; give its path in the image folder"
        )
    return f"{source} says {key}, which fits {' and '.join(candidates)}; write the whole name with its suffix"


def _restrict(
    choice: Choice,
    names: Sequence[str],
    wanted: defaultdict[str, dict[int, tuple[Point, ...]]],
    skipped: dict[Key, str],
) -> Sequence[str]:
    """Drop images that were not chosen, tell which ids have none, and return the names that are left."""
    for name in wanted.keys() - choice.names:
        del wanted[name]
    for key in [key for key in skipped if key[0] not in choice.names]:
        del skipped[key]
    skipped.update({(name, 0): reason for name, reason in choice.problems.items()})
    return [name for name in names if name in choice.names]


def _add_empty(
    images: ImageSource,
    names: Sequence[str],
    wanted: defaultdict[str, dict[int, tuple[Point, ...]]],
    skipped: dict[Key, str],
) -> None:
    """Ask for an empty mask for every frame without points."""
    touched = {name for name, _ in skipped}
    for name in names:
        if name in touched:
            continue
        try:
            count = images.frame_count(name)
        except ImageError as error:
            skipped[name, 0] = str(error)
            continue
        for frame in range(count):
            wanted[name].setdefault(frame, ())


def shared_stems(names: Iterable[str]) -> list[list[str]]:
    """Group images that differ only in their suffix, whose masks would have the same name."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for name in names:
        groups[stem_of(name)].append(name)
    return [group for group in groups.values() if len(group) > 1]
