"""All parameters of the annotator: one dataclass, one TOML file."""

import hashlib
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pointmask.errors import ThetaError
from pointmask.settings import Between, Share, check, number, parse_toml, read_table, to_table, to_toml

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

Polarity = Literal["bright", "dark", "auto"]


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

    half_size: Annotated[int, Between(3, 64)]
    octaves: Annotated[int, Between(0, 3)] = 0
    large_area: Annotated[float, Between(1, 1e9)] = 150.0
    finer_share: Share = 0.0
    buried: Annotated[float, Between(0, 2)] = 0.6
    intensity: Literal["contrast", "range"] = "contrast"
    settle_below: Share = 0.5
    settle_moves: Annotated[int, Between(0, 16)] = 0
    settle_doubt: Share = 0.0
    recentre: Annotated[float, Between(0, 100)] = 0.0
    source_sigma: Annotated[float, Between(0, 16)] = 0.0
    tau: Annotated[float, Between(1e-6, 10)] = 1.0
    spacings: tuple[Literal[1, 2, 4, 8], ...] = (1,)
    steps: tuple[Annotated[int, Between(0, 10_000)], ...]
    D0: tuple[Annotated[float, Between(0, 100)], ...]
    beta: tuple[Annotated[float, Between(0, 1000)], ...]
    alpha: Share = 1.0
    conductance: Literal["exponential", "rational"] = "exponential"
    growth: tuple[Annotated[float, Between(0, 100)], ...] = (0.0,)
    decay: tuple[Annotated[float, Between(0, 100)], ...] = (0.0,)
    # The resemblance network. Its fields keep the name that they have in users' files and digests, "law".
    law_weights: tuple[tuple[float, ...], ...] = ()
    law_bias: tuple[float, ...] = ()
    law_gain: tuple[float, ...] = ()
    law_offset: float = 0.0
    rho: Share
    superpixel: Literal["grid", "centred"] = "centred"
    superpixel_step: Annotated[int, Between(2, 64)]
    compactness: Annotated[float, Between(1e-6, 1e6)]
    superpixel_iterations: Annotated[int, Between(1, 100)] = 10
    level: Annotated[float, Between(0, 0.999)] = 0.5
    reach: Annotated[int, Between(0, 16)] = 4
    confidence: tuple[Annotated[float, Between(-1e6, 1e6)], ...] = (0.0,) * len(CONFIDENCE_MEASUREMENTS)

    def __post_init__(self) -> None:
        check(self, ThetaError)
        stages = len(self.steps)
        for name in ("spacings", "D0", "beta", "growth", "decay"):
            entries = len(getattr(self, name))
            if entries != stages or not stages:
                raise ThetaError(f"{name} has {entries} entries and steps has {stages}; give one per stage")
        for D0, decay in zip(self.D0, self.decay, strict=True):
            total = self.tau * outflow(D0, decay)
            if total > 1 + 1e-9:
                raise ThetaError(
                    f"tau (4 D0 + decay) = {total:.4g} exceeds 1, so the explicit steps would be unstable; "
                    f"lower tau to {1 / outflow(D0, decay):.4g} or less"
                )
        self._check_network()
        if len(self.confidence) != len(CONFIDENCE_MEASUREMENTS):
            raise ThetaError(
                f"confidence has {len(self.confidence)} entries; give {len(CONFIDENCE_MEASUREMENTS)}, "
                "one per measurement"
            )

    def _check_network(self) -> None:
        units, width = len(self.law_weights), len(LOCAL_MEASUREMENTS) + len(TARGET_MEASUREMENTS)
        if len(self.law_bias) != units or len(self.law_gain) != units:
            raise ThetaError(
                f"law_weights has {units} rows, law_bias {len(self.law_bias)} and law_gain "
                f"{len(self.law_gain)} entries; they must agree: give one of each per hidden unit"
            )
        if any(len(row) != width for row in self.law_weights):
            raise ThetaError(f"every row of law_weights needs {width} entries, one per measurement")
        if not units and any((*self.growth, *self.decay)):
            raise ThetaError(
                "growth and decay need a resemblance network; give law_weights, or set growth and decay to 0"
            )
        if units and self.intensity != "contrast":
            raise ThetaError('the resemblance network measures contrast; set intensity = "contrast"')

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
        table = parse_toml(text, name, ThetaError)
        try:
            return read_table(cls, table, ThetaError)
        except ThetaError as error:
            raise ThetaError(f"{name}: {error}") from None

    def to_toml(self) -> str:
        """TOML text; ``Theta.from_toml`` of it gives an equal theta."""
        return "\n".join(to_toml(to_table(self)))

    def with_(self, **changes: Any) -> "Theta":  # noqa: ANN401 - one of several field types
        """Copy with some fields replaced, checked again."""
        return replace(self, **changes)

    @property
    def digest(self) -> str:
        """Hex hash of all values: equal digests, equal masks."""
        values = "".join(f"{item.name} = {_canonical(getattr(self, item.name))}\n" for item in fields(self))
        return hashlib.blake2b(values.encode(), digest_size=8).hexdigest()


def _canonical(value: Any) -> str:  # noqa: ANN401 - the field types of Theta
    """Write a value for the digest: in this form for good, however `Theta.to_toml` lays out its text.

    Manifests of finished jobs hold digests; another form, or another order of the fields, would make every
    job look as if it had been done with another theta.
    """
    if isinstance(value, tuple):
        if value and isinstance(value[0], tuple):
            return "[\n" + "".join(f"    {_canonical(row)},\n" for row in value) + "]"
        return f"[{', '.join(map(_canonical, value))}]"
    return f'"{value}"' if isinstance(value, str) else number(value)


@lru_cache(maxsize=len(PRESETS))
def _preset(name: str) -> Theta:
    text = resources.files("pointmask").joinpath("presets", f"{name}.toml").read_text(encoding="utf-8")
    return Theta.from_toml(text, f"preset {name}")


_FACES = 4  # of a sample


def outflow(D0: Any, decay: Any) -> Any:  # noqa: ANN401 - numbers or tensors
    """Bound the share of a sample that leaves it per unit of time: by its four faces, and absorbed.

    Explicit steps of length tau are stable, and keep the potential positive, where tau times this is at
    most 1.
    """
    return _FACES * D0 + decay


def stable_rates(tau: float, D0: float, decay: float) -> tuple[float, float]:
    """Lower a conductance, then an absorption, to what explicit steps of length tau allow."""
    D0 = min(D0, 1 / (_FACES * tau))
    return D0, min(decay, max(1 / tau - _FACES * D0, 0.0))
