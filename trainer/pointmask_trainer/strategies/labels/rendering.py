"""The annotator's soft labels of training crops, with gradients to theta."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - as everybody writes it

from pointmask.theta import Polarity, Theta
from pointmask_trainer.data.batch import Batch
from pointmask_trainer.data.pool.reflection import reflected
from pointmask_trainer.data.split import Split
from pointmask_trainer.operator.forward import WindowBatch, soft_labels
from pointmask_trainer.operator.theta import ThetaTensors
from pointmask_trainer.strategies.labels.windows import find_windows


class Renderer:
    """Renders the operator's soft labels of a split's targets into crops.

    Parameters
    ----------
    split : Split
    theta : Theta
        Determines the windows; of a large target the last window alone is used.
    polarity : {"bright", "dark", "auto"}
    device : torch.device
    """

    def __init__(self, split: Split, theta: Theta, polarity: Polarity, device: torch.device) -> None:
        windows, places = find_windows(split, range(len(split)), theta, polarity)
        self._windows = WindowBatch.of(windows, theta, device=device) if windows else None
        self._by_image: list[list[int]] = [[] for _ in range(len(split))]
        for number, place in enumerate(places):
            self._by_image[place.index].append(number)
        middles = np.array([(*place.centre, place.pitch) for place in places], np.float64).reshape(-1, 3)
        self._middles = torch.from_numpy(middles).to(device)
        self._half_size = theta.half_size
        self._sides = torch.tensor(split.images.shapes, dtype=torch.float64, device=device).reshape(-1, 2)

    def labels(self, batch: Batch, theta: ThetaTensors) -> Tensor:
        """Soft labels of a batch's crops: the largest of all targets at each pixel.

        Returns
        -------
        (B, 1, h, w) Tensor in [0, 1]
        """
        owners = [
            (crop, k) for crop, image in enumerate(batch.indices.tolist()) for k in self._by_image[image]
        ]
        blank = torch.zeros_like(batch.labels)
        if not owners or self._windows is None:
            return blank
        crops, numbers = (torch.tensor(part, device=blank.device) for part in zip(*owners, strict=True))
        fields = soft_labels(self._windows[numbers], theta)
        parts = F.grid_sample(fields, self._grid(batch, crops, numbers), align_corners=True)
        return torch.cat(
            [
                parts[crops == crop].amax(0, keepdim=True)
                if (crops == crop).any()
                else blank[crop : crop + 1]
                for crop in range(len(blank))
            ]
        )

    def _grid(self, batch: Batch, crops: Tensor, numbers: Tensor) -> Tensor:
        """Where each crop's pixels lie in each window, (N, h, w, 2) as x and y in units of half a window."""
        rows, cols = batch.views.sources(batch.labels.device)
        heights, widths = self._sides[batch.indices][:, :, None, None].unbind(1)
        rows, cols = reflected(rows, heights), reflected(cols, widths)  # as images are beyond a border
        row, col, pitch = self._middles[numbers][:, :, None, None].unbind(1)
        reach = pitch * self._half_size
        return torch.stack([(cols[crops] - col) / reach, (rows[crops] - row) / reach], dim=-1).float()
