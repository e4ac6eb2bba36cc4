"""A list of points, judged as a whole on a sample of its images; see `pointmask.judgement`."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial

import numpy as np
from numpy.typing import NDArray

from pointmask import executors
from pointmask.folder.planning.plan import Plan
from pointmask.io.images.source import ImageSource
from pointmask.io.notes import gathering
from pointmask.io.points.fit import fitted
from pointmask.io.points.names import natural_key
from pointmask.io.points.points import Point
from pointmask.judgement.evidence import Clicked
from pointmask.judgement.sample import MOST_IMAGES, judge_some
from pointmask.judgement.verdict import Verdict
from pointmask.theta import Polarity


def judge_plan(images: ImageSource, plan: Plan, threads: int = 1, polarity: Polarity = "auto") -> Verdict:
    """
    Judge the points of a job on a sample of its images.

    Parameters
    ----------
    images : ImageSource
    plan : Plan
        All of it: the same for each shard, however often a job was interrupted.
    threads : int
        They change nothing but the time that it takes.
    polarity : {"bright", "dark", "auto"}
        Of the targets that are annotated.

    Returns
    -------
    Verdict
        Images that cannot be read are passed over.
    """
    names = [name for name, frames in plan.frames.items() if any(frames.values())]
    names.sort(key=natural_key)
    with gathering():  # the images are read again, and what is assumed is said then
        each = map if threads == 1 else partial(executors.threads, count=threads, weight=_alone)
        return judge_some(
            range(len(names)), partial(_frames, images, plan, names), each=each, polarity=polarity
        )


def _alone(item: object) -> int:
    """Let no thread take several images at a time: the sample may end with any of them."""
    return sys.maxsize


def _frames(images: ImageSource, plan: Plan, names: Sequence[str], at: int) -> Iterator[Clicked]:
    """Read some frames of one file that have points."""
    frames = plan.frames[names[at]]
    clicked = [frame for frame in sorted(frames) if frames[frame]]
    several = len(frames) > 1
    # Whatever is wrong with a file: that it is skipped, and why, is the job's to say.
    with suppress(Exception), images.open(names[at]) as file:
        for frame in clicked[:: max(1, len(clicked) * len(names) // MOST_IMAGES)]:
            before = frames.get(frame - 1, ()) if several else _of(plan, names, at - 1)
            after = frames.get(frame + 1, ()) if several else _of(plan, names, at + 1)
            pixels = file.decode(frame)
            places = [_places(points, pixels.shape) for points in (frames[frame], before, after)]
            yield Clicked(pixels, *places)


def _of(plan: Plan, names: Sequence[str], at: int) -> tuple[Point, ...]:
    return plan.frames[names[at]].get(0, ()) if 0 <= at < len(names) else ()


def _places(points: Sequence[Point], shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Return where the job puts the points: those marked in a copy of another size are scaled."""
    placed = fitted(points, (shape[0], shape[1]))
    return np.array([(p.row, p.col) for p in placed], np.int64).reshape(-1, 2)
