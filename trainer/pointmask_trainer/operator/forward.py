"""The annotator's operator in torch: the same theta, the same numbers, gradients to every entry of theta.

From a batch of windows to soft labels: measurements, resemblance network, face conductances, all stages
of ``u <- (I - tau L_theta) u``, and the fusion with the superpixel (equations 2 to 4 of the paper).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from pointmask.annotator.superpixel import superpixel_of
from pointmask.annotator.window import Window
from pointmask.kernels.outline import NEUTRAL, SLOPE, STEEPEST
from pointmask.measurements import LOCAL_MEASUREMENTS
from pointmask.settings import bounds
from pointmask.theta import Theta
from pointmask_trainer.operator.diffuse import diffuse
from pointmask_trainer.operator.theta import ThetaTensors

_ENTROPY_RADIUS = 2  # 5 x 5 px, as in the published annotator


@dataclass(frozen=True, slots=True, eq=False)
class WindowBatch:
    """Windows of one size, in units of their targets' contrast.

    Attributes
    ----------
    values : (N, 1, n, n) floating Tensor
        `pointmask.annotator.window.Window.values`.
    facts : (N, 3)
        Noise, inner step and outer step of each window.
    superpixel : (N, 1, n, n)
        1 in the superpixel at the centre. It is a constant: it depends on theta's whole numbers and
        compactness only through which pixels it holds, which has no gradient.
    pitch : (N,)
        Px between samples, the unit of theta's style.
    """

    values: Tensor
    facts: Tensor
    superpixel: Tensor
    pitch: Tensor

    @classmethod
    def of(
        cls,
        windows: Sequence[Window],
        theta: Theta,
        *,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> "WindowBatch":
        """Collect windows that `pointmask.annotator.window.read_window` read, and find their superpixels."""
        values = np.stack([window.values for window in windows])
        facts = [(window.noise, window.step_inner, window.step_outer) for window in windows]
        superpixels = [superpixel_of(window, theta) for window in windows]
        return cls(
            torch.as_tensor(values, dtype=dtype, device=device)[:, None],
            torch.as_tensor(np.array(facts), dtype=dtype, device=device),
            torch.as_tensor(np.stack(superpixels), dtype=dtype, device=device)[:, None],
            torch.as_tensor([2.0**window.octave for window in windows], dtype=dtype, device=device),
        )

    def __len__(self) -> int:
        return self.values.shape[0]

    def __getitem__(self, index: slice | Tensor) -> "WindowBatch":
        return WindowBatch(self.values[index], self.facts[index], self.superpixel[index], self.pitch[index])


def soft_labels(windows: WindowBatch, theta: ThetaTensors) -> Tensor:
    """Run every stage of the annotator on a batch of windows, up to the soft label.

    Parameters
    ----------
    windows : WindowBatch
        N windows of ``2 * half_size + 1`` samples a side, of the same dtype and device as `theta`.
    theta : ThetaTensors

    Returns
    -------
    (N, 1, n, n) Tensor in [0, 1]
        At the windows' own resolution. Agrees with `pointmask.annotator.fuse.fuse` of
        `pointmask.annotator.operator.solve` to 1e-5 in float32 and 1e-10 in float64; with a style, after
        `pointmask.kernels.outline.move_outline` of it by ``style / pitch``. (The annotator restyles pixels,
        also in coarser windows.)
    """
    soft = fuse(potential(windows, theta), windows.superpixel, theta.rho)
    if not theta.theta.style and not theta.style.requires_grad:
        return soft
    return restyle(soft, smooth(windows.values[:, 0], 1)[:, None], theta, windows.pitch)


def restyle(soft: Tensor, contrast: Tensor, theta: ThetaTensors, pitch: Tensor) -> Tensor:
    """Move the outlines of (N, 1, n, n) soft labels, as `pointmask.kernels.outline.move_outline` does.

    Parameters
    ----------
    soft, contrast : (N, 1, n, n) Tensor
    theta : ThetaTensors
        Its style is read, in px.
    pitch : (N,) Tensor
        Px per sample.
    """
    style = (theta.style / pitch)[:, None, None, None]
    grows, size = style >= 0, style.abs()
    shade = torch.where(grows, contrast, 1 - contrast).clamp(max=1)
    margin = torch.minimum((size + SLOPE * (shade - NEUTRAL)).clamp(min=0), STEEPEST * size)
    own = torch.where(grows, soft, 1 - soft)
    most = bounds(Theta)["style"].high if theta.style.requires_grad else abs(theta.theta.style)
    reach = int(min(STEEPEST * most, most + SLOPE * (1 - NEUTRAL)) + 1)
    n, m = own.shape[-2:]
    around = pad(own, (reach, reach, reach, reach))
    best = own
    for row in range(-reach, reach + 1):
        for col in range(-reach, reach + 1):
            far = math.hypot(row, col)
            if 0 < far < reach + 1:
                other = around[..., reach + row : reach + row + n, reach + col : reach + col + m]
                best = torch.maximum(best, other * (margin + (1 - far)).clamp(0, 1))
    return torch.where(grows, best, 1 - best)


def fuse(field: Tensor, superpixel: Tensor, rho: Tensor) -> Tensor:
    """Soft label ``rho u + (1 - rho) C`` of (N, 1, n, n) fields, normalised (equation 4 of the paper)."""
    blended = rho * _over_maximum(field) + (1 - rho) * superpixel
    return _over_maximum(blended)


def _over_maximum(field: Tensor) -> Tensor:
    top = field.amax((-2, -1), keepdim=True)
    return field / torch.where(top > 0, top, torch.ones_like(top))


def potential(windows: WindowBatch, theta: ThetaTensors) -> Tensor:
    """Diffuse from the points in all stages; (N, 1, n, n) in [0, 1]."""
    values = windows.values[:, 0]
    plain = theta.theta
    if plain.intensity == "range":
        values = _unit_range(values)
    scales = _scales(values, 6 if plain.law_weights else 1 + int(math.log2(max(plain.spacings))))
    resemblance = torch.zeros_like(values)
    if plain.law_weights:
        resemblance = resemblance_network(scales, windows.facts, theta)
    entropy = local_entropy(values, _ENTROPY_RADIUS) if plain.alpha < 1 else None
    field = source(theta, values).expand_as(values)
    for stage, (spacing, steps) in enumerate(zip(plain.spacings, plain.steps, strict=True)):
        down, right = _faces(scales[int(math.log2(spacing))], entropy, spacing, stage, theta)
        rate = resemblance * torch.where(resemblance > 0, theta.growth[stage], theta.decay[stage])
        field = diffuse(field, down, right, rate, theta.tau, spacing, steps)
    return field[:, None]


def source(theta: ThetaTensors, like: Tensor) -> Tensor:
    """Make the initial (n, n) field: 1 at the point, a Gaussian round it that is cut at 2.4 sigma."""
    distance = _distance(theta.theta.half_size, like)
    if not theta.theta.source_sigma:
        return (distance == 0).to(like.dtype)
    sigma = theta.source_sigma
    return torch.exp(-0.5 * (distance / sigma) ** 2) * (distance < 2.4 * sigma)


def _faces(
    window: Tensor, entropy: Tensor | None, spacing: int, stage: int, theta: ThetaTensors
) -> tuple[Tensor, Tensor]:
    """Conductances of the faces below and right of each pixel, 0 where they lead out (equation 2)."""
    faces = []
    for axis in (1, 2):
        length = window.shape[axis] - spacing
        ahead, here = window.narrow(axis, spacing, length), window.narrow(axis, 0, length)
        q = (ahead - here).abs()
        if entropy is not None:
            share = 0.5 * (entropy.narrow(axis, spacing, length) + entropy.narrow(axis, 0, length))
            q = theta.alpha * q + (1 - theta.alpha) * share
        q = theta.beta[stage] * q
        passage = torch.exp(-q) if theta.theta.conductance == "exponential" else 1 / (1 + q * q)
        faces.append(pad(theta.D0[stage] * passage, (0, 0, 0, spacing) if axis == 1 else (0, spacing)))
    return faces[0], faces[1]


def resemblance_network(scales: list[Tensor], facts: Tensor, theta: ThetaTensors) -> Tensor:
    """Evaluate the network of `pointmask.kernels.resemblance`, (N, n, n) in (-1, 1)."""
    maps, target = measurements(scales, facts)
    local = theta.law_weights[:, : len(LOCAL_MEASUREMENTS)]
    per_target = theta.law_weights[:, len(LOCAL_MEASUREMENTS) :]
    bias = theta.law_bias + target @ per_target.T
    units = torch.baddbmm(bias[:, :, None], local.expand(len(maps), -1, -1), maps.flatten(2)).relu_()
    z = theta.law_offset + torch.matmul(theta.law_gain, units)
    return (z / (1 + z.abs())).view_as(scales[0])


def measurements(scales: list[Tensor], facts: Tensor) -> tuple[Tensor, Tensor]:
    """Compute the inputs of the resemblance network; see `pointmask.measurements` for names and units.

    Parameters
    ----------
    scales : list of six (N, n, n) Tensors
    facts : (N, 3) Tensor

    Returns
    -------
    maps : (N, 10, n, n)
    target : (N, 5)
    """
    values = scales[0]
    distance = _distance(values.shape[1] // 2, values)
    textures = [
        (4 * smooth(smooth((fine - coarse).abs(), 1), 2)).clamp(max=4)
        for fine, coarse in ((scales[0], scales[1]), (scales[1], scales[2]))
    ]
    places = [(0.1 * distance).expand_as(values), distance.log1p().expand_as(values)]
    maps = torch.stack([*scales, *places, *textures], dim=1)
    within = distance < 10
    extents = [((values > level) & within).sum((1, 2)).to(values.dtype) for level in (0.3, 0.6)]
    target = torch.stack(
        [
            0.3 * torch.log(facts[:, 0] + 0.02),
            facts[:, 1],
            facts[:, 2],
            *(0.3 * torch.log(1 + extent) for extent in extents),
        ],
        dim=1,
    )
    return maps, target


def local_entropy(values: Tensor, radius: int) -> Tensor:
    """Shannon entropy of 8-bit values in a square, as a fraction of 8 bits; no gradient.

    Parameters
    ----------
    values : (N, n, m) Tensor in [0, 1]
    radius : int
        The square has ``2 * radius + 1`` px a side and is clipped at the border.

    Returns
    -------
    (N, n, m) Tensor in [0, 1]
    """
    grey = (values.detach() * 255 + 0.5).floor().clamp(0, 255)
    n, m = grey.shape[1:]
    # Outside the window stands -1, which is no grey value and is left out of every count.
    padded = pad(grey, (radius,) * 4, value=-1.0)
    side = 2 * radius + 1
    shifted = [padded[:, i : i + n, j : j + m] for i in range(side) for j in range(side)]
    total = torch.stack([(other >= 0).to(grey.dtype) for other in shifted]).sum(0)
    logs = torch.zeros_like(grey)
    for one in shifted:
        count = torch.zeros_like(grey)
        for other in shifted:
            count += one == other
        logs += torch.where(one >= 0, torch.log2(count), torch.zeros_like(count))
    return (torch.log2(total) - logs / total) / 8


def _scales(values: Tensor, depth: int) -> list[Tensor]:
    """Smooth the windows ever more, each version from the one before with doubled spacing."""
    scales = [values]
    for k in range(depth - 1):
        scales.append(smooth(scales[-1], 2**k))
    return scales


def smooth(field: Tensor, spacing: int) -> Tensor:
    """Binomial [1 2 1] / 4 smoothing of (N, n, m) along both axes; the border's value goes on outside."""
    for axis in (1, 2):
        last = field.shape[axis] - 1
        places = torch.arange(last + 1, device=field.device)
        before = field.index_select(axis, (places - spacing).clamp(min=0))
        after = field.index_select(axis, (places + spacing).clamp(max=last))
        field = 0.5 * field + 0.25 * (before + after)
    return field


def _unit_range(values: Tensor) -> Tensor:
    low, high = values.amin((1, 2), keepdim=True), values.amax((1, 2), keepdim=True)
    return (values - low) / torch.where(high > low, high - low, torch.ones_like(high))


def _distance(half_size: int, like: Tensor) -> Tensor:
    axis = torch.arange(-half_size, half_size + 1, dtype=like.dtype, device=like.device)
    return torch.sqrt(axis[:, None] ** 2 + axis[None, :] ** 2)
