"""All parameters of the annotator: one dataclass, one TOML file."""

import hashlib
import math
import sys
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from pointmask.errors import ThetaError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PRESETS = ("paper", "default")

LOCAL_MEASUREMENTS = (
    "contrast",  # (I - background) / contrast of the target
    "contrast_1",  # the same smoothed, sigma about 0.7, 1.6, 3.2, 6.5 and 13 samples
    "contrast_2",
    "contrast_3",
    "contrast_4",
    "contrast_5",
    "distance",  # from the point, in units of 10 samples
    "log_distance",  # log(1 + distance)
    "texture_1",  # 4 x local mean of |contrast - contrast_1|
    "texture_2",  # 4 x local mean of |contrast_1 - contrast_2|
)
TARGET_MEASUREMENTS = (
    "noise",  # 0.3 log(min(2, background deviation / contrast) + 0.02)
    "step_inner",  # contrast against the ring of 4 to 7 samples, relative
    "step_outer",  # contrast against the ring of 13 to 22 samples, relative
    "extent_30",  # 0.3 log(1 + samples over 30 % of the contrast within 10 samples)
    "extent_60",  # the same for 60 %
)
CONFIDENCE_MEASUREMENTS = (
    "one",
    "steepness",  # rim of the mask less ring 1 round it, over mask less ring 3; -1 to 2
    "separation",  # log(0.3 + s), s = (mask - rings 1 and 2) / (their deviations + 0.02), 0 to 6
    "separation_squared",
    "outline",  # pixels of the rim / square root of the mask's area
    "outline_squared",
    "blur_squared",  # peak of the contrast in the mask, smoothed twice / once; 0 to 1.5, squared
    "texture_squared",  # 10 x mean |contrast - contrast_1| beyond ring 3, squared
    "spread_squared",  # log(1 + second moment of the positive contrast up to ring 3 / area), squared
)

