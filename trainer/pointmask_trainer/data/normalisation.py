"""Normalisation of grey values: by statistics of the training list, or of each image.

Published trainers use one mean and one standard deviation for all images. A frame whose statistics differ
much, for example of three times the contrast, is then far outside the training distribution: on 85 frames of
SIRST-v1, five such frames contained nearly all false pixels. Normalised by their own statistics, all frames
have the same range, whatever their bit depth.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from torch import Tensor

from pointmask.settings import Between
from pointmask_trainer.data.pool import Pool

_SMALLEST, _LARGEST = float(np.finfo(np.float32).tiny), float(np.finfo(np.float32).max)
_LEAST = 1e-6  # of an image's mean: a smaller deviation is rounding error of an image without contrast


@dataclass(frozen=True, slots=True)
class Normalisation:
    """``(I - mean) / std``.

    Attributes
    ----------
    mean, std : float
        Mean of the training images' means, and of their standard deviations.
    per_image : bool
        Use the mean and standard deviation of each whole image instead.
    """

    mean: Annotated[float, Between(-_LARGEST, _LARGEST)]
    std: Annotated[float, Between(_SMALLEST, _LARGEST)]
    per_image: bool = False

    def units(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mean and deviation used for each of (N, 1, H, W) whole images, (N, 1, 1, 1) each."""
        if not self.per_image:
            ones = images.new_ones((images.shape[0], 1, 1, 1))
            return self.mean * ones, self.std * ones
        mean = images.mean((1, 2, 3), keepdim=True)
        std = (images - mean).square().mean((1, 2, 3), keepdim=True).sqrt()
        # The rounding error of a constant image must not be amplified.
        return mean, std + (_LEAST * mean.abs() + 1e-12)

    def __call__(self, images: Tensor, channels: int) -> Tensor:
        """Normalise (N, 1, H, W) whole images and repeat them to the detector's number of channels."""
        mean, std = self.units(images)
        return ((images - mean) / std).expand(-1, channels, -1, -1)

    def units_of(self, images: Pool) -> tuple[Tensor, Tensor]:
        """Return the mean and deviation used for each image of a pool, (N, 1, 1, 1) each."""
        if not self.per_image:  # the pixels are not needed
            return self.units(torch.empty((len(images), 1, 1, 1), device=images.device))
        units = [self.units(images.image(index)[None, None]) for index in range(len(images))]
        means, stds = zip(*units, strict=True)
        return torch.cat(means), torch.cat(stds)


def normalisation_of(images: Pool, *, per_image: bool = False) -> Normalisation:
    """Compute the mean of the images' means and of their standard deviations, as published trainers do."""
    means, stds = [], []
    for index in range(len(images)):
        image = images.image(index).double()
        means.append(float(image.mean()))
        stds.append(float(image.std(correction=0)))
    return Normalisation(float(np.mean(means)), float(np.mean(stds)) or 1.0, per_image)
