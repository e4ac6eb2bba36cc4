"""Targets that come near each other: who must be taken away for whom, and who may have been mistaken."""

import math
from collections.abc import Mapping

from pointmask.tracking.histories import Pose
from pointmask.tracking.pursuit import Pursuit

_NEAR = 20.0  # pixels within which one target's light may reach into another's window
_MARGIN = 1.0  # pixels between two targets, besides their radii, at which they are still told apart
_LEARNING_GAP = 2.0  # further pixels within which a target's picture would show the other one too
_PARALLEL = 0.6  # pixels per frame; targets that differ by less in velocity are not told apart by it
_ALIKE = 1.5  # ratio of brightness up to which targets are not told apart by it
_LONG = 8  # frames together after which velocities before the meeting tell little


class Meetings:
    """
    Meetings among the targets of one sequence.

    Two targets are told apart from the first moment at which they are seen apart: clicks on one and the same
    target never are, and share it.
    """

    def __init__(self) -> None:
        self._apart: set[tuple[int, int]] = set()
        self._since: dict[tuple[int, int], tuple[int, bool]] = {}
        self.frames: set[tuple[int, int]] = set()
        """(target, frame) for all frames in which a target was too near another."""
        self.doubtful: dict[int, int] = {}
        """First frame by target from which it may be another."""

    def neighbours(self, target: int, places: Mapping[int, Pose]) -> list[int]:
        """Return the targets whose light must be taken away before looking for one."""
        own = places[target]
        return [
            other
            for other, place in places.items()
            if _pair(target, other) in self._apart and _gap(own, place) < _NEAR
        ]

    def is_alone(self, target: int, places: Mapping[int, Pose]) -> bool:
        """Whether no other target would be on the picture."""
        own = places[target]
        return all(
            _gap(own, place) > _reach(own, place) + _LEARNING_GAP
            for other, place in places.items()
            if other != target
        )

    def note(self, frame: int, crowd: list[Pursuit], places: Mapping[int, Pose]) -> None:
        """Take down who is near whom in one frame, and who has parted."""
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
    """Whether neither velocity nor brightness tells two targets apart."""
    a, b = one.velocity, other.velocity
    parallel = math.hypot(a[0] - b[0], a[1] - b[1]) < _PARALLEL
    ratio = one.brightness / other.brightness
    return parallel and 1 / _ALIKE < ratio < _ALIKE
