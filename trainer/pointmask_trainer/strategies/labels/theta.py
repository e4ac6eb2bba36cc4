"""The annotator's parameters, learned from the offline labels and from the detector's response."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from pointmask.theta import Theta
from pointmask_trainer.data.split import Split
from pointmask_trainer.inference.windows import Box
from pointmask_trainer.operator.forward import WindowBatch, soft_labels
from pointmask_trainer.operator.theta import ENTRIES, LearnableTheta, ThetaTensors
from pointmask_trainer.strategies.d2d_options import D2DOptions
from pointmask_trainer.strategies.labels.windows import find_windows, response
from pointmask_trainer.strategies.training import Training

_SUBSET = 4  # what a derived seed is for


class ThetaBranch:
    """The learnable theta, bounded round its start, with its own optimiser.

    Parameters
    ----------
    start : Theta
        Makes the offline labels.
    options : D2DOptions
    device : torch.device
    """

    def __init__(self, start: Theta, options: D2DOptions, device: torch.device) -> None:
        self._options = options
        self._start = start
        self._learnable = LearnableTheta(start).to(device)
        self._optimiser = torch.optim.Adam(self._learnable.parameters(), options.theta_lr)

    def theta(self) -> Theta:
        """Return the present theta."""
        return self._learnable.theta()

    def update(self, training: Training) -> dict[str, Any]:
        """Take the steps of one update on randomly drawn validation images.

        Returns
        -------
        dict
            Number of windows, both parts of the loss before the update, and all entries after it. Without
            windows there is no update.
        """
        windows, *targets = self._data(training)
        count = int(training.group.sum(torch.tensor(len(windows), device=training.device)))
        if not count:
            return {"windows": 0}
        first = self._step(training, windows, targets, count)
        for _ in range(1, self._options.theta_steps):
            self._step(training, windows, targets, count)
        entries = {name: getattr(self.theta(), name) for name in ENTRIES}
        return {"windows": count, "offline": first[0], "detector": first[1], **entries}

    def state_dict(self) -> dict[str, Any]:
        """Return what `load_state_dict` takes."""
        return {"theta": self._learnable.state_dict(), "optimiser": self._optimiser.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore `state_dict`."""
        self._learnable.load_state_dict(state["theta"])
        self._optimiser.load_state_dict(state["optimiser"])

    def _step(
        self, training: Training, windows: WindowBatch, targets: list[Tensor], count: int
    ) -> list[float]:
        """Take one step; return both parts of the loss before it, over all processes."""
        offline, detector = self._losses(windows, *targets)
        loss = (offline + self._options.theta_lambda * detector).sum() / count
        self._optimiser.zero_grad(set_to_none=True)
        if len(windows):  # one process of several may have none
            loss.backward()  # type: ignore[no-untyped-call]
        training.group.sum_gradients(self._learnable.parameters())
        self._optimiser.step()
        sums = torch.stack([offline.detach().sum(), detector.detach().sum()])
        figures: list[float] = (training.group.sum(sums) / count).tolist()
        return figures

    def _data(self, training: Training) -> tuple[WindowBatch, Tensor, Tensor, Tensor]:
        """Return this process's windows, offline labels, the detector's responses and the valid samples."""
        split = training.splits["val"]
        indices = draw_images(
            split, self._options.theta_images, (training.config.seed, _SUBSET, training.epoch)
        )
        mine = indices[training.group.part(len(indices))]
        windows, places = find_windows(split, mine, self.theta(), self._options.polarity)
        side = 2 * self._start.half_size + 1
        if not windows:
            none = torch.zeros((0, 1, side, side), device=training.device)
            return WindowBatch(none, none.new_zeros((0, 3)), none, none.new_ones(0)), none, none, none
        batch = WindowBatch.of(windows, self._start, device=training.device)
        with torch.no_grad():
            offline = soft_labels(batch, ThetaTensors.of(self._start, device=training.device))
        boxes: dict[int, list[Box]] = {index: [] for index in mine}
        for place in places:
            boxes[place.index].append(place.box)
        maps = dict(training.predictions("val", mine, boxes))
        responses = torch.stack([response(maps[place.index], place) for place in places])
        own = torch.as_tensor(np.stack([place.own for place in places]), device=training.device)
        return batch, offline, responses[:, None], own[:, None].float()

    def _losses(
        self, windows: WindowBatch, offline: Tensor, responses: Tensor, own: Tensor
    ) -> tuple[Tensor, Tensor]:
        if not len(windows):
            return offline.new_zeros(0), offline.new_zeros(0)
        labels = soft_labels(windows, self._learnable(windows.values.dtype))
        return window_loss(labels, offline, own), window_loss(labels, responses, own)


def window_loss(labels: Tensor, targets: Tensor, own: Tensor) -> Tensor:
    """Soft IoU loss of (N, 1, n, n) labels and targets in [0, 1] over the valid samples, (N,)."""
    a, b, counted = labels.flatten(1), targets.flatten(1), own.flatten(1)
    both = (a * b * counted).sum(1)
    return 1 - (both + 1) / (((a + b) * counted).sum(1) - both + 1)


def draw_images(split: Split, count: int, key: tuple[int, ...]) -> list[int]:
    """Draw `count` images that have points, or all if there are fewer, in ascending order."""
    pointed = [index for index, points in enumerate(split.points) if len(points)]
    chosen = np.random.default_rng(key).permutation(len(pointed))[:count]
    return sorted(pointed[k] for k in chosen)
