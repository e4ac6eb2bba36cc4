"""What is left to do of a plan, a stretch of frames at a time: plan and earlier results go by, both sorted.

A file of many frames is several tasks. Each is noted when it is done, so that a job that is interrupted in
the middle of a file goes on there, and all threads work on one file.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from pointmask.folder.planning.plan import Plan
from pointmask.folder.planning.planned import Frames
from pointmask.folder.records.manifest import Known
from pointmask.folder.records.shards import Shard
from pointmask.folder.records.sorted_lines import Key, SortedLookup
from pointmask.io.images.kinds import may_hold_frames
from pointmask.io.layout import stem_of
from pointmask.io.points.points import Point

STRETCH = 16
"""Most frames of a task: what a thread does at a time, and what an interruption may lose of it."""

STRETCH_OF_CLUSTER = 4096
"""The same on a cluster, whose workers open the file, and read all of it for its hash, for every task."""


@dataclass(frozen=True, slots=True)
class Task:
    """
    One image file to do, or a stretch of its frames.

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
    is_part : bool
        Whether other tasks do other frames of the file.
    is_last : bool
        Whether no later task does frames of the file.
    before : frozenset of int
        Frames of the file that earlier tasks do; given to the last one only.
    """

    image: str
    points: tuple[tuple[int, tuple[Point, ...]], ...]
    finished: tuple[tuple[int, Known], ...] = ()
    taken: frozenset[int] = frozenset()
    is_part: bool = False
    is_last: bool = True
    before: frozenset[int] = frozenset()

    @property
    def asked(self) -> frozenset[int]:
        """Frames of this task and of those before it, if it is the last one."""
        return self.before.union(frame for frame, _ in self.points)


def tasks_of(plan: Plan, part: Shard, finished: Iterator[tuple[Key, Known]], stretch: int) -> Iterator[Task]:
    """
    Yield the tasks of a shard, sorted by name and frame.

    Parameters
    ----------
    plan : Plan
        Of all shards.
    part : Shard
        The one to do.
    finished : iterator of ((str, int), Known)
        What earlier jobs did, sorted by image and frame. It is read as the tasks are taken.
    stretch : int
        Most frames of a task.
    """
    earlier = SortedLookup(finished)
    for image, frames in plan.frames.items():
        if not part.owns(image):
            continue
        known = {k: what for k, what in earlier.of(image) if k in frames}
        points, taken = sorted(frames.items()), _taken(plan, image, frames)
        if len(points) <= stretch:
            yield Task(image, tuple(points), tuple(known.items()), taken)
            continue
        for start in range(0, len(points), stretch):
            some = tuple(points[start : start + stretch])
            is_last = start + stretch >= len(points)
            yield Task(
                image,
                some,
                tuple((k, known[k]) for k, _ in some if k in known),
                taken,
                is_part=True,
                is_last=is_last,
                before=frozenset(k for k, _ in points[:start]) if is_last else frozenset(),
            )


def weight_of(task: Task) -> int:
    """Return how many frames a task does."""
    return len(task.points)


def _taken(plan: Plan, image: str, frames: Frames) -> frozenset[int]:
    """Frames whose numbered result has the name of another image's."""
    if not may_hold_frames(image):
        return frozenset()
    return frozenset(k for k in frames if plan.frames.has_stem(f"{stem_of(image)}_{k:04d}"))
