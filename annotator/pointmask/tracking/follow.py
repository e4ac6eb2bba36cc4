"""Track the targets of one sequence from clicks in its first frame."""

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

_AROUND = 6.0  # pixels around a target, besides its diameter, ignored in the camera motion
_MEMORY = 10  # earlier frames kept, to recognise structure of the scene
_SWEEPS = 2  # over neighbouring targets: the second uses the places from the first


@dataclass(frozen=True, slots=True)
class Step:
    """
    One target in one frame.

    Attributes
    ----------
    frame : int
        0 is the frame with the clicks.
    row, col : float
        Sub-pixel place; of a lost target the last one detected, or an estimate if it is detected again.
    state : {"given", "tracked", "crossing", "lost"}
        ``crossing``: so close to another target that the place is less certain. ``lost``: not detected;
        the track ends with such a step.
    score : float
        Probability in [0, 1] that the target is there; 1 for a click, 0 for a lost target.
    flags : tuple of str
        ``refound``: detected again after up to `pointmask.tracking.pursuit.MOST_MISSES` frames.
        ``identity``: crossed a similar target, so the two may have been exchanged.
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
    Track targets through a sequence.

    Parameters
    ----------
    frames : iterable of (H, W) real
        The clicks belong to the first. Frames are read one at a time and only as far as needed.
    points : sequence of (row, col)
        One click per target: pixel indices inside the first frame.
    polarity : {"bright", "dark", "auto"}
        Whether targets are brighter or darker than their surroundings; ``auto`` decides per click.

    Returns
    -------
    list of list of Step
        Per click and in frame order: the click, then one step per frame up to the last frame or the frame
        in which the target was finally lost.

    Raises
    ------
    ValueError
        If there is no frame, or the frames differ in shape.

    Notes
    -----
    Only the image and the click are used. A target may move by about 3 pixels per frame against the scene, in
    addition to the camera. A loss is detected from later frames and reported for the frame in which it
    happened. Places are smoothed backwards, so they depend on all frames.
    """
    source = iter(frames)
    image = next(source, None)
    if image is None:
        raise ValueError("a sequence without a frame; give at least the frame with the clicks")
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
    """Shift earlier frames with the scene; discard them if the shift is not reliable."""
    if not shift.reliable:
        return []
    return [Past(image, (row + shift.row, col + shift.col)) for image, (row, col) in past]


def _shifts(
    frames: Iterator[NDArray[Any]], image: NDArray[Any], crowd: list[Pursuit]
) -> Iterator[tuple[NDArray[Any], Shift]]:
    """Yield each frame with the scene's shift since the previous one, while any target is tracked."""
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
    """Advance all targets by one frame."""
    active = [k for k, pursuit in enumerate(crowd) if not pursuit.beam.is_over]
    places = {k: crowd[k].predicted(shift) for k in active}
    detected = {k: place for k, place in places.items() if crowd[k].beam.is_detected}
    near = {k: meetings.neighbours(k, {**detected, k: places[k]}) for k in active}
    beams: dict[int, Beam] = {}
    for sweep in range(_SWEEPS):
        for k in active:
            if sweep == 0 or near[k]:
                others = tuple(places[other] for other in near[k])
                beams[k] = crowd[k].step(image, frame, shift, others, past)
                if beams[k].is_detected:
                    places[k] = crowd[k].place(beams[k])
    for k in active:
        crowd[k].beam = beams[k]
    # Targets just missed count at their predicted place: one target may cover the other.
    meetings.note(frame, crowd, {k: places[k] for k in active if k in detected or beams[k].is_detected})
    for k in active:
        if beams[k].is_detected and meetings.is_alone(k, places):
            crowd[k].learn(image, frame)


def _steps(
    pursuit: Pursuit, target: int, meetings: Meetings, shape: tuple[int, ...], count: int
) -> list[Step]:
    """Convert the history of one target to steps."""
    history = pursuit.history()
    places = np.clip(smoothed(pursuit), 0, np.asarray(shape) - 1).tolist()
    row, col = pursuit.point
    steps = [Step(0, float(row), float(col), "given", 1.0)]
    for (before, node), (row, col) in zip(pairwise(history), places[1:], strict=True):
        # Where one target covers the other, the frames before and after determine both places.
        met = (target, node.frame) in meetings.frames
        if not (node.is_detected or met):
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
