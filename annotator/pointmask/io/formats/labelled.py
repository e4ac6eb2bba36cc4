"""A labelled image: what every annotation document holds, whatever its syntax.

A target is a point, a mask, or both. Masks are kept as small crops, so that an image with a thousand
targets costs what its targets cost, not a thousand frames.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pointmask.errors import PointsError
from pointmask.io.formats.encodings.rle import MOST_PIXELS
from pointmask.io.points.fit import fitted, scale_of
from pointmask.io.points.names import ImageFrame
from pointmask.io.points.points import Point

Shape = tuple[int, int]
"""Height and width in pixels."""


# No other spelling of a frame, so that a key is the same again; image names may hold a # too.
_FRAME = re.compile(r"(?P<image>.+)#(?P<frame>[1-9]\d{0,8})", re.DOTALL)

NO_LABEL = "target"
"""Class of targets without a label, in documents that demand one; when read it stands for no label."""


def split_key(key: str) -> ImageFrame:
    """Divide a key that ends in ``#k`` into image and frame, else frame 0; undone by `LabelledImage.key`."""
    parsed = _FRAME.fullmatch(key)
    return (parsed["image"], int(parsed["frame"])) if parsed else (key, 0)


class Box(NamedTuple):
    """Half-open box in pixels: rows ``top`` to ``bottom - 1``, columns ``left`` to ``right - 1``."""

    top: int
    left: int
    bottom: int
    right: int

    def scaled(self, rows: float, cols: float) -> "Box":
        """Return the box nearest to this one in an image enlarged by these factors."""
        top, left = round(self.top * rows), round(self.left * cols)
        bottom, right = round(self.bottom * rows), round(self.right * cols)
        return Box(top, left, max(bottom, top + 1), max(right, left + 1))

    def holds_middle(self, point: Point) -> bool:
        """Say whether a point is the pixel in the middle, or one of the two or four pixels there."""
        row, col = self.top + self.bottom - 1 - 2 * point.row, self.left + self.right - 1 - 2 * point.col
        return abs(row) <= 1 and abs(col) <= 1

    def within(self, shape: Shape) -> "Box | None":
        """Return the part of the box that lies in an image; None if there is none."""
        top, left, bottom, right = max(self.top, 0), max(self.left, 0), *map(min, self[2:], shape)
        return Box(top, left, bottom, right) if top < bottom and left < right else None


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """The mask of one target, cropped to its pixels; equal if place and pixels are.

    Attributes
    ----------
    row, col : int
        0-based place of the crop's first pixel in the image.
    pixels : (h, w) bool
        With a pixel set in its first and last row and column; `crop` trims to that.

    Raises
    ------
    ValueError
        If the crop is empty, not tight, or begins outside the image.
    """

    row: int
    col: int
    pixels: NDArray[np.bool_]

    def __post_init__(self) -> None:
        pixels = self.pixels
        if pixels.ndim != 2 or pixels.dtype != np.bool_ or not pixels.size:
            raise ValueError(f"a patch of shape {pixels.shape} and type {pixels.dtype}; give (h, w) bool")
        if not (pixels[0].any() and pixels[-1].any() and pixels[:, 0].any() and pixels[:, -1].any()):
            raise ValueError("a patch with an empty border row or column; make it with Patch.crop")
        if self.row < 0 or self.col < 0:
            raise ValueError(f"a patch at ({self.row}, {self.col}), outside the image; crop it first")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Patch):
            return NotImplemented
        return (self.row, self.col) == (other.row, other.col) and np.array_equal(self.pixels, other.pixels)

    def __hash__(self) -> int:
        return hash((self.row, self.col, self.pixels.shape, self.pixels.tobytes()))

    @classmethod
    def crop(cls, mask: NDArray[np.bool_], row: int = 0, col: int = 0) -> "Patch | None":
        """Trim an (h, w) bool mask whose first pixel lies at ``(row, col)``; None if no pixel is set."""
        rows = np.flatnonzero(mask.any(axis=1))
        if not rows.size:
            return None
        cols = np.flatnonzero(mask.any(axis=0))
        top, left = int(rows[0]), int(cols[0])
        return cls(row + top, col + left, mask[top : rows[-1] + 1, left : cols[-1] + 1].copy())

    @property
    def area(self) -> int:
        """Pixels of the mask."""
        return int(np.count_nonzero(self.pixels))

    @property
    def box(self) -> Box:
        """Where the mask lies in the image."""
        height, width = self.pixels.shape
        return Box(self.row, self.col, self.row + height, self.col + width)

    @property
    def centre(self) -> Point:
        """The pixel of the mask that is nearest to its centroid, first in raster order; without label."""
        rows, cols = np.nonzero(self.pixels)
        nearest = int(np.argmin((rows - rows.mean()) ** 2 + (cols - cols.mean()) ** 2))
        return Point(self.row + int(rows[nearest]), self.col + int(cols[nearest]))

    def paint(self, mask: NDArray[np.bool_]) -> None:
        """Set the target's pixels in the mask of a whole image, (H, W) bool."""
        top, left, bottom, right = self.box
        mask[top:bottom, left:right] |= self.pixels

    def full(self, shape: Shape) -> NDArray[np.bool_]:
        """Return the mask in an image of ``shape``, (H, W) bool."""
        mask = np.zeros(shape, np.bool_)
        self.paint(mask)
        return mask


