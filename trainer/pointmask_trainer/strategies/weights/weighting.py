"""Sample weights of a training: features, the meta-classifier, and the images' earlier losses."""

from typing import Any

import torch
from torch import Tensor, nn

from pointmask_trainer.data.batch import Batch
from pointmask_trainer.detectors.base import Maps
from pointmask_trainer.strategies.training import Training
from pointmask_trainer.strategies.weights.features import FEATURES, RunningScale, measure
from pointmask_trainer.strategies.weights.meta import MetaClassifier

_DECAY = 0.9  # of an image's loss, from epoch to epoch


class Weighting:
    """Weighs the images of each step by the meta-classifier.

    Parameters
    ----------
    training : Training
        Gives seed and device.
    difficulty : (N,) Tensor
        Of the training images, mean 0.

    Notes
    -----
    Every process holds all of this and computes it for the whole batch, so that one batch is weighed
    alike however it is divided.
    """

    def __init__(self, training: Training, difficulty: Tensor) -> None:
        with torch.random.fork_rng(devices=[]):  # the detector's dropout must not depend on what is made here
            torch.manual_seed(training.config.seed)
            self._meta = MetaClassifier(len(FEATURES)).to(training.device)
        self._scale = RunningScale(len(FEATURES), training.device)
        self._difficulty = difficulty.to(training.device)
        self._past = torch.full_like(self._difficulty, torch.nan)  # losses over epochs; nan: not seen yet
        self._log = torch.full_like(self._difficulty, torch.nan)
        self._features: Tensor | None = None

    def weights(self, training: Training, batch: Batch, maps: Maps, losses: Tensor) -> Tensor:
        """Weigh the images of a step; (B,) of this process's share, without gradients."""
        losses = losses.detach()
        past = self._past[batch.indices]
        past = torch.where(past.isnan(), losses, past)
        features = measure(maps["logits"].detach(), batch.labels, past, self._difficulty[batch.indices])
        features = training.group.concatenated(features)
        self._scale.update(features)
        self._features = self._scale(features)
        with torch.no_grad():
            weights: Tensor = self._meta(self._features)
        self._log[training.group.concatenated(batch.indices)] = weights
        return weights[training.group.part(batch.total)]

    def remember(self, indices: Tensor, losses: Tensor) -> None:
        """Update the images' mean losses with those of a whole batch."""
        past = self._past[indices]
        self._past[indices] = torch.where(past.isnan(), losses, _DECAY * past + (1 - _DECAY) * losses)

    def again(self) -> Tensor:
        """Return the weights of the last batch, over all processes, (B,), with gradients."""
        assert self._features is not None, "a batch is weighed before anything is learned from it"
        weights: Tensor = self._meta(self._features)
        return weights

    def parameters(self) -> list[nn.Parameter]:
        """Return what is learned."""
        return list(self._meta.parameters())

    def take_log(self) -> Tensor:
        """Return the weight of every image in this epoch, NaN if it had none, and clear the log."""
        log = self._log.clone()
        self._log.fill_(torch.nan)
        return log

    def state_dict(self) -> dict[str, Any]:
        """Return what `load_state_dict` takes."""
        return {
            "meta": self._meta.state_dict(),
            "scale": self._scale.state_dict(),
            "past": self._past,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore `state_dict`."""
        self._meta.load_state_dict(state["meta"])
        self._scale.load_state_dict(state["scale"])
        self._past.copy_(state["past"])


def json_list(values: Tensor) -> list[float | None]:
    """Return plain numbers of five digits, with None for NaN, which JSON lacks."""
    return [None if value != value else float(f"{value:.5g}") for value in values.tolist()]
