"""PAL: labels and the images that are trained on both grow with the detector (Yu et al., 2025).

The training begins with images whose labels are easy to make, whether along edges, as published, or by the
annotator. After a fifth of it labels evolve as those of LESPS do, but fade where the detector sees nothing,
and hard images join as soon as the detector finds their points.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pointmask.theta import Polarity
from pointmask_trainer.data.labels import Label, SplitName
from pointmask_trainer.data.split import Split, for_every_image
from pointmask_trainer.errors import DataError
from pointmask_trainer.strategies.base import Folder
from pointmask_trainer.strategies.evolving.admission import Mask, admission_label
from pointmask_trainer.strategies.evolving.base import ANNOTATED, Boxes, Evolving, evolved_labels, label_from
from pointmask_trainer.strategies.evolving.evolution import windows_round
from pointmask_trainer.strategies.evolving.options import PALOptions
from pointmask_trainer.strategies.evolving.prestart import eight_bit_frame, from_edges
from pointmask_trainer.strategies.labels.changes import Change
from pointmask_trainer.strategies.training import Training

HARD, EASY = -1, 0
"""Admission of an image that is not trained on, and of one that is so from the start; else the epoch."""

_SATURATED = 254.5 / 255  # what 8 bits store as 1


class PAL(Evolving):
    """Train on easy images first, and on others as the detector learns to find their targets."""

    Options = PALOptions
    name = "pal"
    options: PALOptions

    def first_labels(self, split: Split, folder: Folder) -> Sequence[Label]:
        """Label the easy images; hard ones get an empty label, which is never trained on.

        Raises
        ------
        DataError
            If no image with a target is easy.
        """
        made = for_every_image(split, lambda index: self._first_label(split, index))
        self._admitted = np.array([EASY if is_easy else HARD for _, is_easy in made], np.int64)
        easy = int((self._admitted == EASY).sum())
        if not any(len(points) for points, (_, is_easy) in zip(split.points, made, strict=True) if is_easy):
            other = "annotator" if self.options.easy == "canny" else "canny"
            raise DataError(
                f"no image of the train list with a target is easy by strategy.options.easy = "
                f"{self.options.easy}; training begins with those that are: set it to {other}, or lower "
                "strategy.options.pass_ratio"
            )
        folder.say(
            f"strategy {self.name} begins with {easy:,} of {len(split):,} images, whose labels are easy"
        )
        return [label for label, _ in made]

    @property
    def polarity(self) -> Polarity:
        """Bright, unless dark targets are sought as well."""
        return "bright" if self.options.polarity == "bright" else "auto"

    def active(self, training: Training) -> Sequence[int]:
        """Return the images that have been admitted."""
        return [int(index) for index in np.flatnonzero(self._admitted != HARD)]

    def changes(self, training: Training) -> dict[int, Change] | None:
        """Evolve the labels of the admitted images, then admit others, both by the same detector."""
        options, epoch, epochs = self.options, training.epoch + 1, training.config.epochs
        is_due = options.pre * epochs < epoch < epochs and epoch % options.interval(epochs) == 0
        if not is_due:
            return None
        changes = evolved_labels(
            training,
            self.active(training),
            options,
            saturated=_SATURATED,
            only_points=not options.pins_saturated,
            predictions=partial(self.predictions, training),
        )
        if epoch <= options.final * epochs:
            changes |= self._admit(training, epoch)
        return changes

    def predictions(
        self, training: Training, split: SplitName, indices: list[int], boxes: Boxes | None = None
    ) -> Iterator[tuple[int, Tensor]]:
        """Yield the probabilities by which labels evolve and images are admitted: the detector's."""
        return training.predictions(split, indices, boxes)

    def facts(self, training: Training) -> dict[str, Any]:
        """Count easy, admitted and hard images; at the end, name the hard ones."""
        counts = {
            "easy": int((self._admitted == EASY).sum()),
            "admitted": int((self._admitted > EASY).sum()),
            "hard": int((self._admitted == HARD).sum()),
        }
        facts: dict[str, Any] = {"pool": counts}
        if training.epoch + 1 == training.config.epochs:
            ids = training.splits["train"].ids
            facts["admission"] = self._admitted.tolist()
            facts["hard_images"] = [ids[index] for index in np.flatnonzero(self._admitted == HARD)]
        return facts

    def state_dict(self) -> dict[str, Any]:
        """Return when each image was admitted."""
        return {"admitted": torch.from_numpy(self._admitted)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore `state_dict`."""
        self._admitted = state["admitted"].numpy().copy()

    def _first_label(self, split: Split, index: int) -> tuple[Label, bool]:
        """Label one image, and say whether it is easy."""
        options, points = self.options, split.points[index]
        mask = np.zeros(split.images.shapes[index], np.bool_)
        if options.easy == "annotator" or options.from_annotator:
            annotation = self.annotated(split, index)
        if options.easy == "canny" or not options.from_annotator:
            edges = from_edges(eight_bit_frame(split, index), points, options)
        if options.easy == "canny":
            is_easy = edges.is_easy
        else:
            sure = [target.confidence >= options.easy_confidence for target in annotation.targets]
            is_easy = not sure or sum(sure) / len(sure) >= options.pass_ratio
        if not is_easy:
            return np.asarray(mask, np.float32), False
        if options.from_annotator:
            return label_from(annotation.mask, points, ANNOTATED), True
        return label_from(edges.mask, points, 1.0), True

    def _admit(self, training: Training, epoch: int) -> dict[int, Change]:
        """Admit the hard images that the detector predicts well enough; return their labels as changes."""
        group, split = training.group, training.splits["train"]
        hard = [int(index) for index in np.flatnonzero(self._admitted == HARD)]
        most_missed = self.options.most_missed(epoch, training.config.epochs)

        def label_by(index: int, predicted: Tensor) -> Mask | None:
            return admission_label(
                predicted.cpu().numpy(),
                split.points[index],
                most_missed=most_missed,
                most_false=self.options.false,
            )

        # Where the points are missed, no prediction of the whole image is needed: that costs many times more.
        near = {
            index: windows_round(
                split.points[index].tolist(), self.options.window, split.images.shapes[index]
            )
            for index in hard[group.rank :: group.size]
        }
        likely = [
            index
            for index, predicted in self.predictions(training, "train", list(near), near)
            if label_by(index, predicted) is not None
        ]
        found = {}
        for index, predicted in self.predictions(training, "train", likely):
            mask = label_by(index, predicted)
            if mask is not None:
                old = training.labels.label("train", index)
                found[index] = Change.between(old, label_from(mask, split.points[index], 1.0))
        changes = {index: change for part in group.gather(found) for index, change in part.items()}
        self._admitted[list(changes)] = epoch
        return changes
