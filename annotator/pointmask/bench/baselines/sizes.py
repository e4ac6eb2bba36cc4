"""What a method is told about the targets' sizes: nothing, a box, a class, or both.

The published programs draw their boxes and choose their step counts from the area of the true mask.
Here that knowledge is an explicit value that a caller must make and pass, so that it cannot leak.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage as ndi

from pointmask.errors import PointsError

Box = tuple[slice, slice]
TargetClass = Literal["point", "spot", "extended"]
SizeKnowledge = Literal["none", "box", "class", "truth"]

# Smallest and largest half-extent of a box, in pixels, both ends included.
_EXTENTS: dict[TargetClass, tuple[int, int]] = {"point": (3, 5), "spot": (10, 11), "extended": (15, 25)}
_LARGEST_POINT_AREA = 9
_LARGEST_SPOT_AREA = 81
# The exact CRF holds two matrices of all pairs of the box's pixels: 0.8 GB at this half-extent.
_LARGEST_EXTENT = 50


@dataclass(frozen=True, slots=True)
class SizePrior:
    """What is known about one target's size.

    Attributes
    ----------
    up, down, left, right : int
        Half-extents of the box round the click, in pixels, 0 to 50. The row of the click belongs to the
        lower half, its column to the right half: the box has ``up + down`` rows.
    target_class : {"point", "spot", "extended"}
        Class by area: up to 9, up to 81, and over 81 pixels.

    Raises
    ------
    ValueError
        If a half-extent is out of its range.
    """

    up: int
    down: int
    left: int
    right: int
    target_class: TargetClass = "spot"

    def __post_init__(self) -> None:
        for name in ("up", "down", "left", "right"):
            extent = getattr(self, name)
            if not 0 <= extent <= _LARGEST_EXTENT:
                raise ValueError(
                    f"half-extent {name}={extent} of a size prior is out of range; "
                    f"pass 0 to {_LARGEST_EXTENT} pixels"
                )

    @property
    def is_point_box(self) -> bool:
        """Whether the box is one that the programs give to targets of class ``point``."""
        return max(self.up, self.down, self.left, self.right) <= _EXTENTS["point"][1]

    def box(self, point: tuple[int, int], shape: tuple[int, int]) -> Box:
        """Rows and columns of the box round a click.

        The published programs end a box at the last row and column, exclusive, so that these two are
        never inside any box. They draw it round the sub-pixel centroid; truncation makes this the same
        box as the one round the clicked pixel.

        Parameters
        ----------
        point : tuple of int
            Click (row, col).
        shape : tuple of int
            Image size (H, W).

        Returns
        -------
        tuple of slice
            Rows and columns; empty slices are possible in images of one row or column, and for a click
            on the last row or column with a half-extent of 0 towards the image.
        """
        (row, col), (height, width) = point, shape
        rows = slice(max(row - self.up, 0), min(row + self.down, height - 1))
        cols = slice(max(col - self.left, 0), min(col + self.right, width - 1))
        return rows, cols


def classify(area: int) -> TargetClass:
    """Class of a target by its area in pixels, as the programs do."""
    if area <= _LARGEST_POINT_AREA:
        return "point"
    return "spot" if area <= _LARGEST_SPOT_AREA else "extended"


def from_masks(
    mask: ArrayLike | None,
    points: Sequence[tuple[int, int]],
    rng: np.random.Generator,
    kind: SizeKnowledge,
) -> tuple[SizePrior, ...]:
    """Draw the size prior of each point, reading the true mask only as far as `kind` allows.

    Parameters
    ----------
    mask : array_like of shape (H, W), bool or 0/non-zero, or None
        True mask; may be None for ``kind="none"``, which never looks at it.
    points : sequence of tuple of int
        Clicks (row, col).
    rng : numpy.random.Generator
        Source of the half-extents.
    kind : {"none", "box", "class", "truth"}
        ``none``: box and class of a Spot target for everyone. ``box``: the box follows the true area, the
        class is Spot. ``class``: the class follows the true area, the box is that of a Spot. ``truth``:
        both follow the true area, as published.

    Returns
    -------
    tuple of SizePrior
        One per point, in order.

    Raises
    ------
    ValueError
        If `kind` is not one of the four.
    PointsError
        If a size is to be read from a mask without any target.
    """
    if kind not in get_args(SizeKnowledge):
        raise ValueError(
            f"size prior {kind!r} is unknown; choose one of {', '.join(get_args(SizeKnowledge))}"
        )
    if kind == "none" or not points:
        return tuple(_draw(rng, box="spot", told="spot") for _ in points)
    true_classes = [classify(area) for area in _areas(mask, points)]
    return tuple(
        _draw(rng, box="spot" if kind == "class" else true, told="spot" if kind == "box" else true)
        for true in true_classes
    )


def _draw(rng: np.random.Generator, *, box: TargetClass, told: TargetClass) -> SizePrior:
    low, high = _EXTENTS[box]
    up, down, left, right = (int(v) for v in rng.integers(low, high, size=4, endpoint=True))
    return SizePrior(up, down, left, right, told)


def _areas(mask: ArrayLike | None, points: Sequence[tuple[int, int]]) -> list[int]:
    """Area of the 8-connected component at each point, or of the nearest one: a centroid may fall outside."""
    binary = np.zeros((0, 0), np.bool_) if mask is None else np.asarray(mask) != 0
    if not binary.any():
        raise PointsError(
            "a size prior is to be read from a mask without targets; pass the image's true mask or use 'none'"
        )
    labels, _ = ndi.label(binary, np.ones((3, 3)))
    sizes = np.bincount(labels.ravel())
    rows, cols = np.nonzero(binary)
    nearest = [int(np.argmin((rows - row) ** 2 + (cols - col) ** 2)) for row, col in points]
    return [int(sizes[labels[rows[i], cols[i]]]) for i in nearest]
