"""Evidence that a component of a probability map is a target: the network's and the annotator's, joined.

The network is wrong in whole frames: it fires on a roof or a cloud's edge as surely as on a target. The
annotator, solved at that place, says something independent: whether a blob is there at all, how sure its
outline is, and how far it rises above its surroundings. A logistic model of both tells targets from false
alarms far better than the network's probability (`Evidence` says how it was fitted).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage as ndi
from torch.nn import functional as F  # noqa: N812 - as everybody writes it

from pointmask.annotator.operator import Operator
from pointmask.annotator.point import annotate_point
from pointmask.annotator.target import Target, slices_of
from pointmask.components import components
from pointmask.settings import parse_toml
from pointmask.theta import Polarity
from pointmask_trainer.errors import ConfigError

Probabilities = NDArray[np.float32]

CANDIDATES = 0.1
"""Pixels of a higher probability belong to a candidate: the annotator may be surer than the network."""

MEASUREMENTS = (
    "bias",  # 1
    "response",  # logit of the mean probability over the annotator's mask
    "confidence",  # the annotator's prediction of the mask's IoU
    "agreement",  # IoU of the annotator's mask with the component's pixels above 0.5
    "relative",  # logit of response x confidence, minus the largest in the frame; 0 or less
    "contrast",  # log(1 + mean of the mask over the median around it, in deviations of the frame's noise)
    "rise",  # mean of the mask over the 98th percentile around it, as a share of its contrast
    "area",  # log of the mask's pixels
)

OTHERS = "others"
"""The weights of networks that have none of their own."""

_MOST, _MOST_PER_PIXEL = 100, 1 / 2000  # candidates of a frame, the strongest; each costs a quarter of a ms
_LOW, _HIGH = 1e-3, 1 - 1e-3
_AROUND = 8  # px around the mask's box that are its surroundings
_BRIGHT = 98  # percentile of the surroundings


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A component of a probability map, and the annotator's target at its centre.

    Attributes
    ----------
    target : Target
        Undivided.
    measurements : (8,) float64 array
        See `MEASUREMENTS`.
    """

    target: Target
    measurements: NDArray[np.float64]

    def probability(self, evidence: "Evidence") -> float:
        """Probability that this is a target, in (0, 1)."""
        odds = math.fsum(evidence.weights * self.measurements)
        return 1 / (1 + math.exp(-min(max(odds, -30.0), 30.0)))


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Weights of `MEASUREMENTS` in the log-odds that a candidate is a target.

    Parameters
    ----------
    weights : (8,) float64 array
    """

    weights: NDArray[np.float64]

    @classmethod
    def of(cls, weights: Mapping[str, float]) -> "Evidence":
        """Build from weights by name.

        Raises
        ------
        ConfigError
            If a name is missing or unknown.
        """
        if set(weights) != set(MEASUREMENTS):
            wrong = sorted(set(weights) ^ set(MEASUREMENTS))
            raise ConfigError(
                f"evidence needs a weight for each of {', '.join(MEASUREMENTS)}; see {wrong[0]}"
            )
        return cls(np.array([weights[name] for name in MEASUREMENTS], np.float64))

    @classmethod
    def of_network(cls, name: str) -> "Evidence":
        """Return the weights that come with the package, for a network that has its own or for all others.

        Networks err in ways of their own: the weights of ALCNet take targets from ContrastUNet, and leave
        twice the false alarms of its first weights. They were fitted by ``benchmarks/fit_evidence.py`` to
        images of SIRST3's train list that the detectors had not been trained on; whether a candidate is a
        target was told by the given points alone.

        Parameters
        ----------
        name : str
            As in ``pointmask models``.
        """
        weights = _weights()
        return cls.of(weights[name if name in weights else OTHERS])


@lru_cache(maxsize=1)
def _weights() -> Mapping[str, Mapping[str, float]]:
    text = resources.files("pointmask_trainer").joinpath("presets", "evidence.toml").read_text("utf-8")
    return parse_toml(text, "evidence.toml", ConfigError)


def find_candidates(
    image: NDArray[np.generic], probabilities: Probabilities, operator: Operator, polarity: Polarity
) -> list[Candidate]:
    """Annotate and measure every component above `CANDIDATES`.

    Parameters
    ----------
    image : (H, W) array
        As stored; gain and offset do not matter.
    probabilities : (H, W) float32 array in [0, 1]
    operator : Operator
    polarity : {"bright", "dark", "auto"}

    Returns
    -------
    list of Candidate
        The strongest first, at most 100 and one per 2,000 px.
    """
    likely = probabilities > CANDIDATES
    labels, count = components(likely)
    if not count:
        return []
    # Of these pixels alone, since it sorts: of a whole frame it takes a sixth of the time of this function.
    peaks = np.asarray(ndi.maximum(probabilities[likely], labels[likely], np.arange(1, count + 1)))
    boxes: Sequence[tuple[slice, slice]] = ndi.find_objects(labels)
    noise = _noise(image)
    found, rows = [], []
    for k in np.argsort(-peaks, kind="stable")[: _MOST + int(_MOST_PER_PIXEL * image.size)]:
        box = boxes[k]
        own = labels[box] == k + 1
        row, col = _centre(np.where(own, probabilities[box], 0))
        target = annotate_point(image, row + box[0].start, col + box[1].start, operator, polarity)
        surely = int(np.count_nonzero(own & (probabilities[box] > 0.5)))
        found.append(target)
        rows.append(_measured(image, probabilities, target, surely, noise))
    table = np.array(rows)
    table[:, 4] -= table[:, 4].max()
    return [Candidate(*pair) for pair in zip(found, table, strict=True)]


def _measured(
    image: NDArray[np.generic], probabilities: Probabilities, target: Target, likely: int, noise: float
) -> tuple[float, ...]:
    """Measure one candidate, of `likely` pixels above 0.5; "relative" lacks the frame's largest value."""
    inside = probabilities[slices_of(target.window)][target.mask]
    response = float(inside.mean(dtype=np.float64))
    both = int(np.count_nonzero(inside > 0.5))
    union = target.area + likely - both
    mean, median, bright = _levels(image, target)
    contrast = mean - median
    return (
        1.0,
        _logit(response),
        target.confidence,
        min(both / union, 1.0) if union > 0 else 0.0,
        _logit(response * target.confidence),
        math.log1p(max(contrast, 0.0) / noise),
        max((mean - bright) / max(contrast, noise), -2.0),
        math.log(target.area),
    )


