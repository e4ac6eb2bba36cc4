"""Settings of the strategy ``gsacp``."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pointmask.settings import Between, Share, check
from pointmask.theta import Polarity
from pointmask_trainer.errors import ConfigError


@dataclass(frozen=True, kw_only=True, slots=True)
class GSACPOptions:
    """Settings of targets that are made within each batch.

    Attributes
    ----------
    teacher : {"ema", "none"}
        Whose features make the targets: a moving average of the detector, or the detector itself.
    ema : float
        Decay per step of the teacher.
    support : {"adaptive", "fixed"}
        Radius of a point's surroundings: three times the scale of its target in the image, or `radius`.
    radius : float
        In px of the crop.
    margin : float
        Affinity to the point less affinity to its background, above which a pixel may be target, and below
        minus which it is background.
    contrast_in, contrast_out : float
        Share of the target's contrast from which on a pixel may be target, and below which it is background
        unless it is connected target.
    hard_background : bool
        Learn a projection of the features that separates targets from the background most like them.
    dim : int
        Channels of that projection.
    contrast : float
        Weight of that term.
    hard : int
        Background pixels per point that it looks at.
    ramp : float
        Share of the training over which supports grow from 2 px to their full radius.
    probe_every : int
        Epochs between measurements of how targets drift.
    annotator : str
        Theta of the labels shown and of the validation labels: a preset, or the path of a TOML file.
    polarity : {"bright", "dark", "auto"}
        Of the targets.
    """

    teacher: Literal["ema", "none"] = "ema"
    ema: Annotated[float, Between(0, 0.99999)] = 0.99
    support: Literal["adaptive", "fixed"] = "adaptive"
    radius: Annotated[float, Between(1, 256)] = 8.0
    margin: Annotated[float, Between(0, 2)] = 0.2
    contrast_in: Share = 0.35
    contrast_out: Share = 0.2
    hard_background: bool = True
    dim: Annotated[int, Between(1, 1024)] = 16
    contrast: Annotated[float, Between(0, 1000)] = 0.05
    hard: Annotated[int, Between(1, 100_000)] = 32
    ramp: Share = 0.15
    probe_every: Annotated[int, Between(1, 1_000_000)] = 10
    annotator: str = "default"
    polarity: Polarity = "bright"

    def __post_init__(self) -> None:
        check(self, ConfigError, "strategy.options")

    def grown(self, epoch: int, epochs: int) -> float:
        """Share of the way from 2 px to its full radius that a support has gone after `epoch` epochs."""
        if not self.ramp:
            return 1.0
        return min(1.0, max(0.0, (epoch - 2) / (self.ramp * epochs)))
