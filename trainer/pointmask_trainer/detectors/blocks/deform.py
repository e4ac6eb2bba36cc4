"""Modulated deformable convolution (DCNv2) in plain torch operations, differentiable to any order."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - as everybody writes it

from pointmask_trainer.detectors.blocks.common import conv, size_of


class DeformConv(nn.Module):
    """Convolution whose taps are displaced and weighted per pixel by the output of a second convolution.

    It is initialised to an ordinary convolution with half its weights: offsets 0, tap weights ½.

    Parameters
    ----------
    channels : int
        Channels of input and output.
    kernel : (int, int)
        Height and width, both odd; the size of the map is preserved.
    """

    def __init__(self, channels: int, kernel: tuple[int, int]) -> None:
        super().__init__()
        self.taps = kernel[0] * kernel[1]
        self.weight = nn.Parameter(torch.empty(channels, channels, *kernel))
        self.bias = nn.Parameter(torch.zeros(channels))
        # Channels: (dy, dx) of the first tap, of the second, ..., then the weights of all taps.
        self.motion = conv(channels, 3 * self.taps, kernel)
        bound = (channels * self.taps) ** -0.5
        nn.init.uniform_(self.weight, -bound, bound)
        for start in self.motion.parameters():
            nn.init.zeros_(start)

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, H, W) → the same shape."""
        offsets, logits = self.motion(x).split((2 * self.taps, self.taps), dim=1)
        return deform_conv2d(
            x, offsets.unflatten(1, (self.taps, 2)), logits.sigmoid(), self.weight, self.bias
        )


def deform_conv2d(x: Tensor, offsets: Tensor, tap_weights: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Convolve with displaced taps: out(p) = bias + Σ_k w_k · m_k(p) · x(p + tap_k + offset_k(p)).

    Between pixels x is interpolated bilinearly; outside the map it is 0.

    Parameters
    ----------
    x : Tensor, (N, C, H, W)
        Map.
    offsets : Tensor, (N, T, 2, H, W)
        Displacement of each of the T = height · width taps in row-major order, in pixels as (dy, dx).
    tap_weights : Tensor, (N, T, H, W)
        The weights m_k.
    weight : Tensor, (D, C, height, width)
        Kernel with odd sides.
    bias : Tensor, (D,)
        Added to each output channel.

    Returns
    -------
    Tensor, (N, D, H, W)
        The convolved map.
    """
    height, width = weight.shape[-2:]
    # Half precision does not resolve positions within a pixel on maps larger than a few pixels.
    exact = torch.promote_types(offsets.dtype, torch.float32)
    rows, cols = _tap_positions(size_of(x), (height, width), offsets.to(exact)).unbind(2)
    patches = _bilinear(x, rows, cols) * tap_weights.unsqueeze(1)
    return F.conv2d(patches.flatten(1, 2).to(x.dtype), weight.flatten(1)[..., None, None], bias)


def _tap_positions(size: tuple[int, int], kernel: tuple[int, int], offsets: Tensor) -> Tensor:
    """Return the position of each tap, (N, T, 2, H, W), as (row, col) in pixels."""

    def steps(count: int, first: int) -> Tensor:
        return torch.arange(first, first + count, device=offsets.device, dtype=offsets.dtype)

    pixel = torch.stack(torch.meshgrid(steps(size[0], 0), steps(size[1], 0), indexing="ij"))
    taps = torch.cartesian_prod(steps(kernel[0], -(kernel[0] // 2)), steps(kernel[1], -(kernel[1] // 2)))
    return pixel + taps[..., None, None] + offsets


def _bilinear(x: Tensor, rows: Tensor, cols: Tensor) -> Tensor:
    """Interpolate x (N, C, H, W) at (N, T, H, W) positions: (N, C, T, H, W)."""
    top, left = rows.floor(), cols.floor()
    down, right = rows - top, cols - left
    row, col = top.long(), left.long()
    corners = (
        (row, col, (1 - down) * (1 - right)),
        (row, col + 1, (1 - down) * right),
        (row + 1, col, down * (1 - right)),
        (row + 1, col + 1, down * right),
    )
    total = x.new_zeros(())
    for r, c, share in corners:
        total = total + _pixels(x, r, c, share)
    return total


def _pixels(x: Tensor, rows: Tensor, cols: Tensor, share: Tensor) -> Tensor:
    """Gather pixels multiplied by their share; 0 outside the map."""
    height, width = x.shape[-2:]
    inside = (rows >= 0) & (rows < height) & (cols >= 0) & (cols < width)
    flat = rows.clamp(0, height - 1) * width + cols.clamp(0, width - 1)
    values = x.flatten(2).gather(2, flat.flatten(1).unsqueeze(1).expand(-1, x.shape[1], -1))
    return values.view(*x.shape[:2], *rows.shape[1:]) * (share * inside).unsqueeze(1)
