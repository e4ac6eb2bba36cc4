"""Normalisation of grey values to units of the target's contrast."""

import numpy as np
from numpy.typing import NDArray

from pointmask.compiled import kernel
from pointmask.kernels.rank import deviation_of, median_of
from pointmask.kernels.scale_space import smooth

Field = NDArray[np.floating]
Places = NDArray[np.int64]

BRIGHT, DARK, AUTO = 0, 1, 2


@kernel()
def normalise(
    samples: Field,
    inner: Places,
    ring: Places,
    outer: Places,
    near: Places,
    polarity: int,
    grain: float,
    buffer: Field,
    values: Field,
) -> tuple[float, float, float, float, bool]:
    """Express a window in units of the contrast at its centre.

    Parameters
    ----------
    samples : (n, n) float
    inner, ring, outer, near : (k,) int64
        Flat indices of three rings and of the samples near the centre. The median of ``ring`` is the
        background; the contrast is that of the brightest smoothed sample near the centre, or the
        background's deviation if that is larger.
    polarity : int
        `BRIGHT`, `DARK` or `AUTO`, which uses the larger deviation from the background.
    grain : float
        Results are multiples of this.
    buffer : (m,) float
        Overwritten; at least as long as the longest ring.
    values : (n, n) float
        Overwritten with ``(samples - background) / contrast``, negated for dark targets, in [-3, 3]; 0 if
        the contrast is 0.

    Returns
    -------
    contrast : float
        In grey values; 0 if nothing stands out.
    noise, step_inner, step_outer : float
        Deviation of the background, and contrast against the inner and outer ring, relative to the
        contrast and at most 2 in size; 0 if the contrast is 0.
    dark : bool
    """
    background = median_of(samples, ring, buffer)
    deviation = deviation_of(samples, ring, background, buffer)
    smooth(samples, 1, values)
    smoothed = values.ravel()
    above, below = -np.inf, -np.inf
    for k in range(near.size):
        above = max(above, smoothed[near[k]] - background)
        below = max(below, background - smoothed[near[k]])
    dark = polarity == DARK or (polarity == AUTO and below > above)
    sign = -1.0 if dark else 1.0
    height = below if dark else above
    contrast = max(height, deviation)
    if contrast <= 0:
        values[:] = 0.0
        return 0.0, 0.0, 0.0, 0.0, dark
    peak = background + sign * height
    step_inner = sign * (peak - median_of(samples, inner, buffer)) / contrast
    step_outer = sign * (peak - median_of(samples, outer, buffer)) / contrast
    flat, out = samples.ravel(), values.ravel()
    scale = sign / (contrast * grain)
    for k in range(flat.size):
        out[k] = min(max(np.rint((flat[k] - background) * scale) * grain, -3.0), 3.0)
    return (
        contrast,
        _grained(deviation / contrast, grain),
        _grained(step_inner, grain),
        _grained(step_outer, grain),
        dark,
    )


@kernel()
def _grained(value: float, grain: float) -> float:
    return float(np.rint(min(max(value, -2.0), 2.0) / grain) * grain)
