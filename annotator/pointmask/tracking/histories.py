"""Histories of one target: its place in each frame, or a missed detection, with scores.

A score is the logarithm of a likelihood ratio against pure noise.
"""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pointmask.tracking.appearance import Shape
from pointmask.tracking.camera_motion import Shift
from pointmask.tracking.kernels import beam as kernel

Floats = NDArray[np.float64]

BEAM = 16
"""Maximum number of competing histories."""

DEATH = math.log(0.01)  # probability per frame that a target vanishes
_HOPELESS = 15.0  # log ratio below the best terminated history at which the search ends


class Pose(NamedTuple):
    """Place and appearance of a target.

    Attributes
    ----------
    shape : Shape
    row, col : float
    height : float
        Factor of ``shape.body``; negative for a target darker than its surroundings.
    """

    shape: Shape
    row: float
    col: float
    height: float


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A target in one frame of one history.

    Attributes
    ----------
    parent : Node or None
        Node of the previous frame.
    frame : int
    state : (COLUMNS,) float64
        Filtered, or predicted only if the target was missed; see `pointmask.tracking.kernels.beam`.
    is_detected : bool
    shift : Shift
        Of the scene since the previous frame.
    """

    parent: "Node | None"
    frame: int
    state: Floats
    is_detected: bool
    shift: Shift

    @property
    def score(self) -> float:
        """Sum of the log ratios up to this frame."""
        return float(self.state[kernel.SCORE])


class Past(NamedTuple):
    """An earlier frame, and the shift of the scene since then."""

    image: NDArray[Any]
    moved: tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Beam:
    """Histories at one frame, best first.

    Attributes
    ----------
    state : (k, COLUMNS) float64
        See `pointmask.tracking.kernels.beam`.
    nodes : tuple of Node
        One per row of ``state``.
    ended : Node
        Last detected node of the best terminated history.
    """

    state: Floats
    nodes: tuple[Node, ...]
    ended: Node

    @property
    def is_over(self) -> bool:
        """Whether no later frame could continue the target's history."""
        return not self.nodes or self.nodes[0].score < self.ended.score + DEATH - _HOPELESS

    @property
    def is_detected(self) -> bool:
        """Whether the best history detects the target in the present frame."""
        return (
            bool(self.nodes) and self.nodes[0].is_detected and self.nodes[0].score > self.ended.score + DEATH
        )
