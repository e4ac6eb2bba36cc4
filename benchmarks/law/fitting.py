"""Gradient descent on theta through the unrolled steps: the network, the rates and the conductances."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from law.windows import Sample
from pointmask.measurements import LOCAL_MEASUREMENTS, TARGET_MEASUREMENTS
from pointmask.theta import Theta, stable_rates
from pointmask_trainer.operator.forward import WindowBatch, fuse, potential, restyle, smooth
from pointmask_trainer.operator.theta import ThetaTensors

UNITS = 16
RAMP = 0.5
"""Width of the soft threshold that stands for the level in the loss; a sigmoid would count far pixels."""

LEARNED = ("law_weights", "law_bias", "law_gain", "law_offset", "growth", "decay", "D0", "beta")


def blank(structure: Theta, seed: int) -> Theta:
    """Return a theta that knows no data: random units, and two that say "more than half the contrast".

    Parameters
    ----------
    structure : Theta
        Gives window, stages and all that is not learned.
    seed : int
    """
    rng = np.random.default_rng((seed, 3))
    width = len(LOCAL_MEASUREMENTS) + len(TARGET_MEASUREMENTS)
    weights = rng.normal(0, 0.2, (UNITS, width))
    bias, gain = rng.normal(0, 0.1, UNITS), rng.normal(0, 0.2, UNITS)
    half = np.zeros(width)
    half[LOCAL_MEASUREMENTS.index("contrast_1")] = 1.0
    weights[:2], bias[:2], gain[:2] = (half, -half), (-0.5, 0.5), (4.0, -4.0)
    stages = len(structure.steps)
    return structure.with_(
        law_weights=tuple(map(tuple, weights.tolist())),
        law_bias=tuple(bias.tolist()),
        law_gain=tuple(gain.tolist()),
        law_offset=0.0,
        growth=(1.5,) * stages,
        decay=(0.5,) * stages,
        D0=(0.1,) * stages,
        beta=(4.0,) * stages,
    )


def fit(
    start: Theta,
    samples: Sequence[Sample],
    *,
    epochs: int,
    seed: int,
    rate: float = 0.01,
    batch: int = 128,
    report: Callable[[int, float], None] = lambda epoch, loss: None,
) -> Theta:
    """Minimise a soft IoU loss over windows by Adam with a rate that falls to 0.

    Parameters
    ----------
    start : Theta
    samples : sequence of Sample
    epochs : int
    seed : int
        Of the order, and of the windows that are turned and mirrored.
    rate : float
    batch : int
    report : callable
        Takes the epoch and its mean loss.
    """
    leaves = {name: torch.tensor(getattr(start, name), requires_grad=True) for name in LEARNED}
    optimiser = torch.optim.Adam(list(leaves.values()), lr=rate)
    windows = WindowBatch.of([sample.window for sample in samples], start)
    truths = torch.tensor(np.stack([sample.truth for sample in samples]), dtype=torch.float32)[:, None]
    styles = torch.tensor([sample.style for sample in samples])
    fixed = ThetaTensors.of(start)
    order = torch.Generator().manual_seed(seed)
    steps = epochs * -(-len(samples) // batch)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda k: 0.5 * (1 + np.cos(np.pi * k / steps)))
    for epoch in range(epochs):
        losses = []
        for chosen in torch.randperm(len(samples), generator=order).split(batch):
            theta = replace(fixed, **_stable(leaves, start))
            labels = _labels(windows[chosen], theta, styles[chosen])
            loss = _loss(labels, truths[chosen], start.level)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(leaves.values(), 1.0)
            optimiser.step()
            schedule.step()
            losses.append(float(loss.detach()))
        report(epoch, float(np.mean(losses)))
    with torch.no_grad():
        found = _stable(leaves, start)
    rounded = {name: _rounded(value.tolist()) for name, value in found.items()}
    rates = [
        stable_rates(start.tau, D0, decay) for D0, decay in zip(rounded["D0"], rounded["decay"], strict=True)
    ]
    rounded["D0"], rounded["decay"] = zip(*rates, strict=True)
    return start.with_(**rounded)


def _stable(leaves: dict[str, Tensor], start: Theta) -> dict[str, Tensor]:
    """Keep rates positive and the explicit steps stable."""
    values = dict(leaves)
    for name in ("growth", "beta"):
        values[name] = leaves[name].clamp(min=0)
    values["D0"] = leaves["D0"].clamp(1e-4, 0.24 / start.tau)
    values["decay"] = torch.minimum(leaves["decay"].clamp(min=0), 0.999 / start.tau - 4 * values["D0"])
    return values


def _labels(windows: WindowBatch, theta: ThetaTensors, styles: Tensor) -> Tensor:
    soft = fuse(potential(windows, theta), windows.superpixel, theta.rho)
    drawn = styles != 0
    if not drawn.any():
        return soft
    contrast = smooth(windows.values[drawn, 0], 1)[:, None]
    styled = replace(theta, style=styles[drawn], theta=theta.theta.with_(style=float(styles.abs().max())))
    moved = restyle(soft[drawn], contrast, styled, windows.pitch[drawn])
    return soft.index_put((drawn.nonzero()[:, 0],), moved)


def _loss(labels: Tensor, truths: Tensor, level: float) -> Tensor:
    """Return 1 - IoU, half the mean over windows and half pooled, with a soft threshold at the level."""
    chosen = ((labels - level) / RAMP + 0.5).clamp(0, 1)
    both = (chosen * truths).sum((1, 2, 3))
    union = chosen.sum((1, 2, 3)) + truths.sum((1, 2, 3)) - both
    return 1 - 0.5 * (both / union).mean() - 0.5 * both.sum() / union.sum()


def _rounded(value: object) -> object:
    if isinstance(value, list):
        return tuple(_rounded(item) for item in value)
    assert isinstance(value, float)
    return float(f"{value:.6g}")
