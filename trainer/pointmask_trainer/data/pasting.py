"""Targets of other training images, pasted into crops: more targets, in front of more that looks like them.

Few frames hold more than one target, so that a network sees each in one surrounding only. After Kisantal et
al., "Augmentation for small object detection" (2019).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage as ndi
from torch import Tensor

from pointmask.components import components
from pointmask_trainer.data.labels import LabelStore, SplitName
from pointmask_trainer.data.pool import Pool

_MOST = 3  # targets that a crop gets
_AREA = 3, 250  # px: smaller ones are no shapes, larger ones hardly fit anywhere
_REACH = 24  # px around a point in which its target lies
_NEAR = 3.0  # px within which a target belongs to a point
_MARGIN = 8  # px of surroundings that are cut out with a target
_HALO, _FADED = 2, 5  # px around its label that belong to it, and within which they fade out
_CLEAR = 3  # px around its label beyond which the background is measured
_GAIN = 0.5, 1.2  # of its contrast
_VISIBLE = 2.0  # least contrast, in standard deviations of what is around the new place ...
_LARGEST_GAIN = 3.0  # ... unless that takes more than this


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """A target without its background.

    Attributes
    ----------
    contrast : (h, w) float32 array
        What it adds to the background, in standard deviations of its image; 0 towards the sides.
    label : (h, w) float32 array in [0, 1]
    """

    contrast: NDArray[np.float32]
    label: NDArray[np.float32]

    def turned(self, symmetry: int) -> "Patch":
        """Apply one of the eight symmetries of the square."""
        parts = [np.rot90(part, symmetry % 4) for part in (self.contrast, self.label)]
        if symmetry >= 4:
            parts = [part[:, ::-1] for part in parts]
        return Patch(np.ascontiguousarray(parts[0]), np.ascontiguousarray(parts[1]))


class Pasting:
    """Pastes targets of the train list into its crops.

    Parameters
    ----------
    share : float
        Of the crops that get one to three more targets.
    images : Pool
    deviations : sequence of float
        Of each image, in which its values are measured.
    labels : LabelStore
        Its labels at the time say what a target is.
    points : sequence of (K, 2) arrays
        Row and column of each image's targets.
    """

    def __init__(
        self,
        share: float,
        images: Pool,
        deviations: Sequence[float],
        labels: LabelStore,
        points: Sequence[NDArray[np.float64]],
    ) -> None:
        self._share, self._images, self._deviations, self._labels = share, images, deviations, labels
        self._points = points
        self._sources = [index for index, own in enumerate(points) if len(own)]

    def into(
        self, images: Tensor, labels: Tensor, key: tuple[int, ...], first: int = 0
    ) -> tuple[NDArray[np.float64], ...]:
        """Paste into normalised crops and their labels, in place.

        Parameters
        ----------
        images, labels : (B, 1, h, w) Tensor
        key : tuple of int
            Seed of what is drawn.
        first : int
            Position of the first crop in the batch: another division among processes pastes the same.

        Returns
        -------
        tuple of B (K, 2) float64 arrays
            Row and column of the pasted targets' centroids in each crop.
        """
        return tuple(
            self._into_one(image[0], label[0], np.random.default_rng([*key, first + position]))
            for position, (image, label) in enumerate(zip(images, labels, strict=True))
        )

    def _into_one(self, image: Tensor, label: Tensor, rng: np.random.Generator) -> NDArray[np.float64]:
        places: list[NDArray[np.float64]] = []
        if rng.random() < self._share and self._sources:
            for _ in range(int(rng.integers(1, _MOST + 1))):
                patch, gain = self._drawn(rng), float(np.exp(rng.uniform(*np.log(_GAIN))))
                where = rng.random(2)
                if patch is not None and (at := _pasted(patch, gain, image, label, where)) is not None:
                    places.append(at)
        return np.array(places, np.float64).reshape(-1, 2)

    def _drawn(self, rng: np.random.Generator) -> Patch | None:
        """Cut out the target of a random point; None if that is too large, or too near to others."""
        index = self._sources[rng.integers(len(self._sources))]
        point = self._points[index][rng.integers(len(self._points[index]))]
        symmetry = int(rng.integers(8))
        middle = np.floor(point + 0.5).astype(int)
        box = *(middle - _REACH), *(middle + _REACH + 1)
        pixels, corner = self._images.window(index, box)
        train: SplitName = "train"
        label, _ = self._labels.window(train, index, box)
        patch = cut_out(pixels / self._deviations[index], label, point - corner)
        return None if patch is None else patch.turned(symmetry)


def cut_out(
    pixels: NDArray[np.float32], label: NDArray[np.float32], point: NDArray[np.float64]
) -> Patch | None:
    """Take the target at a point out of its surroundings.

    Parameters
    ----------
    pixels : (H, W) array
    label : (H, W) array in [0, 1]
    point : (2,) array
        Row and column of the target.

    Returns
    -------
    Patch or None
        None where no target of a fit size lies at the point, or it lies too near to another one or the sides.
    """
    marks, count = components(label > 0.5)
    if not count:
        return None
    apart = ndi.distance_transform_edt(marks == 0, return_indices=True)
    row, col = np.clip(np.floor(point + 0.5).astype(int), 0, np.array(label.shape) - 1)
    if apart[0][row, col] > _NEAR:
        return None
    number = marks[tuple(apart[1][:, row, col])]
    own = marks == number
    rows, cols = ndi.find_objects(marks)[number - 1]
    top, left = rows.start - _MARGIN, cols.start - _MARGIN
    bottom, right = rows.stop + _MARGIN, cols.stop + _MARGIN
    if min(top, left) < 0 or bottom > label.shape[0] or right > label.shape[1]:
        return None
    part = slice(top, bottom), slice(left, right)
    if not _AREA[0] <= np.count_nonzero(own) <= _AREA[1] or (marks[part] != 0).sum() != own[part].sum():
        return None
    away = ndi.distance_transform_edt(~own[part])
    background = np.median(pixels[part][away > _CLEAR])
    fading = np.clip((_FADED - away) / (_FADED - _HALO), 0, 1)
    contrast = (pixels[part] - background) * fading
    return Patch(contrast.astype(np.float32), np.where(own[part], label[part], 0).astype(np.float32))


def _pasted(
    patch: Patch, gain: float, image: Tensor, label: Tensor, where: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """Paste into one crop, in place; None if a target is there, or it would take too much to be visible."""
    size = np.array(patch.label.shape)
    room = np.array(image.shape) - size + 1
    if (room < 1).any():
        return None
    top, left = (where * room).astype(int).tolist()
    part = slice(top, top + int(size[0])), slice(left, left + int(size[1]))
    if bool((label[part] > 0.5).any()):
        return None
    weight = patch.label / patch.label.sum()
    strength = abs(float((patch.contrast * weight).sum()))
    least = _VISIBLE * float(image[part].std())
    if strength * _LARGEST_GAIN < least or not strength:
        return None
    gain = max(gain, least / strength)
    image[part] += torch.from_numpy(patch.contrast * np.float32(gain)).to(image.device)
    label[part] = torch.maximum(label[part], torch.from_numpy(patch.label).to(label.device))
    rows, cols = np.nonzero(patch.label > 0.5)
    return np.array([top + rows.mean(), left + cols.mean()])
