"""Normalisation of grey values to units of the target's contrast, with noise taken off."""

import numpy as np
from numpy.typing import NDArray

from pointmask.compiled import kernel
from pointmask.kernels.rank import deviation_of, median, median_of
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


@kernel()
def normalise_quiet(
    samples: Field,
    inner: Places,
    ring: Places,
    outer: Places,
    near: Places,
    polarity: int,
    grain: float,
    quiet: float,
    buffer: Field,
    values: Field,
) -> tuple[float, float, float, float, bool]:
    """Normalise a window as `normalise` does, and again once its noise is taken off.

    ``quiet`` is the noise of single pixels, relative to the contrast, up to which nothing is filtered; with 0
    nothing ever is.
    """
    facts = normalise(samples, inner, ring, outer, near, polarity, grain, buffer, values)
    if facts[0] <= 0 or not 0 < quiet < facts[1]:
        return facts
    noise = pixel_noise(values, ring, buffer)
    if noise <= quiet:
        return facts
    filtered = np.empty_like(samples)
    wiener(samples, noise * facts[0], filtered)
    return normalise(filtered, inner, ring, outer, near, polarity, grain, buffer, values)


@kernel()
def pixel_noise(values: Field, places: Places, buffer: Field) -> float:
    """Estimate the deviation of white noise from second differences along both axes at once.

    Parameters
    ----------
    values : (n, m) float
        Multiples of a power of two, so that sums of them are exact and a turned window has the same noise.
    places : (k,) int64
        Flat indices of the samples to look at. Beyond the border, the border's values are repeated.
    buffer : (k,) float
        Overwritten.
    """
    n, m = values.shape
    for k in range(places.size):
        i, j = places[k] // m, places[k] % m
        up, down, left, right = max(i - 1, 0), min(i + 1, n - 1), max(j - 1, 0), min(j + 1, m - 1)
        sides = (values[up, j] + values[down, j]) + (values[i, left] + values[i, right])
        corners = (values[up, left] + values[down, right]) + (values[up, right] + values[down, left])
        buffer[k] = abs((4 * values[i, j] - 2 * sides) + corners)
    return 1.4826 / 6 * median(buffer[: places.size])


@kernel()
def wiener(samples: Field, noise: float, out: Field) -> None:
    """Pull each sample towards its surroundings, by the share of their variance that noise explains.

    Parameters
    ----------
    samples : (n, n) float
    noise : float
        Standard deviation of the white noise.
    out : (n, n) float
        Overwritten with ``m + max(v - 2 noise^2, 0) / v (samples - m)``: mean and variance are weighted by a
        binomial of sigma 1, and twice the noise's variance is taken off, since the variance of so few samples
        is itself uncertain.
    """
    mean, spread, spare = np.empty_like(samples), np.empty_like(samples), np.empty_like(samples)
    smooth(samples, 1, spare)
    smooth(spare, 1, mean)
    pixels, middle, square, result = samples.ravel(), mean.ravel(), spread.ravel(), out.ravel()
    for k in range(square.size):
        square[k] = (pixels[k] - middle[k]) ** 2
    smooth(spread, 1, spare)
    smooth(spare, 1, spread)
    floor = 2 * noise * noise
    for k in range(square.size):
        share = max(square[k] - floor, 0.0) / square[k] if square[k] > 0 else 0.0
        result[k] = middle[k] + share * (pixels[k] - middle[k])
