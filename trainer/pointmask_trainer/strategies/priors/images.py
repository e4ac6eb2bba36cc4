"""What is measured of every frame once: the foundation model's states, and statistics that group images."""

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage as ndi
from scipy.cluster.vq import kmeans2
from torch import Tensor

from pointmask_trainer.data.split import Split
from pointmask_trainer.foundation.dino import Dino
from pointmask_trainer.foundation.grey import grey8

F64 = NDArray[np.float64]

_EXPLAINED, _MOST_AXES = 0.9, 20  # of the principal components
_LIKE = 0.95  # correlation above which a statistic says nothing new
_TINY = 1e-10


@torch.inference_mode()
def states_of(network: Dino, split: Split) -> Tensor:
    """Compute the mean patch token of every hidden state, for whole frames, (images, layers, width)."""
    device = split.images.device
    network = network.to(device)
    first = 1 + network.shape.registers
    states = []
    for index in range(len(split)):
        grey = torch.from_numpy(grey8(split.images.stored(index)) / np.float32(255)).to(device)
        hidden = network(network.normalised(grey[None, None]))
        states.append(torch.stack([state[0, first:].mean(0) for state in hidden]))
    return torch.stack(states).clone()


def statistics_of(image: NDArray[np.generic]) -> F64:
    """Describe a frame by brightness, contrast, texture, noise and what stands out of it."""
    grey = grey8(image).astype(np.float64)
    smooth, wide = ndi.gaussian_filter(grey, 1.2), ndi.gaussian_filter(grey, 21)
    gradient = np.hypot(ndi.sobel(grey, 0), ndi.sobel(grey, 1))
    high = grey - ndi.gaussian_filter(grey, 2)
    spread = grey.std() + _TINY
    noise = 1.4826 * np.median(np.abs(grey - smooth - np.median(grey - smooth))) + _TINY
    half, top, peak = np.percentile(grey, [50, 95, 99])
    middle = 1.4826 * np.median(np.abs(grey - half)) + _TINY
    centred = (grey - grey.mean()) / spread
    share, _ = np.histogram(grey, 64, (0, 256))
    share = share[share > 0] / grey.size
    peaks = (grey == ndi.maximum_filter(grey, 3)) & (grey > grey.mean() + spread)
    return np.array(
        [
            grey.mean(),
            spread,
            np.ptp(grey),
            spread / (grey.mean() + 1),
            -(share * np.log(share)).sum(),
            gradient.mean(),
            gradient.std(),
            ndi.laplace(grey).var(),
            (gradient > gradient.mean() + gradient.std()).mean(),
            1e6 * peaks.sum() / grey.size,
            np.abs(ndi.gaussian_filter(grey, 1.5) - ndi.gaussian_filter(grey, 7)).mean(),
            high.std() / spread,
            noise,
            wide.std() / (np.ptp(grey) + _TINY),
            (top - half) / middle,
            (peak - half) / middle,
            (centred**3).mean(),
            (centred**4).mean(),
        ]
    )


def clusters_of(splits: Iterable[Split], most: int, seed: int) -> tuple[list[NDArray[np.int64]], int]:
    """Group the images of all splits by their statistics.

    Parameters
    ----------
    splits : iterable of Split
    most : int
        Groups at most; fewer if images are few.
    seed : int

    Returns
    -------
    groups : list of (images,) int64 arrays
        One per split, from 0.
    count : int
    """
    tables = []
    for split in splits:
        images = split.images
        tables.append(np.stack([statistics_of(images.stored(index)) for index in range(len(split))]))
    places = _principal(np.concatenate(tables))
    count = min(most, max(2, len(places) // 8))
    _, groups = kmeans2(
        places, count, minit="++", seed=np.random.default_rng([seed, len(places)]), missing="warn"
    )
    ends = np.cumsum([len(table) for table in tables])[:-1]
    return [part.astype(np.int64) for part in np.split(groups, ends)], count


def _principal(table: F64) -> F64:
    """Reduce standardised statistics to the axes that explain most of them."""
    table = table[:, table.var(axis=0) > _TINY]
    if table.shape[1] == 0:
        return np.zeros((len(table), 1))
    scaled = (table - table.mean(axis=0)) / table.std(axis=0)
    like = np.abs(np.corrcoef(scaled, rowvar=False)).reshape(scaled.shape[1], -1)
    kept = [k for k in range(len(like)) if not (like[k, :k] >= _LIKE).any()]
    left, sizes, _ = np.linalg.svd(scaled[:, kept], full_matrices=False)
    explained = np.cumsum(sizes**2) / max(float((sizes**2).sum()), _TINY)
    axes = min(max(2, int(np.searchsorted(explained, _EXPLAINED)) + 1), _MOST_AXES, len(sizes))
    return np.asarray(left[:, :axes] * sizes[:axes])
