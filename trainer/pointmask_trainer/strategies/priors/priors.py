"""A foundation model conditions the detector while it is trained; what is deployed is the detector alone.

After "Semantic priors" (2026), with the foundation model on whole frames, once before the training, instead
of on every crop: an epoch then costs little more than a plain one, and a CPU will do. The teacher is the
detector with modulated stages, the student the same weights without; labels grow as PAL's, by the teacher.
Weights of groups of alike images descend the validation loss, which turns groups of a higher loss down.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from pointmask_trainer.config import LossConfig
from pointmask_trainer.data.batch import Batch
from pointmask_trainer.data.labels import SplitName
from pointmask_trainer.detectors.base import Auxiliary, Maps
from pointmask_trainer.detectors.losses import loss_of_maps
from pointmask_trainer.detectors.quiet import unrecorded
from pointmask_trainer.errors import CheckpointError
from pointmask_trainer.foundation.dino_loading import LICENCES, load_dino
from pointmask_trainer.strategies.base import Folder
from pointmask_trainer.strategies.evolving.base import Boxes
from pointmask_trainer.strategies.evolving.pal import PAL
from pointmask_trainer.strategies.priors.images import clusters_of, states_of
from pointmask_trainer.strategies.priors.modulation import Modulator, modulating, tap_channels
from pointmask_trainer.strategies.priors.options import PriorsOptions
from pointmask_trainer.strategies.training import Training

_OUTER = 6  # what a derived seed is for


class Priors(PAL):
    """PAL with a teacher that knows what the frame shows."""

    Options = PriorsOptions
    name = "priors"
    compiles: ClassVar[bool] = False
    options: PriorsOptions

    def prepare(self, folder: Folder) -> Mapping[SplitName, Any]:
        """Make PAL's first labels, once the foundation model's weights are known to be there."""
        self.options.check_weights()
        self._network, family, self._digest = load_dino(self.options.weights)
        folder.say(f"{LICENCES[family]}; file {self.options.weights}, SHA-256 {self._digest}...")
        return super().prepare(folder)

    def start(self, training: Training) -> None:
        """Look at every frame, group the images, and make what is learned beside the detector."""
        super().start(training)
        options, splits = self.options, training.splits
        channels = tap_channels(training.model)
        self._states = {name: states_of(self._network, split) for name, split in splits.items()}
        del self._network
        layers, width = self._states["train"].shape[1:]
        self._modulator = Modulator(layers, width, channels, options.hidden).to(training.device)
        groups, count = clusters_of(splits.values(), options.clusters, training.config.seed)
        self._groups = {
            name: torch.from_numpy(own).to(training.device) for name, own in zip(splits, groups, strict=True)
        }
        self._group_weights = nn.Parameter(torch.zeros(count, device=training.device))
        self._outer = torch.optim.AdamW(
            [*training.model.parameters(), self._group_weights], options.outer_lr, weight_decay=0.0
        )

    def parameters(self) -> Iterable[nn.Parameter]:
        """Return those of the modulator."""
        return self._modulator.parameters()

    def forward(self, training: Training, batch: Batch) -> Maps:
        """Run the student, whose statistics the norms keep, and the teacher, whose maps are trained."""
        with torch.no_grad():
            self._student = training.forward(batch.images)["logits"].float()
        stages = self._modulator(self._states[batch.split][batch.indices])
        with unrecorded(training.model), modulating(training.model, stages, self.options.strength):
            return training.forward(batch.images)

    def losses(
        self, maps: Maps, batch: Batch, config: LossConfig, auxiliary: tuple[Auxiliary, ...]
    ) -> Tensor:
        """Return the teacher's loss of each image, and its distance from the student."""
        apart = distance(self._student, maps["logits"].float(), self.options.temperature)
        return super().losses(maps, batch, config, auxiliary) + self.options.distil * apart

    def weights(self, training: Training, batch: Batch, maps: Maps, losses: Tensor) -> Tensor:
        """Return the weight of each image's group."""
        return balanced(self._group_weights.detach()[self._groups[batch.split][batch.indices]])

    def extra_loss(self, training: Training, batch: Batch) -> Tensor:
        """Keep the gates small."""
        return self.options.gate * self._modulator.gate.abs().mean() / training.group.size

    def end_epoch(self, training: Training) -> None:
        """Teach the student now and then, then let labels evolve."""
        if training.epoch % self.options.outer_every == 0:
            for step in range(self.options.outer_steps):
                self._teach(training, step)
        super().end_epoch(training)

    def facts(self, training: Training) -> dict[str, Any]:
        """Add the groups' weights to what PAL records."""
        weights = balanced(self._group_weights.detach())
        shares = torch.softmax(self._modulator.mix.detach(), 0)
        return {
            **super().facts(training),
            "priors": {"groups": weights.tolist(), "layers": shares.tolist()},
        }

    def predictions(
        self, training: Training, split: SplitName, indices: list[int], boxes: Boxes | None = None
    ) -> Iterator[tuple[int, Tensor]]:
        """Yield the teacher's probabilities, image by image, as each has its own modulation."""
        for index in indices:
            with torch.no_grad():
                stages = self._modulator(self._states[split][index][None])
            own = None if boxes is None else {index: boxes[index]}
            with modulating(training.evaluated_model, stages, self.options.strength):
                yield from list(training.predictions(split, [index], own))

    def state_dict(self) -> dict[str, Any]:
        """Return what is learned beside the detector, and whose weights the teacher has."""
        return {
            **super().state_dict(),
            "modulator": self._modulator.state_dict(),
            "groups": self._group_weights.detach().clone(),
            "outer": self._outer.state_dict(),
            "weights": self._digest,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore `state_dict`.

        Raises
        ------
        CheckpointError
            If the foundation model's weights are another file than those that the run began with.
        """
        if state["weights"] != self._digest:
            raise CheckpointError(
                f"{self.options.weights} is not the file that the run began with (SHA-256 {self._digest}..., "
                f"then {state['weights']}...); put that one in its place"
            )
        super().load_state_dict(state)
        self._modulator.load_state_dict(state["modulator"])
        with torch.no_grad():
            self._group_weights.copy_(state["groups"])
        self._outer.load_state_dict(state["outer"])

    def _teach(self, training: Training, step: int) -> None:
        """Take one step on the student's weights and the groups', down the validation loss."""
        learned = [*training.model.parameters(), self._group_weights]
        direction = self._gradient(training, "val", step, learned)
        if self.options.hypergradient == "gn":
            against = self._gradient(training, "train", step, learned)
            direction = without_shared(direction, against)
        for parameter, gradient in zip(learned, direction, strict=True):
            parameter.grad = gradient
        self._outer.step()
        self._outer.zero_grad(set_to_none=True)

    def _gradient(
        self, training: Training, split: SplitName, step: int, learned: list[nn.Parameter]
    ) -> list[Tensor]:
        """Gradient of the student's loss on a batch, summed over all processes."""
        config, options = training.config, self.options
        chosen = list(self.active(training)) if split == "train" else list(range(len(training.splits[split])))
        rng = np.random.default_rng([config.seed, _OUTER, training.epoch, step, int(split == "val")])
        indices = torch.from_numpy(rng.choice(chosen, min(config.batch, len(chosen)), replace=False))
        batch = training.batch(split, indices, (training.epoch, step, _OUTER))
        with unrecorded(training.model):
            with torch.no_grad():
                stages = self._modulator(self._states[split][batch.indices])
                with modulating(training.model, stages, options.strength):
                    teacher = training.forward(batch.images)["logits"].float()
            maps = training.forward(batch.images)
        losses = distance(maps["logits"].float(), teacher, options.temperature)
        losses = losses + loss_of_maps(maps, batch.labels, config.loss, training.model.auxiliary)
        weights = balanced(self._group_weights[self._groups[split][batch.indices]])
        total = (weights * losses).sum() / batch.total
        found = torch.autograd.grad(total, learned, allow_unused=True, materialize_grads=True)
        return [training.group.sum(gradient) for gradient in found]


def distance(one: Tensor, other: Tensor, temperature: float) -> Tensor:
    """Mean squared difference of two maps' softened probabilities, for each image, (B,)."""
    apart = torch.sigmoid(one / temperature) - torch.sigmoid(other / temperature)
    return apart.square().mean((1, 2, 3))


def balanced(values: Tensor) -> Tensor:
    """Turn values into weights of mean 1, each within a factor of 2 of their geometric middle."""
    bound = math.log(2)
    away = values - values.mean()
    weights = torch.exp(bound * torch.tanh(away / bound))
    return weights / weights.mean()


def without_shared(direction: list[Tensor], against: list[Tensor]) -> list[Tensor]:
    """Remove from a direction its part along another one, all tensors together."""
    along = sum((one * other).sum() for one, other in zip(direction, against, strict=True))
    size = sum((other * other).sum() for other in against)
    return [one - along / (size + 1e-12) * other for one, other in zip(direction, against, strict=True)]
