"""Layers that the transformers share: perceptrons, norms of maps, attention in windows."""

from collections.abc import Callable, Sequence
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - as everybody writes it


class Perceptron(nn.Module):
    """Linear layers with an activation between them.

    Parameters
    ----------
    sizes : sequence of int
        Channels of the input, of each hidden layer, and of the output.
    activation : callable
    """

    def __init__(self, sizes: Sequence[int], activation: Callable[[Tensor], Tensor] = F.relu) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        self._activation = activation

    def forward(self, x: Tensor) -> Tensor:
        """(..., first size) → (..., last size)."""
        *hidden, last = self.layers
        for layer in hidden:
            x = self._activation(layer(x))
        return last(x)


class MapNorm(nn.LayerNorm):
    """Layer norm over the channels of each pixel of (N, C, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=1e-6)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise each pixel."""
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)


def to_windows(x: Tensor, side: int) -> Tensor:
    """Cut (N, H, W, C) into (N · windows, side, side, C), padded with zeros at the right and bottom."""
    count, height, width, channels = x.shape
    x = F.pad(x, (0, 0, 0, -width % side, 0, -height % side))
    rows, cols = x.shape[1] // side, x.shape[2] // side
    x = x.view(count, rows, side, cols, side, channels).transpose(2, 3)
    return x.reshape(-1, side, side, channels)


def from_windows(windows: Tensor, size: tuple[int, int]) -> Tensor:
    """Undo `to_windows` for maps of `size`: (N · windows, side, side, C) → (N, H, W, C)."""
    side, channels = windows.shape[1], windows.shape[3]
    rows, cols = -(-size[0] // side), -(-size[1] // side)
    x = windows.view(-1, rows, cols, side, side, channels).transpose(2, 3)
    return x.reshape(-1, rows * side, cols * side, channels)[:, : size[0], : size[1]]


def heads_of(x: Tensor, heads: int) -> Tensor:
    """Part (N, L, C) into (N, heads, L, C / heads)."""
    return x.reshape(x.shape[0], x.shape[1], heads, -1).transpose(1, 2)


def attend(query: Tensor, key: Tensor, value: Tensor, heads: int) -> Tensor:
    """Attention of (N, L, C) queries to (N, M, C) keys and values, in heads, (N, L, C)."""
    parted = F.scaled_dot_product_attention(
        heads_of(query, heads), heads_of(key, heads), heads_of(value, heads)
    )
    return parted.transpose(1, 2).flatten(2)
