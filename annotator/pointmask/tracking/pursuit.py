"""Track one target through a sequence with a few competing histories.

A history assigns to each frame a peak of the filter response, or a missed detection. Its score is the
logarithm of a likelihood ratio against pure noise, so a terminated history keeps its score while one that
continues along peaks of noise loses. The target is lost where termination scores best, which is known only
from later frames.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointmask.theta import Polarity
from pointmask.tracking.appearance import PICTURE, add_earlier_response, crop, filter_response, own_shape
from pointmask.tracking.camera_motion import Shift
from pointmask.tracking.first_frame import first_beam, first_response
from pointmask.tracking.histories import BEAM, DEATH, Beam, Node, Past, Pose
from pointmask.tracking.kernels import beam as kernel

Floats = NDArray[np.float64]


MOST_MISSES = 5
"""Number of consecutive frames for which a target may be missed before it is lost."""

_SHAKE = 0.8  # pixels: standard deviation of a camera motion that could not be estimated
_LESSONS = (5, 12, 24)  # frames after which the target's shape is extracted again; later every _REFRESH
_REFRESH = 25
_AWAY = 3.0  # pixels that a target must have moved, besides its diameter, to uncover its place
_FADE = 0.96  # weight of the earlier frames in the running picture

SPEED_NOISE = 0.09**2

# Variances per frame of place, velocity and relative height; flicker; gate; chances; see kernels.beam.
_MODEL = np.array(
    [0.1**2, SPEED_NOISE, 0.05**2, 0.15, 3.5, math.log(0.97), math.log(0.03), MOST_MISSES], np.float64
)


class Pursuit:
    """Tracker of one target.

    Parameters
    ----------
    image : (H, W) real
        The frame with the click.
    frame : int
        Number of that frame.
    point : (row, col)
    polarity : {"bright", "dark", "auto"}

    Attributes
    ----------
    sign : int
        1 for a target brighter than its surroundings, -1 for a darker one.
    shape : Shape
        The present filter.
    point : (row, col)
        As given.
    beam : Beam
        The present histories; the caller replaces them by the result of `step`.
    """

    def __init__(self, image: NDArray[Any], frame: int, point: tuple[int, int], polarity: Polarity) -> None:
        self.sign, self.shape, response = first_response(image, point, polarity)
        self.beam = first_beam(response, frame, point)
        self.point = point
        self._picture = np.zeros((2 * PICTURE + 1, 2 * PICTURE + 1))
        self._rest = np.zeros(2)
        self._weight = 0.0
        self._learned_frames = 0
        self._lessons: list[tuple[int, float, float]] = []

    def predicted(self, shift: Shift) -> Pose:
        """Return the pose predicted for the next frame."""
        at, (row_speed, col_speed) = self.place(self.beam), self.velocity
        return at._replace(row=at.row + row_speed + shift.row, col=at.col + col_speed + shift.col)

    def place(self, beam: Beam) -> Pose:
        """Return the pose in a beam's best history."""
        row, col, height = (float(beam.state[0, k]) for k in (kernel.ROW, kernel.COL, kernel.HEIGHT))
        return Pose(self.shape, row, col, self.sign * height)

    @property
    def velocity(self) -> tuple[float, float]:
        """Velocity in pixels per frame against the scene, from the best history."""
        best = self.beam.state[0]
        return float(best[kernel.ROW_SPEED]), float(best[kernel.COL_SPEED])

    @property
    def brightness(self) -> float:
        """Intensity of the target summed over its pixels, in grey values; positive."""
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
            Of the scene since the previous frame.
        others : tuple of Pose
            Targets to subtract first.
        past : sequence of Past
            Earlier frames, latest first.
        """
        expected = self.predicted(shift)
        response = filter_response(image, expected.row, expected.col, self.sign, self.shape, others)
        earlier = self._elsewhere(expected, past)
        if earlier is not None:
            response = add_earlier_response(response, earlier.image, earlier.moved, self.sign, self.shape)
        state = self.beam.state.copy()
        model = _MODEL.copy()
        model[kernel.PLACE_NOISE] = place_noise(shift)
        kernel.predict(state, len(state), shift.row, shift.col, model)
        children = np.empty((BEAM, kernel.COLUMNS))
        parents, sources = np.empty(BEAM, np.int64), np.empty(BEAM, np.int64)
        made = kernel.extend(
            state, len(state), response.places, response.heights, response.before, response.noise,
            response.density, self.shape.radius, model, children, parents, sources,
        )  # fmt: skip
        if others:
            # Subtraction is inexact, so heights are not updated.
            heights = [kernel.HEIGHT, kernel.HEIGHT_VAR]
            children[:made, heights] = state[parents[:made]][:, heights]
        limits = np.asarray(image.shape) - 0.5
        at = children[:made, [kernel.ROW, kernel.COL]]
        inside = np.flatnonzero(((at >= -0.5) & (at < limits)).all(axis=1))
        nodes = tuple(
            Node(self.beam.nodes[parents[k]], frame, children[k], bool(sources[k] >= 0), shift)
            for k in inside.tolist()
        )
        detected = (node for node in nodes if node.is_detected)
        ended = max((self.beam.ended, *detected), key=lambda node: node.score)
        return Beam(children[inside], nodes, ended)

    def _elsewhere(self, expected: Pose, past: Sequence[Past]) -> Past | None:
        """Return the latest frame in which the target was away from its predicted place."""
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
        """Add a frame to the mean picture of the target; from time to time extract its shape again."""
        _, row, col, _ = self.place(self.beam)
        middle = round(row), round(col)
        self._picture = _FADE * self._picture + self.sign * crop(image, middle, PICTURE)
        self._rest = _FADE * self._rest + (row - middle[0], col - middle[1])
        self._weight = _FADE * self._weight + 1
        self._learned_frames += 1
        if self._learned_frames in _LESSONS or self._learned_frames % _REFRESH == 0:
            self._relearn(frame)

    def _relearn(self, frame: int) -> None:
        """Switch to the target's own shape, and move the state to its centroid."""
        picture, rest = self._picture / self._weight, self._rest / self._weight
        shape = own_shape(picture)
        if shape is None:
            return
        off = shape.middle[0] - float(rest[0]), shape.middle[1] - float(rest[1])
        if math.hypot(*off) > 1 + self.shape.radius:
            return
        state = self.beam.state.copy()
        before = filter_response(picture, PICTURE + rest[0], PICTURE + rest[1], 1, self.shape)
        after = filter_response(picture, PICTURE + rest[0], PICTURE + rest[1], 1, shape)
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
        """Return the best history, frame by frame, up to the last detection."""
        beam = self.beam
        node: Node | None = beam.ended
        if beam.nodes and beam.nodes[0].score > beam.ended.score + DEATH:
            node = beam.nodes[0]
        nodes: list[Node] = []
        while node is not None:
            if node.is_detected or nodes:
                nodes.append(node)
            node = node.parent
        return nodes[::-1]

    def correction(self, frame: int) -> tuple[float, float]:
        """Return the offset of the shape in use at a frame, to be added to the node's place."""
        later = [off for at, *off in self._lessons if frame <= at]
        return sum(off[0] for off in later), sum(off[1] for off in later)


def place_noise(shift: Shift) -> float:
    """Variance that one frame adds to a place; larger if the camera motion is not reliable."""
    return float(_MODEL[kernel.PLACE_NOISE]) + (0.0 if shift.reliable else _SHAKE**2)