_Row = tuple[float, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Theta:
    """Parameters of ``L_theta u = -div(D_theta grad u) + lambda_theta u`` and of what surrounds it.

    The fields are those of the torch port, under the same names. Lengths are in samples: pixels at
    the window's own resolution, which is the image's unless the target is large (`octaves`).

    Attributes
    ----------
    half_size : int
        The window has ``2 * half_size + 1`` samples a side. 3 to 64.
    octaves : int
        How often the window may be halved in resolution (and so doubled in extent) until it holds
        the target. 0 to 3.
    large_area : float
        A mask of more pixels than this, or one that meets its window's border, is made again one
        octave lower, once. Unused if `octaves` is 0.
    finer_share : float
        Share of the first soft label, where its window reaches, in that of a target made again for its
        size; 0 forgets the first. Unused if `octaves` is 0.
    buried : float
        Where the background's deviation exceeds this share of the contrast, the background ring may
        lie inside a large target; the mask is then made k octaves lower, for the first k at which
        the deviation is below ``buried / 2**k`` and the contrast half as high again. Unused if `octaves`
        is 0.
    intensity : {"contrast", "range"}
        Unit of the window's values: the target's contrast over its local background, or the
        window's range.
    settle_below, settle_moves : float, int
        A click with less than this share of the smoothed contrast of the peak that at most so many
        uphill moves of one px lead to is taken to mean that peak. 0 moves leave clicks alone.
    settle_doubt : float
        A click with less than this share, but not so little as `settle_below`, may mean either: it is
        solved from both places, and the peak's mask is taken if it is clearly the more confident and
        comes near the click.
    recentre : float
        A mask whose centroid lies more than so many of its equivalent radii from the click, or which
        misses the click's pixel, is made once more from its centroid; 0 is never.
    source_sigma : float
        Spread of the initial field ``u0`` round the point, in samples; 0 is a single pixel (the
        paper's delta).
    tau : float
        Time step. ``4 tau D0 + tau decay <= 1`` keeps the scheme stable and positive.
    spacings, steps : tuple of int
        Stages of the iteration, coarse to fine: in each, ``steps`` explicit steps between samples
        that are ``spacing`` apart. The paper's scheme is one stage of spacing 1.
    D0, beta : tuple of float, one per stage
        Conductance at a flat face, and how fast it falls with the difference across the face.
    alpha : float
        Share of the gradient against the local entropy in the conductance, in [0, 1].
    conductance : {"exponential", "rational"}
        ``D0 exp(-beta q)`` (equation 2 of the paper) or ``D0 / (1 + (beta q)^2)``.
    growth, decay : tuple of float, one per stage
        ``lambda_theta`` is ``-growth r`` where the resemblance ``r`` is positive and ``-decay r``
        where it is negative: the potential grows along pixels that resemble the target and is
        absorbed elsewhere. 0 and 0 is the paper's pure diffusion.
    law_weights : tuple of tuples, (h, 15); law_bias, law_gain : (h,); law_offset : float
        The resemblance of a pixel (`pointmask.kernels.resemblance.resemblance`) as ``h`` hinges over
        `LOCAL_MEASUREMENTS` followed by `TARGET_MEASUREMENTS`. Empty if growth and decay are 0.
    rho : float
        Share of the potential against the superpixel in the soft label, in [0, 1] (equation 4).
    superpixel : {"grid", "centred"}
        Clusters started on a grid over the window (as published), or on a 3 x 3 grid centred on the
        point, which commutes with flips.
    superpixel_step : int
        Distance of the first cluster centres in samples.
    compactness : float
        Space against grey value in the superpixels, positive.
    superpixel_iterations : int
    level : float
        Soft label above which a pixel is in the mask, in [0, 1); 0 stands for Otsu's threshold over
        the window.
    reach : int
        Samples from the point within which the mask must lie.
    confidence : (9,) tuple of float
        Logistic weights that turn `CONFIDENCE_MEASUREMENTS` into a predicted IoU.

    Raises
    ------
    ThetaError
        If a value is out of its bounds, if stages differ in length, or if the scheme would be
        unstable.
    """

    half_size: int
    octaves: int = 0
    large_area: float = 150.0
    finer_share: float = 0.0
    buried: float = 0.6
    intensity: Literal["contrast", "range"] = "contrast"
    settle_below: float = 0.5
    settle_moves: int = 0
    settle_doubt: float = 0.0
    recentre: float = 0.0
    source_sigma: float = 0.0
    tau: float = 1.0
    spacings: tuple[int, ...] = (1,)
    steps: tuple[int, ...]
    D0: _Row
    beta: _Row
    alpha: float = 1.0
    conductance: Literal["exponential", "rational"] = "exponential"
    growth: _Row = (0.0,)
    decay: _Row = (0.0,)
    law_weights: tuple[_Row, ...] = ()
    law_bias: _Row = ()
    law_gain: _Row = ()
    law_offset: float = 0.0
    rho: float
    superpixel: Literal["grid", "centred"] = "centred"
    superpixel_step: int
    compactness: float
    superpixel_iterations: int = 10
    level: float = 0.5
    reach: int = 4
    confidence: _Row = (0.0,) * len(CONFIDENCE_MEASUREMENTS)

    def __post_init__(self) -> None:
        for name, low, high in _BOUNDS:
            values = getattr(self, name)
            for value in values if isinstance(values, tuple) else (values,):
                if not (math.isfinite(value) and low <= value <= high):
                    raise ThetaError(f"{name} = {value!r} is out of bounds; it must lie in [{low}, {high}]")
        for name, allowed in _CHOICES:
            if getattr(self, name) not in allowed:
                raise ThetaError(
                    f"{name} = {getattr(self, name)!r} is unknown; use one of {', '.join(allowed)}"
                )
        stages = len(self.steps)
        for name in ("spacings", "D0", "beta", "growth", "decay"):
            entries = len(getattr(self, name))
            if entries != stages or not stages:
                raise ThetaError(f"{name} has {entries} entries and steps has {stages}; give one per stage")
        if any(spacing not in (1, 2, 4, 8) for spacing in self.spacings):
            raise ThetaError(f"spacings = {self.spacings} must be taken from 1, 2, 4, 8")
        for D0, decay in zip(self.D0, self.decay, strict=True):
            total = self.tau * (4 * D0 + decay)
            if total > 1 + 1e-9:
                raise ThetaError(
                    f"tau (4 D0 + decay) = {total:.4g} exceeds 1, so the explicit steps would be unstable; "
                    f"lower tau to {1 / (4 * D0 + decay):.4g} or less"
                )
        self._check_law()

    def _check_law(self) -> None:
        hinges, width = len(self.law_weights), len(LOCAL_MEASUREMENTS) + len(TARGET_MEASUREMENTS)
        if len(self.law_bias) != hinges or len(self.law_gain) != hinges:
            raise ThetaError(
                f"law_weights has {hinges} rows, law_bias {len(self.law_bias)} and law_gain "
                f"{len(self.law_gain)} entries; they must agree"
            )
        if any(len(row) != width for row in self.law_weights):
            raise ThetaError(f"every row of law_weights needs {width} entries, one per measurement")
        numbers = [v for row in self.law_weights for v in row]
        if not all(map(math.isfinite, (*numbers, *self.law_bias, *self.law_gain, self.law_offset))):
            raise ThetaError("law_weights, law_bias, law_gain and law_offset must be finite")
        if not hinges and any((*self.growth, *self.decay)):
            raise ThetaError("growth and decay need a law; give law_weights or set growth and decay to 0")
        if hinges and self.intensity != "contrast":
            raise ThetaError('the law measures contrast; set intensity = "contrast"')
        if len(self.confidence) != len(CONFIDENCE_MEASUREMENTS):
            raise ThetaError(
                f"confidence has {len(self.confidence)} entries; give {len(CONFIDENCE_MEASUREMENTS)}"
            )

    def __hash__(self) -> int:
        # Operators are cached by theta; hashing some 250 weights would cost 5 % of a target's time.
        return hash((self.half_size, self.steps, self.D0, self.law_offset, self.rho, self.level))

    @classmethod
    def load(cls, source: "Theta | str | Path") -> "Theta":
        """Return a preset by name, read a TOML file, or pass a `Theta` through.

        Parameters
        ----------
        source : Theta, str or Path
            ``"paper"``, ``"default"``, or the path of a TOML file written by `to_toml`.

        Raises
        ------
        ThetaError
            If there is no such preset or file, or if it does not hold a valid theta.
        """
        if isinstance(source, Theta):
            return source
        if str(source) in PRESETS:
            return _preset(str(source))
        path = Path(source)
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ThetaError(
                f"theta {str(source)!r} is neither a preset ({', '.join(PRESETS)}) nor a readable TOML file "
                f"({error}); run `pointmask annotate --help`"
            ) from None
        return cls.from_toml(text, str(path))

    @classmethod
    def from_toml(cls, text: str, name: str = "theta") -> "Theta":
        """Parse TOML text; ``name`` is used in messages.

        Raises
        ------
        ThetaError
            If the text is not TOML, has an unknown or missing key, or a value out of bounds.
        """
        try:
            table = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ThetaError(f"{name} is not valid TOML: {error}; write one with Theta.to_toml()") from None
        known = {f.name for f in fields(cls)}
        unknown = sorted(set(table) - known)
        if unknown:
            raise ThetaError(
                f"{name} has unknown keys {', '.join(unknown)}; known are {', '.join(sorted(known))}"
            )
        try:
            return cls(**{key: _from_toml(key, value, _DEPTH.get(key, 0)) for key, value in table.items()})
        except (TypeError, ValueError) as error:  # ThetaError is a ValueError
            raise ThetaError(f"{name}: {error}") from None

    def to_toml(self) -> str:
        """TOML text; ``Theta.from_toml`` of it gives an equal theta."""
        return "".join(f"{f.name} = {_to_toml(getattr(self, f.name))}\n" for f in fields(self))

    def with_(self, **changes: Any) -> "Theta":  # noqa: ANN401 - one of several field types
        """Copy with some fields replaced, checked again."""
        return replace(self, **changes)

    @property
    def digest(self) -> str:
        """Hex hash of all values: equal digests, equal masks."""
        return hashlib.blake2b(self.to_toml().encode(), digest_size=8).hexdigest()


_BOUNDS = (
    ("half_size", 3, 64),
    ("octaves", 0, 3),
    ("large_area", 1.0, 1e9),
    ("finer_share", 0.0, 1.0),
    ("buried", 0.0, 2.0),
    ("settle_below", 0.0, 1.0),
    ("settle_moves", 0, 16),
    ("settle_doubt", 0.0, 1.0),
    ("recentre", 0.0, 100.0),
    ("source_sigma", 0.0, 16.0),
    ("tau", 1e-6, 10.0),
    ("steps", 0, 10_000),
    ("D0", 0.0, 100.0),
    ("beta", 0.0, 1000.0),
    ("alpha", 0.0, 1.0),
    ("growth", 0.0, 100.0),
    ("decay", 0.0, 100.0),
    ("rho", 0.0, 1.0),
    ("superpixel_step", 2, 64),
    ("compactness", 1e-6, 1e6),
    ("superpixel_iterations", 1, 100),
    ("level", 0.0, 0.999),
    ("reach", 0, 16),
    ("confidence", -1e6, 1e6),
)
_CHOICES = (
    ("intensity", ("contrast", "range")),
    ("conductance", ("exponential", "rational")),
    ("superpixel", ("grid", "centred")),
)
_WHOLE = frozenset(
    (
        "half_size",
        "settle_moves",
        "octaves",
        "spacings",
        "steps",
        "superpixel_step",
        "superpixel_iterations",
        "reach",
    )
)
_TEXT = frozenset(name for name, _ in _CHOICES)
_DEPTH = {
    **dict.fromkeys(
        ("spacings", "steps", "D0", "beta", "growth", "decay", "law_bias", "law_gain", "confidence"), 1
    ),
    "law_weights": 2,
}


@lru_cache(maxsize=len(PRESETS))
def _preset(name: str) -> Theta:
    text = resources.files("pointmask").joinpath("presets", f"{name}.toml").read_text(encoding="utf-8")
    return Theta.from_toml(text, f"preset {name}")


def _from_toml(key: str, value: Any, depth: int) -> Any:  # noqa: ANN401 - TOML holds any of several types
    """Check that a value is a number, text or list of them, ``depth`` lists deep; lists become tuples."""
    if depth:
        if not isinstance(value, list):
            raise ThetaError(f"{key} = {value!r} must be a list")
        return tuple(_from_toml(key, item, depth - 1) for item in value)
    if key in _TEXT:
        if not isinstance(value, str):
            raise ThetaError(f"{key} = {value!r} must be text")
        return value
    kinds = (int,) if key in _WHOLE else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds):
        raise ThetaError(f"{key} = {value!r} must be {'a whole number' if key in _WHOLE else 'a number'}")
    return value if key in _WHOLE else float(value)


def _to_toml(value: Any) -> str:  # noqa: ANN401 - the field types of Theta
    if isinstance(value, tuple):
        if value and isinstance(value[0], tuple):
            return "[\n" + "".join(f"    {_to_toml(row)},\n" for row in value) + "]"
        return f"[{', '.join(map(_to_toml, value))}]"
    return f'"{value}"' if isinstance(value, str) else repr(value)


Polarity = Literal["bright", "dark", "auto"]