@dataclass(frozen=True, slots=True)
class LabelledTarget:
    """One target of a labelled image.

    Attributes
    ----------
    point : Point or None
        The click. It may lie beside the mask.
    patch : Patch or None
        The mask.
    confidence : float or None
        In [0, 1], as pointmask gives it.
    label : str or None
        Class name; of a target with a point always the point's.
    box : Box or None
        Where the target lies if a box is all that is known, as other tools draw it. It is carried from
        document to document, and never annotated from: the size of a target is not the user's to give.
    """

    point: Point | None
    patch: Patch | None
    confidence: float | None = None
    label: str | None = None
    box: Box | None = None

    def __post_init__(self) -> None:
        if self.point is not None and self.label is not self.point.label:
            object.__setattr__(self, "label", self.point.label)
        if self.patch is not None and self.box is not None:
            object.__setattr__(self, "box", None)

    @property
    def extent(self) -> Box | None:
        """The box of the mask, else the box that is known, else the pixel of the point."""
        if self.patch is not None:
            return self.patch.box
        if self.box is not None or self.point is None:
            return self.box
        return Box(self.point.row, self.point.col, self.point.row + 1, self.point.col + 1)

    @property
    def click(self) -> Point | None:
        """The point; for a target without one the middle of its mask; None without either."""
        if self.point is not None or self.patch is None:
            return self.point
        centre = self.patch.centre
        return Point(centre.row, centre.col, self.label)


@dataclass(frozen=True, slots=True)
class LabelledImage:
    """One frame with its targets.

    Attributes
    ----------
    image : str
        Name as a key of `pointmask.io.points.points.Points`, without frame.
    frame : int
        0-based; 0 for a file of one frame.
    shape : (int, int)
        Height and width in pixels.
    targets : tuple of LabelledTarget
        None means that the image is known to hold no target.
    names : tuple of str
        As in `pointmask.io.points.points.Points`.
    counted : bool
        Whether it is called by the number of a frame of a video, from 0.

    Raises
    ------
    PointsError
        If the shape is empty, holds more than `pointmask.io.formats.encodings.rle.MOST_PIXELS`, or a mask
        reaches beyond it.
    """

    image: str
    frame: int
    shape: Shape
    targets: tuple[LabelledTarget, ...]
    names: tuple[str, ...] = field(default=(), compare=False)
    counted: bool = field(default=False, compare=False)

    def __post_init__(self) -> None:
        height, width = self.shape
        if height < 1 or width < 1 or height * width > MOST_PIXELS:
            raise PointsError(
                f"{self.key}: an image of {width} x {height} pixels, not of 1 to {MOST_PIXELS:,}; "
                "correct its size"
            )
        for target in self.targets:
            if target.patch is not None:
                box = target.patch.box
                if box.bottom > height or box.right > width:
                    raise PointsError(
                        f"{self.key}: a mask reaches to row {box.bottom - 1}, column {box.right - 1}, but "
                        f"the image has {height} rows and {width} columns; correct the mask or the size"
                    )

    @classmethod
    def of_key(cls, key: str, shape: Shape, targets: Iterable[LabelledTarget]) -> "LabelledImage":
        """Make one with a given `key`; raises as the class does."""
        return cls(*split_key(key), shape, tuple(targets))

    def fitted(self, image: str, frame: int, shape: Shape) -> "LabelledImage":
        """
        Return the same targets in a frame of another size; boxes and points are scaled, masks cannot be.

        Raises
        ------
        PointsError
            If the aspects differ, or a target has a mask.
        """
        if shape == self.shape:
            return LabelledImage(image, frame, shape, self.targets)
        rows, cols = scale_of(self.shape, shape)
        if any(target.patch is not None for target in self.targets):
            raise PointsError(
                f"its masks were drawn in an image of {self.shape[1]} x {self.shape[0]} pixels, but the "
                f"image has {shape[1]} x {shape[0]}; export them again at the image's size"
            )
        targets = []
        for target in self.targets:
            point = None if target.point is None else replace(target.point, image_shape=self.shape)
            moved = None if point is None else fitted((point,), shape)[0]
            targets.append(replace(target, point=moved, box=target.box and target.box.scaled(rows, cols)))
        return LabelledImage(image, frame, shape, tuple(targets))

    @property
    def key(self) -> str:
        """Name as a key of `Points`; ``#k`` stands for frame k, unless it is the first."""
        return f"{self.image}#{self.frame}" if self.frame else self.image

    @property
    def points(self) -> tuple[Point, ...]:
        """The points of those targets that have one."""
        return tuple(target.point for target in self.targets if target.point is not None)

    @property
    def clicks(self) -> tuple[Point, ...]:
        """The points, and for targets without one the middles of their masks."""
        return tuple(target.click for target in self.targets if target.click is not None)

    @property
    def mask(self) -> NDArray[np.bool_]:
        """(H, W) bool: union of the targets' masks."""
        mask = np.zeros(self.shape, np.bool_)
        for target in self.targets:
            if target.patch is not None:
                target.patch.paint(mask)
        return mask
