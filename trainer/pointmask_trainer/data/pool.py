"""Images of any size in one block of memory, and batches of crops cut from it in one pass on its device.

An image pool keeps every image as the integers it was stored as (two bytes a pixel for 16-bit data), one
after the other; nothing is padded. A crop is any affine view: its pixels' source coordinates are computed
for the whole batch at once and gathered. Labels lie in a pool of the same layout and are cut with the
same views, so that one set of parameters moves image, label and points together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


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
        All matrices map pixels onto pixels (symmetries of the square and whole shifts): nothing is
        interpolated then.
    """

    matrices: Tensor
    size: tuple[int, int]
    whole: bool

    def points(self, index: int, points: Tensor) -> Tensor:
        """Map (K, 2) points of the image of crop `index` into the crop; some may lie outside it."""
        matrix = self.matrices[index].to(points.device)
        offset = points.to(matrix.dtype) - matrix[:, 2]
        return torch.linalg.solve(matrix[:, :2], offset.T).T

    def sources(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """Source rows and columns of every crop pixel, (B, h, w) each."""
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
    """Single-band images of any sizes, kept on one device.

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
        if self.is_wide:  # torch can hardly compute with uint16: keep the bits as int16
            flat = flat.view(np.int16)
        self.device = torch.device(device)
        self._flat = torch.from_numpy(flat).to(self.device)
        self.shapes = [image.shape for image in images]
        sizes = [height * width for height, width in self.shapes]
        self._places = np.concatenate([[0], np.cumsum(sizes)[:-1]]).tolist()
        self._starts = torch.as_tensor(self._places, dtype=torch.int64, device=self.device)
        self._sides = torch.as_tensor(self.shapes, dtype=torch.int64, device=self.device)

    def __len__(self) -> int:
        return len(self.shapes)

    @property
    def nbytes(self) -> int:
        """Bytes of pixels."""
        return self._flat.numel() * self._flat.element_size()

    def image(self, index: int) -> Tensor:
        """Return a whole image as (H, W) float32."""
        start, (height, width) = self._places[index], self.shapes[index]
        return self._plain(self._flat[start : start + height * width]).view(height, width)

    def stored(self, index: int) -> NDArray[np.generic]:
        """Return a whole image in its stored dtype."""
        start, (height, width) = self._places[index], self.shapes[index]
        flat = self._flat[start : start + height * width].cpu().numpy()
        return (flat.view(np.uint16) if self.is_wide else flat).reshape(height, width)

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
        start = self._places[index]
        self._flat[start : start + flat.size] = torch.from_numpy(flat).to(self.device)

    def crops(self, indices: Tensor, views: AffineViews, outside: Literal["reflect", "zero"]) -> Tensor:
        """Cut a batch of crops.

        Parameters
        ----------
        indices : (B,) int64 Tensor
            Which images.
        views : AffineViews
            Of B crops.
        outside : {"reflect", "zero"}
            What stands beyond an image's border: its mirror image, or 0.

        Returns
        -------
        (B, 1, h, w) float32 Tensor
            Bilinear between pixels; exact where the views are whole.
        """
        indices = moved(indices, self.device)
        rows, cols = views.sources(self.device)
        heights, widths = self._sides[indices][:, :, None, None].unbind(1)
        starts = self._starts[indices][:, None, None]
        place = _reflected if outside == "reflect" else _clamped
        if views.whole:
            row, col = place(rows.round().long(), heights), place(cols.round().long(), widths)
            return self._gather(starts, row, col, widths)[:, None]
        top, left = rows.floor(), cols.floor()
        down, right = (rows - top).float(), (cols - left).float()
        top, left = top.long(), left.long()
        # Each row and column is placed once for both of its neighbours: placing costs as much as looking up.
        upper, lower = place(top, heights), place(top + 1, heights)
        before, after = place(left, widths), place(left + 1, widths)
        total = torch.zeros_like(down)
        for row, weight_i in ((upper, 1 - down), (lower, down)):
            for col, weight_j in ((before, 1 - right), (after, right)):
                total += weight_i * weight_j * self._gather(starts, row, col, widths)
        return total[:, None]

    def _gather(self, starts: Tensor, rows: "_Places", cols: "_Places", widths: Tensor) -> Tensor:
        """Gather pixels; 0 where a row or column lies outside and is not mirrored."""
        values = self._plain(self._flat[starts + rows.at * widths + cols.at])
        for axis in (rows, cols):
            if axis.inside is not None:
                values = values * axis.inside
        return values

    def _plain(self, stored: Tensor) -> Tensor:
        if self.is_wide:
            return (stored.int() & 0xFFFF).float()
        return stored.float()


def moved(values: Tensor, device: torch.device) -> Tensor:
    """Copy a small tensor to a device without synchronising with it."""
    if device.type == "cuda" and values.device.type == "cpu":
        return values.pin_memory().to(device, non_blocking=True)
    return values.to(device)


class _Places(NamedTuple):
    """Indices along one axis, and which of them lie inside; None if all are valid."""

    at: Tensor
    inside: Tensor | None = None


def _reflected(places: Tensor, length: Tensor) -> _Places:
    """Mirror indices about the first and last pixel until they lie in the image."""
    # A division per pixel is saved on a processor; a GPU would have to be waited for.
    if places.device.type == "cpu" and bool(((places >= 0) & (places < length)).all()):
        return _Places(places)
    period = 2 * (length - 1).clamp(min=1)
    places = places.remainder(period)
    return _Places(torch.minimum(torch.minimum(places, period - places), length - 1))


def _clamped(places: Tensor, length: Tensor) -> _Places:
    """Clamp indices to the image, and mark those that were inside."""
    inside = (places >= 0) & (places < length)
    return _Places(torch.minimum(places.clamp(min=0), length - 1), inside)
