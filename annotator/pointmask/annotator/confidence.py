"""Predicted IoU of a mask, from measurements that do not need the true mask."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pointmask.annotator.fuse import binarise
from pointmask.annotator.window import Window
from pointmask.kernels.target import agreement_sums
from pointmask.theta import Theta

Field = NDArray[np.float64]


def measure(
    window: Window, soft: Field, fine: Field, mask: NDArray[np.bool_], theta: Theta
) -> tuple[float, ...]:
    """Evaluate `pointmask.measurements.CONFIDENCE_MEASUREMENTS`.

    Parameters
    ----------
    window : Window
    soft : (n, n)
        At the window's sampling.
    fine, mask : (h, w)
        Soft label and mask at the image's pixels.
    theta : Theta
    """
    sampled = mask if np.array_equal(fine, soft) else _mask_of_samples(soft, theta)
    sums = np.empty(12)
    agreement_sums(window.values, sampled, sums)
    return measurements_of(sums)


def measurements_of(sums: Field) -> tuple[float, ...]:
    """Evaluate the measurements from the sums that `agreement_sums` takes over a window."""
    area, rim, inner, edge, first, third, outer, *rest = sums.tolist()
    inner_spread, outer_spread, blur, moment, texture = rest
    steepness = (edge - first) / max(inner - third + 0.05, 0.05)
    separation = (inner - outer) / (inner_spread + outer_spread + 0.02)
    log_separation = math.log(0.3 + min(max(separation, 0.0), 6.0))
    outline = rim / math.sqrt(area)
    spread = math.log1p(min(moment / area, 6.0))
    return (
        1.0,
        min(max(steepness, -1.0), 2.0),
        log_separation,
        log_separation**2,
        outline,
        outline**2,
        blur**2,
        100 * texture**2,
        spread**2,
    )


def _mask_of_samples(soft: Field, theta: Theta) -> NDArray[np.bool_]:
    """Mask at the window's own sampling, for a window that is coarser or cut by the border."""
    half = theta.half_size
    mask, area = binarise(soft, theta.level, half, half, theta.reach)
    mask[half, half] |= not area
    return mask


def predicted_iou(
    window: Window,
    soft: Field,
    fine: Field,
    mask: NDArray[np.bool_],
    theta: Theta,
) -> float:
    """Logistic prediction in [0, 1] of the IoU with a hand-drawn mask; arguments as for `measure`."""
    return predicted(measure(window, soft, fine, mask, theta), theta)


def predicted(inputs: Sequence[float], theta: Theta) -> float:
    """Map the output of `measure` to a predicted IoU in (0, 1)."""
    score = math.fsum(w * x for w, x in zip(theta.confidence, inputs, strict=True))
    return 1 / (1 + math.exp(-min(max(score, -30.0), 30.0)))
