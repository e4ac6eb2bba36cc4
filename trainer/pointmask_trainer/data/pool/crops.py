"""Images of any size in one block of memory, and batches of crops gathered from it on its device.

A pool stores every image in its original integer type (two bytes per pixel for 16-bit data), one after the
other, without padding. A crop is any affine view: the source coordinates of its pixels are computed for the
whole batch at once, and the pixels are gathered. Labels are stored in a pool of the same layout and extracted
with the same views, so that one set of parameters transforms image, label and points consistently.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pointmask_trainer.data.pool.reflection import reflected, reflections
from pointmask_trainer.data.pool.upright import is_upright, upright_crop


@dataclass(frozen=True, slots=True, eq=False)
class AffineViews:
    """Affine maps from the pixels of each crop of a batch to its image.

    Attributes
    ----------
    matrices : (B, 2, 3) float64 Tensor
        Source ``(row, col) = M (row', col', 1)`` of a crop's pixel ``(row', col')``, both counted from the
        centre of the first pixel.
    size : (int, int)
        Rows and columns of the crops.
    whole : bool
        Whether all matrices map pixels onto pixels (symmetries of the square and integer shifts), so that
        no interpolation is needed.
    """

    matrices: Tensor
    size: tuple[int, int]
    whole: bool

    def points(
        self, index: int, points: Tensor, shape: tuple[int, int], reach: float = 0.0
    ) -> tuple[Tensor, Tensor]:
        """Map points to a crop, with the reflections that it shows beyond the image's border.

        Parameters
        ----------
        index : int
            Of the crop.
        points : (K, 2) Tensor
            Row and column in the image.
        shape : (H, W)
            Of the image.
        reach : float
            Px of the crop within which reflections count that lie outside it.

        Returns
        -------
        places : (N, 2) float64 Tensor
            Row and column in the crop: first of the K points themselves, which may lie anywhere, then of
            the reflections. A point within half a px of the border's pixels is its own reflection there.
        numbers : (N,) int64 Tensor
            Which point each is.
        """
        matrix = self.matrices[index].to(points.device)
        linear, offset = matrix[:, :2], matrix[:, 2]
        beyond = reach + 0.5  # what rounds to a pixel of the crop lies in it
        ends = matrix.new_tensor(self.size) - 1 + beyond
        first, last = -beyond * linear, linear * ends
        low, high = torch.minimum(first, last).sum(1), torch.maximum(first, last).sum(1)
        copies, numbers = reflections(points.to(matrix.dtype), shape, offset + low, offset + high)
        places = torch.linalg.solve(linear, (copies - offset).T).T
        if len(places) == len(points):
            return places, numbers
        kept = ((places >= -beyond) & (places <= ends)).all(1)
        kept[: len(points)] = True
        return places[kept], numbers[kept]

    def sources(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """Return the source row and column of every crop pixel, (B, h, w) each."""
        height, width = self.size
        # float64: float32 loses a hundredth of a pixel at column 100,000.
        matrices = moved(self.matrices, device)[:, :, :, None, None]
        rows = torch.arange(height, device=device, dtype=torch.float64)[:, None]
        cols = torch.arange(width, device=device, dtype=torch.float64)[None, :]
        sources = matrices[:, :, 0] * rows + matrices[:, :, 1] * cols + matrices[:, :, 2]
        return sources[:, 0], sources[:, 1]

    def __getitem__(self, part: slice) -> "AffineViews":
        return AffineViews(self.matrices[part], self.size, self.whole)


class Pool:
    """Single-band images of any sizes, stored on one device.

    Parameters
    ----------
    images : sequence of (H, W) arrays
        All of one dtype: uint8, uint16, int32 or float32.
    device : torch.device or str

    Raises
    ------
    ValueError
        If there is no image, or dtypes differ.
    """

    def __init__(self, images: Sequence[NDArray[np.generic]], device: torch.device | str = "cpu") -> None:
        if not images or len({image.dtype for image in images}) > 1:
            raise ValueError("a pool needs at least one image, and images of one dtype")
        flat = np.concatenate([np.ascontiguousarray(image).ravel() for image in images])
        self.is_wide = flat.dtype == np.uint16
        if self.is_wide:  # torch supports few operations on uint16: store the bits as int16
            flat = flat.view(np.int16)
        self.device = torch.device(device)
        self._flat = torch.from_numpy(flat).to(self.device)
        self.shapes = [image.shape for image in images]
        sizes = [height * width for height, width in self.shapes]
        self._offsets = np.concatenate([[0], np.cumsum(sizes)[:-1]]).tolist()
        self._starts = torch.as_tensor(self._offsets, dtype=torch.int64, device=self.device)
        self._sides = torch.as_tensor(self.shapes, dtype=torch.int64, device=self.device)

    def __len__(self) -> int:
        return len(self.shapes)

    @property
    def nbytes(self) -> int:
        """Size of the pixel data in bytes."""
        return self._flat.numel() * self._flat.element_size()

    def image(self, index: int) -> Tensor:
        """Return a whole image as (H, W) float32."""
        return self._to_float(self._stored(index))

    def stored(self, index: int) -> NDArray[np.generic]:
        """Return a whole image in its stored dtype."""
        image = self._stored(index).cpu().numpy()
        return image.view(np.uint16) if self.is_wide else image

    def replace(self, index: int, image: NDArray[np.generic]) -> None:
        """Replace an image by another of the same shape and dtype.

        Raises
        ------
        ValueError
            If the shape differs.
        """
        if image.shape != self.shapes[index]:
            raise ValueError(f"image {index} has shape {self.shapes[index]}, not {image.shape}")
        flat = np.ascontiguousarray(image).ravel()
        if self.is_wide:
            flat = flat.view(np.int16)
        start = self._offsets[index]
        self._flat[start : start + flat.size] = torch.from_numpy(flat).to(self.device)

    def crops(self, indices: Tensor, views: AffineViews) -> Tensor:
        """Extract a batch of crops; beyond its border an image is reflected.

        Parameters
        ----------
        indices : (B,) int64 Tensor
            Index of the image of each crop.
        views : AffineViews
            Views of the B crops.

        Returns
        -------
        (B, 1, h, w) float32 Tensor
            Interpolated bilinearly; exact if ``views.whole``.
        """
        if self.device.type == "cpu" and all(map(is_upright, views.matrices)):
            crops = torch.empty((len(indices), 1, *views.size))
            for crop, index, matrix in zip(crops, indices.tolist(), views.matrices, strict=True):
                crop[0] = upright_crop(self._stored(index), matrix, views.size, self._to_float)
            return crops
        indices = moved(indices, self.device)
        rows, cols = views.sources(self.device)
        heights, widths = self._sides[indices][:, :, None, None].unbind(1)
        starts = self._starts[indices][:, None, None]
        if views.whole:
            row, col = _reflected(rows.round().long(), heights), _reflected(cols.round().long(), widths)
            return self._gather(starts, row, col, widths)[:, None]
        top, left = rows.floor(), cols.floor()
        down, right = (rows - top).float(), (cols - left).float()
        top, left = top.long(), left.long()
        # Every row and column is reflected once and used twice: that costs as much as gathering.
        upper, lower = _reflected(top, heights), _reflected(top + 1, heights)
        before, after = _reflected(left, widths), _reflected(left + 1, widths)
        total = torch.zeros_like(down)
        for row, weight_i in ((upper, 1 - down), (lower, down)):
            for col, weight_j in ((before, 1 - right), (after, right)):
                total += weight_i * weight_j * self._gather(starts, row, col, widths)
        return total[:, None]

    def _stored(self, index: int) -> Tensor:
        start, (height, width) = self._offsets[index], self.shapes[index]
        return self._flat[start : start + height * width].view(height, width)

    def _gather(self, starts: Tensor, rows: Tensor, cols: Tensor, widths: Tensor) -> Tensor:
        return self._to_float(self._flat[starts + rows * widths + cols])

    def _to_float(self, stored: Tensor) -> Tensor:
        if self.is_wide:
            return (stored.int() & 0xFFFF).float()
        return stored.float()


def moved(values: Tensor, device: torch.device) -> Tensor:
    """Copy a small tensor to a device without synchronising with it."""
    if device.type == "cuda" and values.device.type == "cpu":
        return values.pin_memory().to(device, non_blocking=True)
    return values.to(device)


def _reflected(indices: Tensor, length: Tensor) -> Tensor:
    # Saves a division per pixel on a CPU; on a GPU the test would force a synchronisation.
    if indices.device.type == "cpu" and bool(((indices >= 0) & (indices < length)).all()):
        return indices
    return reflected(indices, length)
