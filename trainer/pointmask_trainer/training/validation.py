"""Scores of a network on the validation list: against labels, true masks where known, and clicks."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pointmask.metrics.counters import Score, score
from pointmask.metrics.points import PointScore, score_points
from pointmask_trainer.data.labels import LabelStore
from pointmask_trainer.data.normalisation import Normalisation
from pointmask_trainer.data.split import Mask, Split
from pointmask_trainer.detectors.base import ImageNetwork
from pointmask_trainer.distributed import ProcessGroup
from pointmask_trainer.inference.report.tables import figures
from pointmask_trainer.inference.tasks.base import HALF, Task
from pointmask_trainer.inference.tasks.threshold import CHANCES, THRESHOLD, best_chance, moved

OnImage = Callable[[int, Tensor, Score], None]


@dataclass(frozen=True, slots=True)
class Validation:
    """Scores of one epoch.

    Attributes
    ----------
    scores : dict
        ``labels``, and ``truth`` where true masks are given. Beside masks by the operator, those of the
        network as ``network_labels`` and ``network_truth``; of a network that finds points, ``points``
        against the clicks.
    threshold : float or None
        Heat above which points count in ``points``, if it was chosen by F1; masks count above the network's
        own.
    """

    scores: dict[str, Score | PointScore]
    threshold: float | None = None

    def figures(self) -> dict[str, dict[str, float | None]]:
        """Return the figures as a run's metrics name them."""
        found = {
            f"val_{name}": scored.figures() if isinstance(scored, PointScore) else figures(scored)
            for name, scored in self.scores.items()
        }
        if self.threshold is not None:
            found["val_points"][THRESHOLD] = self.threshold
        return found


def validate(
    task: Task,
    model: ImageNetwork,
    split: Split,
    labels: LabelStore,
    normalisation: Normalisation,
    group: ProcessGroup,
    *,
    truths: Sequence[Mask] | None,
    on_image: OnImage | None,
    autocast: torch.dtype | None,
    threshold: float | None = None,
) -> Validation:
    """Score the images of the validation list.

    Parameters
    ----------
    task, model, split, labels, normalisation, group
        Of the training.
    truths : sequence of (H, W) bool arrays or None
        True masks.
    on_image : callable or None
        Called with the index, the (H, W) probabilities and the score of each image of this process's share:
        against its true mask if `truths` is given, else against its label.
    autocast : torch.dtype or None
    threshold : float, optional
        Heat of a probability of 0.5, if the clicks shall choose another.
    """
    mine = range(len(split))[group.rank :: group.size]
    finds_points = task.finds == "points"
    scores: defaultdict[str, Score] = defaultdict(Score)
    chances = (HALF,) if threshold is None else CHANCES
    curve = dict.fromkeys(chances, PointScore())
    for index, reading in task.read_pool(model, split.images, normalisation, mine, autocast):
        references = {"labels": labels.label("val", index) > 0.5}
        if truths is not None:
            references["truth"] = truths[index]
        drawn = task.draw(split.images.stored(index), reading)
        if finds_points:
            for chance in chances:
                places = [(target.y, target.x) for target in task.targets(drawn, chance)]
                curve[chance] += score_points(places, split.points[index], split.images.shapes[index])
        elif task.operator is not None:
            for name, reference in references.items():
                scores[f"network_{name}"] += score(reading.probabilities > 0.5, reference)
        for name, reference in references.items():
            counted = score(drawn.probabilities > 0.5, reference)
            scores[name] += counted
        if on_image:
            on_image(index, torch.from_numpy(drawn.probabilities), counted)
    found: dict[str, Score | PointScore] = {
        name: sum(group.gather(scores[name]), Score()) for name in _names(task, has_truths=truths is not None)
    }
    if not finds_points:
        return Validation(found)
    curve = {chance: sum(group.gather(counted), PointScore()) for chance, counted in curve.items()}
    chance = best_chance(curve)
    found["points"] = curve[chance]
    return Validation(found, None if threshold is None else moved(threshold, chance))


def _names(task: Task, *, has_truths: bool) -> list[str]:
    """Return the names of the scores of masks: the same in all processes, also without images."""
    references = ["labels", "truth"] if has_truths else ["labels"]
    if task.operator is None or task.finds == "points":
        return references
    return references + [f"network_{name}" for name in references]
