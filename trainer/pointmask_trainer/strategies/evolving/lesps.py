"""LESPS: labels grow from single points with the detector (Ying et al., CVPR 2023).

A detector that learns a point first answers with a blob the size of the target. From some epoch on, each
label is averaged now and then with the prediction round it where that is high.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pointmask.theta import Polarity
from pointmask_trainer.data.labels import Label
from pointmask_trainer.data.split import Split, for_every_image
from pointmask_trainer.strategies.base import Folder
from pointmask_trainer.strategies.evolving.base import ANNOTATED, Evolving, evolved_labels, label_from
from pointmask_trainer.strategies.evolving.options import LESPSOptions
from pointmask_trainer.strategies.labels.changes import Change
from pointmask_trainer.strategies.training import Training


class LESPS(Evolving):
    """Train on labels that grow from points, or from the annotator's masks."""

    Options = LESPSOptions
    name = "lesps"
    options: LESPSOptions

    def first_labels(self, split: Split, folder: Folder) -> Sequence[Label]:
        """Return the points alone, or the annotator's masks with the points pinned."""

        def one(index: int) -> Label:
            points = split.points[index]
            if self.options.start == "annotator":
                return label_from(self.annotated(split, index).mask, points, ANNOTATED)
            return label_from(np.zeros(split.images.shapes[index], np.bool_), points, 1.0)

        return for_every_image(split, one)

    @property
    def polarity(self) -> Polarity:
        """As the options say."""
        return self.options.polarity

    def start(self, training: Training) -> None:
        """Begin the record."""
        super().start(training)
        self._has_begun = False

    def changes(self, training: Training) -> dict[int, Change] | None:
        """Evolve all labels, those excepted that have outgrown `stop_area`."""
        if not self._is_due(training):
            return None
        indices = [index for index in range(len(self._points)) if not self._is_outgrown(training, index)]
        return evolved_labels(training, indices, self.options, saturated=1.0, only_points=False)

    def state_dict(self) -> dict[str, Any]:
        """Return whether labels have begun to evolve."""
        return {"has_begun": self._has_begun}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore `state_dict`."""
        self._has_begun = state["has_begun"]

    def _is_due(self, training: Training) -> bool:
        number, epochs = training.epoch + 1, training.config.epochs
        if not self.options.begin_loss:
            return self.options.is_due(number, epochs)
        if self._has_begun:
            return number % self.options.interval(epochs) == 0
        self._has_begun = self.mean_loss() < self.options.begin_loss
        return self._has_begun

    def _is_outgrown(self, training: Training, index: int) -> bool:
        if not self.options.stop_area:
            return False
        area = np.count_nonzero(training.labels.label("train", index) > 0.5)
        return bool(area > self.options.stop_area * len(self._points[index]))
