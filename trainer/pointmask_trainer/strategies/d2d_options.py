"""Settings of the strategy ``d2d``."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pointmask.settings import Between, Share, check
from pointmask.theta import Polarity
from pointmask_trainer.errors import ConfigError

UNWEIGHTED = (
    "--strategy", "d2d", "--set", "strategy.options.alpha=off", "--set", "strategy.options.theta=frozen",
    "--set", "strategy.options.response=0", "--set", "strategy.options.beta=0",
)  # fmt: skip
"""Options of ``pointmask train``: the annotator's labels, all of equal weight, and nothing learned beside."""


@dataclass(frozen=True, kw_only=True, slots=True)
class D2DOptions:
    """Settings of what is learned beside the detector, how, and when.

    Attributes
    ----------
    warmup : int, optional
        Epochs before sample weights and theta are learned; by default a fifth of all, as the published 80 of
        400. The validation loss takes part from the first step on.
    beta : float
        Share of the validation loss's gradient in the detector's steps; 0 leaves it out.
    val_every : int
        Steps between validation batches; 1 is the paper's equation.
    alpha : {"meta", "off"}
        Sample weights from the meta-classifier, or all 1.
    alpha_signal : {"hypergradient", "residual"}
        Training signal of the meta-classifier: the gradient of the validation loss with respect to the
        weights after one step, or the published agreement of residuals, which is no gradient.
    alpha_form : {"difference", "exact"}
        The hypergradient from two passes without gradients, or from one in forward mode.
    alpha_fresh : bool
        Take the validation gradient after the detector's step, as the paper writes it, instead of the one
        that made the step: one more pass forward and back.
    alpha_every : int
        Steps between steps of the meta-classifier.
    alpha_lr : float
        Its rate, of Adam.
    theta : {"learn", "frozen"}
        Whether the annotator's parameters follow the detector and all labels are made again.
    theta_every : int, optional
        Epochs between updates; the first follows the first epoch after `warmup`. By default a twelfth of
        all epochs, but no fewer than 3 and no more than the published 20: an update costs half an epoch of a
        short training.
    theta_steps : int
        Steps of one update.
    theta_lr : float
        Their rate, of Adam.
    theta_lambda : float
        Weight of the agreement with the detector against that with the offline labels.
    theta_images : int
        Validation images that an update looks at.
    response : float
        Share of the detector's response in the train list's labels, from their second version on; 0, as
        published, leaves them to the annotator. Labels of the validation list always are, so that no epoch
        is chosen by what a detector said itself.
    labels : {"hard", "soft"}
        Masks, or soft labels.
    annotator : str
        Theta at the start: a preset, or the path of a TOML file.
    rho : float, optional
        Replaces theta's share of the potential against the superpixel: 1 is diffusion alone, 0 superpixels.
    polarity : {"bright", "dark", "auto"}
        Of the targets.
    unseen : float
        Share of the validation list that neither trains nor chooses, and is scored apart; 0, as the paper has
        it, keeps none. Of fewer than ten images none is kept.

    Raises
    ------
    ConfigError
        If a value is out of its range.
    """

    warmup: Annotated[int, Between(0, 1_000_000)] | None = None
    beta: Annotated[float, Between(0, 1000)] = 0.833
    val_every: Annotated[int, Between(1, 1_000_000)] = 4
    alpha: Literal["meta", "off"] = "meta"
    alpha_signal: Literal["hypergradient", "residual"] = "hypergradient"
    alpha_form: Literal["difference", "exact"] = "difference"
    alpha_fresh: bool = False
    alpha_every: Annotated[int, Between(1, 1_000_000)] = 4
    alpha_lr: Annotated[float, Between(0, 10)] = 1e-3
    theta: Literal["learn", "frozen"] = "learn"
    theta_every: Annotated[int, Between(1, 1_000_000)] | None = None
    theta_steps: Annotated[int, Between(1, 10_000)] = 1
    theta_lr: Annotated[float, Between(0, 10)] = 1e-2
    theta_lambda: Annotated[float, Between(0, 1000)] = 1.0
    theta_images: Annotated[int, Between(1, 1_000_000)] = 64
    response: Share = 0.5
    labels: Literal["hard", "soft"] = "hard"
    annotator: str = "default"
    rho: Share | None = None
    polarity: Polarity = "bright"
    unseen: Annotated[float, Between(0, 0.9)] = 0.2

    def __post_init__(self) -> None:
        check(self, ConfigError, "strategy.options")

    def timing(self, epochs: int) -> tuple[int, int]:
        """Return `warmup` and `theta_every` of a training of `epochs` epochs."""
        warmup = epochs // 5 if self.warmup is None else self.warmup
        every = min(20, max(3, epochs // 12)) if self.theta_every is None else self.theta_every
        return warmup, every
