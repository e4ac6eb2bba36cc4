"""All settings of a training run: frozen dataclasses, one TOML file.

A `Config` describes a run completely; the file ``config.toml`` of a run reproduces it. Settings are read from
the defaults here, a preset, a file and single settings ``a.b=v``, each overriding the ones before.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pointmask.defects import DeadPixels
from pointmask.settings import Between, Share, check, parse_toml, read_table, to_table, to_toml
from pointmask_trainer.errors import ConfigError
from pointmask_trainer.meanings import meant
from pointmask_trainer.recipes import combined

Precision = Literal["float32", "bf16", "auto"]
"""In which a detector is computed, see `RunConfig`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelConfig:
    """The detector.

    Attributes
    ----------
    name : str
        See ``pointmask models``.
    in_channels : int
        1, or 3 to repeat the single band three times as in the published runs of D2D and PAL.
    normalisation : {"list", "image"}
        Statistics with which grey values are standardised: those of the training list, as in published runs,
        or those of each image, for frames that differ in gain, offset or bit depth.
    prior : float
        Probability that the untrained detector assigns to every pixel; targets are rare, and learning
        that takes many steps. 0.5 leaves the initial weights unchanged, as in published runs.
    tile : int
        Largest side of the detector's input in validation and prediction, in px; larger images are tiled.
    dead_pixels : {"replace", "keep"}
        Whether pixels that stand alone far off all their neighbours are taken for defects of the sensor.
        Where no optics spread a target, targets of one pixel look the same: keep them.
    init : str
        Weights to start from: a run, a ``.safetensors`` file, or ``builtin``, those that come with the
        package. Empty for fresh ones. The detector must be the same, with the same options.
    options : dict
        Options specific to the detector.
    """

    name: str = "alclnet"
    in_channels: Annotated[int, Between(1, 64)] = 1
    normalisation: Literal["list", "image"] = "list"
    prior: Annotated[float, Between(1e-6, 1 - 1e-6)] = 0.5
    tile: Annotated[int, Between(16, 65_536)] = 1024
    dead_pixels: DeadPixels = "replace"
    init: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check(self, ConfigError, "model")


@dataclass(frozen=True, kw_only=True, slots=True)
class MasksConfig:
    """Masks of detected targets, in validation and by default in prediction.

    Attributes
    ----------
    by : {"network", "operator"}
        Pixels that the network finds more likely than not; or the annotator's mask at the centre of every
        component that both hold to be a target, see `pointmask_trainer.inference.evidence`.
    theta : str
        The annotator's parameters: a preset or a TOML file. Empty stands for those that made the labels,
        where they are known, and else for "default".
    polarity : {"bright", "dark", "auto"}
        Of the targets against their surroundings.
    """

    by: Literal["network", "operator"] = "network"
    theta: str = ""
    polarity: Literal["bright", "dark", "auto"] = "bright"

    def __post_init__(self) -> None:
        check(self, ConfigError, "masks")


@dataclass(frozen=True, kw_only=True, slots=True)
class AugmentConfig:
    """Augmentation of training crops. With everything but `crop` zero, crops are merely placed at random.

    Attributes
    ----------
    crop : int
        Side of the crops in px; smaller images are padded by reflection.
    positive : float
        Probability that a crop is placed such that it contains a target of its image.
    flip, transpose : bool
        The eight symmetries of the square, each equally likely.
    scale : float
        Images are magnified or reduced by a factor of up to ``1 + scale``.
    rotate : float
        Largest rotation in either direction, in degrees.
    shift : float
        Largest sub-pixel shift in either direction, in px.
    brightness, contrast : float
        Largest change, as a share of the training images' standard deviation, or of the contrast.
    noise : float
        Largest standard deviation of added noise, in the same unit as `brightness`.
    share : float
        Probability with which the geometric changes (scale, rotate, shift), and each of brightness, contrast
        and noise, are applied to an image.
    """

    crop: Annotated[int, Between(16, 8192)] = 256
    positive: Share = 0.5
    flip: bool = True
    transpose: bool = True
    scale: Annotated[float, Between(0, 4)] = 0.0
    rotate: Annotated[float, Between(0, 180)] = 0.0
    shift: Annotated[float, Between(0, 1024)] = 0.0
    brightness: Annotated[float, Between(0, 10)] = 0.0
    contrast: Annotated[float, Between(0, 0.99)] = 0.0
    noise: Annotated[float, Between(0, 10)] = 0.0
    share: Share = 0.5

    def __post_init__(self) -> None:
        check(self, ConfigError, "augment")


@dataclass(frozen=True, kw_only=True, slots=True)
class LossConfig:
    """The loss of one image; see `pointmask_trainer.detectors.losses`.

    Attributes
    ----------
    name : {"softiou", "softiou+focal", "bce", "focal", "eedm"}
    deep : {"mean", "sum"}
        Reduction over the losses of a detector's maps.
    edge : float
        Weight of label edges in ``eedm``; 1 is the loss that the published code of PAL computes.
    edge_neighbours : {8, 4}
        Pixels of which one lies on the other side of an edge: 4 leaves out corners, as published.
    hard_share : float
        Share of the hardest pixels over which ``eedm`` averages.
    focal_norm : {"label", "ones"}
        What ``focal`` is divided by: each image's sum of labels or, as in the published code of LESPS, the
        number of pixels of the whole batch whose label is exactly 1, per image.
    """

    name: Literal["softiou", "softiou+focal", "bce", "focal", "eedm"] = "softiou"
    deep: Literal["mean", "sum"] = "mean"
    edge: Annotated[float, Between(0, 1000)] = 4.0
    edge_neighbours: Literal[8, 4] = 8
    hard_share: Annotated[float, Between(1e-6, 1)] = 0.5
    focal_norm: Literal["label", "ones"] = "label"

    def __post_init__(self) -> None:
        check(self, ConfigError, "loss")


