"""Settings of strategy ``spire``."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pointmask.settings import Between, check
from pointmask.theta import Polarity
from pointmask_trainer.errors import ConfigError


@dataclass(frozen=True, kw_only=True, slots=True)
class SpireOptions:
    """The heat that a point is to give, and what else is learned.

    Attributes
    ----------
    target : {"gauss", "released", "matched"}
        A Gaussian; its product with the grey values round the brightest pixel near the click, as the
        published program makes it, from an input patch of as many px as the kernel has cells; or with the
        target's contrast cell by cell, which is what the program seems to mean.
    loss : {"auto", "squares", "focal"}
        Mean of squared errors, as published; or the sum of their products with the cross-entropy, over the
        number of points: nearly all of a map is empty, and a mean over it has small gradients. ``auto`` is
        ``focal`` for networks whose heat lies between 0 and 1, which it needs.
    sigma : float
        Standard deviation of the Gaussian in cells.
    radius : int
        Cells from the click to the end of its target.
    rounded : bool
        Centre the Gaussian on the nearest cell, as published, instead of on the point.
    offset_weight, threshold_weight : float
        Weights of the losses of a network that also gives places within cells, and a threshold.
    annotator : str
        Theta of the annotator, which draws masks at the clicks to show and to score masks by: a preset or a
        TOML file.
    polarity : {"bright", "dark", "auto"}
        Of these masks.
    """

    target: Literal["gauss", "released", "matched"] = "gauss"
    loss: Literal["auto", "squares", "focal"] = "auto"
    sigma: Annotated[float, Between(0.1, 20)] = 2.0
    radius: Annotated[int, Between(1, 50)] = 6
    rounded: bool = False
    offset_weight: Annotated[float, Between(0, 100)] = 0.1
    threshold_weight: Annotated[float, Between(0, 100)] = 0.01
    annotator: str = "default"
    polarity: Polarity = "bright"

    def __post_init__(self) -> None:
        check(self, ConfigError, "strategy.options")
