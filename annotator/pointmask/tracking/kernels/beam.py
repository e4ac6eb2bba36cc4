"""One step of a small multiple-hypothesis tracker: each hypothesis meets each peak."""

import math

import numpy as np
from numpy.typing import NDArray

from pointmask.compiled import kernel

Field = NDArray[np.floating]

# Columns of a hypothesis: place, velocity, covariance of place and velocity (the same along either axis),
# expected height of the peak and its variance, frames since its last detection, score.
ROW, COL, ROW_SPEED, COL_SPEED, VAR, COVAR, SPEED_VAR, HEIGHT, HEIGHT_VAR, MISSES, SCORE = range(11)
COLUMNS = 11

_SCENERY = 0.5  # share of a peak's height that was there before, from which on it is part of the scene

# Entries of the model.
PLACE_NOISE, SPEED_NOISE, HEIGHT_NOISE, FLICKER, GATE, FOUND, MISSED, MOST_MISSES = range(8)


@kernel()
def predict(beam: Field, count: int, row_shift: float, col_shift: float, model: Field) -> None:
    """Move hypotheses on by one frame, in place.

    Parameters
    ----------
    beam : (k, COLUMNS) float
        The first ``count`` rows are hypotheses.
    row_shift, col_shift : float
        By how much the camera moved the scene.
    model : (8,) float
        Variances added per frame to place, velocity and, relative to the height squared, height; then
        what `extend` needs.
    """
    for k in range(count):
        one = beam[k]
        one[ROW] += one[ROW_SPEED] + row_shift
        one[COL] += one[COL_SPEED] + col_shift
        one[VAR] += 2 * one[COVAR] + one[SPEED_VAR] + model[PLACE_NOISE]
        one[COVAR] += one[SPEED_VAR]
        one[SPEED_VAR] += model[SPEED_NOISE]
        one[HEIGHT_VAR] += model[HEIGHT_NOISE] * one[HEIGHT] ** 2


@kernel()
def extend(
    beam: Field,
    count: int,
    places: Field,
    heights: Field,
    before: Field,
    noise: float,
    density: float,
    spread: float,
    model: Field,
    children: Field,
    parents: NDArray[np.int64],
    sources: NDArray[np.int64],
) -> int:
    """Let each predicted hypothesis take each peak in its reach, or none.

    Parameters
    ----------
    beam : (k, COLUMNS) float
        The first ``count`` rows are predicted hypotheses.
    places : (p, 2) float
    heights : (p,) float
        Peaks.
    before : (p,) float
        What the filter gave at the same place of the scene when the target was elsewhere.
    noise : float
        Standard deviation of the filter's response away from targets.
    density : float
        Peaks per pixel where there are no targets.
    spread : float
        Deviation in pixels of a place measured at a height of one noise.
    model : (8,) float
        See `predict`; then the share by which a height flickers, the gate in standard deviations, the
        logarithms of the probabilities of detection and miss, and the most misses in a row.
    children : (j, COLUMNS) float
        Receives the best new hypotheses, best first.
    parents, sources : (j,) int64
        Receive the hypothesis each comes from, and its peak or -1.

    Returns
    -------
    int
        How many there are.

    Notes
    -----
    Scores are logarithms of likelihood ratios against "all peaks are noise": a peak at distance ``d`` adds
    ``log(p detected) + log N(d) - log(density) + log p(height | target) - log p(height | noise)``. A peak
    that was there before is part of the scene: it had to be there, and as high.
    """
    made = 0
    for k in range(count):
        one = beam[k]
        if one[MISSES] < model[MOST_MISSES]:
            made = _insert(children, parents, sources, made, one[SCORE] + model[MISSED], k, -1)
        for p in range(heights.size):
            error = (spread * noise / max(heights[p], noise)) ** 2
            variance = one[VAR] + error
            squared = ((places[p, 0] - one[ROW]) ** 2 + (places[p, 1] - one[COL]) ** 2) / variance
            if squared > model[GATE] ** 2:
                continue
            gain = model[FOUND] - 0.5 * squared - math.log(2 * math.pi * variance)
            spread_of_height = one[HEIGHT_VAR] + noise * noise + (model[FLICKER] * one[HEIGHT]) ** 2
            gain += _normal(heights[p] - one[HEIGHT], spread_of_height)
            other = density * _chance(heights[p] / noise) / noise
            if before[p] > _SCENERY * heights[p]:
                other += math.exp(_normal(heights[p] - before[p], 2 * noise * noise))
            gain -= math.log(other)
            made = _insert(children, parents, sources, made, one[SCORE] + gain, k, p)
    for c in range(made):
        score = children[c, SCORE]
        children[c] = beam[parents[c]]
        children[c, SCORE] = score
        if sources[c] < 0:
            children[c, MISSES] += 1
        else:
            p = sources[c]
            _update(children[c], places[p, 0], places[p, 1], heights[p], noise, spread, model[FLICKER])
    return made