@dataclass(frozen=True, kw_only=True, slots=True)
class OptimConfig:
    """The optimiser of the detector's weights.

    Attributes
    ----------
    name : {"adamw", "adam", "sgd"}
    lr, weight_decay : float
    schedule : {"constant", "cosine", "steps"}
        ``cosine`` decays to 1 % of `lr`; ``steps`` multiplies by 0.1 after half and three quarters.
    warmup : float
        Number of epochs over which the learning rate initially rises from 0.
    clip : float
        Largest norm of the gradient; 0 disables clipping.
    average : float
        Decay per step of an exponential moving average (EMA) of the weights, which is then used for
        validation and prediction and saved as the best; 0 disables averaging.
    """

    name: Literal["adamw", "adam", "sgd"] = "adamw"
    lr: Annotated[float, Between(0, 100)] = 5e-4
    weight_decay: Annotated[float, Between(0, 10)] = 0.01
    schedule: Literal["constant", "cosine", "steps"] = "constant"
    warmup: Annotated[float, Between(0, 1_000_000)] = 0.0
    clip: Annotated[float, Between(0, 1e9)] = 0.0
    average: Annotated[float, Between(0, 0.99999)] = 0.0

    def __post_init__(self) -> None:
        check(self, ConfigError, "optim")


@dataclass(frozen=True, kw_only=True, slots=True)
class StrategyConfig:
    """How the detector is supervised.

    Attributes
    ----------
    name : str
        A strategy of `pointmask_trainer.strategies`.
    options : dict
        Options specific to the strategy.
    """

    name: str = "masks"
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check(self, ConfigError, "strategy")


@dataclass(frozen=True, kw_only=True, slots=True)
class RunConfig:
    """Execution of the run; these settings affect results only by rounding.

    Attributes
    ----------
    device : str
        ``auto`` selects a GPU if available.
    precision : {"float32", "bf16", "auto"}
        Precision of the detector's forward and backward pass; weights remain float32. ``auto`` is bf16 on a
        processor with a unit for it (AMX), and float32 elsewhere.
    compile : bool
        Compile the detector with `torch.compile`.
    channels_last : bool
        Channels-last memory format on a CPU, as always on a GPU: a fifth faster for ACM U-Net, but sums
        are rounded differently, so that several processes no longer agree with one within 1e-4.
    threads : int
        CPU threads of torch; 0 keeps torch's default.
    validate_every : int
        Epochs between validations; the last is always validated.
    tensorboard : bool
        Also write TensorBoard event files.
    callbacks : tuple of str
        Also told of each epoch: tensorboard, wandb, mlflow, or callbacks of other packages.
    """

    device: str = "auto"
    precision: Precision = "float32"
    compile: bool = False
    channels_last: bool = False
    threads: Annotated[int, Between(0, 4096)] = 0
    validate_every: Annotated[int, Between(1, 1_000_000)] = 1
    tensorboard: bool = False
    callbacks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check(self, ConfigError, "run")


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    """One training run.

    Attributes
    ----------
    seed : int
        Seed of all random numbers.
    epochs : int
        At most; see `patience`.
    batch : int
        Images per step, over all processes.
    patience : int
        Validations in a row without a better one after which the run ends early; 0 trains all epochs.
    model, masks, augment, loss, optim, strategy, run
        The sections above.

    Raises
    ------
    ConfigError
        If a value is out of its range.
    """

    seed: Annotated[int, Between(0, 2**31 - 1)] = 0
    epochs: Annotated[int, Between(1, 1_000_000)] = 400
    batch: Annotated[int, Between(1, 65_536)] = 16
    patience: Annotated[int, Between(0, 1_000_000)] = 0
    model: ModelConfig = field(default_factory=ModelConfig)
    masks: MasksConfig = field(default_factory=MasksConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    strategy: StrategyConfig = field(default_factory=StrategyConfig)
    run: RunConfig = field(default_factory=RunConfig)

    def __post_init__(self) -> None:
        check(self, ConfigError)

    def to_toml(self) -> str:
        """Return TOML text from which `from_toml` restores an equal config."""
        return "\n".join(to_toml(to_table(self)))


def load_config(
    *, preset: str | None = None, file: str | Path | None = None, settings: Iterable[str] = ()
) -> Config:
    """Combine defaults, a preset, a file and single settings, each overriding the ones before.

    Setting another detector or strategy discards the options of the previous one, and its first weights.
    Settings that define a strategy, such as the focal loss of ``lesps``, override a preset that was not made
    for this strategy, and are themselves overridden by a file and by single settings.

    Parameters
    ----------
    preset : str, optional
        One of `pointmask_trainer.recipes.PRESETS`.
    file : str or Path, optional
        TOML file, such as the ``config.toml`` of a run; or one of
        `pointmask_trainer.recipes.ABLATIONS` or ``VARIANTS``.
    settings : iterable of str
        ``a.b=value``, the value in TOML or a bare word.

    Raises
    ------
    ConfigError
        If a preset, file, key or value is invalid; for an unknown key the message suggests the nearest.
    """
    table = combined(preset, file, settings)
    try:
        return read_table(Config, table, ConfigError)
    except ConfigError as error:
        name, is_unknown, _ = str(error).partition(" is no setting")
        if is_unknown and (answer := meant(name)):
            raise ConfigError(f"{name} is no setting; {answer}") from None
        raise


def from_toml(text: str, name: str = "config") -> Config:
    """Parse a config; ``name`` is used in messages.

    Raises
    ------
    ConfigError
        As for `load_config`.
    """
    return read_table(Config, parse_toml(text, name, ConfigError), ConfigError)
