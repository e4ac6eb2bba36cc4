"""Synthetic scenes: physically plausible infrared frames with exact masks, of any size, from a seed.

The model, in the order of the light path:

1. background in kelvin: power-law clouds with lit edges, anisotropic waves with glint, ridges, buildings,
   vegetation (`backgrounds`);
2. targets: a point source, or an outline (ellipse, blob, aeroplane, drone, ...) at a sub-pixel position with
   uneven emission, which occludes the background (`targets`, `placing`);
3. optics: a Gaussian core with a wide skirt for Airy rings and scatter, over background and targets alike;
4. detector: integration over the pixel, vignetting, shot and read noise set by the NETD (noise-equivalent
   temperature difference), column and row fixed-pattern noise, dead and hot pixels (`sensor`);
5. counts: automatic gain to 8 bits, or linear 14 bits in a uint16 frame.

The exact mask of an extended target is the set of pixels whose area its outline covers by half or more; that
of a point source is the set of pixels with more than half of its largest response. Contrast is the field's
signal-to-clutter ratio: |mean over the mask - mean of the ring around it| / standard deviation of that ring,
noise and quantisation included, the ring being the pixels 3 to 7 steps away from the mask. The same seed
gives the same scene; a series derives the seed of scene i from (seed, i), so any part can be made on its own.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from pointmask.synth.backgrounds import BACKGROUNDS
from pointmask.synth.placing import Canvas, place
from pointmask.synth.sensor import Sensor, automatic_gain, break_pixels, radiometric
from pointmask.synth.targets import AREAS, SHAPES, TargetSpec

__all__ = ["KINDS", "SHAPES", "Scene", "TargetSpec", "demo_scenes", "make_scene", "make_scenes"]

KINDS = tuple(BACKGROUNDS)
"""Names of the backgrounds."""

Bits = Literal[8, 14]
Seed = int | Sequence[int]

LEAST_SIDE = 32  # a ring of 7 pixels around a target and a margin must fit
CONTRASTS = (2.5, 40.0)

_USUAL_SHAPES: dict[str, tuple[str, ...]] = {
    "sky": ("ellipse", "blob", "aeroplane", "drone", "bird"),
    "clouds": ("ellipse", "blob", "aeroplane", "drone", "bird"),
    "sea": ("ellipse", "blob", "ship", "ship"),
    "horizon": ("ellipse", "blob", "drone", "bird", "aeroplane"),
    "buildings": ("ellipse", "blob", "drone", "bird"),
    "vegetation": ("ellipse", "blob", "vehicle", "vehicle"),
}


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """One frame and its ground truth.

    Attributes
    ----------
    name : str
        File stem, such as ``clouds-00007``.
    kind : str
        One of ``KINDS``.
    image : numpy.ndarray
        (H, W) uint8 in [0, 255], or uint16 in [0, 16383].
    mask : numpy.ndarray
        (H, W) bool, the exact truth.
    instances : numpy.ndarray
        (H, W) uint16: 0 background, k for the k-th target (1-based).
    points : tuple of (int, int)
        (row, col) per target: the pixel of its mask nearest to the centroid.
    params : Mapping[str, Any]
        Random draws: bits, kelvin per count, the camera and, per target, shape, area and contrast. Plain
        numbers and strings that can be written as JSON.
    """

    name: str
    kind: str
    image: NDArray[np.uint8] | NDArray[np.uint16]
    mask: NDArray[np.bool_]
    instances: NDArray[np.uint16]
    points: tuple[tuple[int, int], ...]
    params: Mapping[str, Any] = field(default_factory=dict)


def make_scene(
    kind: str,
    *,
    shape: tuple[int, int] = (256, 256),
    seed: Seed = 0,
    bits: Bits = 8,
    targets: int | Sequence[TargetSpec] | None = None,
    contrast: float | None = None,
    bad_pixels: int | None = None,
    name: str | None = None,
) -> Scene:
    """Make one scene.

    Parameters
    ----------
    kind : str
        One of ``KINDS``.
    shape : (int, int)
        Rows and columns, 32 or more each.
    seed : int or sequence of int
        Same seed and arguments, same scene.
    bits : {8, 14}
        8: uint8 after automatic gain. 14: linear counts up to 16383 in uint16.
    targets : int, sequence of TargetSpec or None
        Their number, or their specifications; None draws one to four.
    contrast : float or None
        Signal-to-clutter ratio of every target that does not state its own; negative for dark targets; None
        draws between 2.5 and 40. The position of a target is chosen so that its contrast fits the range of
        counts; ``params["targets"][k]["contrast"]`` is the contrast that was reached.
    bad_pixels : int or None
        Dead and hot pixels, kept off the targets' surroundings; None draws about one per 100,000.
    name : str or None
        File stem; None composes it from kind and seed.

    Returns
    -------
    Scene

    Raises
    ------
    ValueError
        If the kind, shape of frame or target, bits, area or contrast is not among those above, or the targets
        do not fit into the frame.

    Examples
    --------
    >>> scene = make_scene("sky", seed=3, targets=[TargetSpec(area=40, shape="drone", contrast=12)])
    >>> scene.image.shape, scene.image.dtype.name, len(scene.points)
    ((256, 256), 'uint8', 1)
    """
    _check(kind, shape, bits)
    numbers = (seed,) if isinstance(seed, int) else tuple(seed)
    rng = np.random.default_rng(numbers)
    sensor = Sensor.draw(rng, shape[0] * shape[1])
    if bad_pixels is not None:
        sensor = replace(sensor, bad=bad_pixels)
    background = ndi.gaussian_filter(
        BACKGROUNDS[kind](rng, shape), sensor.sigma, mode="nearest", truncate=3.0
    )
    background += sensor.shade(shape)
    scale = radiometric(rng, sensor.noise) if bits == 14 else automatic_gain(rng, background, sensor.noise)

    canvas = Canvas(background, scale, float(np.hypot(sensor.noise, 0.29 / scale.gain)))
    placed = [place(rng, canvas, spec, sensor.sigma) for spec in _specs(rng, kind, targets, contrast)]
    image = scale.counts(sensor.noisy(rng, canvas.frame))
    break_pixels(rng, image, ~ndi.binary_dilation(canvas.instances > 0, iterations=3), sensor.bad, scale.top)
    return Scene(
        name=name or f"{kind}-{'-'.join(f'{n:05d}' for n in numbers)}",
        kind=kind,
        image=image,
        mask=canvas.instances > 0,
        instances=canvas.instances,
        points=tuple(p.point for p in placed),
        params={
            "bits": bits,
            "kelvin_per_count": 1 / scale.gain,
            "sigma": sensor.sigma,
            "netd": sensor.netd,
            "bad_pixels": sensor.bad,
            "targets": tuple(p.facts for p in placed),
        },
    )


def make_scenes(
    count: int,
    seed: int = 0,
    *,
    shape: tuple[int, int] = (256, 256),
    bits: Bits | None = 8,
    kinds: Sequence[str] = KINDS,
    start: int = 0,
) -> Iterator[Scene]:
    """Make a series of mixed scenes, one at a time.

    Parameters
    ----------
    count : int
        Number of scenes.
    seed : int
        Seed of the series.
    shape : (int, int)
        Rows and columns of each.
    bits : {8, 14} or None
        None mixes both.
    kinds : sequence of str
        Backgrounds to choose from.
    start : int
        Index of the first scene; ``make_scenes(10, start=90)`` gives the last ten of ``make_scenes(100)``.

    Yields
    ------
    Scene
        Named ``<kind>-<index>``.

    Raises
    ------
    ValueError
        As ``make_scene``.
    """
    for index in range(start, start + count):
        rng = np.random.default_rng((seed, index, 1))  # independent of the scene's own stream
        kind = kinds[int(rng.integers(len(kinds)))]
        depth: Bits = bits or (8, 14)[int(rng.integers(2))]
        yield make_scene(kind, shape=shape, seed=(seed, index), bits=depth, name=f"{kind}-{index:05d}")


def demo_scenes() -> tuple[Scene, ...]:
    """Return the five scenes of ``pointmask demo``, each with its own difficulty."""
    pair = [
        TargetSpec(area=34, shape="ellipse", contrast=16),
        TargetSpec(area=26, shape="blob", contrast=12, touches=True),
    ]
    return (
        make_scene("sky", seed=1, targets=[TargetSpec(area=a, shape="point") for a in (4, 6, 9)], contrast=12,
                   name="1-sky-points"),
        make_scene("clouds", seed=2, targets=pair, name="2-clouds-touching"),
        make_scene("sea", seed=3, targets=[TargetSpec(area=150, shape="ship", contrast=7)],
                   name="3-sea-ship"),
        make_scene("buildings", seed=4, bits=14, targets=[TargetSpec(area=22, shape="ellipse", contrast=4)],
                   name="4-buildings-dim-14bit"),
        make_scene("vegetation", seed=5, bad_pixels=24, name="5-vegetation-dark-badpixels",
                   targets=[TargetSpec(area=60, shape="vehicle", contrast=-6)]),
    )  # fmt: skip


def _check(kind: str, shape: tuple[int, int], bits: int) -> None:
    if kind not in BACKGROUNDS:
        raise ValueError(f"no scene is called {kind!r}; choose one of {', '.join(KINDS)}")
    if min(shape) < LEAST_SIDE:
        raise ValueError(
            f"a scene of {shape[0]} x {shape[1]} pixels is too small; {LEAST_SIDE} is the least side"
        )
    if bits not in (8, 14):
        raise ValueError(f"bits={bits} is not offered; choose 8 (after gain control) or 14 (linear)")


def _specs(
    rng: np.random.Generator, kind: str, targets: int | Sequence[TargetSpec] | None, contrast: float | None
) -> list[TargetSpec]:
    """Draw everything that the caller did not specify."""
    if targets is None:
        targets = int(rng.choice([1, 2, 3, 4], p=[0.7, 0.18, 0.08, 0.04]))
    specs = [TargetSpec() for _ in range(targets)] if isinstance(targets, int) else targets
    return [_complete(rng, kind, spec, contrast) for spec in specs]


def _complete(rng: np.random.Generator, kind: str, spec: TargetSpec, contrast: float | None) -> TargetSpec:
    # Medians and spreads are those of public collections: area 22 px, ratio 12.
    shape, area, ratio = spec.shape, spec.area, spec.contrast if spec.contrast is not None else contrast
    if shape is not None and shape not in SHAPES:
        raise ValueError(f"no target is called {shape!r}; choose one of {', '.join(SHAPES)}")
    if area is None:
        area = float(np.clip(rng.lognormal(np.log(22), 0.95), *(AREAS[shape] if shape else (4, 300))))
    if shape is None:
        shape = _usual_shape(rng, kind, area)
    least, most = AREAS[shape]
    if not least <= area <= most:
        raise ValueError(
            f"a target of {area:g} pixels cannot be a {shape}, which takes {least:g} to {most:g}; "
            f"change the area or the shape"
        )
    if ratio is None:
        ratio = float(np.clip(rng.lognormal(np.log(12), 0.75), *CONTRASTS))
    return replace(spec, area=area, shape=shape, contrast=ratio)


def _usual_shape(rng: np.random.Generator, kind: str, area: float) -> str:
    if area < 8 or (area < 14 and rng.random() < 0.5):
        return "point"
    fitting = [s for s in _USUAL_SHAPES[kind] if AREAS[s][0] <= area]
    return fitting[int(rng.integers(len(fitting)))]
