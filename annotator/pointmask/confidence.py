"""Predicted IoU of a mask, from measurements that need no truth."""

import numpy as np
from numpy.typing import NDArray

from pointmask.theta import Theta
from pointmask.window import Window

Field = NDArray[np.float64]


def measure(
    window: Window,
    soft: Field,
    superpixel: NDArray[np.bool_],
    fine: Field,
    mask: NDArray[np.bool_],
    box: tuple[int, int, int, int],
    theta: Theta,
) -> Field:
    """Evaluate `pointmask.theta.CONFIDENCE_MEASUREMENTS`.

    Parameters
    ----------
    window : Window
    soft, superpixel : (n, n)
        At the window's sampling.
    fine, mask : (h, w)
        Soft label and mask at the image's pixels.
    box : (top, left, bottom, right)
        Of the mask, in the image.
    theta : Theta
    """
    level = theta.level or 0.5
    area = float(np.count_nonzero(mask))
    log_area = np.log1p(area) / 4
    over = max(np.count_nonzero(soft > level / 2), 1)
    under = np.count_nonzero(soft > min(level + 0.25, (1 + level) / 2))
    binary = soft > level
    both = np.count_nonzero(binary & superpixel)
    either = max(np.count_nonzero(binary) + np.count_nonzero(superpixel) - both, 1)
    inner = window.values[binary]
    outer = window.values[(soft <= level) & (soft > 0.05)]
    edge = (inner.mean() if inner.size else 0.0) - (outer.mean() if outer.size else 0.0)
    sides = max((box[2] - box[0]) * (box[3] - box[1]), 1)
    return np.array(
        [
            1.0,
            log_area,
            log_area**2,
            float(fine[mask].sum()) / (area + max(float(fine.sum() - fine[mask].sum()), 0.0)),
            under / over,
            both / either,
            float(edge),
            0.3 * np.log(window.noise / window.contrast + 0.02),
            window.step_inner,
            window.step_outer,
            area / sides,
        ]
    )


def predicted_iou(
    window: Window,
    soft: Field,
    superpixel: NDArray[np.bool_],
    fine: Field,
    mask: NDArray[np.bool_],
    box: tuple[int, int, int, int],
    theta: Theta,
) -> float:
    """Logistic prediction in [0, 1] of the IoU with a hand-drawn mask."""
    inputs = measure(window, soft, superpixel, fine, mask, box, theta)
    return float(1 / (1 + np.exp(-np.clip(inputs @ np.array(theta.confidence), -30, 30))))
