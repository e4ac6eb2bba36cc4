"""Whether the detector's prediction of a hard image is good enough for the image to join the training."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from pointmask.components import components

Mask = NDArray[np.bool_]


def admission_label(
    probabilities: NDArray[np.floating],
    points: NDArray[np.int64],
    *,
    most_missed: float,
    most_false: float,
) -> Mask | None:
    """Return the label with which an image is admitted, or None if it stays out.

    Parameters
    ----------
    probabilities : (H, W) float array in [0, 1]
    points : (K, 2) int array
        Row and column; neighbouring points count as one target.
    most_missed : float
        Share of the targets that no predicted component may touch, at most.
    most_false : float
        Predicted components per target beyond the targets that are touched, at most.

    Returns
    -------
    (H, W) bool array or None
        The predicted components, without holes, that hold a point, and all points.
    """
    drawn = np.zeros(probabilities.shape, np.bool_)
    drawn[tuple(points.T)] = True
    if not len(points):
        return drawn
    targets, target_count = components(drawn)
    predicted, predicted_count = components(ndi.binary_fill_holes(probabilities > 0.5))
    touched = len(np.unique(targets[drawn & (predicted > 0)]))
    missed = (target_count - touched) / target_count
    false = (predicted_count - touched) / target_count
    if missed > most_missed or false > most_false:
        return None
    holding = np.unique(predicted[drawn & (predicted > 0)])
    return np.isin(predicted, holding) & (predicted > 0) | drawn
