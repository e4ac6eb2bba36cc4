"""What is left to do of a plan, image by image: plan and earlier results go by side by side, both sorted."""

from collections.abc import Iterator
from dataclasses import dataclass

from pointmask.folder.plan import Plan
from pointmask.folder.planned import Frames
from pointmask.folder.records.manifest import Known
from pointmask.folder.records.shards import Shard
from pointmask.folder.records.sorted_lines import Key, SortedLookup
from pointmask.io.images.kinds import may_hold_frames
from pointmask.io.layout import stem_of
from pointmask.io.points.points import Point


@dataclass(frozen=True, slots=True)
class Task:
    """
    One image file to do.

    Attributes
    ----------
    image : str
        Its name in the image source.
    points : tuple of (int, tuple of Point)
        The frames to annotate, with their points.
    finished : tuple of (int, Known)
        Frames that an earlier job finished.
    taken : frozenset of int
        Frames whose numbered result has the name of another image's result.
    """

    image: str
    points: tuple[tuple[int, tuple[Point, ...]], ...]
    finished: tuple[tuple[int, Known], ...] = ()
    taken: frozenset[int] = frozenset()


def tasks_of(plan: Plan, part: Shard, finished: Iterator[tuple[Key, Known]]) -> Iterator[Task]:
    """
    Yield a task for each image of a shard, sorted by name.

    Parameters
    ----------
    plan : Plan
        Of all shards.
    part : Shard
        The one to do.
    finished : iterator of ((str, int), Known)
        What earlier jobs did, sorted by image and frame. It is read as the tasks are taken.
    """
    earlier = SortedLookup(finished)
    for image, frames in plan.frames.items():
        if not part.owns(image):
            continue
        known = tuple((k, what) for k, what in earlier.of(image) if k in frames)
        yield Task(image, tuple(sorted(frames.items())), known, _taken(plan, image, frames))


def _taken(plan: Plan, image: str, frames: Frames) -> frozenset[int]:
    """Frames whose numbered result has the name of another image's."""
    if not may_hold_frames(image):
        return frozenset()
    return frozenset(k for k in frames if plan.frames.has_stem(f"{stem_of(image)}_{k:04d}"))
