"""One target over the frames of a sequence: a few competing histories, of which the best survives.

A history says for each frame at which peak of a filter the target was, or that it was missed. Its score is
the logarithm of a likelihood ratio against "nothing but noise", so a history that breaks off keeps its score
while one that goes on along peaks of noise loses: a loss shows as the moment at which breaking off was best,
found with the frames after it in view.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointmask.theta import Polarity
from pointmask.tracking.appearance import PICTURE, crop, look, look_back, own_shape
from pointmask.tracking.camera_motion import Shift
from pointmask.tracking.first_frame import first_beam, first_look
from pointmask.tracking.histories import BEAM, DEATH, Beam, Node, Past, Pose
from pointmask.tracking.kernels import beam as kernel

Floats = NDArray[np.float64]


MOST_MISSES = 5
"""Frames in a row that a target may be missed and still be found again."""

_SHAKE = 0.8  # pixels: deviation of a camera whose motion the image does not tell
_LESSONS = (5, 12, 24)  # frames after which the target's own shape is cut anew; later every _REFRESH
_REFRESH = 25
_AWAY = 3.0  # pixels that a target must have moved, besides its diameter, to leave its place free
_FADE = 0.96  # share of the picture that a frame leaves of those before

SPEED_NOISE = 0.09**2

# Variances per frame of place, velocity and relative height; flicker; gate; chances; see kernels.beam.
_MODEL = np.array(
    [0.1**2, SPEED_NOISE, 0.05**2, 0.15, 3.5, math.log(0.97), math.log(0.03), MOST_MISSES], np.float64
)


class Pursuit:
    """One target, from its click on.

    Parameters
    ----------
    image : (H, W) real
        The frame with the click.
    frame : int
        Its number.
    point : (row, col)
    polarity : {"bright", "dark", "auto"}

    Attributes
    ----------
    sign : int
        1 for a target brighter than its surroundings, -1 for a darker one.
    shape : Shape
        The filter at present.
    point : (row, col)
        As given.
    beam : Beam
        Histories at present; replaced by the caller with what `step` returns.
    """

    def __init__(self, image: NDArray[Any], frame: int, point: tuple[int, int], polarity: Polarity) -> None:
        self.sign, self.shape, seen = first_look(image, point, polarity)
        self.beam = first_beam(seen, frame, point)
        self.point = point
        self._picture = np.zeros((2 * PICTURE + 1, 2 * PICTURE + 1))
        self._rest = np.zeros(2)
        self._weight = 0.0
        self._seen = 0
        self._lessons: list[tuple[int, float, float]] = []

    def predicted(self, shift: Shift) -> Pose:
        """Return where the target should be in the next frame, if it is there."""
        at, (row_speed, col_speed) = self.place(self.beam), self.velocity
        return at._replace(row=at.row + row_speed + shift.row, col=at.col + col_speed + shift.col)

    def place(self, beam: Beam) -> Pose:
        """Return where the target is by a beam's best history."""
        row, col, height = (float(beam.state[0, k]) for k in (kernel.ROW, kernel.COL, kernel.HEIGHT))
        return Pose(self.shape, row, col, self.sign * height)

    @property
    def velocity(self) -> tuple[float, float]:
        """Pixels per frame against the scene, by the best history."""
        best = self.beam.state[0]
        return float(best[kernel.ROW_SPEED]), float(best[kernel.COL_SPEED])

    @property
    def brightness(self) -> float:
        """Light of the target in grey values, summed over its pixels; positive."""
        return float(self.beam.state[0, kernel.HEIGHT] * self.shape.body.sum())

    def step(
        self, image: NDArray[Any], frame: int, shift: Shift, others: tuple[Pose, ...], past: Sequence[Past]
    ) -> Beam:
        """
        Return the histories after one more frame.

        Parameters
        ----------
        image : (H, W) real
        frame : int
        shift : Shift
            Of the scene, since the frame before.
        others : tuple of Pose
            Targets to take away first.
        past : sequence of Past
            Frames before this one, latest first.
        """
        expected = self.predicted(shift)
        seen = look(image, expected.row, expected.col, self.sign, self.shape, others)
        earlier = self._elsewhere(expected, past)
        if earlier is not None:
            seen = look_back(seen, earlier.image, earlier.moved, self.sign, self.shape)
        state = self.beam.state.copy()
        model = _MODEL.copy()
        model[kernel.PLACE_NOISE] = place_noise(shift)
        kernel.predict(state, len(state), shift.row, shift.col, model)
        children = np.empty((BEAM, kernel.COLUMNS))
        parents, sources = np.empty(BEAM, np.int64), np.empty(BEAM, np.int64)
        made = kernel.extend(
            state, len(state), seen.places, seen.heights, seen.before, seen.noise, seen.density,
            self.shape.radius, model, children, parents, sources,
        )  # fmt: skip
        if others:
            # Some of the others' light stays, some of its own went with theirs: this is no time to learn.
            heights = [kernel.HEIGHT, kernel.HEIGHT_VAR]
            children[:made, heights] = state[parents[:made]][:, heights]
        limits = np.asarray(image.shape) - 0.5
        at = children[:made, [kernel.ROW, kernel.COL]]
        kept = np.flatnonzero(((at >= -0.5) & (at < limits)).all(axis=1))
        nodes = tuple(
            Node(self.beam.nodes[parents[k]], frame, children[k], bool(sources[k] >= 0), shift)
            for k in kept.tolist()
        )
        found = (node for node in nodes if node.found)
        ended = max((self.beam.ended, *found), key=lambda node: node.score)
        return Beam(children[kept], nodes, ended)

    def _elsewhere(self, expected: Pose, past: Sequence[Past]) -> Past | None:
        """Return the latest frame in which the target was away from the place where it is expected now."""
        node: Node | None = self.beam.nodes[0]
        away = 2 * self.shape.radius + _AWAY
        for earlier in past:
            if node is None:
                return None
            row = expected.row - earlier.moved[0] - node.state[kernel.ROW]
            col = expected.col - earlier.moved[1] - node.state[kernel.COL]
            if math.hypot(row, col) > away:
                return earlier
            node = node.parent
        return None

    def learn(self, image: NDArray[Any], frame: int) -> None:
        """Add the target, as it looks in the present frame, to its picture; at times cut its shape anew."""
        _, row, col, _ = self.place(self.beam)
        middle = round(row), round(col)
        self._picture = _FADE * self._picture + self.sign * crop(image, middle, PICTURE)
        self._rest = _FADE * self._rest + (row - middle[0], col - middle[1])
        self._weight = _FADE * self._weight + 1
        self._seen += 1
        if self._seen in _LESSONS or self._seen % _REFRESH == 0:
            self._relearn(frame)

    def _relearn(self, frame: int) -> None:
        """Change over to the target's own shape, and move what is known to its centroid."""
        picture, rest = self._picture / self._weight, self._rest / self._weight
        shape = own_shape(picture)
        if shape is None:
            return
        off = shape.middle[0] - float(rest[0]), shape.middle[1] - float(rest[1])
        if math.hypot(*off) > 1 + self.shape.radius:
            return
        state = self.beam.state.copy()
        before = look(picture, PICTURE + rest[0], PICTURE + rest[1], 1, self.shape)
        after = look(picture, PICTURE + rest[0], PICTURE + rest[1], 1, shape)
        if not before.heights.size or not after.heights.size:
            return
        ratio = float(after.heights[0] / before.heights[0])
        state[:, kernel.ROW] += off[0]
        state[:, kernel.COL] += off[1]
        state[:, kernel.HEIGHT] *= ratio
        state[:, kernel.HEIGHT_VAR] *= ratio**2
        self._rest += np.array(off) * self._weight
        self._lessons.append((frame, *off))
        self.shape = shape
        self.beam = Beam(state, self.beam.nodes, self.beam.ended)

    def history(self) -> list[Node]:
        """Return the best history, frame by frame, up to where the target was last found."""
        beam = self.beam
        node: Node | None = beam.ended
        if beam.nodes and beam.nodes[0].score > beam.ended.score + DEATH:
            node = beam.nodes[0]
        nodes: list[Node] = []
        while node is not None:
            if node.found or nodes:
                nodes.append(node)
            node = node.parent
        return nodes[::-1]

    def correction(self, frame: int) -> tuple[float, float]:
        """Return what has to be added to a node's place: how far off the shape was that found it."""
        later = [off for at, *off in self._lessons if frame <= at]
        return sum(off[0] for off in later), sum(off[1] for off in later)


def place_noise(shift: Shift) -> float:
    """Variance that one frame adds to a place: more where the image does not tell the camera's motion."""
    return float(_MODEL[kernel.PLACE_NOISE]) + (0.0 if shift.seen else _SHAKE**2)
