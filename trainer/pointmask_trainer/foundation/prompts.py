"""What SAM is shown of a target, where that lies in its input, and how its logits come back to the frame."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F  # noqa: N812 - as everybody writes it

from pointmask.bench.baselines.sizes import Box
from pointmask_trainer.foundation.mask_decoder import NEGATIVE, POSITIVE
from pointmask_trainer.foundation.segmenter import Encoded, Prompt, Segmenter

PromptKind = Literal["crop", "point", "box", "negatives"]

CROP = 64
"""Side of the crop round a click, in px."""

_RING, _ON_RING = 16, 8  # radius in px, and number, of negative points


@dataclass(frozen=True, slots=True)
class View:
    """A frame, or a crop of one, in the network's input.

    Attributes
    ----------
    encoded : Encoded
    shape : (int, int)
        Height and width in px.
    inner : (int, int)
        The same within the input.
    """

    encoded: Encoded
    shape: tuple[int, int]
    inner: tuple[int, int]

    def place(self, row: float, col: float, *, released: bool = False) -> tuple[float, float]:
        """Return column and row in the input of a place in px, 0 the centre of the first pixel.

        Parameters
        ----------
        row, col : float
        released : bool
            As the published programs scale points: a pixel's index times the scale, which is half a pixel of
            the frame off, less half one of the input.
        """
        down, right = self.inner[0] / self.shape[0], self.inner[1] / self.shape[1]
        if released:
            return col * right, row * down
        return (col + 0.5) * right - 0.5, (row + 0.5) * down - 0.5


def view_of(network: Segmenter, grey: NDArray[np.float32]) -> View:
    """Encode (H, W) grey values from 0 to 255.

    SAM keeps the frame's aspect, and 0 fills the input at the right and at the bottom; SAM2 stretches it.
    """
    height, width = grey.shape
    side = network.side
    if network.is_second:
        inner = (side, side)
    else:
        scale = side / max(height, width)
        inner = (max(1, int(height * scale + 0.5)), max(1, int(width * scale + 0.5)))
    values = torch.from_numpy(grey)[None, None]
    values = F.interpolate(values, size=inner, mode="bilinear", antialias=True)
    image = F.pad(network.normalised(values), (0, side - inner[1], 0, side - inner[0]))
    return View(network.encode(image), (height, width), inner)


def crop_of(grey: NDArray[np.float32], click: tuple[int, int]) -> tuple[NDArray[np.float32], tuple[int, int]]:
    """Cut a square of side `CROP` round a click, mirrored at the borders.

    Returns
    -------
    crop : (CROP, CROP) float32 array
        The click is pixel (CROP / 2, CROP / 2).
    corner : (int, int)
        Row and column of its first pixel in the frame, which may be negative.
    """
    half = CROP // 2
    padded = np.pad(grey, half, mode="symmetric")
    row, col = click
    crop = np.ascontiguousarray(padded[row : row + CROP, col : col + CROP])
    return crop, (row - half, col - half)


def prompt_of(
    view: View, click: tuple[int, int], kind: PromptKind, box: Box, *, released: bool = False
) -> Prompt:
    """Describe a target to the network.

    Parameters
    ----------
    view : View
    click : (int, int)
        Row and column within the view.
    kind : {"crop", "point", "box", "negatives"}
    box : (slice, slice)
        Rows and columns of the box, which only ``box`` shows.
    released : bool
        See `View.place`.
    """
    points, kinds = [view.place(*click, released=released)], [POSITIVE]
    if kind == "box":
        rows, cols = box
        left, top = view.place(rows.start - 0.5, cols.start - 0.5)
        right, bottom = view.place(rows.stop - 0.5, cols.stop - 0.5)
        return Prompt(points, kinds, (left, top, right, bottom))
    if kind == "negatives":
        for k in range(_ON_RING):
            angle = 2 * np.pi * k / _ON_RING
            row, col = click[0] + _RING * np.sin(angle), click[1] + _RING * np.cos(angle)
            if 0 <= row <= view.shape[0] - 1 and 0 <= col <= view.shape[1] - 1:
                points.append(view.place(float(row), float(col), released=released))
                kinds.append(NEGATIVE)
    return Prompt(points, kinds)
