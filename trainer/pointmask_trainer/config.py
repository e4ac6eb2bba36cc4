"""All settings of a training run: frozen dataclasses, one TOML file, two presets.

A run is described whole by its `Config`; the file ``config.toml`` of a run gives the same run again.
Settings come, later over earlier, from the defaults here, a preset, a file, and single settings ``a.b=v``.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from pointmask.settings import merge, parse_setting, parse_toml, read_table, to_table, to_toml
from pointmask_trainer.errors import ConfigError

PRESETS = ("paper", "cpu")

ABLATIONS = ("a1", "a2", "a3", "a4", "a4_val", "b1", "b2", "b3", "b4", "published")
"""Settings of strategy ``d2d`` with parts left out, named as in table 3 of the paper."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelConfig:
    """The detector.

    Attributes
    ----------
    name : str
        See ``pointmask models``.
    in_channels : int
        1, or 3 to feed the band three times as in the published runs of D2D and PAL.
    normalisation : {"list", "image"}
        Grey values less their mean, over their standard deviation: of the training list, as in published
        runs, or of each image by itself, for frames that differ in gain, offset or bit depth.
    prior : float
        Probability that the detector gives every pixel before it is trained; targets are rare, and finding
        that out takes long. 0.5 leaves fresh weights as they are, as in published runs.
    tile : int
        Largest side of what the detector is shown at once when it validates or predicts, in px.
    options : dict
        The detector's own options.
    """

    name: str = "alclnet"
    in_channels: int = 1
    normalisation: Literal["list", "image"] = "list"
    prior: float = 0.5
    tile: int = 1024
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class AugmentConfig:
    """How training crops vary. All zero but `crop` gives plain random crops.

    Attributes
    ----------
    crop : int
        Side of the crops in px; smaller images are continued by reflection.
    positive : float
        Probability that a crop is placed so that it holds a target of its image.
    flip, transpose : bool
        The eight symmetries of the square, each equally likely.
    scale : float
        Images are magnified by up to ``1 + scale`` or reduced as much.
    rotate : float
        Rotation by up to so many degrees either way.
    shift : float
        Sub-pixel shift by up to so many px either way.
    brightness, contrast : float
        Largest change, as a share of the training images' standard deviation, or of the contrast.
    noise : float
        Largest standard deviation of added noise, in the same unit.
    share : float
        Probability that an image gets any of scale, rotate, shift, brightness, contrast and noise.
    """

    crop: int = 256
    positive: float = 0.5
    flip: bool = True
    transpose: bool = True
    scale: float = 0.0
    rotate: float = 0.0
    shift: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    noise: float = 0.0
    share: float = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class LossConfig:
    """The loss of one image; see `pointmask_trainer.detectors.losses`.

    Attributes
    ----------
    name : {"softiou", "bce", "focal", "eedm"}
    deep : {"mean", "sum"}
        How the losses of a detector's maps are joined.
    edge : float
        Weight of label edges under ``eedm``.
    hard_share : float
        Share of the hardest pixels that ``eedm`` keeps.
    """

    name: Literal["softiou", "bce", "focal", "eedm"] = "softiou"
    deep: Literal["mean", "sum"] = "mean"
    edge: float = 4.0
    hard_share: float = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class OptimConfig:
    """The optimiser of the detector's weights.

    Attributes
    ----------
    name : {"adamw", "adam", "sgd"}
    lr, weight_decay : float
    schedule : {"constant", "cosine", "steps"}
        ``cosine`` falls to 1 % of `lr`; ``steps`` multiplies by 0.1 after half and three quarters.
    warmup : float
        Epochs over which the rate first rises from 0.
    clip : float
        Largest norm of the gradient; 0 leaves it as it is.
    average : float
        Decay per step of a running average of the weights, which is then what validates, predicts and is
        saved as the best; 0 takes the weights as they are.
    """

    name: Literal["adamw", "adam", "sgd"] = "adamw"
    lr: float = 5e-4
    weight_decay: float = 0.01
    schedule: Literal["constant", "cosine", "steps"] = "constant"
    warmup: float = 0.0
    clip: float = 0.0
    average: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class StrategyConfig:
    """How the detector is supervised.

    Attributes
    ----------
    name : str
        A strategy of `pointmask_trainer.strategies`.
    options : dict
        The strategy's own options.
    """

    name: str = "masks"
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class RunConfig:
    """How the run is carried out; nothing here changes what is learned but for rounding.

    Attributes
    ----------
    device : str
        ``auto`` takes a GPU where there is one.
    precision : {"float32", "bf16"}
        Of the detector's forward and backward pass; weights stay float32.
    compile : bool
        Through `torch.compile`.
    channels_last : bool
        Keep the channels of a pixel together on a processor too, as a GPU always does: a fifth faster for
        ACM U-Net, but sums are rounded otherwise, so that several processes no longer follow one within 1e-4.
    threads : int
        CPU threads of torch; 0 leaves them as they are.
    validate_every : int
        Epochs between validations; the last epoch is always validated.
    tensorboard : bool
        Write event files as well.
    """

    device: str = "auto"
    precision: Literal["float32", "bf16"] = "float32"
    compile: bool = False
    channels_last: bool = False
    threads: int = 0
    validate_every: int = 1
    tensorboard: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    """One training run.

    Attributes
    ----------
    seed : int
        Every random draw derives from it.
    epochs : int
    batch : int
        Images per step, over all processes.
    model, augment, loss, optim, strategy, run
        The sections above.

    Raises
    ------
    ConfigError
        If a value is out of its range.
    """

    seed: int = 0
    epochs: int = 400
    batch: int = 16
    model: ModelConfig = field(default_factory=ModelConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    strategy: StrategyConfig = field(default_factory=StrategyConfig)
    run: RunConfig = field(default_factory=RunConfig)

    def __post_init__(self) -> None:
        for name, low, high in _BOUNDS:
            owner, _, key = name.rpartition(".")
            value = getattr(getattr(self, owner) if owner else self, key)
            if not (math.isfinite(value) and low <= value <= high):
                raise ConfigError(f"{name} = {value!r} is out of range; it must lie in [{low}, {high}]")

    def to_toml(self) -> str:
        """TOML text; `from_toml` of it gives an equal config."""
        return "\n".join(to_toml(to_table(self)))


_BOUNDS = (
    ("seed", 0, 2**31 - 1),
    ("epochs", 1, 1_000_000),
    ("batch", 1, 65_536),
    ("model.in_channels", 1, 64),
    ("model.prior", 1e-6, 1 - 1e-6),
    ("model.tile", 16, 65_536),
    ("augment.crop", 16, 8192),
    ("augment.positive", 0, 1),
    ("augment.scale", 0, 4),
    ("augment.rotate", 0, 180),
    ("augment.shift", 0, 1024),
    ("augment.brightness", 0, 10),
    ("augment.contrast", 0, 0.99),
    ("augment.noise", 0, 10),
    ("augment.share", 0, 1),
    ("loss.edge", 0, 1000),
    ("loss.hard_share", 1e-6, 1),
    ("optim.lr", 0, 100),
    ("optim.weight_decay", 0, 10),
    ("optim.warmup", 0, 1_000_000),
    ("optim.clip", 0, 1e9),
    ("optim.average", 0, 0.99999),
    ("run.threads", 0, 4096),
    ("run.validate_every", 1, 1_000_000),
)


def load_config(
    *, preset: str | None = None, file: str | Path | None = None, settings: Iterable[str] = ()
) -> Config:
    """Join defaults, a preset, a file and single settings, later over earlier.

    Naming another detector or strategy drops the options that were there for the one before.

    Parameters
    ----------
    preset : {"paper", "cpu"}, optional
    file : str or Path, optional
        TOML file, such as the ``config.toml`` of a run; or one of `ABLATIONS`.
    settings : iterable of str
        ``a.b=value``, the value in TOML or a bare word.

    Raises
    ------
    ConfigError
        If a preset, file, key or value is not right; an unknown key is answered with the nearest.
    """
    table: dict[str, Any] = {}
    if preset is not None:
        if preset not in PRESETS:
            raise ConfigError(f"preset {preset!r} is unknown; choose among {', '.join(PRESETS)}")
        merge(table, parse_toml(_preset_text(preset), f"preset {preset}"))
    if file is not None:
        merge(table, parse_toml(_file_text(file), str(file)))
    for setting in settings:
        merge(table, parse_setting(setting))
    return read_table(Config, table)


def from_toml(text: str, name: str = "config") -> Config:
    """Parse a config; ``name`` is used in messages.

    Raises
    ------
    ConfigError
        As for `load_config`.
    """
    return read_table(Config, parse_toml(text, name))


def _file_text(file: str | Path) -> str:
    if str(file) in ABLATIONS and not Path(file).exists():
        return _preset_text(f"ablations/{file}")
    try:
        return Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"config {file} cannot be read ({error}); check the path") from None


def _preset_text(name: str) -> str:
    return resources.files("pointmask_trainer").joinpath("presets", f"{name}.toml").read_text("utf-8")
