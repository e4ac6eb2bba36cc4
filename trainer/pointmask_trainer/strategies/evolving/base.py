"""What LESPS and PAL share: points, fixed validation labels, updates by prediction, and their record."""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pointmask.annotator.proof import proved
from pointmask.annotator.target import Annotation
from pointmask.theta import Polarity
from pointmask_trainer.data.batch import Batch
from pointmask_trainer.data.labels import Label, SplitName
from pointmask_trainer.data.layout import true_masks
from pointmask_trainer.data.split import Split, for_every_image, known_masks
from pointmask_trainer.detectors.base import Maps
from pointmask_trainer.inference.windows import Box
from pointmask_trainer.strategies.base import Folder, Part, Strategy, require_points
from pointmask_trainer.strategies.evolving.evolution import Rule, evolve, label_windows
from pointmask_trainer.strategies.labels.annotating import annotate_image
from pointmask_trainer.strategies.labels.changes import Change, ChangedLabels
from pointmask_trainer.strategies.labels.quality import label_record
from pointmask_trainer.strategies.training import Training
from pointmask_trainer.strategies.weights.weighting import json_list

ANNOTATED = 0.99
"""Label of the annotator's pixels, below what is pinned: they may fade, the points may not."""


Boxes = Mapping[int, Sequence[Box]]
Predictions = Callable[[SplitName, list[int], Boxes | None], Iterator[tuple[int, Tensor]]]
"""As `Training.predictions`."""


class Evolving(Strategy):
    """Labels of the train list follow the detector; those of the validation list never change.

    They are the annotator's: labels that evolve would let a degenerate detector agree with itself, and bare
    points say nothing of masks.
    """

    learns_supervision = True
    needs_points = True
    reads_masks = False

    def prepare(self, folder: Folder) -> Mapping[SplitName, Sequence[Label]]:
        """Make the first labels of the train list, and annotate the validation list once."""
        require_points(folder, self.name)
        self._theta = proved(self.options.annotator)
        self._truths = known_masks(folder.splits["train"], true_masks(folder.root))
        val = folder.splits["val"]
        return {
            "train": self.first_labels(folder.splits["train"], folder),
            "val": for_every_image(val, lambda index: self.annotated(val, index).mask),
        }

    def why_not(self, part: Part) -> str:
        """Return why neither weights nor theta are learned."""
        if part == "theta":
            return f"strategy {self.name} learns labels alone"
        return super().why_not(part)

    def start(self, training: Training) -> None:
        """Begin the record."""
        self._points = training.splits["train"].points
        self._losses = torch.full((len(self._points),), torch.nan, device=training.device)
        self._record: dict[str, Any] = {}

    def after_step(self, training: Training, batch: Batch, maps: Maps, losses: Tensor) -> None:
        """Log the losses."""
        indices = training.group.concatenated(batch.indices)
        self._losses[indices] = training.group.concatenated(losses)

    def end_epoch(self, training: Training) -> None:
        """Update the labels, if an update is due."""
        version = training.labels.version
        changes = self.changes(training)
        if changes is not None:
            training.labels.update({"train": ChangedLabels(training.labels, "train", changes)})
        self._record = {"loss": json_list(self._losses), **self.facts(training)}
        if training.epoch == 0 or training.labels.version != version:
            active = self.active(training)
            chosen = range(len(self._points)) if active is None else active
            self._record["labels"] = label_record(training.labels, chosen, self._points, self._truths)
        self._losses.fill_(torch.nan)

    def record(self) -> dict[str, Any]:
        """Return losses by image (None: not seen), and the version, area and quality of new labels."""
        return self._record

    @property
    @abstractmethod
    def name(self) -> str:
        """Name in the registry."""

    @abstractmethod
    def first_labels(self, split: Split, folder: Folder) -> Sequence[Label]:
        """Make the first labels of the train list, soft."""

    @abstractmethod
    def changes(self, training: Training) -> dict[int, Change] | None:
        """Return the changes of the train list's labels after an epoch; None if no update is due."""

    def facts(self, training: Training) -> dict[str, Any]:
        """Return what else the record of an epoch says."""
        return {}

    @property
    @abstractmethod
    def polarity(self) -> Polarity:
        """Of the targets, for the annotator."""

    def annotated(self, split: Split, index: int) -> Annotation:
        """Annotate one image of a split."""
        return annotate_image(split, index, self._theta, self.polarity)

    def mean_loss(self) -> float:
        """Mean of the losses of this epoch over the images that were seen."""
        return float(self._losses.nanmean())


def evolved_labels(
    training: Training,
    indices: Iterable[int],
    rule: Rule,
    *,
    saturated: float,
    only_points: bool,
    predictions: Predictions | None = None,
) -> dict[int, Change]:
    """Update labels of the train list by the detector's predictions; each process predicts its part.

    Parameters
    ----------
    training : Training
    indices : iterable of int
    rule : Rule
    saturated : float
        Label from which on a pixel is pinned to 1.
    only_points : bool
        Pin the points' pixels instead.
    predictions : callable, optional
        Instead of the detector's.

    Returns
    -------
    dict of index to Change
        Of the images whose label changes.
    """
    split, labels, group = training.splits["train"], training.labels, training.group
    mine = list(indices)[group.rank :: group.size]
    # Whole images on the CPU presets would take 1.7 times an epoch's training; see LOG, 2026-11-30.
    boxes = {index: label_windows(labels.label("train", index), rule.window) for index in mine}
    changes = {}
    for index, predicted in (predictions or training.predictions)("train", mine, boxes):
        old = labels.label("train", index)
        pinned = drawn_points(old.shape, split.points[index]) if only_points else old >= saturated
        change = Change.between(old, evolve(old, predicted.cpu().numpy(), pinned, rule))
        if change.places.size:
            changes[index] = change
    return {index: change for part in group.gather(changes) for index, change in part.items()}


def drawn_points(shape: tuple[int, ...], points: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return an (H, W) mask of the pixels of (K, 2) points."""
    mask = np.zeros(shape, np.bool_)
    mask[tuple(points.T)] = True
    return mask


def label_from(mask: NDArray[np.bool_], points: NDArray[np.int64], value: float) -> NDArray[np.float32]:
    """Return a soft label: `value` on a mask, and 1 at the points."""
    label = np.where(mask, np.float32(value), np.float32(0))
    label[tuple(points.T)] = 1
    return label
