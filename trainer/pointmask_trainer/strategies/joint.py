"""Joint learning on one level: detector, sample weights and theta minimise the same loss together.

The control of ``d2d`` (B1 in table 3 of the paper). Nothing keeps it from giving easy images more weight, or
from making labels that imitate the detector; theta's bounds and those of the weights keep it finite, and
``strategy.jsonl`` shows how far it goes. The validation labels that choose a checkpoint are never changed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np
import torch
from torch import Tensor

from pointmask.annotator.proof import proved
from pointmask.settings import Between, check
from pointmask.theta import Polarity, Theta
from pointmask_trainer.config import LossConfig
from pointmask_trainer.data.batch import Batch
from pointmask_trainer.data.labels import Label, SplitName
from pointmask_trainer.data.split import Split, for_every_image
from pointmask_trainer.detectors.base import Auxiliary, Maps
from pointmask_trainer.detectors.losses import loss_of_maps
from pointmask_trainer.detectors.quiet import unrecorded
from pointmask_trainer.errors import ConfigError, DataError
from pointmask_trainer.operator.theta import ENTRIES, LearnableTheta
from pointmask_trainer.strategies.base import Folder, Part, Strategy
from pointmask_trainer.strategies.d2d_options import UNWEIGHTED
from pointmask_trainer.strategies.labels.annotating import annotate_image
from pointmask_trainer.strategies.labels.rendering import Renderer
from pointmask_trainer.strategies.training import Training
from pointmask_trainer.strategies.weights.difficulty import difficulty_of
from pointmask_trainer.strategies.weights.validation import validation_batch
from pointmask_trainer.strategies.weights.weighting import Weighting, json_list


@dataclass(frozen=True, kw_only=True, slots=True)
class JointOptions:
    """Settings of the strategy ``joint``.

    Attributes
    ----------
    beta : float
        Weight of the validation loss.
    annotator : str
        Theta at the start: a preset, or the path of a TOML file.
    polarity : {"bright", "dark", "auto"}
        Of the targets.
    unseen : float
        Share of the validation list that is kept apart, as for ``d2d``.
    """

    beta: Annotated[float, Between(0, 1000)] = 0.833
    annotator: str = "default"
    polarity: Polarity = "bright"
    unseen: Annotated[float, Between(0, 0.9)] = 0.2

    def __post_init__(self) -> None:
        check(self, ConfigError, "strategy.options")


class Joint(Strategy):
    """Learn everything on one level, on soft labels that are rendered anew in every step."""

    Options = JointOptions
    learns_supervision = True
    learns_weights = True
    needs_points = True
    reads_masks = False
    unweighted = UNWEIGHTED
    options: JointOptions

    def prepare(self, folder: Folder) -> Mapping[SplitName, Sequence[Label]]:
        """Annotate both splits."""
        if not folder.has_points:
            raise DataError("strategy joint annotates from points; name them with --points FILE")
        self._start = self.first_theta()
        return {name: for_every_image(split, self._masks_of(split)) for name, split in folder.splits.items()}

    @property
    def sees_validation(self) -> bool:
        """Whether their clicks enter the loss."""
        return self.options.beta > 0

    @property
    def unseen_share(self) -> float:
        """See `Strategy`; nothing is kept where nothing is seen."""
        return self.options.unseen if self.sees_validation else 0.0

    def first_theta(self) -> Theta:
        """Return the parameters that make the first labels."""
        return proved(self.options.annotator)

    def learned_theta(self) -> Theta:
        """Return the present parameters."""
        return self._theta.theta()

    def why_not(self, part: Part) -> str:
        """Return why the run holds no later labels."""
        return (
            "strategy joint makes its labels anew in every step, as theta changes" if part == "labels" else ""
        )

    def start(self, training: Training) -> None:
        """Add the parameters of sample weights and theta to the detector's optimiser.

        Raises
        ------
        ConfigError
            If there are several processes.
        """
        if training.group.size > 1:
            raise ConfigError("strategy joint trains in one process; run it without torchrun")
        self._difficulty = torch.from_numpy(difficulty_of(training.splits["train"])).float()
        self._weighting = Weighting(training, self._difficulty)
        self._theta = LearnableTheta(self._start).to(training.device)
        self._renderers = {
            name: Renderer(split, self._start, self.options.polarity, training.device)
            for name, split in training.splits.items()
        }
        added = [*self._weighting.parameters(), *self._theta.parameters()]
        training.optimiser.add_param_group({"params": added, "weight_decay": 0.0})
        self._losses = torch.full((len(training.splits["train"]),), torch.nan, device=training.device)
        self._areas: list[float] = []
        self._record: dict[str, Any] = {}

    def losses(
        self, maps: Maps, batch: Batch, config: LossConfig, auxiliary: tuple[Auxiliary, ...]
    ) -> Tensor:
        """Return the loss of each image against labels that pass gradients to theta."""
        labels = self._renderers[batch.split].labels(batch, self._theta())
        if batch.split == "train":
            self._labels = labels.detach()
        return loss_of_maps(maps, labels, config, auxiliary)

    def weights(self, training: Training, batch: Batch, maps: Maps, losses: Tensor) -> Tensor:
        """Return the weight of each image, with gradients: they are learned from the weighted loss."""
        self._weighting.weights(training, replace(batch, labels=self._labels), maps, losses)
        return self._weighting.again()

    def extra_loss(self, training: Training, batch: Batch) -> Tensor | None:
        """Return beta times the validation loss, in every step."""
        if not self.options.beta:
            return None
        held_out = validation_batch(training)
        with unrecorded(training.model):
            losses, _ = training.losses(held_out)
        return self.options.beta * losses.sum() / held_out.total

    def after_step(self, training: Training, batch: Batch, maps: Maps, losses: Tensor) -> None:
        """Log losses and label areas."""
        self._weighting.remember(batch.indices, losses)
        self._losses[batch.indices] = losses
        self._areas.append(float(self._labels.sum()) / len(self._labels))

    def end_epoch(self, training: Training) -> None:
        """Log the signs of a collapse: entropy of the weights, area of the labels, theta."""
        alpha = self._weighting.take_log()
        shares = alpha[~alpha.isnan()]
        shares = shares / shares.sum()
        theta = self._theta.theta()
        self._record = {
            "loss": json_list(self._losses),
            "alpha": json_list(alpha),
            "alpha_entropy": float(-(shares * shares.log()).sum()) / max(float(np.log(len(shares))), 1e-12),
            "label_area": float(np.mean(self._areas)),
            "theta": {name: getattr(theta, name) for name in ENTRIES},
        }
        if training.epoch == 0:
            self._record["difficulty"] = json_list(self._difficulty)
        self._losses.fill_(torch.nan)
        self._areas.clear()

    def record(self) -> dict[str, Any]:
        """Return losses and weights by image, theta and the signs of a collapse."""
        return self._record

    def state_dict(self) -> dict[str, Any]:
        """Return what is learned beside the detector; the optimiser's state is saved with the detector's."""
        return {"weighting": self._weighting.state_dict(), "theta": self._theta.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore `state_dict`."""
        self._weighting.load_state_dict(state["weighting"])
        self._theta.load_state_dict(state["theta"])

    def _masks_of(self, split: Split) -> Callable[[int], Label]:
        return lambda index: annotate_image(split, index, self._start, self.options.polarity).mask
