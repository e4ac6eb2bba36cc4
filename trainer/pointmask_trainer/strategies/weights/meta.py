"""The meta-classifier: from features of a sample to its weight in the loss."""

import torch
from torch import Tensor, nn

LOWEST, HIGHEST = 0.2, 5.0
"""Bounds of a sample weight: no image is ignored, and none dominates a batch."""

_HIDDEN = 32
_TEMPERATURE = 0.25


class MetaClassifier(nn.Module):
    """Two layers; at first every sample weighs 1.

    Parameters
    ----------
    width : int
        Features of a sample.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(width, _HIDDEN)
        self.out = nn.Linear(_HIDDEN, 1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, features: Tensor) -> Tensor:
        """Weigh the samples of a whole batch.

        Parameters
        ----------
        features : (B, width) Tensor
            Normalised.

        Returns
        -------
        (B,) Tensor in [0.2, 5]
            Mean 1.
        """
        scores = self.out(torch.relu(self.hidden(features)))[:, 0]
        return balanced(torch.sigmoid(scores / _TEMPERATURE))


def balanced(shares: Tensor) -> Tensor:
    """Scale (B,) positive shares to weights of mean 1 within bounds.

    Every weight is `LOWEST` and a share of the rest; what exceeds `HIGHEST` goes to those below it.
    """
    weights = LOWEST + (1 - LOWEST) * shares / shares.mean().clamp(min=1e-12)
    over = (weights - HIGHEST).clamp(min=0).sum()
    weights = weights.clamp(max=HIGHEST)
    room = HIGHEST - weights
    return weights + over * room / room.sum().clamp(min=1e-12)


def surrogate(weights: Tensor, benefit: Tensor) -> Tensor:
    """Return the loss of the meta-classifier, which falls as helpful samples get more weight.

    Parameters
    ----------
    weights : (B,) Tensor
        With gradients.
    benefit : (B,) Tensor
        By how much a sample's share in the step lowers the validation loss, in any unit. Only differences
        within the batch count, since weights have mean 1.

    Returns
    -------
    () Tensor
    """
    centred = benefit - benefit.mean()
    spread = centred.square().mean().sqrt()
    return -(weights * (centred / spread.clamp(min=1e-12)).clamp(-3, 3)).mean()
