"""What a strategy can do to a training: labels, sample weights, losses, and work between steps and epochs.

The loop knows no strategy by name. It calls these methods in this order::

    prepare(folder)                labels of both splits, once
    start(training)                once, when the detector has its weights
    parameters()                   what is learned together with the detector, once
    each epoch:
        active(training)           the images it draws from
    each step:
        forward(training, batch)   the detector's maps
        losses(maps, batch)        one number per image
        weights(training, ...)     one factor per image
        extra_loss(training, ...)  a term of its own, such as a loss on validation images
        after_step(training, ...)  after the update of the detector, such as a step of a meta-classifier
    end_epoch(training)            such as new labels: ``training.labels.update(...)``
    record()                       values of the epoch for the run's ``strategy.jsonl``
    state_dict()                   what a resumed run needs besides the labels

Evolving labels override `end_epoch`; targets made within a batch override `losses`; bi-level updates override
`weights`, `extra_loss`, `after_step` and `end_epoch`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from torch import Tensor, nn

from pointmask.theta import Polarity, Theta
from pointmask_trainer.config import LossConfig
from pointmask_trainer.data.batch import Batch
from pointmask_trainer.data.labels import Label, SplitName
from pointmask_trainer.data.split import Split
from pointmask_trainer.detectors.base import Auxiliary, Maps
from pointmask_trainer.detectors.losses import loss_of_maps
from pointmask_trainer.errors import DataError
from pointmask_trainer.strategies.training import Training

Part = Literal["weights", "theta", "labels"]
"""What may be learned beside a detector: sample weights, the annotator's parameters, new labels."""


@dataclass(frozen=True, slots=True)
class NoOptions:
    """A strategy without options."""


@dataclass(frozen=True, slots=True, eq=False)
class Folder:
    """Data from which a strategy makes labels.

    Attributes
    ----------
    root : Path
        The training folder.
    splits : Mapping of split name to Split
        ``train`` and ``val``.
    masks : Path or None
        Folder of masks, from ``--masks``.
    has_points : bool
        Whether there are points: from ``--points`` or, if the strategy needs them, recognised in `root`.
    say : callable
        Takes a line that a user should know.
    """

    root: Path
    splits: Mapping[SplitName, Split]
    masks: Path | None
    has_points: bool
    say: Callable[[str], None] = lambda text: None


