"""Targets that come close to each other: which to subtract, and which may have been exchanged."""

import math
from collections.abc import Mapping

from pointmask.tracking.histories import Pose
from pointmask.tracking.pursuit import Pursuit

_NEAR = 20.0  # pixels within which one target may extend into another's window
_MARGIN = 1.0  # pixels between two targets, besides their radii, at which they are still separable
_LEARNING_GAP = 2.0  # further pixels within which a target's picture would contain the other
_PARALLEL = 0.6  # pixels per frame; smaller differences in velocity do not distinguish targets
_ALIKE = 1.5  # smaller ratios of brightness do not distinguish targets
_LONG = 8  # frames together after which earlier velocities carry little information


class Meetings:
    """
    Meetings among the targets of one sequence.

    Two tracks count as two targets from the first frame in which they are separated; clicks on the same
    target never are, and share it.
    """

    def __init__(self) -> None:
        self._apart: set[tuple[int, int]] = set()
        self._since: dict[tuple[int, int], tuple[int, bool]] = {}
        self.frames: set[tuple[int, int]] = set()
        """(target, frame) for all frames in which a target was too close to another."""
        self.doubtful: dict[int, int] = {}
        """By target, the first frame from which its identity is uncertain."""

    def neighbours(self, target: int, places: Mapping[int, Pose]) -> list[int]:
        """Return the targets to subtract before searching for one."""
        own = places[target]
        return [
            other
            for other, place in places.items()
            if _pair(target, other) in self._apart and _gap(own, place) < _NEAR
        ]

    def is_alone(self, target: int, places: Mapping[int, Pose]) -> bool:
        """Whether no other target is close enough to be in the picture."""
        own = places[target]
        return all(
            _gap(own, place) > _reach(own, place) + _LEARNING_GAP
            for other, place in places.items()
            if other != target
        )

    def note(self, frame: int, crowd: list[Pursuit], places: Mapping[int, Pose]) -> None:
        """Record which targets are close to each other in one frame, and which have separated."""
        for one, place in places.items():
            for other, its_place in places.items():
                if other >= one:
                    continue
                pair = one, other
                if _gap(place, its_place) > _reach(place, its_place):
                    self._apart.add(pair)
                    self._part(frame, pair)
                elif pair in self._apart:
                    self.frames |= {(one, frame), (other, frame)}
                    self._since.setdefault(pair, (frame, _are_alike(crowd[one], crowd[other])))

    def _part(self, frame: int, pair: tuple[int, int]) -> None:
        if pair in self._since:
            since, alike = self._since.pop(pair)
            if alike or frame - since > _LONG:
                for target in pair:
                    self.doubtful.setdefault(target, frame)


def _pair(one: int, other: int) -> tuple[int, int]:
    return max(one, other), min(one, other)


def _gap(one: Pose, other: Pose) -> float:
    return math.hypot(one.row - other.row, one.col - other.col)


def _reach(one: Pose, other: Pose) -> float:
    return one.shape.radius + other.shape.radius + _MARGIN


def _are_alike(one: Pursuit, other: Pursuit) -> bool:
    """Whether neither velocity nor brightness distinguishes two targets."""
    a, b = one.velocity, other.velocity
    parallel = math.hypot(a[0] - b[0], a[1] - b[1]) < _PARALLEL
    ratio = one.brightness / other.brightness
    return parallel and 1 / _ALIKE < ratio < _ALIKE
