"""What every format has in common."""

from typing import Literal, get_args

Simulation = Literal["centroid", "coarse"]

Feature = Literal["points", "masks", "boxes", "instances", "labels", "confidence", "frames", "empty"]
"""What a format may or may not hold.

``boxes``: of targets without mask. ``instances``: targets that touch stay apart. ``frames``: pages of a
file. ``empty``: images without targets.
"""

EVERYTHING: frozenset[Feature] = frozenset(get_args(Feature))
