"""Targets made in the very step that uses them, from the affinity of features to each point.

After GSACP of Zhou and Zhang (2026), of which equations and constants are not public: those here are ours.
There is no store of labels, no schedule of updates and no second pass over the data. As the features that
make a target are trained by it, targets can drift; a teacher slows that, and the record shows it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pointmask.annotator.proof import proved
from pointmask_trainer.config import LossConfig
from pointmask_trainer.data.batch import Batch
from pointmask_trainer.data.labels import Label, SplitName
from pointmask_trainer.data.layout import true_masks
from pointmask_trainer.data.split import Split, for_every_image, known_masks
from pointmask_trainer.detectors.base import Auxiliary, Maps
from pointmask_trainer.detectors.quiet import unrecorded
from pointmask_trainer.detectors.reading import reading
from pointmask_trainer.errors import ConfigError
from pointmask_trainer.strategies.affinity.contrast import contrast_loss, target_loss
from pointmask_trainer.strategies.affinity.features import Teacher, embedded, embedding_channels
from pointmask_trainer.strategies.affinity.options import GSACPOptions
from pointmask_trainer.strategies.affinity.probe import Probe
from pointmask_trainer.strategies.affinity.support import CropPoints, adaptive_radii, points_in_crops
from pointmask_trainer.strategies.affinity.targets import Targets, make_targets
from pointmask_trainer.strategies.base import Folder, Part, Strategy, require_points
from pointmask_trainer.strategies.labels.annotating import annotate_image
from pointmask_trainer.strategies.training import Training
from pointmask_trainer.strategies.weights.weighting import json_list


class GSACP(Strategy):
    """Train on targets that features and grey values give at each point; labels are only shown."""

    Options = GSACPOptions
    learns_supervision = True
    needs_points = True
    reads_masks = False
    compiles = False
    options: GSACPOptions

    def prepare(self, folder: Folder) -> Mapping[SplitName, Sequence[Label]]:
        """Annotate both lists, to show and to choose an epoch by, and measure the scale of each target."""
        require_points(folder, "gsacp")
        train, polarity = folder.splits["train"], self.options.polarity
        theta = proved(self.options.annotator)
        self._say, self._truths = folder.say, known_masks(train, true_masks(folder.root))

        def masks_of(split: Split) -> Callable[[int], Label]:
            return lambda index: annotate_image(split, index, theta, polarity).mask

        def radii(index: int) -> NDArray[np.float64]:
            points = train.points[index]
            if self.options.support == "fixed":
                return np.full(len(points), self.options.radius)
            return adaptive_radii(train.images.stored(index), points, polarity)

        self._radii = for_every_image(train, radii)
        return {name: for_every_image(split, masks_of(split)) for name, split in folder.splits.items()}

    def why_not(self, part: Part) -> str:
        """Return why the run holds no later labels, and no weights or theta."""
        if part == "labels":
            return "strategy gsacp makes its targets anew in every step; the labels shown are the annotator's"
        if part == "theta":
            return "strategy gsacp learns features and no parameters of the annotator"
        return super().why_not(part)

    def start(self, training: Training) -> None:
        """Make the projection, the teacher and the probe.

        Raises
        ------
        ConfigError
            If another loss than soft IoU is set.
        """
        if training.config.loss.name != "softiou":
            raise ConfigError(
                f"strategy gsacp ignores pixels of its targets, which only soft IoU can; loss.name is "
                f"{training.config.loss.name}: set it to softiou"
            )
        options, model = self.options, training.model
        self._projection: nn.Module | None = None
        if options.hard_background:
            self._projection = nn.Conv2d(embedding_channels(model), options.dim, 1).to(training.device)
        self._teacher: Teacher | None = None
        if options.teacher == "ema":
            self._teacher = Teacher(model, self._projection, options.ema)
        self._points = training.splits["train"].points
        self._shapes = training.splits["train"].images.shapes
        self._probe = Probe(training, self._truths)
        self._truths = None
        self._losses = torch.full((len(self._points),), torch.nan, device=training.device)
        self._record: dict[str, Any] = {}

    def parameters(self) -> Iterable[nn.Parameter]:
        """Return those of the projection."""
        return () if self._projection is None else self._projection.parameters()

    def forward(self, training: Training, batch: Batch) -> Maps:
        """Run the detector, keep its features, and make the targets of the batch."""
        with reading(training.model, training.model.embedding) as seen:
            maps = training.forward(batch.images)
        points = self._points_in(training, batch)
        self._features = self._embedded(training, seen[0], batch, points)
        makers = self._features.detach()
        if self._teacher is not None:
            makers = self._teacher.features(batch.images, points.crops()[0], training.autocast)
        self._targets = make_targets(makers, batch.images, points, self.options)
        return maps

    def losses(
        self, maps: Maps, batch: Batch, config: LossConfig, auxiliary: tuple[Auxiliary, ...]
    ) -> Tensor:
        """Return the loss of each image against the targets of the batch, which pass no gradient."""
        total = target_loss(maps, self._targets, auxiliary, deep=config.deep)
        if self.options.hard_background:
            probabilities = torch.sigmoid(maps["logits"].detach().float())
            apart = contrast_loss(self._features, probabilities, self._targets, self.options.hard)
            total = total + self.options.contrast * apart
        return total

    def after_step(self, training: Training, batch: Batch, maps: Maps, losses: Tensor) -> None:
        """Let the teacher follow, and log the losses."""
        if self._teacher is not None:
            self._teacher.follow()
        indices = training.group.concatenated(batch.indices)
        self._losses[indices] = training.group.concatenated(losses)

    def end_epoch(self, training: Training) -> None:
        """Measure how the targets drift, now and then."""
        number = training.epoch + 1
        self._record = {"loss": json_list(self._losses)}
        self._losses.fill_(torch.nan)
        if number == 1 or number % self.options.probe_every == 0 or number == training.config.epochs:
            figures = self._probe.measure(training, self._targets_of)
            self._record["drift"] = figures
            if (said := self._probe.warning(figures)) and training.group.is_main:
                self._say(f"Note: after epoch {number} {said}")

    def record(self) -> dict[str, Any]:
        """Return losses by image (None: not seen), and figures of the drift where it was measured."""
        return self._record

    def state_dict(self) -> dict[str, Any]:
        """Return projection, teacher, and what the probe compares with."""
        state: dict[str, Any] = {"probe": self._probe.state_dict()}
        if self._projection is not None:
            state["projection"] = self._projection.state_dict()
        if self._teacher is not None:
            state["teacher"] = self._teacher.state_dict()
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore `state_dict`."""
        self._probe.load_state_dict(state["probe"])
        if self._projection is not None:
            self._projection.load_state_dict(state["projection"])
        if self._teacher is not None:
            self._teacher.load_state_dict(state["teacher"])

    def _targets_of(self, training: Training, batch: Batch, *, by_features: bool) -> Targets:
        """Make the targets of a batch as a step would, or from grey values alone."""
        points, makers = self._points_in(training, batch), None
        if by_features and self._teacher is not None:
            makers = self._teacher.features(batch.images, points.crops()[0], training.autocast)
        elif by_features:
            model = training.model
            with (
                torch.no_grad(),
                unrecorded(model, dropout=False),
                reading(model, model.embedding) as seen,
            ):
                training.forward(batch.images)
                makers = self._embedded(training, seen[0], batch, points)
        return make_targets(makers, batch.images, points, self.options)

    def _embedded(self, training: Training, features: Tensor, batch: Batch, points: CropPoints) -> Tensor:
        """Embed the features of the crops that hold a point: nothing reads the others."""
        size, crops = (batch.images.shape[2], batch.images.shape[3]), points.crops()[0]
        return embedded(features[crops], self._projection, size, training.model.stride)

    def _points_in(self, training: Training, batch: Batch) -> CropPoints:
        """Return the points in a batch's crops, with the radii that their supports have by now."""
        indices = batch.indices.tolist()
        grown = self.options.grown(training.epoch, training.config.epochs)
        return points_in_crops(
            batch.views,
            [self._points[index] for index in indices],
            [2 + (self._radii[index] - 2) * grown for index in indices],
            [self._shapes[index] for index in indices],
            training.device,
            scales_with_crop=self.options.support == "adaptive",
        )
