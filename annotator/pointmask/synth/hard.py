"""Hard scenes: clutter, cameras and contrasts at random, for training a detector that has seen no real frame.

`pointmask.synth.scenes` imitates landscapes and cameras; these scenes are meant to be wider than reality in
every respect, so that a real frame is one more case: see `pointmask.synth.clutter`.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from pointmask.synth.clutter import clutter
from pointmask.synth.placing import Canvas, place
from pointmask.synth.scenes import Scene
from pointmask.synth.sensor import Scale, Sensor, break_pixels
from pointmask.synth.targets import AREAS, SHAPES, TargetSpec

Floats = NDArray[np.float64]

_COUNTS = (0.1, 0.45, 0.2, 0.12, 0.08, 0.05)  # shares of scenes with 0, 1, ... targets
_AREA, _AREA_SPREAD = 20.0, 1.0  # px, median, and deviation of its logarithm
_CONTRAST, _CONTRAST_SPREAD = 9.0, 0.75
_LEAST_CONTRAST, _MOST_CONTRAST = 2.0, 40.0


def make_hard_scene(seed: int | Sequence[int], shape: tuple[int, int] = (256, 256)) -> Scene:
    """Make one 8-bit scene of bright targets over clutter.

    Parameters
    ----------
    seed : int or sequence of int
        Same seed and shape, same scene.
    shape : (int, int)
        Rows and columns, 64 or more each.

    Returns
    -------
    Scene
        Its kind is ``hard``; the image is stretched to 8 bits with some of its pixels saturated. Targets
        that find no room are left out.
    """
    if min(shape) < 64:
        raise ValueError(f"a hard scene of {shape[0]} x {shape[1]} pixels is too small; 64 is the least side")
    rng = np.random.default_rng(seed)
    sensor = Sensor.draw(rng, shape[0] * shape[1])
    field = ndi.gaussian_filter(clutter(rng, shape), sensor.sigma, mode="nearest", truncate=3.0)
    field += sensor.shade(shape)
    sensor = _noisier(rng, sensor, float(field.std()))
    canvas = Canvas(field, _stretch(rng, field, sensor.noise), sensor.noise)
    facts, points = [], []
    for _ in range(rng.choice(len(_COUNTS), p=_COUNTS)):
        try:
            placed = place(rng, canvas, _draw_target(rng), sensor.sigma)
        except ValueError:  # no room
            continue
        facts.append(placed.facts)
        points.append(placed.point)
    image = canvas.scale.counts(sensor.noisy(rng, canvas.frame))
    break_pixels(rng, image, ~ndi.binary_dilation(canvas.instances > 0, iterations=3), sensor.bad, 255)
    numbers = (seed,) if isinstance(seed, int) else tuple(seed)
    return Scene(
        name=f"hard-{'-'.join(f'{n:05d}' for n in numbers)}",
        kind="hard",
        image=image,
        mask=canvas.instances > 0,
        instances=canvas.instances,
        points=tuple(points),
        params={"sigma": sensor.sigma, "netd": sensor.netd, "targets": tuple(facts)},
    )


def _noisier(rng: np.random.Generator, sensor: Sensor, spread: float) -> Sensor:
    """Give the camera noise of 0.5 to 25 % of the scene's contrast, with its pattern in proportion."""
    factor = spread * float(np.exp(rng.uniform(np.log(0.005), np.log(0.25)))) / sensor.noise
    return replace(
        sensor, netd=sensor.netd * factor, columns=sensor.columns * factor, rows=sensor.rows * factor
    )


def _stretch(rng: np.random.Generator, field: Floats, noise: float) -> Scale:
    """Fill a range of 8 bits, with up to a tenth of the pixels saturated at either end."""
    cut = 10 * rng.random(2) ** 4 if rng.random() < 0.6 else np.zeros(2)
    low, high = np.percentile(field, (cut[0], 100 - cut[1]))
    dark = rng.uniform(0, 70)
    light = rng.uniform(max(dark + 40, 100), 255)
    gain = min((light - dark) / max(high - low, 1e-6), 25 / noise)
    return Scale(gain=float(gain), offset=float(dark - gain * low), top=255)


def _draw_target(rng: np.random.Generator) -> TargetSpec:
    area = float(np.clip(rng.lognormal(np.log(_AREA), _AREA_SPREAD), 4, 300))
    fitting = [name for name in SHAPES if AREAS[name][0] <= area <= AREAS[name][1]]
    plain = [name for name in fitting if name in ("point", "ellipse", "blob")]
    names = plain if rng.random() < 0.75 else fitting
    ratio = rng.lognormal(np.log(_CONTRAST), _CONTRAST_SPREAD)
    return TargetSpec(
        area=area,
        shape=names[int(rng.integers(len(names)))],
        contrast=float(np.clip(ratio, _LEAST_CONTRAST, _MOST_CONTRAST)),
    )
