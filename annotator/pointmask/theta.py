"""All parameters of the annotator: one dataclass, one TOML file."""

import hashlib
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pointmask.advice import did_you_mean
from pointmask.errors import ThetaError
from pointmask.measurements import CONFIDENCE_MEASUREMENTS, LOCAL_MEASUREMENTS, TARGET_MEASUREMENTS
from pointmask.regular import read_regular
from pointmask.settings import Between, Share, check, number, parse_toml, read_table, to_table, to_toml

PRESETS = ("paper", "default", "synthetic")

STYLES = {"tight": -0.8, "core": 0.0, "halo": 0.8}
"""Named drawing styles: the best margins for masks of SIRST3's train list shrunk, as drawn, and grown."""

STYLE_BOUNDS = (-3.0, 3.0)
"""Least and largest style, in px."""

_LATER = ("quiet", "style")  # fields that are left out where they are 0

Polarity = Literal["bright", "dark", "auto"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Theta:
    """Parameters of ``L_theta u = -div(D_theta grad u) + lambda_theta u`` and of the steps around it.

    The torch port has the same fields. Lengths are in samples: pixels at the resolution of the window, which
    is that of the image unless the target is large (`octaves`). Bounds are part of the annotations.

    Attributes
    ----------
    half_size : int
        The window has ``2 * half_size + 1`` samples a side.
    octaves : int
        Maximum number of times that the window's resolution may be halved (and its extent doubled) until it
        contains the target.
    large_area : float
        A mask of more pixels than this, or one that touches the window's border, is recomputed once, one
        octave lower. Unused if `octaves` is 0.
    finer_share : float
        Weight of the first soft label, within its window, in the soft label of a target that is recomputed
        for its size. Unused if `octaves` is 0.
    buried : float
        If the background's deviation exceeds this fraction of the contrast, the background ring may lie
        inside a large target; the mask is then computed k octaves lower, for the first k at which the
        deviation is below ``buried / 2**k`` and the contrast half as high again. Unused if `octaves` is 0.
    quiet : float
        Where the noise of single pixels exceeds this fraction of the contrast, the window is filtered first:
        each pixel is pulled towards its surroundings as far as noise explains their variance. 0: never.
    intensity : {"contrast", "range"}
        Unit of the window's values: the target's contrast over its local background, or the range of the
        window.
    settle_below, settle_moves : float, int
        A click is moved to the peak that at most `settle_moves` uphill moves of one pixel lead to, if its
        smoothed contrast is less than this fraction of the peak's. With 0 moves, clicks are not moved.
    settle_doubt : float
        A click with less than this fraction, but not less than `settle_below`, is ambiguous: it is solved
        from both places, and the mask of the peak is used if it is clearly the more confident and
        comes near the click.
    recentre : float
        A mask whose centroid is more than this many of its equivalent radii from the click, or which misses
        the click's pixel, is computed once more from its centroid. 0 disables this.
    source_sigma : float
        Standard deviation of the initial field ``u0`` around the point; 0 is a single pixel (the
        paper's delta).
    tau : float
        Time step. ``tau (4 D0 + decay) <= 1`` keeps the scheme stable and positive.
    spacings, steps : tuple of int
        Stages of the iteration, coarse to fine: ``steps`` explicit steps each, between samples ``spacing``
        apart. The paper's scheme is one stage of spacing 1.
    D0, beta : tuple of float, one per stage
        Conductance where there is no difference across the face, and its decay rate with the difference.
    alpha : float
        Weight of the gradient against the local entropy in the conductance.
    conductance : {"exponential", "rational"}
        ``D0 exp(-beta q)`` (equation 2 of the paper) or ``D0 / (1 + (beta q)^2)``.
    growth, decay : tuple of float, one per stage
        The reaction: ``lambda_theta`` is ``-growth r`` where the resemblance ``r`` is positive and
        ``-decay r`` where it is negative, so that the potential grows along pixels that resemble the target
        and is absorbed elsewhere. 0 and 0 is the paper's pure diffusion.
    law_weights : tuple of tuples, (h, 15); law_bias, law_gain : (h,); law_offset : float
        The resemblance network: h hidden ReLU units over `LOCAL_MEASUREMENTS` followed by
        `TARGET_MEASUREMENTS`, and a softsign output in (-1, 1). Empty if growth and decay are 0.
    rho : float
        Weight of the potential against the superpixel in the soft label (equation 4).
    superpixel : {"grid", "centred"}
        Clusters initialised on a grid over the window (as published), or on a 3 x 3 grid centred on the
        point, which commutes with flips.
    superpixel_step : int
        Distance between initial cluster centres.
    compactness : float
        Weight of space against grey value in the superpixels.
    superpixel_iterations : int
    level : float
        Soft label above which a pixel belongs to the mask; 0 selects Otsu's threshold over the window.
    reach : int
        Distance from the point within which the mask must have a sample.
    confidence : (9,) tuple of float
        Logistic weights that map `CONFIDENCE_MEASUREMENTS` to a predicted IoU.
    style : float
        How people draw: the outline of the finished soft label is moved outwards by about this many px
        (inwards if negative), further where the target still shines. It changes nothing that comes before:
        where a target is solved from, at which scale, and its confidence. `STYLES` has names for some.

    Raises
    ------
    ThetaError
        If a value is out of its bounds, if stages differ in length, if the scheme would be unstable, or if
        the grid of superpixels has no centre in the window.

    Notes
    -----
    The preset ``default`` is not physics alone: its reaction term is a small network of 16 hidden units that
    was fitted by gradient descent through the unrolled steps to the true masks of SIRST3's train list.
    ``benchmarks/results/quality-annotation.md`` measures what the masks lose without each part.
    ``synthetic`` is the same operator with a network fitted to built-in scenes, and to no human mask.
    """

    half_size: Annotated[int, Between(3, 64)]
    octaves: Annotated[int, Between(0, 3)] = 0
    large_area: Annotated[float, Between(1, 1e9)] = 150.0
    finer_share: Share = 0.0
    buried: Annotated[float, Between(0, 2)] = 0.6
    quiet: Annotated[float, Between(0, 2)] = 0.0
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
    # The resemblance network. "law" is its name in users' files, in digests and in older measurements.
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
    style: Annotated[float, Between(*STYLE_BOUNDS)] = 0.0

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
        if self.superpixel == "grid" and self.superpixel_step // 2 > 2 * self.half_size:
            raise ThetaError(
                f"superpixel_step = {self.superpixel_step} leaves no cluster centre in a window of "
                f"{2 * self.half_size + 1} samples; give at most {4 * self.half_size + 1}, or raise half_size"
            )
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
        return hash((self.half_size, self.steps, self.D0, self.law_offset, self.rho, self.level, self.style))

    @classmethod
    def load(cls, source: "Theta | str | Path") -> "Theta":
        """Return a preset by name, read a TOML file, or pass a `Theta` through.

        Parameters
        ----------
        source : Theta, str or Path
            ``"paper"``, ``"default"``, ``"synthetic"``, or the path of a TOML file written by `to_toml`.

        Raises
        ------
        ThetaError
            If there is no such preset or file, or if it does not hold a valid theta.
        """
        if isinstance(source, Theta):
            return source
        if str(source) in PRESETS:
            return _preset(str(source))
        if not isinstance(source, (str, Path)):
            raise ThetaError(
                f"theta {source!r} is a {type(source).__name__}; give a Theta, a preset or a path"
            )
        path = Path(source)
        try:
            text = read_regular(path).decode("utf-8-sig")  # Windows' editors begin with a mark
        except (OSError, ValueError) as error:
            raise ThetaError(
                f"theta {str(source)!r} is neither a preset ({', '.join(PRESETS)}) nor a readable TOML file "
                f"({error}); {did_you_mean(str(source), PRESETS)}run `pointmask annotate --help`"
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
        return "\n".join(
            to_toml({name: value for name, value in to_table(self).items() if self._is_told(name)})
        )

    def drawn(self, style: str | float | None) -> "Theta":
        """Copy with another drawing style.

        Parameters
        ----------
        style : {"tight", "core", "halo"}, float or None
            A name of `STYLES`, px of margin (as text too), or None for no change.

        Raises
        ------
        ThetaError
            If it is neither a name nor a number in range.
        """
        if style is None:
            return self
        margin: float | None = STYLES.get(style) if isinstance(style, str) else style
        if margin is None:
            try:
                margin = float(style)
            except ValueError:
                raise ThetaError(
                    f"style {style!r} is unknown; {did_you_mean(str(style), STYLES)}choose "
                    f"{', '.join(STYLES)}, or px of margin such as 0.5"
                ) from None
        return self.with_(style=margin)

    def with_(self, **changes: Any) -> "Theta":  # noqa: ANN401 - one of several field types
        """Copy with some fields replaced, checked again."""
        return replace(self, **changes)

    @property
    def digest(self) -> str:
        """Hex hash of all values: equal digests, equal masks."""
        values = "".join(
            f"{item.name} = {_canonical(getattr(self, item.name))}\n"
            for item in fields(self)
            if self._is_told(item.name)
        )
        return hashlib.blake2b(values.encode(), digest_size=8).hexdigest()

    def _is_told(self, name: str) -> bool:
        """Whether files and digests name a field; thetas from before there was one stay what they are."""
        return name not in _LATER or bool(getattr(self, name))


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


_FACES = 4  # per sample


def outflow(D0: Any, decay: Any) -> Any:  # noqa: ANN401 - numbers or tensors
    """Return the largest fraction of a sample that can leave it per unit of time.

    It leaves through four faces and by absorption. Explicit steps of length tau are stable and positive if
    tau times this is at most 1.
    """
    return _FACES * D0 + decay


def stable_rates(tau: float, D0: float, decay: float) -> tuple[float, float]:
    """Clip a conductance, then an absorption, to the largest for which steps of length tau are stable."""
    D0 = min(D0, 1 / (_FACES * tau))
    return D0, min(decay, max(1 / tau - _FACES * D0, 0.0))
