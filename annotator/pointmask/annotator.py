"""One image and its points in, soft labels, masks and confidence out. PROVISIONAL algorithm, final interface."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage as ndi

from pointmask.errors import ImageError, PointsError
from pointmask.theta import Theta

Polarity = Literal["bright", "dark", "auto"]


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """What was found at one point (coordinates are those of the full image)."""

    point: tuple[int, int]  # (row, col)
    window: tuple[int, int, int, int]  # top, left, bottom, right; half-open
    soft: NDArray[np.float32]  # (h, w) in [0, 1], over the window
    mask: NDArray[np.bool_]  # (h, w), over the window
    area: int  # pixels of mask
    box: tuple[int, int, int, int]  # top, left, bottom, right of the mask; half-open
    confidence: float  # predicted IoU in [0, 1]
    flags: tuple[str, ...]  # e.g. "border", "shared", "dark", "nonfinite", "flat"


@dataclass(frozen=True, slots=True, eq=False)
class Annotation:
    """Result for one image. Full-size arrays are made on demand, so cost does not grow with the frame."""

    shape: tuple[int, int]
    targets: tuple[Target, ...]

    @property
    def soft(self) -> NDArray[np.float32]:
        """(H, W) float32 in [0, 1]: pixel-wise maximum over targets."""
        out = np.zeros(self.shape, np.float32)
        for t in self.targets:
            top, left, bottom, right = t.window
            view = out[top:bottom, left:right]
            np.maximum(view, t.soft, out=view)
        return out

    @property
    def mask(self) -> NDArray[np.bool_]:
        """(H, W) bool: union of the targets' masks."""
        out = np.zeros(self.shape, np.bool_)
        for t in self.targets:
            top, left, bottom, right = t.window
            out[top:bottom, left:right] |= t.mask
        return out

    @property
    def instances(self) -> NDArray[np.uint16]:
        """(H, W) uint16: 0 background, k for the k-th point (1-based)."""
        out = np.zeros(self.shape, np.uint16)
        for k, t in enumerate(self.targets, 1):
            top, left, bottom, right = t.window
            out[top:bottom, left:right][t.mask] = k
        return out


def annotate(
    image: ArrayLike,
    points: Sequence[tuple[int, int]],
    *,
    theta: Theta | str = "default",
    polarity: Polarity = "bright",
) -> Annotation:
    """Annotate one image. ``points`` are (row, col) pixel indices."""
    image = np.asarray(image)
    if image.ndim != 2:
        raise ImageError(f"image has shape {image.shape}; a single-band image (H, W) is needed; pick one band")
    th = Theta.load(theta)
    h, w = image.shape
    targets = []
    for row, col in points:
        if not (0 <= row < h and 0 <= col < w):
            raise PointsError(f"point (row {row}, col {col}) lies outside the image of {h} x {w} pixels")
        r = th.half_size
        top, left, bottom, right = max(0, row - r), max(0, col - r), min(h, row + r + 1), min(w, col + r + 1)
        win = image[top:bottom, left:right].astype(np.float64)
        base = np.median(win)
        peak = win[max(0, row - top - 1) : row - top + 2, max(0, col - left - 1) : col - left + 2].max()
        soft = np.clip((win - base) / max(peak - base, 1e-9), 0, 1).astype(np.float32)
        lab, _ = ndi.label(soft > th.level, np.ones((3, 3)))
        mask = lab == lab[row - top, col - left] if lab[row - top, col - left] else np.zeros(win.shape, bool)
        mask[row - top, col - left] = True
        ys, xs = np.nonzero(mask)
        box = (top + int(ys.min()), left + int(xs.min()), top + int(ys.max()) + 1, left + int(xs.max()) + 1)
        targets.append(
            Target((row, col), (top, left, bottom, right), soft, mask, int(mask.sum()), box, 0.5, ())
        )
    return Annotation((h, w), tuple(targets))
