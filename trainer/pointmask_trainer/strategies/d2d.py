"""Bi-level dual update: sample weights and the annotator's parameters, learned with the detector.

One step::

    weights      features of every sample -> meta-classifier -> alpha, mean 1
    extra_loss   every val_every steps, beta times the loss of a validation batch, on pseudo-labels too
    after_step   every alpha_every steps, one step of the meta-classifier towards a lower validation loss
    end_epoch    every theta_every epochs, steps of theta; then all labels are made again during the next
                 epoch, and replaced when it ends, those of the train list joined with the detector's response

The validation loss is part of the detector's step from the first one on, as in the paper's inner problem;
weights and theta, its outer problem, wait for the end of the warm-up. In the published code all three wait.

No mask is used; if the training folder has true ones, the labels' IoU with them is logged.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pointmask.annotator.proof import proved
from pointmask.theta import Theta
from pointmask_trainer.data.batch import Batch
from pointmask_trainer.data.labels import Label, LabelStore, SplitName
from pointmask_trainer.data.layout import true_masks
from pointmask_trainer.data.split import Split, for_every_image, known_masks, load_masks
from pointmask_trainer.detectors.base import Maps
from pointmask_trainer.errors import ConfigError
from pointmask_trainer.strategies.base import Folder, Part, Strategy, require_points
from pointmask_trainer.strategies.d2d_options import UNWEIGHTED, D2DOptions
from pointmask_trainer.strategies.labels.annotating import (
    Annotations,
    Regeneration,
    annotate_image,
    label_of,
    quality,
)
from pointmask_trainer.strategies.labels.joining import with_responses
from pointmask_trainer.strategies.labels.theta import ThetaBranch
from pointmask_trainer.strategies.training import Training
from pointmask_trainer.strategies.weights.difficulty import difficulty_of
from pointmask_trainer.strategies.weights.meta import surrogate
from pointmask_trainer.strategies.weights.validation import Validation, benefits, validate, with_gradient
from pointmask_trainer.strategies.weights.weighting import Weighting, json_list


class D2D(Strategy):
    """Train on pseudo-masks from the points, which are made again as theta is learned."""

    Options = D2DOptions
    learns_supervision = True
    learns_weights = True
    needs_points = True
    unweighted = UNWEIGHTED
    options: D2DOptions

    def prepare(self, folder: Folder) -> Mapping[SplitName, Sequence[Label]]:
        """Annotate both splits, or read the masks that the user gave."""
        require_points(folder, "d2d")
        self._start = self.first_theta()
        self._truths = {
            name: known_masks(split, true_masks(folder.root)) for name, split in folder.splits.items()
        }
        return {name: self._first_labels(folder, split) for name, split in folder.splits.items()}

    def first_theta(self) -> Theta:
        """Return the parameters that make the first labels."""
        theta = proved(self.options.annotator)
        return theta if self.options.rho is None else theta.with_(rho=self.options.rho)

    def learned_theta(self) -> Theta | None:
        """Return the present parameters; None if they are frozen."""
        return None if self._theta is None else self._theta.theta()

    @property
    def sees_validation(self) -> bool:
        """Whether their clicks enter the detector's loss, as the paper has it."""
        return self.options.beta > 0

    @property
    def _makes_labels(self) -> bool:
        return self.options.theta == "learn" or self.options.response > 0

    @property
    def unseen_share(self) -> float:
        """See `Strategy`; nothing is kept where nothing is seen."""
        return self.options.unseen if self.sees_validation else 0.0

    def why_not(self, part: Part) -> str:
        """Return which option keeps a part from being learned; labels follow theta and the detector."""
        if part == "weights":
            return 'strategy.options.alpha = "off"' if self.options.alpha == "off" else ""
        frozen = 'strategy.options.theta = "frozen"' if self.options.theta == "frozen" else ""
        if part == "labels" and frozen:
            return "" if self.options.response else f"{frozen} and strategy.options.response = 0"
        return frozen

    def start(self, training: Training) -> None:
        """Make the meta-classifier and the learnable theta.

        Raises
        ------
        ConfigError
            If ``alpha_form`` is "exact" and there are several processes.
        """
        options, train = self.options, training.splits["train"]
        if options.alpha_form == "exact" and training.group.size > 1:
            raise ConfigError(
                'strategy.options.alpha_form = "exact" works in one process, since statistics are shared by '
                'messages without forward mode; set it to "difference"'
            )
        self._warmup, self._theta_every = options.timing(training.config.epochs)
        self._splits, self._group = training.splits, training.group
        self._validation: Validation | None = None
        self._job: Regeneration | None = None
        self._record: dict[str, Any] = {}
        self._losses = torch.full((len(train),), torch.nan, device=training.device)
        self._theta = ThetaBranch(self._start, options, training.device) if options.theta == "learn" else None
        self._weighting: Weighting | None = None
        # Also without weights: pointmask select ranks by it. It takes twice as long as annotating once.
        self._difficulty = torch.from_numpy(difficulty_of(train)).float()
        if options.alpha == "meta":
            self._weighting = Weighting(training, self._difficulty)
            self._alpha_optimiser = torch.optim.Adam(self._weighting.parameters(), options.alpha_lr)

    def weights(self, training: Training, batch: Batch, maps: Maps, losses: Tensor) -> Tensor | None:
        """Weigh each image by the meta-classifier after the warm-up."""
        if self._weighting is None or training.epoch < self._warmup:
            return None
        return self._weighting.weights(training, batch, maps, losses)

    def extra_loss(self, training: Training, batch: Batch) -> Tensor | None:
        """Return beta times the validation loss in every ``val_every``-th step."""
        self._validation = None
        options = self.options
        if not options.beta or not _is_due(training, options.val_every):
            return None
        self._validation = validate(training)
        return options.beta * with_gradient(training.model, self._validation)

    def after_step(self, training: Training, batch: Batch, maps: Maps, losses: Tensor) -> None:
        """Log the losses; take a step of the meta-classifier if one is due."""
        indices, losses_of_all = (
            training.group.concatenated(batch.indices),
            training.group.concatenated(losses),
        )
        self._losses[indices] = losses_of_all
        if self._weighting is None:
            return
        self._weighting.remember(indices, losses_of_all)
        if training.epoch >= self._warmup and _is_due(training, self.options.alpha_every):
            if self._validation is None or self.options.alpha_fresh:
                self._validation = validate(training)
            benefit = benefits(training, batch, maps, self._validation, self.options)
            loss = surrogate(self._weighting.again(), training.group.concatenated(benefit))
            self._alpha_optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            self._alpha_optimiser.step()

    def end_epoch(self, training: Training) -> None:
        """Take up new labels; if an update of theta is due, do it and begin labels with the new theta."""
        record: dict[str, Any] = {"loss": json_list(self._losses)}
        self._losses.fill_(torch.nan)
        if training.epoch == 0:
            record["difficulty"] = json_list(self._difficulty)
        if self._weighting is not None:
            record["alpha"] = json_list(self._weighting.take_log())
        if self._job is not None:
            training.labels.update(self._labels(training, self._job))
            self._job = None
            record["labels"] = self._quality(training.labels)
        elif training.epoch == 0:
            record["labels"] = self._quality(training.labels)
        if self._makes_labels and self._labels_are_due(training):
            if self._theta is not None:
                record["theta"] = self._theta.update(training)
            self._job = self._begin_labels()
        self._record = record

    def close(self) -> None:
        """Make no more labels."""
        if self._job is not None:
            self._job.close()

    def record(self) -> dict[str, Any]:
        """Return losses, weights and difficulty by image (None: not seen), and news of theta and labels."""
        return self._record

    def state_dict(self) -> dict[str, Any]:
        """Return everything learned, and whether new labels are being made."""
        state: dict[str, Any] = {"making_labels": self._job is not None}
        if self._theta is not None:
            state["theta"] = self._theta.state_dict()
        if self._weighting is not None:
            state["weighting"] = self._weighting.state_dict()
            state["alpha_optimiser"] = self._alpha_optimiser.state_dict()
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore `state_dict`; labels that were being made are begun again."""
        if self._theta is not None:
            self._theta.load_state_dict(state["theta"])
        if state["making_labels"]:
            self._job = self._begin_labels()
        if self._weighting is not None:
            self._weighting.load_state_dict(state["weighting"])
            self._alpha_optimiser.load_state_dict(state["alpha_optimiser"])

    def _first_labels(self, folder: Folder, split: Split) -> list[Label]:
        if folder.masks is not None:
            masks = load_masks(split, folder.masks, folder.say)
            return [mask if self.options.labels == "hard" else mask.astype(np.float32) for mask in masks]

        def one(index: int) -> Label:
            annotation = annotate_image(split, index, self._start, self.options.polarity)
            return label_of(annotation, self.options.labels)

        return for_every_image(split, one)

    def _labels_are_due(self, training: Training) -> bool:
        past = training.epoch - self._warmup
        # Labels are made during the next epoch and used from the one after it on: there must be one.
        return past >= 0 and past % self._theta_every == 0 and training.epoch + 2 < training.config.epochs

    def _begin_labels(self) -> Regeneration:
        theta = self.learned_theta() or self._start
        return Regeneration(self._splits, theta, self.options.polarity, self._group)

    def _labels(self, training: Training, job: Regeneration) -> dict[SplitName, dict[int, Label]]:
        """Wait for the annotator, and let the detector have its say in the train list."""
        share = self.options.response

        def adjusted(name: SplitName, found: Annotations) -> Annotations:
            return with_responses(training, name, found, job.theta, share) if name == "train" else found

        return job.labels(self.options.labels, adjusted if share else None)

    def _quality(self, labels: LabelStore) -> dict[str, Any]:
        """Version of the labels and, where there are true masks, IoU with them."""
        record: dict[str, Any] = {"version": labels.version}
        for name, truths in self._truths.items():
            if truths is not None:
                record[name] = quality((labels.label(name, k) for k in range(len(truths))), truths)
        return record


def _is_due(training: Training, every: int) -> bool:
    """Whether this is an ``every``-th step, counted over all epochs."""
    return (training.epoch * training.steps_per_epoch + training.step + 1) % every == 0