@kernel()
def _normal(error: float, variance: float) -> float:
    """Logarithm of a normal density."""
    return -0.5 * error * error / variance - 0.5 * math.log(2 * math.pi * variance)


@kernel()
def _chance(height: float) -> float:
    """Density of a peak's height in noises where there is no target.

    Peaks of noise are nearly Rayleigh; one in ten is clutter, with a long tail.
    """
    return 0.9 * height * math.exp(-0.5 * height * height) + 0.1 * math.exp(-height / 4) / 4


@kernel()
def _insert(
    children: Field,
    parents: NDArray[np.int64],
    sources: NDArray[np.int64],
    made: int,
    score: float,
    parent: int,
    source: int,
) -> int:
    """Insert by score, best first, keeping at most three that end on the same peak."""
    same, worst = 0, -1
    for c in range(made):
        if sources[c] == source:
            same, worst = same + 1, c
    if same == 3 and source >= 0:
        if children[worst, SCORE] >= score:
            return made
        for c in range(worst, made - 1):
            children[c, SCORE], parents[c], sources[c] = (
                children[c + 1, SCORE],
                parents[c + 1],
                sources[c + 1],
            )
        made -= 1
    place = made
    while place > 0 and children[place - 1, SCORE] < score:
        place -= 1
    if place == parents.size:
        return made
    made = min(made + 1, parents.size)
    for c in range(made - 1, place, -1):
        children[c, SCORE], parents[c], sources[c] = children[c - 1, SCORE], parents[c - 1], sources[c - 1]
    children[place, SCORE], parents[place], sources[place] = score, parent, source
    return made


@kernel()
def _update(
    one: Field, row: float, col: float, height: float, noise: float, spread: float, flicker: float
) -> None:
    """Kalman update of place, velocity and height."""
    # The error of a place follows the expected height: a peak raised by noise is not the more exact.
    error = (spread * noise / max(min(height, one[HEIGHT]), noise)) ** 2
    gain = one[VAR] / (one[VAR] + error)
    speed_gain = one[COVAR] / (one[VAR] + error)
    row_miss, col_miss = row - one[ROW], col - one[COL]
    one[ROW] += gain * row_miss
    one[COL] += gain * col_miss
    one[ROW_SPEED] += speed_gain * row_miss
    one[COL_SPEED] += speed_gain * col_miss
    one[SPEED_VAR] -= speed_gain * one[COVAR]
    one[COVAR] *= 1 - gain
    one[VAR] *= 1 - gain
    height_gain = one[HEIGHT_VAR] / (one[HEIGHT_VAR] + noise * noise + (flicker * one[HEIGHT]) ** 2)
    one[HEIGHT] += height_gain * (height - one[HEIGHT])
    one[HEIGHT_VAR] *= 1 - height_gain
    one[MISSES] = 0.0
