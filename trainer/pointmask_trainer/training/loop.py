"""Epochs and steps of one training, whatever the strategy.

The state is the weights, the optimiser's state and the strategy's. Order, crops and dropout derive from
(seed, epoch, step) alone, so that a run that is resumed after any epoch ends with the same numbers.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from pointmask.metrics.counters import Score
from pointmask_trainer.config import Config
from pointmask_trainer.data.batch import Batch
from pointmask_trainer.data.labels import LabelStore, SplitName
from pointmask_trainer.data.normalisation import Normalisation
from pointmask_trainer.data.split import Mask, Split
from pointmask_trainer.detectors.base import ImageNetwork, Maps
from pointmask_trainer.detectors.blocks.common import check_channels_last
from pointmask_trainer.detectors.locators.base import Locator
from pointmask_trainer.detectors.precision import autocast_dtype
from pointmask_trainer.detectors.registry import LOCATORS
from pointmask_trainer.distributed import ProcessGroup
from pointmask_trainer.errors import ConfigError, TrainingError
from pointmask_trainer.inference.operator_masks import OperatorMasks
from pointmask_trainer.inference.tasks.choice import task_of
from pointmask_trainer.inference.tasks.threshold import THRESHOLD
from pointmask_trainer.inference.tiles import predict_pool
from pointmask_trainer.inference.windows import Box, predict_boxes
from pointmask_trainer.run.mask_settings import MaskSettings
from pointmask_trainer.strategies.base import Strategy
from pointmask_trainer.training.batches import Batches
from pointmask_trainer.training.optimiser import make_ema, make_optimiser, set_rate
from pointmask_trainer.training.validation import Validation, validate

_DROPOUT = 3  # what a derived seed is for


@dataclass(frozen=True, slots=True)
class EpochResult:
    """Figures of one epoch of training.

    Attributes
    ----------
    loss : float
        Mean over images, before weighting.
    seconds : float
        Of wall-clock time.
    images : int
        Crops trained on, over all processes.
    loading : float
        Share of the time spent on cutting crops; on a GPU, on queueing that work.
    """

    loss: float
    seconds: float
    images: int
    loading: float


class Loop:
    """A detector, its optimiser, the data and a strategy, trained one epoch at a time.

    It is the `pointmask_trainer.strategies.training.Training` of its strategy.

    Parameters
    ----------
    config : Config
    splits : Mapping of split name to Split
        On the device.
    labels : LabelStore
    strategy : Strategy
    model : ImageNetwork
        On the device.
    normalisation : Normalisation
    group : ProcessGroup
    masks : MaskSettings, optional
        Who draws the masks that are validated; the network by default.

    Raises
    ------
    ConfigError
        If the strategy does not go with the settings.

    Attributes
    ----------
    masks : MaskSettings
        With theta as it is learned.
    task : Task
        What the network's output is.
    epoch, step : int
        Finished epochs, and finished steps of the current one.
    steps_per_epoch : int
        Steps of the current epoch; before it begins, of the one before, or of an epoch with all images.
    ema : AveragedModel or None
        Exponential moving average of weights and statistics; None if ``optim.average`` is 0.
    """

    def __init__(
        self,
        config: Config,
        splits: Mapping[SplitName, Split],
        labels: LabelStore,
        strategy: Strategy,
        model: ImageNetwork,
        normalisation: Normalisation,
        group: ProcessGroup | None = None,
        masks: MaskSettings | None = None,
    ) -> None:
        if config.run.compile and not strategy.compiles:
            raise ConfigError(
                f"strategy {config.strategy.name} reads features of the detector, which run.compile = true "
                "may leave out; set it to false"
            )
        self.config, self.splits, self.labels = config, splits, labels
        self.strategy, self.model, self.normalisation = strategy, model, normalisation
        self.group = group or ProcessGroup()
        self.masks = masks or MaskSettings()
        self.task = task_of(model, OperatorMasks.of(self.masks, config.model.name))
        if strategy.trains != self.task.finds:
            raise ConfigError(_misfit(config, strategy.trains))
        self.device = next(model.parameters()).device
        self.autocast = autocast_dtype(config.run.precision, self.device)
        self.optimiser = make_optimiser(config.optim, model)
        self.epoch = self.step = 0
        self._batches = Batches(config, splits, labels, normalisation, model, self.group)
        self.steps_per_epoch = self._batches.per_epoch(len(splits["train"]))
        if config.run.channels_last and self.device.type == "cpu":
            check_channels_last(model)
        if self.device.type == "cuda" or config.run.channels_last:
            model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if self.device.type == "cuda":
            torch.set_float32_matmul_precision("high")
            torch.backends.cudnn.benchmark = True
        self._forward = torch.compile(model) if config.run.compile else model
        self.ema = make_ema(config.optim, model)
        strategy.start(self)
        self._learned = [*model.parameters(), *strategy.parameters()]
        if added := list(strategy.parameters()):
            self.optimiser.add_param_group({"params": added, "weight_decay": 0.0})
        for parameter in self._learned:
            if parameter.requires_grad:
                parameter.register_post_accumulate_grad_hook(_let_signals_in)  # type: ignore[no-untyped-call]

    @property
    def evaluated_model(self) -> ImageNetwork:
        """The detector that is validated, predicts and is saved as the best: the EMA, if there is one."""
        if self.ema is None:
            return self.model
        ema = self.ema.module
        assert isinstance(ema, ImageNetwork)
        return ema

    def train_epoch(self, on_step: Callable[[int, float], None] | None = None) -> EpochResult:
        """Train for one epoch.

        Parameters
        ----------
        on_step : callable, optional
            Called after each step with the finished steps and the mean loss so far.

        Raises
        ------
        TrainingError
            If the strategy leaves no image to train on, or a loss is not a finite number; the message names
            the images.
        """
        self.model.train()
        start = time.perf_counter()
        loading = total = 0.0
        images = 0
        active = self._active_images()
        self.steps_per_epoch = self._batches.per_epoch(len(active))
        batches = self._batches.of_epoch(self.epoch, active)
        batch: Batch | None = next(batches)
        while batch is not None:
            done = self._train_step(batch)
            # A GPU works on this step while the next batch is cut; reading the loss would wait for it.
            loading_since = time.perf_counter()
            upcoming = next(batches, None)
            loading += time.perf_counter() - loading_since
            total += self._finite_loss(batch, done)
            images += batch.total
            self.step += 1
            if on_step:
                on_step(self.step, total / images)
            batch = upcoming
        self.step = 0
        self.strategy.end_epoch(self)
        self.take_theta()
        self.epoch += 1
        seconds = time.perf_counter() - start
        return EpochResult(total / images, seconds, images, loading / seconds)

    def take_theta(self) -> None:
        """Draw detected targets with what the strategy has learned, unless the settings name a theta."""
        theta = self.strategy.learned_theta()
        if theta is not None and not self.config.masks.theta and theta != self.masks.theta:
            self.masks = replace(self.masks, theta=theta)
            self.task = task_of(self.model, OperatorMasks.of(self.masks, self.config.model.name))

    def batch(self, split: SplitName, indices: Tensor, key: tuple[int, ...], *, plain: bool = False) -> Batch:
        """Cut this process's share of a batch; see `pointmask_trainer.strategies.training.Training.batch`."""
        return self._batches.batch(split, indices, key, plain=plain)

    def losses(self, batch: Batch) -> tuple[Tensor, Maps]:
        """Run the detector on a batch; return the loss of each image, (B,), and the maps."""
        maps = self.strategy.forward(self, batch)
        return self.losses_of(maps, batch), maps

    def forward(self, images: Tensor) -> Maps:
        """Run the detector on (B, C, h, w) images, in the run's precision."""
        with torch.autocast(self.device.type, self.autocast, enabled=self.autocast is not None):
            maps: Maps = self._forward(images)
        return maps

    def losses_of(self, maps: Maps, batch: Batch) -> Tensor:
        """Loss of each image, (B,), given the detector's maps."""
        return self.strategy.losses(maps, batch, self.config.loss, self.model.auxiliary)

    def predictions(
        self,
        split: SplitName,
        indices: list[int] | None = None,
        boxes: Mapping[int, Sequence[Box]] | None = None,
    ) -> Iterator[tuple[int, Tensor]]:
        """Yield probabilities; see `pointmask_trainer.strategies.training.Training.predictions`."""
        model, images = self.evaluated_model, self.splits[split].images
        if boxes is None:
            return predict_pool(model, images, self.normalisation, indices, autocast=self.autocast)
        own = boxes if indices is None else {index: boxes[index] for index in indices}
        return predict_boxes(model, images, self.normalisation, own, autocast=self.autocast)

    def validate(
        self,
        truths: list[Mask] | None = None,
        on_image: Callable[[int, Tensor, Score], None] | None = None,
    ) -> Validation:
        """Score the validation images; see `pointmask_trainer.training.validation.validate`."""
        return validate(
            self.task,
            self.evaluated_model,
            self.splits["val"],
            self.labels,
            self.normalisation,
            self.group,
            truths=truths,
            on_image=on_image,
            autocast=self.autocast,
            threshold=self._free_threshold(),
        )

    def _free_threshold(self) -> float | None:
        """Return the threshold of the heat, unless the network or the settings tell it."""
        model, told = self.model, THRESHOLD in self.config.model.options
        if not isinstance(model, Locator) or model.tells_threshold or told:
            return None
        return model.decoding.threshold

    def _active_images(self) -> Sequence[int]:
        """Return the indices of the training images of the coming epoch."""
        active = self.strategy.active(self)
        if active is None:
            return range(len(self.splits["train"]))
        if not active:
            raise TrainingError(
                f"strategy {self.config.strategy.name} leaves no image of the train list for epoch "
                f"{self.epoch + 1}; an epoch needs at least one: relax the strategy's options that choose "
                "images, or give a longer list with --train-list FILE"
            )
        return active

    def _train_step(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Do one step; return the losses, (B,), and the sums over all processes of losses and objective."""
        dropout_seed = np.random.SeedSequence(
            [self.config.seed, _DROPOUT, self.epoch, self.step, self.group.rank]
        ).generate_state(1)
        torch.manual_seed(int(dropout_seed[0]))
        set_rate(self.optimiser, self.config.optim, self._progress(), self.config.epochs)
        losses, maps = self.losses(batch)
        weights = self.strategy.weights(self, batch, maps, losses)
        loss = (losses if weights is None else weights * losses).sum() / batch.total
        extra = self.strategy.extra_loss(self, batch)
        if extra is not None:
            loss = loss + extra
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.group.sum_gradients(self._learned)
        if self.config.optim.clip:
            nn.utils.clip_grad_norm_(self._learned, self.config.optim.clip)
        self.optimiser.step()
        if self.ema is not None:
            self.ema.update_parameters(self.model)
        losses = losses.detach()
        self.strategy.after_step(self, batch, maps, losses)
        return losses, self.group.sum(torch.stack([losses.sum(), loss.detach()]))

    def _finite_loss(self, batch: Batch, done: tuple[Tensor, Tensor]) -> float:
        """Return the sum of a step's losses over all processes.

        Raises
        ------
        TrainingError
            If it is not finite. The weights are updated by then, but no checkpoint holds them.
        """
        losses, totals = done
        of_images, of_step = totals.tolist()
        if not (math.isfinite(of_images) and math.isfinite(of_step)):
            raise TrainingError(self._not_finite(batch, losses))
        return float(of_images)

    def _progress(self) -> float:
        return self.epoch + self.step / self.steps_per_epoch

    def _not_finite(self, batch: Batch, losses: Tensor) -> str:
        ids = self.splits[batch.split].ids
        bad = [ids[k] for k in batch.indices[~torch.isfinite(losses)].tolist()]
        bad = [name for names in self.group.gather(bad) for name in names]
        whose = f"of {', '.join(bad)}" if bad else "of all images together"
        return (
            f"the loss {whose} is not a finite number in epoch {self.epoch + 1}, step {self.step + 1}; the "
            "last checkpoint is kept. Look at these images and their labels, lower optim.lr, or set "
            "optim.clip; then run again with --resume"
        )


def _let_signals_in(parameter: Tensor) -> None:
    """Be Python within the backward pass, which is where Ctrl-C can end it.

    Without, it goes through the whole pass first: 12 s of dnanet with 16 crops on one core.
    """


def _misfit(config: Config, trains: str) -> str:
    """Say that a strategy does not train this network, and what goes together."""
    strategy, model = config.strategy.name, config.model.name
    if trains == "points":
        return (
            f"strategy {strategy} trains networks that find points, and {model} draws masks; set --model to "
            f"one of {', '.join(LOCATORS)}"
        )
    return (
        f"strategy {strategy} trains detectors, which draw masks, and {model} finds points; set --strategy "
        "spire, or --model to a detector"
    )
