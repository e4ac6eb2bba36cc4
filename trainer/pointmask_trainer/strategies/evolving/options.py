"""Settings of the strategies whose labels evolve."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pointmask.settings import Between, Share, check
from pointmask.theta import Polarity
from pointmask_trainer.errors import ConfigError

Side = Annotated[int, Between(1, 4095)]
Epochs = Annotated[int, Between(1, 1_000_000)]


@dataclass(frozen=True, kw_only=True, slots=True)
class EvolutionOptions:
    """How a label follows the detector, common to LESPS and PAL.

    Attributes
    ----------
    base : float
        Threshold of the probability in a window for a label without pixels, as a share of the window's
        largest.
    growth : float
        Share of the way from `base` to 1 by which the threshold rises for a label of the area `limit`; with
        the published 0.5 labels of twice that area grow no further.
    limit : float
        Area of a label as a share of the frame.
    window, core : int
        Odd sides in px of the squares round a label's centroid: in which it evolves, and which a component
        of the prediction must meet there.
    every : int, optional
        Epochs between updates; by default a thirtieth of all, from 2 to the published 5 (of 400): an update
        costs two fifths of an epoch of a short training on small crops.
    annotator : str
        Theta of the validation labels and of ``start = "annotator"``: a preset, or the path of a TOML file.
    """

    base: Share = 0.5
    growth: Annotated[float, Between(0, 100)] = 0.5
    limit: Annotated[float, Between(1e-9, 1)] = 0.0015
    window: Side = 33
    core: Side = 3
    every: Epochs | None = None
    annotator: str = "default"

    def __post_init__(self) -> None:
        check(self, ConfigError, "strategy.options")
        for name, side in (("window", self.window), ("core", self.core)):
            if side % 2 == 0:
                raise ConfigError(
                    f"strategy.options.{name} = {side} is even; it must be odd, to have a middle: set it to "
                    f"{side + 1}"
                )

    def interval(self, epochs: int) -> int:
        """Return `every` of a training of `epochs` epochs."""
        return min(5, max(2, epochs // 30)) if self.every is None else self.every


@dataclass(frozen=True, kw_only=True, slots=True)
class LESPSOptions(EvolutionOptions):
    """Settings of the strategy ``lesps``; the defaults are the published ones.

    Attributes
    ----------
    base, growth, limit, window, core, every, annotator
        See `EvolutionOptions`.
    start : {"points", "annotator"}
        First labels: the points alone, as published, or the annotator's masks.
    polarity : {"bright", "dark", "auto"}
        Of the targets, for the annotator.
    begin : int, optional
        Epochs before labels evolve; by default an eighth of all, as the published 50 of 400.
    begin_loss : float
        If above 0, labels evolve from the first epoch on whose mean loss is below it, as the published code
        has it, whatever `begin` says.
    strict_core : bool
        Leave out a component of the prediction that misses the core even if it is the only one in the
        window; the published code keeps it.
    order : {"sequential", "union"}
        Whether labels are updated one after the other, so that pixels in two windows are averaged twice as
        published, or all at once.
    decay : float
        Factor of labels outside of what is averaged; 1 as published.
    stop_area : float
        Px per point of an image above which its label evolves no further; 0 sets no bound, as published.
    """

    start: Literal["points", "annotator"] = "points"
    polarity: Polarity = "bright"
    begin: Annotated[int, Between(0, 1_000_000)] | None = None
    begin_loss: Annotated[float, Between(0, 1e9)] = 0.0
    strict_core: bool = False
    order: Literal["sequential", "union"] = "sequential"
    decay: Share = 1.0
    stop_area: Annotated[float, Between(0, 1e9)] = 0.0

    def is_due(self, epoch: int, epochs: int) -> bool:
        """Whether labels are updated after `epoch` finished epochs of `epochs`, as far as these say."""
        begin = round(epochs / 8) if self.begin is None else self.begin
        return epoch == begin + 1 or (epoch > begin and epoch % self.interval(epochs) == 0)


@dataclass(frozen=True, kw_only=True, slots=True)
class PALOptions(EvolutionOptions):
    """Settings of the strategy ``pal``; the defaults are the published ones.

    Attributes
    ----------
    base, growth, limit, window, core, every, annotator
        See `EvolutionOptions`.
    pre, final : float
        Shares of the training after which labels evolve and hard images are admitted, and after which no
        image is admitted any more.
    easy : {"canny", "annotator"}
        Which images the training begins with: those whose points lie in small outlines, as published, or
        those of whose targets the annotator is sure.
    start : {"points", "annotator"}, optional
        Their first labels: what was grown from the points along edges, or the annotator's masks. By default
        what belongs to `easy`.
    easy_confidence : float
        Confidence of the annotator above which a target is easy.
    pass_ratio : float
        Share of an image's targets that must be easy.
    canny_low, canny_high : int
        Thresholds of the gradient: of all pixels of an edge, and of one of them at least.
    half : int
        Half of the side in px of the window round a point in which edges are sought.
    area : float
        Largest outline of an easy target, in px.
    polarity : {"bright", "both"}
        Of the targets; "both" finds the outlines of dark ones too, and lets the annotator decide itself.
    miss : float
        Share of an image's targets that the detector may miss at first if the image is to be admitted; it
        rises to 1.
    false : float
        False components per target that the detector may show in an image that is admitted.
    decay : float
        Factor of labels outside of what is averaged.
    pin : {"saturated", "points"}, optional
        Which pixels never decay: those whose label is within half a grey level of 8 bits of 1, as the
        published code stores them, or the points alone, as the paper's formula has it. By default the former
        for labels grown along edges, the latter for the annotator's masks.
    """

    pre: Share = 0.2
    final: Share = 0.8
    easy: Literal["canny", "annotator"] = "canny"
    start: Literal["points", "annotator"] | None = None
    easy_confidence: Share = 0.5
    pass_ratio: Share = 0.8
    canny_low: Annotated[int, Between(0, 4080)] = 20
    canny_high: Annotated[int, Between(0, 4080)] = 40
    half: Annotated[int, Between(2, 1000)] = 10
    area: Annotated[float, Between(0, 1e6)] = 50.0
    polarity: Literal["bright", "both"] = "bright"
    miss: Share = 0.2
    false: Annotated[float, Between(0, 1e6)] = 5.0
    decay: Share = 0.97
    pin: Literal["saturated", "points"] | None = None

    @property
    def strict_core(self) -> bool:
        """Whether a lone component that misses the core is left out."""
        return True

    @property
    def order(self) -> Literal["sequential", "union"]:
        """Labels are updated all at once."""
        return "union"

    @property
    def from_annotator(self) -> bool:
        """Whether the first labels are the annotator's masks."""
        return (self.start or ("annotator" if self.easy == "annotator" else "points")) == "annotator"

    @property
    def pins_saturated(self) -> bool:
        """Whether all pixels whose label is nearly 1 are pinned, instead of the points alone."""
        return (self.pin or ("points" if self.from_annotator else "saturated")) == "saturated"

    def most_missed(self, epoch: int, epochs: int) -> float:
        """Share of the targets that may be missed in an image admitted before epoch `epoch`, from 0."""
        past = (epoch - self.pre * epochs + 1) / ((self.final - self.pre) * epochs)
        return self.miss + (1 - self.miss) * past
