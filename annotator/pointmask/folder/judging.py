"""A list of points, judged as a whole on a sample of its images; see `pointmask.judgement`."""

import math
from collections.abc import Iterator, Sequence
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from pointmask.folder.plan import Plan
from pointmask.io.images.source import ImageSource
from pointmask.io.points.fit import fitted
from pointmask.io.points.names import natural_key
from pointmask.io.points.points import Point
from pointmask.judgement.verdict import Clicked, Verdict, judge

_IMAGES = 128  # spread evenly over the list
_CLICKS = 1000
_MOST_PIXELS = 2**24  # of all images that are read
_FEWEST_CLICKS = 100  # for these even more are read


def judge_plan(images: ImageSource, plan: Plan) -> Verdict:
    """
    Judge the points of a job on a sample of its images: some hundred clicks tell of a million.

    Parameters
    ----------
    images : ImageSource
    plan : Plan
        All of it: the same for each shard, however often a job was interrupted.

    Returns
    -------
    Verdict
        Images that cannot be read are passed over.
    """
    return judge(_sample(images, plan))


def _sample(images: ImageSource, plan: Plan) -> Iterator[Clicked]:
    names = [name for name, frames in plan.frames.items() if any(frames.values())]
    names.sort(key=natural_key)
    chosen = np.unique(np.linspace(0, len(names) - 1, min(len(names), _IMAGES)).round().astype(int)).tolist()
    pixels = clicks = 0
    # The most distant first, so that wherever the work ends, the sample is spread evenly.
    for at in sorted(chosen, key=lambda at: (_bits_reversed(chosen.index(at)), at)):
        if (
            clicks >= _CLICKS
            or (pixels >= _MOST_PIXELS and clicks >= _FEWEST_CLICKS)
            or pixels >= 4 * _MOST_PIXELS
        ):
            return
        for clicked in _frames(images, plan, names, at):
            yield clicked
            pixels += math.prod(clicked.pixels.shape)
            clicks += len(clicked.clicks)


def _bits_reversed(number: int) -> int:
    return int(f"{number:010b}"[::-1], 2)


def _frames(images: ImageSource, plan: Plan, names: Sequence[str], at: int) -> Iterator[Clicked]:
    """Read some frames of one file that have points."""
    frames = plan.frames[names[at]]
    clicked = [frame for frame in sorted(frames) if frames[frame]]
    several = len(frames) > 1
    # Whatever is wrong with a file: that it is skipped, and why, is the job's to say.
    with suppress(Exception), images.open(names[at]) as file:
        for frame in clicked[:: max(1, len(clicked) * len(names) // _IMAGES)]:
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
