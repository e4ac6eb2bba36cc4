"""What a folder job has to do: which image gets which points, and what cannot be done, and why."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import PurePosixPath

from pointmask.errors import ImageError
from pointmask.folder.planning.planned import PlannedFrames
from pointmask.folder.records.sorted_lines import Key
from pointmask.io.images.kinds import may_hold_frames
from pointmask.io.images.source import ImageSource
from pointmask.io.layout import stem_of
from pointmask.io.points.by_frame import PointsByFrame, join_points
from pointmask.io.points.lists import Choice, IdList, choose
from pointmask.io.points.match import match
from pointmask.io.points.points import Points
from pointmask.io.points.settle import settled

_NUMBER = re.compile(r"_\d{4,}$")  # of a frame, in the name of its mask


@dataclass(frozen=True, slots=True)
class Plan:
    """
    What a job has to do.

    Attributes
    ----------
    frames : PlannedFrames
        Points by image and frame, sorted by image. An empty tuple asks for an empty mask.
    skipped : Mapping
        Reasons by (image, frame), for what can be told without opening an image.
    without_points : tuple of str
        Images that the points do not name, and for which nothing is written.
    notes : tuple of str
        What was assumed of names, a line per kind.
    """

    frames: PlannedFrames
    skipped: Mapping[Key, str]
    without_points: tuple[str, ...]
    notes: tuple[str, ...] = ()


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
        An image is in one of `frames`, `skipped` and `without_points`: one bad row, and the image
        is skipped whole, so that no target is silently missing from a mask.
    """
    known = len(points.notes)
    points = settled(points, names)
    frames = PlannedFrames(names, points.by_image)
    rest = _match_rest(points, names, frames)
    skipped = dict(rest.rejected)
    for (name, frame), its_points in rest.points.items():
        frames.put(name, frame, its_points)
    unread = images.unread(rest.unmatched) if rest.unmatched else {}
    for key in rest.unmatched:
        hint = f"{rest.hints[key]}; correct the name" if key in rest.hints else "correct the name"
        skipped[key, 0] = points.rejected.get(key) or (
            f"{points.source} names this image, but {images.root} holds no file of that name; "
            f"{unread.get(key, hint)}"
        )
    for key, candidates in rest.ambiguous.items():
        for name in candidates:
            skipped[name, 0] = _ambiguous(key, candidates, points.source)
    skipped.update({(name, 0): reason for name, reason in images.refused().items()})
    notes = [f"{points.source}: {note}" for note in rest.notes]
    if only is not None:
        choice = choose(only, names, str(images.root))
        notes += choice.notes
        names = _restrict(choice, names, frames, skipped)
    if empty_masks:
        _add_empty(images, names, frames, skipped)
    for twins in shared_stems(frames):
        for name in twins:
            skipped[name, 0] = (
                f"{' and '.join(twins)} would both write the mask {stem_of(name)}.png; rename all but one, "
                "or keep them in different folders"
            )
    for name, folder in _folders_like_masks(names, frames).items():
        skipped[name, 0] = (
            f"its mask {folder} would take the place of the folder {folder}/, in which images have theirs; "
            "rename the image or the folder"
        )
    touched = {name for name, _ in skipped}
    for name in touched:
        frames.drop(name)
    left = touched if only is None else touched.union(set(frames.not_planned()).difference(names))
    without = tuple(name for name in frames.not_planned() if name not in left)
    return Plan(frames, skipped, without, (*points.notes[known:], *notes))


def _match_rest(points: Points, names: Sequence[str], frames: PlannedFrames) -> PointsByFrame:
    """
    Let the keys that need no search claim their images, and match the others.

    A key that shares its image with one of the others is matched together with it.
    """
    rest = {key for key in points.by_image if key in points.rejected or not frames.claim(key)}
    if not rest and not points.rejected:
        return PointsByFrame({}, {}, (), {})
    matches = match(_in_order(points, rest), names)
    ambiguous = (name for candidates in matches.ambiguous.values() for name in candidates)
    shared = {name for name, _ in matches.by_key.values()}.union(ambiguous)
    claimed = {key for name in shared if (key := frames.release(name)) is not None}
    if claimed:
        matches = match(_in_order(points, rest | claimed), names)
    return join_points(points, matches)


def _in_order(points: Points, keys: Set[str]) -> list[str]:
    """Return some keys in the order of the points, and all that are rejected."""
    return [*(key for key in points.by_image if key in keys), *points.rejected]


def _ambiguous(key: str, candidates: tuple[str, ...], source: str) -> str:
    if len(candidates) == 1:
        return (
            f"{source} gives this image as {key} and in another folder too; give its path in the image folder"
        )
    return f"{source} says {key}, which fits {' and '.join(candidates)}; write the whole name with its suffix"


def _restrict(
    choice: Choice,
    names: Sequence[str],
    frames: PlannedFrames,
    skipped: dict[Key, str],
) -> Sequence[str]:
    """Drop images that were not chosen, tell which ids have none, and return the names that are left."""
    for name in names:
        if name not in choice.names:
            frames.drop(name)
    for key in [key for key in skipped if key[0] not in choice.names]:
        del skipped[key]
    skipped.update({(name, 0): reason for name, reason in choice.problems.items()})
    return [name for name in names if name in choice.names]


def _add_empty(
    images: ImageSource,
    names: Sequence[str],
    frames: PlannedFrames,
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
        frames.put_empty(name, count)


def _folders_like_masks(names: Sequence[str], frames: PlannedFrames) -> dict[str, str]:
    """Find images whose mask has the name of a folder of other images, such as a.tif beside a.png/b.tif."""
    folders = {
        str(parent)
        for name in frames
        if ".png/" in name
        for parent in PurePosixPath(name).parents
        if parent.suffix == ".png"
    }
    if not folders:
        return {}
    stems = {folder.removesuffix(".png"): folder for folder in folders}
    numbered = {_NUMBER.sub("", stem): folder for stem, folder in stems.items() if _NUMBER.search(stem)}
    found = {}
    for name in names:
        folder = stems.get(stem_of(name)) or (numbered.get(stem_of(name)) if may_hold_frames(name) else None)
        if folder is not None and name in frames:
            found[name] = folder
    return found


def shared_stems(names: Iterable[str]) -> list[list[str]]:
    """Group images, which are sorted, that differ only in their suffix: their masks would share a name."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    open_: list[str] = []  # images whose twins may still follow
    for name in names:
        open_ = [other for other in open_ if name.startswith(stem_of(other) + ".")]
        for other in open_:
            if stem_of(other) == stem_of(name):
                groups[stem_of(name)] = [*(groups.get(stem_of(name)) or [other]), name]
                break
        else:
            open_.append(name)
    return list(groups.values())
