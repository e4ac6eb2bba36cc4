"""Results of the annotator: a target per point, an annotation per image."""

import io
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pointmask.kernels.regions import extent

Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """Result for one point. Coordinates are those of the full image, boxes are half-open.

    Attributes
    ----------
    point : (row, col)
    window : (top, left, bottom, right)
        Part of the image that was searched.
    soft : (h, w) float32
        Soft label over the window, in [0, 1].
    mask : (h, w) bool
        Mask over the window; never empty.
    area : int
        Pixels of the mask.
    box : (top, left, bottom, right)
        Of the mask.
    confidence : float
        Predicted IoU with a hand-drawn mask, in [0, 1].
    flags : tuple of str
        ``border``: the mask touches the image's border, or a constant margin. ``clipped``: it touches the
        window's border, so the target may be larger. ``shared``: its pixels overlapped those of another point
        and were divided.
        ``dark``: darker than its surroundings. ``nonfinite``: NaN or infinite pixels in the window
        were replaced. ``flat``: no contrast at the point. ``weak``: no pixel near the point reached
        the level; the mask is the pixel of the point alone. ``beside``: the mask lies two pixels or more
        from its own point, and has a confidence near 0.
    centre : (row, col)
        Where the target was solved from: the point, or the peak or centroid it leads to. The window is
        centred there before it is cropped at the image's border.
    octave : int
        The window's samples are ``2 ** octave`` px apart.
    """

    point: tuple[int, int]
    window: Box
    soft: NDArray[np.float32]
    mask: NDArray[np.bool_]
    area: int
    box: Box
    confidence: float
    flags: tuple[str, ...]
    centre: tuple[int, int]
    octave: int


@dataclass(frozen=True, slots=True, eq=False)
class Annotation:
    """Result for one image. Full-size arrays are computed on demand, so cost does not grow with the frame.

    Attributes
    ----------
    shape : (H, W)
    targets : tuple of Target
        One per point, in the order of the points.
    replaced : (k, 2) int64
        Rows and columns of the defective pixels that were replaced before; see `pointmask.defects.mended`.
    live : (top, left, bottom, right) or None
        What was taken for the image where constant margins surround it, see
        `pointmask.defects.margins.find_live`; None if it is the whole frame.
    """

    shape: tuple[int, int]
    targets: tuple[Target, ...]
    replaced: NDArray[np.int64] = field(default_factory=lambda: np.empty((0, 2), np.int64))
    live: Box | None = None

    def __repr__(self) -> str:
        """Return size, targets and pixels in one line: arrays would fill a notebook."""
        height, width = self.shape
        area = sum(target.area for target in self.targets)
        count = len(self.targets)
        return f"Annotation({height} x {width}, {count} target{'s' * (count != 1)}, {area:,} px)"

    def _repr_png_(self) -> bytes:
        """Show the mask in a notebook, target white."""
        file = io.BytesIO()
        Image.fromarray(self.mask.astype(np.uint8) * np.uint8(255)).save(file, "PNG")
        return file.getvalue()

    def rows(self, digits: int | None = None) -> list[dict[str, Any]]:
        """
        Return the targets as plain Python values, for a table or JSON.

        Parameters
        ----------
        digits : int, optional
            Decimals to which confidences are rounded; all by default.

        Returns
        -------
        list of dict
            ``row, col, area, confidence, top, left, bottom, right, flags`` of each target.
        """
        return [
            {
                "row": target.point[0],
                "col": target.point[1],
                "area": target.area,
                "confidence": target.confidence if digits is None else round(target.confidence, digits),
                **dict(zip(("top", "left", "bottom", "right"), target.box, strict=True)),
                "flags": list(target.flags),
            }
            for target in self.targets
        ]

    @property
    def soft(self) -> NDArray[np.float32]:
        """(H, W) float32 in [0, 1]: pixel-wise maximum over targets."""
        out = np.zeros(self.shape, np.float32)
        for target in self.targets:
            view = out[slices_of(target.window)]
            np.maximum(view, target.soft, out=view)
        return out

    @property
    def mask(self) -> NDArray[np.bool_]:
        """(H, W) bool: union of the targets' masks."""
        out = np.zeros(self.shape, np.bool_)
        for target in self.targets:
            out[slices_of(target.window)] |= target.mask
        return out

    @property
    def instances(self) -> NDArray[np.uint16]:
        """(H, W) uint16: 0 background, k for the k-th point (1-based)."""
        out = np.zeros(self.shape, np.uint16)
        for k, target in enumerate(self.targets, 1):
            out[slices_of(target.window)][target.mask] = k
        return out


def slices_of(box: Box) -> tuple[slice, slice]:
    """Row and column slices of a half-open box."""
    return slice(box[0], box[2]), slice(box[1], box[3])


def box_of(mask: NDArray[np.bool_], top: int, left: int) -> Box:
    """Half-open box of a non-empty mask whose first pixel is at ``(top, left)`` of the image."""
    first_row, first_col, last_row, last_col, _, _ = extent(mask)
    return top + first_row, left + first_col, top + last_row, left + last_col
