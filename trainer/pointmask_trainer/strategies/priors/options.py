"""Settings of strategy ``priors``."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pointmask.settings import Between, Share
from pointmask_trainer.errors import ConfigError
from pointmask_trainer.strategies.evolving.options import PALOptions

NO_WEIGHTS = (
    "strategy priors needs the weights of a foundation model, which pointmask neither ships nor fetches: "
    "download dinov2_vits14_pretrain.pth (88 MB, Apache-2.0) of github.com/facebookresearch/dinov2, or "
    "DINOv3's under its own licence, then set strategy.options.weights to the file"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class PriorsOptions(PALOptions):
    """Settings of the strategy ``priors``; those of labels and admission are PAL's.

    Attributes
    ----------
    weights : str
        File of DINOv2 or DINOv3.
    strength : float
        How far stages are modulated; published are 0.12 for ALCLNet and 0.55 for MLCLNet.
    hidden : int
        Channels between the foundation model's and the stages'.
    distil : float
        Weight of the distance between teacher and student, in the teacher's loss.
    gate : float
        Weight of the mean size of the gates.
    temperature : float
        Of both in that distance.
    clusters : int
        Most groups of alike images, each of which learns a weight; there are at most an eighth as many as
        images.
    outer_every, outer_steps : int
        Epochs between the steps that teach the student and the groups' weights, and how many there are.
    outer_lr : float
        Rate of these steps.
    hypergradient : {"none", "gn"}
        Direction of these steps: the gradient of the validation loss, or that without what it shares with
        the training loss.
    """

    weights: str = ""
    strength: Share = 0.12
    hidden: Annotated[int, Between(1, 65_536)] = 128
    distil: Annotated[float, Between(0, 1000)] = 0.1
    gate: Annotated[float, Between(0, 1000)] = 0.005
    temperature: Annotated[float, Between(0.01, 1000)] = 4.0
    clusters: Annotated[int, Between(2, 65_536)] = 256
    outer_every: Annotated[int, Between(1, 1_000_000)] = 5
    outer_steps: Annotated[int, Between(0, 10_000)] = 4
    outer_lr: Annotated[float, Between(0, 100)] = 1e-3
    hypergradient: Literal["none", "gn"] = "none"

    def check_weights(self) -> None:
        """Raise an error unless weights are named.

        Raises
        ------
        ConfigError
            If they are not.
        """
        if not self.weights:
            raise ConfigError(NO_WEIGHTS)