class Strategy(ABC):
    """A way to supervise a detector.

    Parameters
    ----------
    options : Options
        The strategy's own settings.

    Attributes
    ----------
    Options : type
        Frozen dataclass of the settings.
    learns_supervision : bool
        Whether labels or sample weights are learned. The run then keeps the first labels beside the later
        ones, and its report shows what was learned.
    learns_weights : bool
        Whether `record` gives sample weights, as ``alpha``, and the images' prior ``difficulty``: lists with
        a value, or None, for each image of the train list.
    needs_points : bool
        Whether labels are made from points, which are then looked for if the user names none.
    reads_masks : bool
        Whether labels are read from the masks that the user names.
    trains : {"masks", "points"}
        What the output of its networks is: detectors' masks, or locators' points.
    compiles : bool
        Whether the detector may be compiled; strategies that read its features cannot have that.
    unweighted : tuple of str
        Options of ``pointmask train`` that train on the same labels with equal weights and nothing else
        learned; ``pointmask select`` prints them for a selection. Empty if the strategy's own do.
    """

    Options: ClassVar[type[Any]] = NoOptions
    learns_supervision: ClassVar[bool] = False
    learns_weights: ClassVar[bool] = False
    needs_points: ClassVar[bool] = False
    reads_masks: ClassVar[bool] = True
    trains: ClassVar[Literal["masks", "points"]] = "masks"
    compiles: ClassVar[bool] = True
    unweighted: ClassVar[tuple[str, ...]] = ()

    def __init__(self, options: Any) -> None:  # noqa: ANN401 - each strategy's own
        self.options = options

    @abstractmethod
    def prepare(self, folder: Folder) -> Mapping[SplitName, Sequence[Label]]:
        """Make the first labels of both splits.

        Raises
        ------
        DataError
            If what the labels are made from is missing or does not fit.
        """

    def first_theta(self) -> Theta | None:
        """Return the annotator's parameters that make the first labels; None if it makes none.

        Raises
        ------
        ThetaError
            If the options name a file that cannot be read.
        """
        return None

    def polarity_of_labels(self) -> Polarity:
        """Return the polarity of the targets for which the annotator makes labels; "auto" if any will do."""
        polarity: Polarity | Literal["both"] = getattr(self.options, "polarity", "auto")
        return "auto" if polarity == "both" else polarity

    def learned_theta(self) -> Theta | None:
        """Return the annotator's parameters as learned so far, after `start`; None if none are learned.

        A detector's masks by the operator are drawn with them, and its card carries them.
        """
        return None

    @property
    def sees_validation(self) -> bool:
        """Whether the detector is trained on the validation images too, so that their figures flatter."""
        return False

    @property
    def unseen_share(self) -> float:
        """Share of the validation list that is kept apart from a training which sees the rest of it."""
        return 0.0

    def why_not(self, part: Part) -> str:
        """Return why a part is never learned with these options, as the end of a sentence; "" if it is.

        Reports and messages show it where they have nothing else to show.
        """
        if part == "weights" and not self.learns_weights:
            return "the strategy learns no sample weights"
        return ""

    def start(self, training: Training) -> None:  # noqa: B027 - optional
        """Set up what depends on the device, the seed or the data, once before the first epoch."""

    def parameters(self) -> Iterable[nn.Parameter]:
        """Return what is learned in the same steps as the detector, without weight decay.

        Called after `start`. The loop adds them to the detector's optimiser, which saves their state, sums
        their gradients over all processes, and clips them together with the detector's.
        """
        return ()

    def active(self, training: Training) -> Sequence[int] | None:
        """Return the indices of the training images of the coming epoch, ascending; None stands for all."""
        return None

    def forward(self, training: Training, batch: Batch) -> Maps:
        """Compute the detector's maps of a batch, whose losses are then taken."""
        return training.forward(batch.images)

    def losses(
        self, maps: Maps, batch: Batch, config: LossConfig, auxiliary: tuple[Auxiliary, ...]
    ) -> Tensor:
        """Loss of each image, (B,)."""
        return loss_of_maps(maps, batch.labels, config, auxiliary)

    def weights(self, training: Training, batch: Batch, maps: Maps, losses: Tensor) -> Tensor | None:
        """Weight of each image, (B,); None weighs all alike."""
        return None

    def extra_loss(self, training: Training, batch: Batch) -> Tensor | None:
        """Return a term to add to this process's loss, or None."""
        return None

    def after_step(self, training: Training, batch: Batch, maps: Maps, losses: Tensor) -> None:  # noqa: B027 - optional
        """Update after the optimiser's step on the detector."""

    def end_epoch(self, training: Training) -> None:  # noqa: B027 - optional
        """Update after an epoch; labels changed here are used from the next epoch on."""

    def close(self) -> None:  # noqa: B027 - optional
        """End what runs beside the training, which is over, broken off or not."""

    def record(self) -> dict[str, Any]:
        """Return plain values of the epoch that just ended, for ``strategy.jsonl``; {} writes no line."""
        return {}

    def state_dict(self) -> dict[str, Any]:
        """Return the tensors and plain values with which `load_state_dict` restores the strategy."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:  # noqa: B027 - optional
        """Restore `state_dict`."""


def require_points(folder: Folder, strategy: str) -> None:
    """Check that each list has a point.

    Raises
    ------
    DataError
        If there are no points at all, or none in one of the lists.
    """
    if not folder.has_points:
        raise DataError(f"strategy {strategy} needs points; name them with --points FILE")
    for split in folder.splits.values():
        if not any(len(points) for points in split.points):
            raise DataError(
                f"no image of the {split.name} list has a point; check --points, or give another list with "
                f"--{split.name}-list FILE"
            )
