"""Predicted IoU of a mask, from measurements that need no truth."""

import math

import numpy as np
from numpy.typing import NDArray

from pointmask.kernels.agreement import agreement
from pointmask.theta import Theta
from pointmask.window import Window

Field = NDArray[np.float64]


def measure(
    window: Window,
    soft: Field,
    superpixel: NDArray[np.bool_],
    fine: Field,
    mask: NDArray[np.bool_],
    theta: Theta,
) -> tuple[float, ...]:
    """Evaluate `pointmask.theta.CONFIDENCE_MEASUREMENTS`.

    Parameters
    ----------
    window : Window
    soft, superpixel : (n, n)
        At the window's sampling.
    fine, mask : (h, w)
        Soft label and mask at the image's pixels.
    theta : Theta
    """
    level = theta.level or 0.5
    counts = np.empty(10)
    agreement(window.values, soft, superpixel, level, 0.5 * (1 + level), counts)
    wide, area, narrow, segment, common, hot, hot_area, inner, outer, around = counts.tolist()
    pixels = float(np.count_nonzero(mask))
    held, total = float(fine[mask].sum()), float(fine.sum())
    log_area = math.log1p(pixels) / 4
    return (
        1.0,
        log_area,
        log_area * log_area,
        held / (pixels + max(total - held, 0.0)),
        narrow / max(wide, 1.0),
        common / max(area + segment - common, 1.0),
        inner - outer,
        0.3 * math.log(window.noise + 0.02),
        window.step_inner,
        window.step_outer,
        hot_area / max(area + hot - hot_area, 1.0),
        around,
    )


def predicted_iou(
    window: Window,
    soft: Field,
    superpixel: NDArray[np.bool_],
    fine: Field,
    mask: NDArray[np.bool_],
    theta: Theta,
) -> float:
    """Logistic prediction in [0, 1] of the IoU with a hand-drawn mask; arguments as for `measure`."""
    inputs = measure(window, soft, superpixel, fine, mask, theta)
    score = math.fsum(w * x for w, x in zip(theta.confidence, inputs, strict=True))
    return 1 / (1 + math.exp(-min(max(score, -30.0), 30.0)))
