"""SPIRE: the clicks are the supervision, and heat with a peak at each is what is learned (Ni et al., 2026).

No mask enters. The masks that are shown, and scored in validation, are the annotator's: of the clicks as
labels, of the points that are found as prediction.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal, cast

import numpy as np
import torch
from torch import Tensor

from pointmask.annotator.proof import proved
from pointmask.theta import Theta
from pointmask_trainer.config import LossConfig
from pointmask_trainer.data.batch import Batch
from pointmask_trainer.data.labels import Label, SplitName
from pointmask_trainer.data.split import Split, for_every_image
from pointmask_trainer.detectors.base import Auxiliary, Maps
from pointmask_trainer.detectors.locators.base import HeatMaps, Locator
from pointmask_trainer.errors import ConfigError
from pointmask_trainer.strategies.base import Folder, Part, Strategy, require_points
from pointmask_trainer.strategies.labels.annotating import annotate_image
from pointmask_trainer.strategies.points.losses import locator_losses
from pointmask_trainer.strategies.points.options import SpireOptions
from pointmask_trainer.strategies.points.targets import heat_target
from pointmask_trainer.strategies.training import Training


class Spire(Strategy):
    """Train a locator on points."""

    Options = SpireOptions
    trains: ClassVar[Literal["masks", "points"]] = "points"
    needs_points = True
    reads_masks = False
    options: SpireOptions

    def prepare(self, folder: Folder) -> Mapping[SplitName, Sequence[Label]]:
        """Annotate both lists, to show and to score masks by; training uses the points alone."""
        require_points(folder, "spire")
        theta, polarity = self.first_theta(), self.options.polarity

        def masks_of(split: Split) -> Callable[[int], Label]:
            return lambda index: annotate_image(split, index, theta, polarity).mask

        return {name: for_every_image(split, masks_of(split)) for name, split in folder.splits.items()}

    def first_theta(self) -> Theta:
        """Return the annotator's parameters."""
        return proved(self.options.annotator)

    def why_not(self, part: Part) -> str:
        """Return why only the network is learned."""
        if part in ("labels", "theta"):
            return "strategy spire learns from the clicks themselves"
        return super().why_not(part)

    def start(self, training: Training) -> None:
        """Keep the points."""
        model = training.model
        assert isinstance(model, Locator)  # the loop has checked that strategy and network fit
        loss = self.options.loss
        if loss == "focal" and not model.bounded:
            raise ConfigError(
                f"strategy.options.loss = focal needs heat between 0 and 1, which {type(model).__name__} "
                "does not give; leave it out, or train contrast_points"
            )
        if loss == "auto":
            self.options = replace(self.options, loss="focal" if model.bounded else "squares")
        self._model = model
        self._points = {name: split.points for name, split in training.splits.items()}
        self._shapes = {name: split.images.shapes for name, split in training.splits.items()}
        self._peak, self._record = 0.0, dict[str, Any]()

    def losses(
        self, maps: Maps, batch: Batch, config: LossConfig, auxiliary: tuple[Auxiliary, ...]
    ) -> Tensor:
        """Return the loss of each image against its points' heat; ``loss`` of the settings is not read."""
        heat_maps = cast(HeatMaps, maps)
        points = self._points_in(batch)
        images = self._model.enlarged(batch.images[:, :1]).cpu().double().numpy()
        heat = [
            heat_target(image[0], own.numpy(), self.options, self._model.pitch)
            for image, own in zip(images, points, strict=True)
        ]
        device = heat_maps["logits"].device
        target = torch.from_numpy(np.stack(heat))[:, None].to(device)
        self._peak = max(self._peak, float(heat_maps["logits"].detach().max()))
        return locator_losses(
            heat_maps, target, [own.to(device) / self._model.pitch for own in points], self.options
        )

    def end_epoch(self, training: Training) -> None:
        """Note the largest heat of the epoch: a map that stays at zero everywhere is a trap."""
        self._record, self._peak = {"largest_heat": self._peak}, 0.0

    def record(self) -> dict[str, Any]:
        """Return the largest heat of the epoch."""
        return self._record

    def _points_in(self, batch: Batch) -> list[Tensor]:
        """Return places of each crop's points and reflections in px of the enlarged input, (N, 2) each."""
        points, shapes = self._points[batch.split], self._shapes[batch.split]
        scale = self._model.input_scale
        reach = (self.options.radius + 1) * self._model.pitch / scale  # as far as a target reaches
        return [
            batch.views.points(k, torch.from_numpy(points[index]), shapes[index], reach)[0] * scale
            for k, index in enumerate(batch.indices.tolist())
        ]
