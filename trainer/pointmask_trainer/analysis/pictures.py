"""The pictures of a study with a text for each, or the reason why one is left out."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pointmask_trainer.analysis.charts.crops import Images, changed_png, extremes_png
from pointmask_trainer.analysis.charts.drift import drift_png
from pointmask_trainer.analysis.charts.history import history_png
from pointmask_trainer.analysis.charts.labels import labels_png
from pointmask_trainer.analysis.charts.parts import signed
from pointmask_trainer.analysis.charts.pool import pool_png
from pointmask_trainer.analysis.charts.theta import paths, theta_png
from pointmask_trainer.analysis.charts.weights import rho_text, weights_png
from pointmask_trainer.analysis.relations import Relation
from pointmask_trainer.analysis.study import Study

_CHANCE = 0.05  # above: a correlation is not distinguished from none
_MOVED = 3  # entries of theta named in words

FILES = ("weights.png", "extremes.png", "history.png", "theta.png", "labels.png", "changed.png")
"""Pictures that every run has, or a reason why it has not, in the order of the page."""

_PHOTOS = ("extremes.png", "changed.png")  # that show parts of images

FILES_OF_STRATEGIES = ("pool.png", "drift.png")
"""Pictures that only some strategies have; they come last."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of an analysis.

    Attributes
    ----------
    file : str
        Its name in the folder of the analysis; one of `FILES` or `FILES_OF_STRATEGIES`.
    title : str
    text : str
        What it says, in words and numbers.
    png : bytes
        Empty for one that is left out: `text` then says why.
    """

    file: str
    title: str
    text: str
    png: bytes = b""

    @property
    def has_photos(self) -> bool:
        """Whether it shows parts of images, which stay as they are where charts turn dark."""
        return self.file in _PHOTOS


def pictures_of(study: Study, images: Images) -> list[Picture]:
    """Draw a study.

    Parameters
    ----------
    study : Study
    images : callable
        Gives the (H, W) image of an id.

    Raises
    ------
    DataError
        If an image cannot be read, or has another size than its label.
    ImportError
        If matplotlib is not installed.
    """
    plans: dict[str, tuple[str, str, str, Callable[[], bytes]]] = {
        "weights.png": (
            "Sample weights, size and shape",
            _no_weights(study) or _no_labels(study),
            _weights_text(study),
            lambda: weights_png(study),
        ),
        "extremes.png": (
            "Highest and lowest weight",
            _no_weights(study) or _no_labels(study),
            _extremes_text(study),
            lambda: extremes_png(study, images),
        ),
        "history.png": ("Every image, epoch by epoch", "", _history_text(study), lambda: history_png(study)),
        "theta.png": (
            "The annotator's parameters",
            _no_theta(study),
            _theta_text(study),
            lambda: theta_png(study),
        ),
        "labels.png": (
            "Evolution of the labels",
            _no_versions(study),
            _labels_text(study),
            lambda: labels_png(study),
        ),
        "changed.png": (
            "Labels that changed most",
            _no_versions(study)
            or ("" if study.moved else "No label changed: the masks are those of the start."),
            _changed_text(study),
            lambda: changed_png(study, images),
        ),
    }
    if study.history.pools:
        plans["pool.png"] = (
            "Images that were trained on",
            "",
            _pool_text(study),
            lambda: pool_png(study),
        )
    if study.history.drifts:
        plans["drift.png"] = ("Drift of the targets", "", _drift_text(study), lambda: drift_png(study))
    return [
        Picture(file, title, why_not or text, b"" if why_not else draw())
        for file, (title, why_not, text, draw) in plans.items()
    ]


def _no_weights(study: Study) -> str:
    if study.history.alpha is not None:
        return ""
    if reason := study.history.strategy.why_not("weights"):
        return f"All images weigh alike in this run: {reason}."
    return "No image has been given a weight yet: the warm-up has not ended."


def _no_labels(study: Study) -> str:
    if study.version is not None:
        return ""
    return (
        "The run holds no labels, as those of earlier versions may: size and shape of its targets are not "
        "known. Go on with --resume for some epochs, or train anew."
    )


def _no_theta(study: Study) -> str:
    if study.history.updates:
        return ""
    if reason := study.history.strategy.why_not("theta"):
        return f"The annotator stays as it was in this run: {reason}."
    return "Theta has not been updated yet."


def _no_versions(study: Study) -> str:
    if study.changes:
        return ""
    if reason := study.history.strategy.why_not("labels"):
        return f"There are no versions of the labels in this run: {reason}."
    if not study.history.strategy.why_not("theta"):  # new labels follow from a new theta
        return _no_theta(study) or "The run did not keep its first labels."
    return "No label has been made again yet, or the run did not keep the first."


def _weights_text(study: Study) -> str:
    if not study.relations or not study.shapes:
        return ""
    size, shape = study.relations["diameter"], study.relations["circularity"]
    return (
        f"{_tendency(size, 'Images of larger targets', 'Images of smaller targets')} "
        f"{_tendency(shape, 'Images of rounder targets', 'Images of less round targets')} "
        "The left map counts images by size and shape, the right one shows their mean weight. Weights have "
        "mean 1 in every batch. Circularity is 4 pi A / P^2 with Crofton's perimeter; of targets under about "
        "ten pixels it is uncertain."
    )


def _tendency(found: Relation, up: str, down: str) -> str:
    if not np.isfinite(found.rho) or found.p >= _CHANCE:
        subject = up.removeprefix("Images of ").partition(" ")[0]
        return f"Being {subject} says nothing certain about an image's weight: {rho_text(found)}."
    return f"{up if found.rho > 0 else down} weigh more: {rho_text(found)}."


def _extremes_text(study: Study) -> str:
    if not study.relations:
        return ""
    loss = study.relations["loss"]
    tendency = "of higher loss" if loss.rho > 0 else "of lower loss"
    if not np.isfinite(loss.rho) or loss.p >= _CHANCE:
        return f"Weight and loss of an image have no certain relation: {rho_text(loss)}."
    return f"Images {tendency} weigh more: {rho_text(loss)}."


def _history_text(study: Study) -> str:
    text = "Each row is a training image, each column an epoch."
    if study.history.alpha is None:
        return f"{text} {_no_weights(study)}"
    known = study.alpha[np.isfinite(study.alpha)]
    low, high = np.quantile(known, (0.05, 0.95))
    return (
        f"{text} Rows that keep their colour are images that the meta-classifier holds to be useful, or not, "
        f"throughout. The mean weights of nine tenths of the images lie in {low:.2f} to {high:.2f}."
    )


def _theta_text(study: Study) -> str:
    updates = study.history.updates
    if not updates:
        return ""
    numbers, _ = paths(study)
    furthest = sorted(numbers, key=lambda name: -abs(float(numbers[name][-1])))[:_MOVED]
    since = "the start" if study.history.start is not None else "the first update"
    listed = ", ".join(
        f"{name} {signed(float(numbers[name][-1]), 1)} %" for name in furthest if "(plain)" not in name
    )
    moved = f"Since {since}, these went furthest: {listed}." if listed else "No single number moved."
    if not np.isfinite(updates[-1].offline):
        return moved
    first, last = updates[0], updates[-1]
    return (
        f"{moved} Before the first update the labels disagreed by {first.detector:.3f} with the detector's "
        f"response and by {first.offline:.3f} with the offline labels; before the last by "
        f"{last.detector:.3f} and {last.offline:.3f}."
    )


def _pool_text(study: Study) -> str:
    (_, first), (_, last) = study.history.pools[0], study.history.pools[-1]
    total = sum(last.values())
    return (
        f"The training began with {first['easy']:,} of {total:,} images, whose labels were easy to make; "
        f"{last['admitted']:,} more have been admitted as the detector found their targets, and "
        f"{last['hard']:,} have not been trained on."
    )


def _drift_text(study: Study) -> str:
    (_, first), (epoch, last) = study.history.drifts[0], study.history.drifts[-1]
    text = (
        f"Targets went from {first['area']:.1f} to {last['area']:.1f} px per point, with "
        f"{last['ignored']:.1f} px ignored. Features changed what grey values alone would give: the likeness "
        f"of both is {last['like_gate']:.3f} after epoch {epoch:,}."
    )
    if np.isfinite(last["train"]):
        text += (
            f" IoU with true masks went from {first['train']:.4f} to {last['train']:.4f}; true masks take no "
            "part in the training."
        )
    return text


def _labels_text(study: Study) -> str:
    if not study.changes:
        return ""
    last = study.changes[-1]
    iou = last.iou[np.isfinite(last.iou)]
    same = float(np.mean(iou == 1)) if iou.size else 1.0
    text = (
        f"Of version {last.version}, {100 * same:.0f} % of the images have the very labels of the first; "
        f"the area of all together changed by {signed(100 * (last.area - 1), 1)} %."
    )
    scores = [one for one in study.history.scores if np.isfinite(one.train)]
    if len(scores) > 1:
        first, now = scores[0], scores[-1]
        text += (
            f" IoU of the train list with true masks went from {first.train:.4f} to {now.train:.4f}; true "
            "masks take no part in the training."
        )
    return text


def _changed_text(study: Study) -> str:
    if not study.moved:
        return ""
    return f"The {len(study.moved)} targets whose first and last label differ most by IoU."