def _levels(image: NDArray[np.generic], target: Target) -> tuple[float, float, float]:
    """Mean of the mask, median and high percentile of its surroundings; of the negative for a dark target."""
    top, left, bottom, right = target.box
    rows = slice(max(top - _AROUND, 0), min(bottom + _AROUND, image.shape[0]))
    cols = slice(max(left - _AROUND, 0), min(right + _AROUND, image.shape[1]))
    mask = np.zeros((rows.stop - rows.start, cols.stop - cols.start), np.bool_)
    own = target.mask[
        top - target.window[0] : bottom - target.window[0], left - target.window[1] : right - target.window[1]
    ]
    mask[top - rows.start : bottom - rows.start, left - cols.start : right - cols.start] = own
    values = image[rows, cols].astype(np.float64)
    if "dark" in target.flags:
        values = -values
    finite = np.isfinite(values)
    around = values[finite & ~ndi.binary_dilation(mask, np.ones((3, 3), np.bool_))]
    inner = values[finite & mask]
    if not around.size or not inner.size:
        return 0.0, 0.0, 0.0
    return float(inner.mean()), float(np.median(around)), float(np.percentile(around, _BRIGHT))


def _noise(image: NDArray[np.generic]) -> float:
    """Deviation of the frame's fine structure; robust, since targets are few. Never 0.

    Of every second row and column, which takes half of the time and moves the deviation by 1 or 2 %.
    """
    values = image.astype(np.float64)
    finite = np.isfinite(values)
    if not finite.all():
        values = np.where(finite, values, np.median(values[finite]) if finite.any() else 0.0)
    frame = torch.from_numpy(values)[None, None]
    near, around = (
        F.avg_pool2d(frame, side, 2, padding=side // 2, count_include_pad=False) for side in (3, 9)
    )
    deviation = 1.4826 * float(np.median((near - around).abs().numpy()))
    spread = float(values.std())
    return max(deviation, 0.01 * spread) or 1.0


def _centre(values: NDArray[np.float32]) -> tuple[int, int]:
    """Nearest pixel of the centroid of squared probabilities; the square discounts a skirt to one side."""
    row, col = ndi.center_of_mass(values.astype(np.float64) ** 2)
    return round(row), round(col)


def _logit(share: float) -> float:
    share = min(max(share, _LOW), _HIGH)
    return math.log(share / (1 - share))
