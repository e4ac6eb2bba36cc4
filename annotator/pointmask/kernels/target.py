"""One target in one call: a thread that solves it needs the interpreter only before and after.

Each step is a kernel of its own, called here in the order in which `pointmask.annotator` calls them one by
one where a target needs a coarser window. A test holds both ways together.
"""

import numpy as np
from numpy.typing import NDArray

from pointmask.compiled import kernel
from pointmask.kernels.agreement import agreement, ring_map
from pointmask.kernels.climb import climb
from pointmask.kernels.normalise import normalise_quiet
from pointmask.kernels.potential import potential
from pointmask.kernels.regions import extent, piece_near
from pointmask.kernels.scale_space import smooth
from pointmask.kernels.slic import superpixel_at_centre

Field = NDArray[np.floating]
Places = NDArray[np.int64]
Mask = NDArray[np.bool_]


@kernel()
def blend(potential: Field, superpixel: NDArray[np.bool_], rho: float, out: Field) -> None:
    """Compute ``rho u / max(u) + (1 - rho) C``, divided by its maximum.

    Parameters
    ----------
    potential : (n, m) float, non-negative
    superpixel : (n, m) bool
    rho : float
    out : (n, m) float
        Overwritten with the soft label in [0, 1].
    """
    u, c, soft = potential.ravel(), superpixel.ravel(), out.ravel()
    top = 0.0
    for k in range(u.size):
        top = max(top, u[k])
    share = rho / top if top > 0 else 0.0
    top = 0.0
    for k in range(u.size):
        soft[k] = u[k] * share + ((1.0 - rho) if c[k] else 0.0)
        top = max(top, soft[k])
    if top > 0:
        for k in range(u.size):
            soft[k] /= top


@kernel()
def fill_window(crop: Field, above: int, before: int, samples: Field) -> None:
    """Repeat the edges of a crop until it fills a window.

    Parameters
    ----------
    crop : (h, w) float
    above, before : int
        Rows and columns of the window that lie before the crop.
    samples : (n, n) float
        Overwritten.
    """
    height, width = crop.shape
    for i in range(samples.shape[0]):
        row = min(max(i - above, 0), height - 1)
        for j in range(samples.shape[1]):
            samples[i, j] = crop[row, min(max(j - before, 0), width - 1)]


@kernel()
def settle(values: Field, moves: int) -> tuple[int, int, float]:
    """Climb from the centre of a window to the peak near it; see `pointmask.annotator.window.settle`."""
    half = values.shape[0] // 2
    smoothed = np.empty_like(values)
    smooth(values, 1, smoothed)
    row, col = climb(smoothed, half, half, moves)
    peak = smoothed[row, col]
    return row - half, col - half, (smoothed[half, half] / peak if peak > 0 else 1.0)


@kernel()
def agreement_sums(values: Field, mask: Mask, sums: Field) -> None:
    """Compare a mask with its window's grey values at three scales; see `agreement` for the 12 sums."""
    smoothed, smoother = np.empty_like(values), np.empty_like(values)
    smooth(values, 1, smoothed)
    smooth(smoothed, 2, smoother)
    rings = np.empty(mask.shape, np.int8)
    ring_map(mask, rings)
    agreement(values, smoothed, smoother, rings, sums)


