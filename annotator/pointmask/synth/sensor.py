"""Camera of synthetic scenes: noise, fixed pattern, bad pixels, and conversion from kelvin to counts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

COUNTS_14 = (1 << 14) - 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Sensor:
    """One camera.

    Attributes
    ----------
    sigma : float
        Standard deviation of the optics' core, pixels.
    netd : float
        Noise-equivalent temperature difference at the background's level, kelvin.
    columns, rows : float
        Fixed-pattern noise of columns and rows, standard deviation in kelvin.
    vignetting : float
        Kelvin added at the corners; negative for light lost there, positive after a crude correction.
    bad : int
        Number of stuck pixels, half of them dead (lowest count) and half hot (highest).
    """

    sigma: float
    netd: float
    columns: float
    rows: float
    vignetting: float
    bad: int

    @classmethod
    def draw(cls, rng: np.random.Generator, pixels: int) -> "Sensor":
        """Draw a plausible uncooled or cooled camera for a frame of this many pixels."""
        netd = float(np.exp(rng.uniform(np.log(0.03), np.log(0.15))))
        return cls(
            sigma=float(rng.uniform(0.5, 1.1)),
            netd=netd,
            columns=netd * float(rng.uniform(0.0, 0.6)),
            rows=netd * float(rng.uniform(0.0, 0.25)),
            vignetting=float(rng.normal(0, 0.8)),
            bad=int(rng.poisson(pixels * 1e-5)),
        )

    @property
    def noise(self) -> float:
        """Standard deviation of all noise together, kelvin."""
        return float(np.sqrt(self.netd**2 + self.columns**2 + self.rows**2))

    def shade(self, shape: tuple[int, int]) -> Floats:
        """Vignetting over a frame, (H, W) kelvin, following cos^4 of the field angle."""
        row, col = np.linspace(-1, 1, shape[0])[:, None], np.linspace(-1, 1, shape[1])[None, :]
        squared = (row**2 + col**2) / 2
        return np.asarray(self.vignetting * squared * (2 - squared))

    def noisy(self, rng: np.random.Generator, frame: Floats) -> Floats:
        """Add temporal and fixed-pattern noise to an (H, W) frame in kelvin.

        Half of the temporal variance is read noise and half is shot noise, which follows the photon flux:
        about 1.7 % per kelvin in the long-wave band at room temperature.
        """
        shot = np.exp(np.clip(0.017 * (frame - np.median(frame)), -1, 1))
        out = frame + self.netd * np.sqrt(0.5 + 0.5 * shot) * rng.standard_normal(frame.shape)
        out += self.columns * rng.standard_normal((1, frame.shape[1]))
        out += self.rows * rng.standard_normal((frame.shape[0], 1))
        return np.asarray(out)


@dataclass(frozen=True, slots=True)
class Scale:
    """Linear map from kelvin to counts: ``counts = offset + gain * kelvin``, clipped to [0, top]."""

    gain: float
    offset: float
    top: int

    def counts(self, frame: Floats) -> NDArray[np.uint8] | NDArray[np.uint16]:
        """Quantise an (H, W) frame; uint8 where ``top`` is 255, uint16 otherwise."""
        values = np.clip(np.rint(self.offset + self.gain * frame), 0, self.top)
        return values.astype(np.uint8) if self.top == 255 else values.astype(np.uint16)


def automatic_gain(rng: np.random.Generator, background: Floats, noise: float) -> Scale:
    """8-bit display range of a frame, set before any target appears.

    The 0.5 to 99.5 percentile span fills part of the range, unless the noise would then exceed a few counts;
    in that case the gain is limited and the frame is uniformly grey, like real clear skies.
    """
    low, high = np.percentile(background[::2, ::2], (0.5, 99.5))
    dark, light = rng.uniform(5, 60), rng.uniform(130, 235)
    gain = min((light - dark) / max(high - low, 1e-6), rng.uniform(0.6, 2.6) / noise)
    middle = (dark + light) / 2 if rng.random() < 0.7 else rng.uniform(50, 170)
    spare = gain * (high - low) / 2
    middle = float(np.clip(middle, spare, max(255 - 1.2 * spare, spare)))
    return Scale(gain=float(gain), offset=float(middle - gain * (low + high) / 2), top=255)


def radiometric(rng: np.random.Generator, noise: float) -> Scale:
    """14-bit output without gain control: noise of 2 to 6 counts around the camera's own level."""
    return Scale(gain=float(rng.uniform(2, 6) / noise), offset=float(rng.uniform(5000, 8000)), top=COUNTS_14)


def break_pixels(
    rng: np.random.Generator, image: NDArray[np.uint8] | NDArray[np.uint16], free: Bools, count: int, top: int
) -> None:
    """Set ``count`` of the pixels marked ``free`` to 0 or ``top``, in place."""
    places = np.flatnonzero(free)
    chosen = rng.choice(places, min(count, len(places)), replace=False)
    image.flat[chosen[::2]] = top
    image.flat[chosen[1::2]] = 0
