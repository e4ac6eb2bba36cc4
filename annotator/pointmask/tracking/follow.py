"""Targets of one sequence, frame by frame: from clicks in one frame to their places in the next ones."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pointmask.theta import Polarity
from pointmask.tracking.camera_motion import Shift, levels_of, shift_between
from pointmask.tracking.histories import Beam, Past
from pointmask.tracking.meetings import Meetings
from pointmask.tracking.pursuit import Pursuit
from pointmask.tracking.smoothing import smoothed

State = Literal["given", "tracked", "crossing", "lost"]

_AROUND = 6.0  # pixels round a target, besides its diameter, that say nothing of the camera's motion
_MEMORY = 10  # earlier frames at hand, to know what belongs to the scene
_SWEEPS = 2  # of targets that are near each other: the second knows where the first found the others


@dataclass(frozen=True, slots=True)
class Step:
    """
    One target in one frame.

    Attributes
    ----------
    frame : int
        0 is the frame with the clicks.
    row, col : float
        Sub-pixel place; of a lost target where it was last seen, or must have been if it was found again.
    state : {"given", "tracked", "crossing", "lost"}
        ``crossing``: so near another target that the place is less sure. ``lost``: not seen; no place is
        made up, and after the last such step nothing more is told.
    score : float
        How much likelier the target is there than not, in [0, 1]; 1 for a click, 0 for a lost target.
    flags : tuple of str
        ``refound``: seen again after up to `pointmask.tracking.pursuit.MOST_MISSES` frames. ``identity``: it
        came out of a crossing with a target so like it that the two may have been exchanged.
    """

    frame: int
    row: float
    col: float
    state: State
    score: float
    flags: tuple[str, ...] = ()


def follow(
    frames: Iterable[NDArray[Any]], points: Sequence[tuple[int, int]], *, polarity: Polarity = "bright"
) -> list[list[Step]]:
    """
    Follow targets through a sequence.

    Parameters
    ----------
    frames : iterable of (H, W) real
        The first is the one with the clicks. They are read one by one, and no further than needed.
    points : sequence of (row, col)
        One click per target, whole pixels inside the first frame.
    polarity : {"bright", "dark", "auto"}
        Whether targets are brighter or darker than their surroundings; ``auto`` decides per click.

    Returns
    -------
    list of list of Step
        Per click, in order of frames: the click, then one step per frame up to the last frame or to the
        frame in which the target was lost for good.

    Raises
    ------
    ValueError
        If there is no frame, or frames differ in shape.

    Notes
    -----
    Only the image and the click are used. A target may move by some 3 pixels per frame against the scene, and
    the camera by some more. A loss is found with the frames after it in view: it is told of the frame in
    which it happened. Places are smoothed backwards, so they depend on all frames given.
    """
    source = iter(frames)
    image = next(source, None)
    if image is None:
        raise ValueError("a sequence without a frame; give at least the one with the clicks")
    crowd = [Pursuit(image, 0, point, polarity) for point in points]
    meetings = Meetings()
    meetings.note(0, crowd, {k: pursuit.place(pursuit.beam) for k, pursuit in enumerate(crowd)})
    count = 1
    past = [Past(image, (0.0, 0.0))]
    for after, shift in _shifts(source, image, crowd):
        past = _moved(past, shift)
        _advance(crowd, meetings, after, count, shift, past)
        past = [Past(after, (0.0, 0.0)), *past[: _MEMORY - 1]]
        count += 1
    return [_steps(pursuit, k, meetings, image.shape, count) for k, pursuit in enumerate(crowd)]


def _moved(past: list[Past], shift: Shift) -> list[Past]:
    """Move earlier frames along with the scene; they are of no use if nobody knows how it moved."""
    if not shift.seen:
        return []
    return [Past(image, (row + shift.row, col + shift.col)) for image, (row, col) in past]


def _shifts(
    frames: Iterator[NDArray[Any]], image: NDArray[Any], crowd: list[Pursuit]
) -> Iterator[tuple[NDArray[Any], Shift]]:
    """Yield frames with the scene's motion since the one before, while there is a target to follow."""
    shape, levels = image.shape, levels_of(image)
    while any(not pursuit.beam.is_over for pursuit in crowd):
        after = next(frames, None)
        if after is None:
            return
        if after.shape != shape:
            raise ValueError(
                f"a frame of shape {after.shape} in a sequence of {shape}; give frames of one shape"
            )
        before, levels = levels, levels_of(after)
        places = (pursuit.place(pursuit.beam) for pursuit in crowd if not pursuit.beam.is_over)
        moving = [(at.row, at.col, 2 * at.shape.radius + _AROUND) for at in places]
        yield after, shift_between(before, levels, moving)


def _advance(
    crowd: list[Pursuit],
    meetings: Meetings,
    image: NDArray[Any],
    frame: int,
    shift: Shift,
    past: Sequence[Past],
) -> None:
    """Find all targets in one more frame."""
    active = [k for k, pursuit in enumerate(crowd) if not pursuit.beam.is_over]
    places = {k: crowd[k].predicted(shift) for k in active}
    seen = {k: place for k, place in places.items() if crowd[k].beam.is_found}
    near = {k: meetings.neighbours(k, {**seen, k: places[k]}) for k in active}
    beams: dict[int, Beam] = {}
    for sweep in range(_SWEEPS):
        for k in active:
            if sweep == 0 or near[k]:
                others = tuple(places[other] for other in near[k])
                beams[k] = crowd[k].step(image, frame, shift, others, past)
                if beams[k].is_found:
                    places[k] = crowd[k].place(beams[k])
    for k in active:
        crowd[k].beam = beams[k]
    # Those just missed count as where they were expected: one target may cover the other.
    meetings.note(frame, crowd, {k: places[k] for k in active if k in seen or beams[k].is_found})
    for k in active:
        if beams[k].is_found and meetings.is_alone(k, places):
            crowd[k].learn(image, frame)


def _steps(
    pursuit: Pursuit, target: int, meetings: Meetings, shape: tuple[int, ...], count: int
) -> list[Step]:
    """Put what is known of one target into words."""
    history = pursuit.history()
    places = np.clip(smoothed(pursuit), 0, np.asarray(shape) - 1).tolist()
    row, col = pursuit.point
    steps = [Step(0, float(row), float(col), "given", 1.0)]
    for (before, node), (row, col) in zip(pairwise(history), places[1:], strict=True):
        # Where one target covers the other, the frames before and after tell where both must be.
        met = (target, node.frame) in meetings.frames
        if not (node.found or met):
            steps.append(Step(node.frame, row, col, "lost", 0.0))
            continue
        state: State = "crossing" if met else "tracked"
        score = 1 / (1 + math.exp(min(before.score - node.score, 700.0)))
        doubtful = meetings.doubtful.get(target, count) <= node.frame
        refound = steps[-1].state == "lost"
        flags = {"refound": refound, "identity": doubtful}
        steps.append(
            Step(node.frame, row, col, state, score, tuple(name for name, on in flags.items() if on))
        )
    if history[-1].frame + 1 < count:
        steps.append(Step(history[-1].frame + 1, places[-1][0], places[-1][1], "lost", 0.0))
    return steps
