"""What one theta gains over another on given images, with intervals."""

from dataclasses import dataclass

import numpy as np

from pointmask.calibrate.search import Counters, figures, gain_draws

_COVER = (2.5, 97.5)  # percentiles of the interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """Gain of one theta over another on a set of images.

    Attributes
    ----------
    images, targets : int
    pooled, mean : (float, float)
        Pooled IoU, and mean IoU of targets, before and after; in [0, 1].
    pooled_interval, mean_interval : (float, float)
        95 % bootstrap interval over images of the gain in each.
    error : float
        Standard error of the mean of both gains, from the same bootstrap.
    """

    images: int
    targets: int
    pooled: tuple[float, float]
    mean: tuple[float, float]
    pooled_interval: tuple[float, float]
    mean_interval: tuple[float, float]
    error: float

    @property
    def is_gain(self) -> bool:
        """Whether neither figure fell, and their mean rose by more than one standard error."""
        steps = [after - before for before, after in (self.pooled, self.mean)]
        return min(steps) >= 0 and sum(steps) / 2 > self.error

    def line(self, name: str) -> str:
        """Return the gain as one line of text."""
        pooled, mean = (
            f"{before:.3f} -> {after:.3f} ({after - before:+.3f}, 95 % from {low:+.3f} to {high:+.3f})"
            for (before, after), (low, high) in (
                (self.pooled, self.pooled_interval),
                (self.mean, self.mean_interval),
            )
        )
        return (
            f"{name}, {self.images} images, {self.targets} targets: pooled IoU {pooled}; "
            f"mean target IoU {mean}"
        )


def gain_of(before: Counters, after: Counters, seed: int) -> Gain:
    """Compare counters of the same images; the bootstrap has a seed."""
    pooled_draws, mean_draws = gain_draws(before, after, seed)
    (pooled_before, mean_before), (pooled_after, mean_after) = (
        map(float, figures(counters.sum(axis=0))) for counters in (before, after)
    )
    low, high = np.percentile(pooled_draws, _COVER)
    mean_low, mean_high = np.percentile(mean_draws, _COVER)
    return Gain(
        images=len(before),
        targets=int(before[:, 3].sum()),
        pooled=(pooled_before, pooled_after),
        mean=(mean_before, mean_after),
        pooled_interval=(float(low), float(high)),
        mean_interval=(float(mean_low), float(mean_high)),
        error=float(np.std((pooled_draws + mean_draws) / 2)),
    )
