"""All numbers of one run's analysis, before anything is drawn."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointmask_trainer.analysis.history import History, read_history
from pointmask_trainer.analysis.label_files import Change, LabelFiles, Mask, Moved
from pointmask_trainer.analysis.relations import Relation, relation
from pointmask_trainer.analysis.shapes import MEASURES, mean_shapes

LAST = 50
"""Epochs over which weights are averaged, as in the paper's analysis (100 recorded passes there)."""

SHEET = 24
"""Most targets on a sheet of crops."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """What a run learned, in numbers.

    Attributes
    ----------
    run : Path
    history : History
    averaged : int
        Epochs over which `alpha` and `loss` are means.
    alpha, loss : (N,) arrays
        Of each training image; NaN where it has none.
    version : int or None
        Of the labels whose size and shape were measured: the last; None if the run saved none.
    shapes : mapping of measure to (N,) array
        Mean over an image's targets, in that version; NaN without a target.
    relations : mapping of name to Relation
        Of `alpha` with each measure and with the loss; empty if there are no weights.
    changes : list of Change
        Later versions against the first.
    moved : list of Moved
        Targets that changed most.
    labels : mapping of index to (first, last) masks
        Of the images that are to be shown.
    """

    run: Path
    history: History
    averaged: int
    alpha: Floats
    loss: Floats
    version: int | None
    shapes: Mapping[str, Floats]
    relations: Mapping[str, Relation]
    changes: list[Change]
    moved: list[Moved]
    labels: Mapping[int, tuple[Mask, Mask]]

    def extremes(self, each: int) -> tuple[list[int], list[int]]:
        """Return the images of the highest and of the lowest weight; no image is in both lists."""
        ordered = [int(k) for k in np.argsort(-self.alpha, kind="stable") if np.isfinite(self.alpha[k])]
        each = min(each, len(ordered) // 2)
        return ordered[:each], ordered[::-1][:each]


def study_run(run: Path, *, last: int = LAST, known: dict[int, Change] | None = None) -> Study:
    """Compute all numbers of a run's analysis.

    Parameters
    ----------
    run : Path
    last : int
        Number of final epochs, after the warm-up, to average over.
    known : dict, optional
        Changes by version from an earlier study of the same run: a version that is written stays as it
        is. Those that are new are added.

    Raises
    ------
    DataError
        If the run cannot be read, or has learned nothing beside the detector.
    """
    history = read_history(run)
    files = LabelFiles(run, len(history.ids))
    known = {} if known is None else known
    for version in files.versions[1:]:
        if version not in known:
            known[version] = files.change(version)
    alpha, loss = history.mean_alpha(last), history.mean_loss(last)
    shapes: dict[str, Floats] = {}
    if files.versions:
        measured = mean_shapes(files.masks(files.versions[-1]))
        shapes = {name: measured[:, k] for k, name in enumerate(MEASURES)}
    relations = {}
    if history.alpha is not None:
        relations = {name: relation(values, alpha) for name, values in {**shapes, "loss": loss}.items()}
    found = Study(
        run=run,
        history=history,
        averaged=int(history.weighted_epochs(last).sum()),
        alpha=alpha,
        loss=loss,
        version=files.versions[-1] if files.versions else None,
        shapes=shapes,
        relations=relations,
        changes=[known[version] for version in files.versions[1:]],
        moved=files.moved(SHEET) if len(files.versions) > 1 else [],
        labels={},
    )
    shown = {one.index for one in found.moved}.union(*found.extremes(SHEET // 2))
    return _with_labels(found, files, shown)


def _with_labels(found: Study, files: LabelFiles, shown: set[int]) -> Study:
    """Add the masks of the images to be drawn; those of all images would not fit into memory."""
    if not files.versions:
        return found
    pairs = zip(files.masks(files.versions[0]), files.masks(files.versions[-1]), strict=True)
    labels = {index: pair for index, pair in enumerate(pairs) if index in shown}
    values: dict[str, Any] = {name: getattr(found, name) for name in Study.__dataclass_fields__}
    return Study(**{**values, "labels": labels})
