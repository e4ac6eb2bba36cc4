"""Histories of one target: where it was in each frame, or that it was missed, with their scores.

A score is the logarithm of a likelihood ratio against noise alone.
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
"""Number of competing histories that are kept."""

DEATH = math.log(0.01)  # a target vanishes in one frame of a hundred
_HOPELESS = 15.0  # log ratio below the best broken-off history at which the search ends


class Pose(NamedTuple):
    """Where a target is, and what it looks like there.

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
        The frame before.
    frame : int
    state : (COLUMNS,) float64
        Filtered, or only predicted if the target was missed; see `pointmask.tracking.kernels.beam`.
    found : bool
    shift : Shift
        Of the scene, since the frame before.
    """

    parent: "Node | None"
    frame: int
    state: Floats
    found: bool
    shift: Shift

    @property
    def score(self) -> float:
        """Sum of the log ratios up to this frame."""
        return float(self.state[kernel.SCORE])


class Past(NamedTuple):
    """An earlier frame, and by how much the scene has moved since."""

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
        One per row.
    ended : Node
        Last found node of the best history that breaks off.
    """

    state: Floats
    nodes: tuple[Node, ...]
    ended: Node

    @property
    def is_over(self) -> bool:
        """Whether nothing seen later could make the target's history go on."""
        return not self.nodes or self.nodes[0].score < self.ended.score + DEATH - _HOPELESS

    @property
    def is_found(self) -> bool:
        """Whether the best history holds the target in the present frame."""
        return bool(self.nodes) and self.nodes[0].found and self.nodes[0].score > self.ended.score + DEATH
