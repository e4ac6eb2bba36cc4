"""The detector's response as a third source of a label, beside potential and superpixel.

The annotator looks at one window. A detector has seen all images: where labels err in no common way, its
response is nearer to the target than the labels that it learned from. Equation 4 of D2D, extended::

    y = (1 - s) (rho u + (1 - rho) S) + s p

with the potential u, the superpixel S, the response p and its share s.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pointmask.annotator.fuse import binarise, otsu
from pointmask.annotator.target import Annotation, Target, box_of, slices_of
from pointmask.theta import Theta
from pointmask_trainer.data.labels import SplitName
from pointmask_trainer.strategies.labels.windows import nearest_to
from pointmask_trainer.strategies.training import Training

_LEVEL = 0.5  # of the response


def with_responses(
    training: Training, name: SplitName, annotations: Mapping[int, Annotation], theta: Theta, share: float
) -> dict[int, Annotation]:
    """Join the annotations of a split's images with the detector's responses; see `joined`.

    Parameters
    ----------
    training : Training
    name : {"train", "val"}
    annotations : Mapping of index to Annotation
        Made with `theta`.
    theta : Theta
    share : float
        Of the response, in [0, 1].
    """
    windows = {k: [target.window for target in found.targets] for k, found in annotations.items()}
    pointed = [index for index, boxes in windows.items() if boxes]
    made = dict(annotations)
    for index, probabilities in training.predictions(name, pointed, windows):
        made[index] = joined(annotations[index], probabilities.cpu().numpy(), theta, share)
    return made


def joined(
    annotation: Annotation, probabilities: NDArray[np.float32], theta: Theta, share: float
) -> Annotation:
    """Mix the soft label of every target with a detector's response, and draw its mask anew.

    Parameters
    ----------
    annotation : Annotation
        Made with `theta`.
    probabilities : (H, W) float32 array in [0, 1]
    theta : Theta
        Its ``level`` and the response's, 0.5, are mixed in the same way as the labels.
    share : float
        Of the response, in [0, 1].

    Returns
    -------
    Annotation
        Confidences and flags are the annotator's. A pixel nearer to another point belongs to none but that
        one, and a target of which nothing is left near its point stays as it was.
    """
    targets = [
        _joined(
            target,
            [other.point for other in annotation.targets if other is not target],
            probabilities,
            theta,
            share,
        )
        for target in annotation.targets
    ]
    return replace(annotation, targets=tuple(targets))


def _joined(
    target: Target,
    others: Sequence[tuple[int, int]],
    probabilities: NDArray[np.float32],
    theta: Theta,
    share: float,
) -> Target:
    before = target.soft.astype(np.float64)
    soft = (1 - share) * before + share * probabilities[slices_of(target.window)]
    top, left, bottom, right = target.window
    soft[~nearest_to(target.point, others, np.arange(top, bottom), np.arange(left, right))] = 0.0
    level = (1 - share) * (theta.level or otsu(before)) + share * _LEVEL
    row, col = target.point
    mask, area = binarise(soft, level, row - top, col - left, theta.reach)
    if not area:
        return target
    return replace(target, soft=soft.astype(np.float32), mask=mask, area=area, box=box_of(mask, top, left))
