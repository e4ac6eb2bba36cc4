"""Random augmentation of training crops: one set of parameters per image, the same on every machine.

Parameters derive from (seed, epoch, position in the epoch). They are independent of earlier draws, so that a
resumed run uses the same crops, and of how a batch is divided among processes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pointmask_trainer.config import AugmentConfig
from pointmask_trainer.data.pool import AffineViews, moved

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Augmentation:
    """Random parameters of the augmentation of a batch of crops.

    Attributes
    ----------
    views : AffineViews
        Geometry, shared by images, labels and points.
    brightness, contrast, noise : (B,) float32 Tensor
        For normalised images: the value added, the relative change of the factor ``1 + contrast``, and the
        standard deviation of the noise.
    noise_seed : int
    """

    views: AffineViews
    brightness: Tensor
    contrast: Tensor
    noise: Tensor
    noise_seed: int

    def __getitem__(self, part: slice) -> "Augmentation":
        return Augmentation(
            self.views[part], self.brightness[part], self.contrast[part], self.noise[part], self.noise_seed
        )


def draw_augmentation(
    config: AugmentConfig,
    shapes: Sequence[tuple[int, int]],
    points: Sequence[NDArray[np.float64]],
    key: tuple[int, ...],
) -> Augmentation:
    """Draw the augmentation of one batch.

    Parameters
    ----------
    config : AugmentConfig
    shapes : sequence of (H, W)
        Shapes of the batch's images.
    points : sequence of (K, 2) arrays
        Row and column of each image's targets; with probability ``config.positive`` a crop contains one.
    key : tuple of int
        Seed of the parameters, such as (seed, epoch, step).
    """
    parameters = [
        _draw(config, shape, targets, np.random.default_rng([*key, position]))
        for position, (shape, targets) in enumerate(zip(shapes, points, strict=True))
    ]
    matrices, whole, changes = zip(*parameters, strict=True)
    brightness, contrast, noise = torch.as_tensor(np.array(changes, np.float32)).unbind(1)
    return Augmentation(
        AffineViews(torch.as_tensor(np.stack(matrices)), (config.crop, config.crop), all(whole)),
        brightness,
        contrast,
        noise,
        noise_seed=int(np.random.default_rng([*key, len(shapes)]).integers(2**31)),
    )


def photometric_change(images: Tensor, augmentation: Augmentation) -> Tensor:
    """Change brightness and contrast of normalised (B, 1, h, w) images and add noise."""
    contrast, brightness, noise = (
        moved(values, images.device)[:, None, None, None]
        for values in (augmentation.contrast, augmentation.brightness, augmentation.noise)
    )
    images = images * (1 + contrast) + brightness
    if bool((augmentation.noise > 0).any()):
        generator = torch.Generator(images.device).manual_seed(augmentation.noise_seed)
        images = images + noise * torch.randn(images.shape, generator=generator, device=images.device)
    return images


def _draw(
    config: AugmentConfig, shape: tuple[int, int], points: NDArray[np.float64], rng: np.random.Generator
) -> tuple[Matrix, bool, tuple[float, float, float]]:
    """Draw one crop: matrix, whether it maps pixels onto pixels, and brightness, contrast, noise."""
    linear = _symmetry(config, rng)
    distorts = bool(config.scale or config.rotate or config.shift) and rng.random() < config.share
    shift = np.zeros(2)
    if distorts:
        linear = linear @ _distortion(config, rng)
        shift = rng.uniform(-config.shift, config.shift, 2)
    centre = _centre(config, shape, points, linear, rng, distorts=distorts)
    middle = (config.crop - 1) / 2
    offset = centre - linear @ np.array([middle, middle]) + shift
    if not distorts:
        offset = np.rint(offset)
    changes = _changes(config, rng)
    return np.column_stack([linear, offset]), not distorts, changes


def _symmetry(config: AugmentConfig, rng: np.random.Generator) -> Matrix:
    linear = np.eye(2)
    if config.flip:
        linear = np.diag(rng.choice([-1.0, 1.0], 2))
    if config.transpose and rng.random() < 0.5:
        linear = linear[:, ::-1]
    return linear


def _distortion(config: AugmentConfig, rng: np.random.Generator) -> Matrix:
    zoom = np.exp(rng.uniform(-1, 1) * np.log1p(config.scale))
    angle = np.deg2rad(rng.uniform(-config.rotate, config.rotate))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.asarray(turn / zoom)


def _centre(
    config: AugmentConfig,
    shape: tuple[int, int],
    points: NDArray[np.float64],
    linear: Matrix,
    rng: np.random.Generator,
    *,
    distorts: bool,
) -> NDArray[np.float64]:
    """Draw the crop's centre in the image: uniformly, or such that the crop contains a target."""
    half = (config.crop - 1) / 2
    reach = np.abs(linear) @ np.array([half, half])  # half the extent of the crop in the image
    far = np.array(shape) - 1.0 - reach
    # An image smaller than the crop gets a random position in it, so that the positions of targets vary.
    low, high = np.minimum(reach, far), np.maximum(reach, far)
    if len(points) and rng.random() < config.positive:
        point = points[rng.integers(len(points))]
        # The target lies in the crop at any rotation, and the crop within the image if both are possible.
        inner = half
        if distorts:
            zoom = float(np.linalg.norm(linear[:, 0]))
            inner = max(0.7 * half * zoom - config.shift, 0.0)
        first, last = point - inner, point + inner
        low, high = np.clip(low, first, last), np.clip(high, first, last)
    return np.asarray(rng.uniform(low, high))


def _changes(config: AugmentConfig, rng: np.random.Generator) -> tuple[float, float, float]:
    changes = [
        amount * rng.uniform(low, 1) if amount and rng.random() < config.share else 0.0
        for amount, low in ((config.brightness, -1), (config.contrast, -1), (config.noise, 0))
    ]
    return changes[0], changes[1], changes[2]