@kernel()
def solve_target(
    crop: Field,
    above: int,
    before: int,
    click_row: int,
    click_col: int,
    polarity: int,
    stop_below: float,
    geometry: tuple[Field, Field, Places, Places, Places, Places],
    network: tuple[Field, Field, Field, Field],
    stages: tuple[Places, Places, Field, Field, Field, Field],
    numbers: tuple[float, float, float, float, float, bool, float, int, float, int],
    clusters: tuple[Places, int, bool, int, float, int],
    values: Field,
    soft: Field,
    mask: Mask,
    sums: Field,
) -> tuple[
    tuple[float, float, float, float, bool], tuple[int, int, float], tuple[int, int, int, int, int, int, int]
]:
    """Solve a target at the image's own resolution, from the pixels of its window to the mask.

    Parameters
    ----------
    crop : (h, w) float
        The window's pixels inside the image.
    above, before : int
        Rows and columns of the window that lie outside, before the crop.
    click_row, click_col : int
        In the crop; the mask is this pixel if nothing near the window's centre reaches the level.
    polarity : int
        As for `normalise`.
    stop_below : float
        Nothing is solved if the centre has less than this share of the contrast of the peak near it.
    geometry
        Distance and its logarithm, both (n, n), then the three rings and the places near the centre.
    network, stages
        Weights of the resemblance network, and the operator's stages, as for `potential`.
    numbers
        Grain and quiet noise of `normalise_quiet`; offset, tau, alpha and whether the
        conductance is rational, as for `potential`; weight of the potential; moves of `settle`; level and
        reach of the mask.
    clusters
        As for `superpixel_at_centre`.
    values, soft : (n, n) float
        Overwritten with the window in units of contrast and the soft label; ``soft`` holds the source.
    mask : (h, w) bool
        Overwritten.
    sums : (12,) float
        Overwritten with `agreement_sums`.

    Returns
    -------
    facts : (contrast, noise, step_inner, step_outer, dark)
        As `normalise` returns them.
    peak : (rows, cols, share)
        As `settle` returns them; zeros and 1 without contrast.
    found : (area, top, left, bottom, right, rows, cols)
        Area of the mask, 0 if it is the click alone, then its `extent`; -1 and zeros if nothing was solved.
    """
    distance, log_distance, inner, ring, outer, near = geometry
    local_weights, target_weights, bias, gain = network
    spacings, steps, D0, beta, growth, decay = stages
    grain, quiet, offset, tau, alpha, rational, rho, moves, level, reach = numbers
    places, cluster_reach, centred, step, compactness, iterations = clusters
    n = values.shape[0]
    half = n // 2
    nothing = (-1, 0, 0, 0, 0, 0, 0)
    samples = np.empty((n, n))
    fill_window(crop, above, before, samples)
    buffer = np.empty(max(inner.size, ring.size, outer.size))
    facts = normalise_quiet(samples, inner, ring, outer, near, polarity, grain, quiet, buffer, values)
    if facts[0] <= 0:
        return facts, (0, 0, 1.0), nothing
    peak = settle(values, moves)
    if peak[2] < stop_below and (peak[0] != 0 or peak[1] != 0):
        return facts, peak, nothing
    measured = np.array([facts[1], facts[2], facts[3]])
    field = soft.copy()
    potential(
        values,
        distance,
        log_distance,
        measured,
        local_weights,
        target_weights,
        bias,
        gain,
        offset,
        spacings,
        steps,
        D0,
        beta,
        growth,
        decay,
        tau,
        alpha,
        rational,
        samples,
        field,
    )
    superpixel = np.empty((n, n), np.bool_)
    superpixel_at_centre(values, places, cluster_reach, centred, step, compactness, iterations, superpixel)
    blend(field, superpixel, rho, soft)
    height, width = crop.shape
    stack, labels = np.empty(n * n, np.int64), np.empty((n, n), np.int32)
    fine = np.ascontiguousarray(soft[above : above + height, before : before + width])
    inside = labels[:height, :width]
    area = piece_near(fine, level, half - above, half - before, reach, stack, inside, mask)
    if area == 0:
        mask[click_row, click_col] = True
    sampled = mask
    if height != n or width != n:
        sampled = np.empty((n, n), np.bool_)
        if piece_near(soft, level, half, half, reach, stack, labels, sampled) == 0:
            sampled[half, half] = True
    agreement_sums(values, sampled, sums)
    top, left, bottom, right, rows, cols = extent(mask)
    return facts, peak, (area, top, left, bottom, right, rows, cols)
