"""Features of a sample for the meta-classifier: how well the detector does on it now and did before."""

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - as everybody writes it

from pointmask_trainer.detectors.losses import label_edges

FEATURES = (
    "probability",  # mean
    "logit",  # mean magnitude
    "entropy",  # mean, binary, in nats
    "residual",  # mean |p - y|
    "residual_squared",  # mean
    "residual_top",  # mean of the largest tenth of |p - y|
    "residual_edge",  # mean |p - y| where a 3 x 3 square meets both sides of the label's outline
    "dice",  # of p > 0.5 and the label
    "foreground",  # share of p > 0.5
    "loss",  # exponential mean over epochs
    "difficulty",  # of the image before training
)
"""Columns of the features, in order.

Of the published sixteen, three compare a sample's residual with the validation images' at the same pixel
and two use a surrogate that is 0.5 nearly everywhere; under random crops neither says anything of the
sample, and they are left out.
"""

_TOP = 0.1
_DECAY = 0.99


@torch.no_grad()
def measure(logits: Tensor, labels: Tensor, loss: Tensor, difficulty: Tensor) -> Tensor:
    """Measure every sample of a batch.

    Parameters
    ----------
    logits, labels : (B, 1, h, w) Tensor
    loss, difficulty : (B,) Tensor
        Of the images, from earlier epochs and from before the training.

    Returns
    -------
    (B, 11) float32 Tensor
        Columns as in `FEATURES`.
    """
    z, y = logits.float().flatten(1), labels.flatten(1)
    p = torch.sigmoid(z)
    off = (p - y).abs()
    edge = label_edges(labels).flatten(1)
    predicted, labelled = (p > 0.5).float(), (y > 0.5).float()
    dice = (2 * (predicted * labelled).sum(1) + 1) / (predicted.sum(1) + labelled.sum(1) + 1)
    columns = [
        p.mean(1),
        z.abs().mean(1),
        F.binary_cross_entropy_with_logits(z, p, reduction="none").mean(1),  # with itself: the entropy
        off.mean(1),
        off.square().mean(1),
        off.topk(max(1, int(_TOP * off.shape[1])), dim=1, sorted=False).values.mean(1),
        (off * edge).sum(1) / edge.sum(1).clamp(min=1),
        dice,
        predicted.mean(1),
        loss,
        difficulty,
    ]
    return torch.stack([column.float() for column in columns], dim=1)


class RunningScale:
    """Running mean and spread of every feature, so that a weight does not depend on the rest of the batch.

    A plain mean over the first batches, then an exponential one with momentum 0.99.

    Parameters
    ----------
    width : int
    device : torch.device or str
    """

    def __init__(self, width: int, device: torch.device | str = "cpu") -> None:
        self.count = 0
        self.mean = torch.zeros(width, device=device)
        self.square = torch.ones(width, device=device)

    def update(self, features: Tensor) -> None:
        """Update the statistics with a whole batch."""
        share = max(1 - _DECAY, 1 / (self.count + 1))
        self.mean.lerp_(features.mean(0), share)
        self.square.lerp_(features.square().mean(0), share)
        self.count += 1

    def __call__(self, features: Tensor) -> Tensor:
        """Bring (B, width) features to mean 0 and spread 1 over time, cut at 5."""
        variance = self.square - self.mean.square()
        # A feature that never varies has a variance of rounding errors.
        spread = torch.sqrt(variance.clamp(min=0) + 1e-10 * self.square + 1e-12)
        return ((features - self.mean) / spread).clamp(-5, 5)

    def state_dict(self) -> dict[str, Tensor | int]:
        """Return what `load_state_dict` takes."""
        return {"count": self.count, "mean": self.mean, "square": self.square}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Restore `state_dict`."""
        self.count = int(state["count"])
        self.mean.copy_(state["mean"])
        self.square.copy_(state["square"])
