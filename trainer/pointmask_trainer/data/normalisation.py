"""Normalisation of grey values: by statistics of the training list, or of each image.

One mean and one deviation for all images is what the field's trainers use. A frame far from them, such as
one of three times the contrast, is then far outside of what was learned: on 85 frames of SIRST-v1 five such
frames held nearly all false pixels. By its own figures every frame looks alike, whatever its bit depth.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pointmask_trainer.data.pool import Pool

_LEAST = 1e-6  # of an image's mean: a deviation below it is rounding, and the image has no contrast


@dataclass(frozen=True, slots=True)
class Normalisation:
    """``(I - mean) / std``.

    Attributes
    ----------
    mean, std : float
        Of the training images: mean of their means and of their standard deviations.
    per_image : bool
        Take each whole image's own mean and deviation instead.
    """

    mean: float
    std: float
    per_image: bool = False

    def units(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and deviation to use for each of (N, 1, H, W) whole images, (N, 1, 1, 1) each."""
        if not self.per_image:
            ones = images.new_ones((images.shape[0], 1, 1, 1))
            return self.mean * ones, self.std * ones
        mean = images.mean((1, 2, 3), keepdim=True)
        std = (images - mean).square().mean((1, 2, 3), keepdim=True).sqrt()
        # An image of one value: what is left of it by rounding must not be blown up.
        return mean, std + (_LEAST * mean.abs() + 1e-12)

    def __call__(self, images: Tensor, channels: int) -> Tensor:
        """Normalise (N, 1, H, W) whole images and repeat them to the detector's number of channels."""
        mean, std = self.units(images)
        return ((images - mean) / std).expand(-1, channels, -1, -1)

    def units_of(self, images: Pool) -> tuple[Tensor, Tensor]:
        """Mean and deviation to use for each image of a pool, (N, 1, 1, 1) each."""
        if not self.per_image:  # nothing of the images is needed
            return self.units(torch.empty((len(images), 1, 1, 1), device=images.device))
        units = [self.units(images.image(index)[None, None]) for index in range(len(images))]
        means, stds = zip(*units, strict=True)
        return torch.cat(means), torch.cat(stds)


def normalisation_of(images: Pool, *, per_image: bool = False) -> Normalisation:
    """Mean of the images' means and of their standard deviations, as the field's trainers do."""
    means, stds = [], []
    for index in range(len(images)):
        image = images.image(index).double()
        means.append(float(image.mean()))
        stds.append(float(image.std(correction=0)))
    return Normalisation(float(np.mean(means)), float(np.mean(stds)) or 1.0, per_image)
