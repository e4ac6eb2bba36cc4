"""Epochs and steps of one training, whatever the strategy.

Every number depends on seed, epoch and step alone.
Nothing is carried from step to step but weights, the optimiser's state and the strategy's: order, crops and
dropout derive from (seed, epoch, step), so that a run which is resumed after any epoch goes on alike.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pointmask.components import blobs
from pointmask.metrics.counters import Score, score
from pointmask_trainer.config import Config
from pointmask_trainer.data.augment import draw, retouch
from pointmask_trainer.data.batch import Batch
from pointmask_trainer.data.labels import LabelStore, SplitName
from pointmask_trainer.data.normalisation import Normalisation
from pointmask_trainer.data.split import Mask, Split
from pointmask_trainer.detectors.base import Detector, Maps
from pointmask_trainer.distributed import Team
from pointmask_trainer.errors import TrainingError
from pointmask_trainer.inference.tiles import Box, predict_pool
from pointmask_trainer.strategies.base import Strategy
from pointmask_trainer.training.optimiser import average_of, make_optimiser, set_rate

_SHUFFLE, _CROPS, _CHANCE = 1, 2, 3  # what a derived seed is for
_PRECISION = {"float32": None, "bf16": torch.bfloat16}


@dataclass(frozen=True, slots=True)
class EpochResult:
    """What one epoch of training gave.

    Attributes
    ----------
    loss : float
        Mean over images, before weighting.
    seconds : float
        Of wall-clock time.
    images : int
        How many crops were trained on, over all processes.
    loading : float
        Share of the time spent on cutting crops; on a GPU, on ordering them.
    """

    loss: float
    seconds: float
    images: int
    loading: float


class Loop:
    """A detector, its optimiser, the data and a strategy, one epoch at a time.

    Parameters
    ----------
    config : Config
    splits : Mapping of split name to Split
        On the device.
    labels : LabelStore
    strategy : Strategy
    model : Detector
        On the device.
    normalisation : Normalisation
    team : Team

    Attributes
    ----------
    epoch, step : int
        Where the training is: epochs finished, and steps of the present one.
    average : AveragedModel or None
        Running average of the weights and statistics, where one is kept.
    """

    def __init__(
        self,
        config: Config,
        splits: Mapping[SplitName, Split],
        labels: LabelStore,
        strategy: Strategy,
        model: Detector,
        normalisation: Normalisation,
        team: Team | None = None,
    ) -> None:
        self.config, self.splits, self.labels = config, splits, labels
        self.strategy, self.model, self.normalisation = strategy, model, normalisation
        self.team = team or Team()
        self.device = next(model.parameters()).device
        self.autocast = _PRECISION[config.run.precision]
        self.optimiser = make_optimiser(config.optim, model)
        self.epoch = self.step = 0
        self._anchors = {name: _anchors(split, labels, name) for name, split in splits.items()}
        self._units = {name: normalisation.units_of(split.images) for name, split in splits.items()}
        if self.device.type == "cuda" or config.run.channels_last:
            model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if self.device.type == "cuda":
            torch.set_float32_matmul_precision("high")
            torch.backends.cudnn.benchmark = True
        self._forward = torch.compile(model) if config.run.compile else model
        self.average = average_of(config.optim, model)
        strategy.start(self)

    @property
    def judged(self) -> Detector:
        """The detector that validates, predicts and is kept: the average, where there is one."""
        if self.average is None:
            return self.model
        averaged = self.average.module
        assert isinstance(averaged, Detector)
        return averaged

    @property
    def steps_per_epoch(self) -> int:
        """Steps of an epoch: the last, incomplete batch is left out if there is a whole one."""
        return max(1, len(self.splits["train"]) // self.config.batch)

    def train_epoch(self, on_step: Callable[[int, float], None] | None = None) -> EpochResult:
        """Train on every image once and go on to the next epoch.

        Parameters
        ----------
        on_step : callable, optional
            Called with the steps done and the mean loss so far.

        Raises
        ------
        TrainingError
            If a loss is not a finite number; the message names the images.
        """
        self.model.train()
        start = time.perf_counter()
        loading = total = 0.0
        images = 0
        batches = self._batches()
        batch: Batch | None = next(batches)
        while batch is not None:
            done = self._train_step(batch)
            # While a GPU works on this step, the next one is prepared; only then is its loss asked for.
            began = time.perf_counter()
            following = next(batches, None)
            loading += time.perf_counter() - began
            total += self._finite_loss(batch, done)
            images += batch.total
            self.step += 1
            if on_step:
                on_step(self.step, total / images)
            batch = following
        self.step = 0
        self.strategy.end_epoch(self)
        self.epoch += 1
        seconds = time.perf_counter() - start
        return EpochResult(total / images, seconds, images, loading / seconds)

    def batch(self, split: SplitName, indices: Tensor, key: tuple[int, ...]) -> Batch:
        """Cut one batch of augmented crops: this process's share of it.

        Parameters
        ----------
        split : {"train", "val"}
        indices : (B,) int64 Tensor
            Images of the whole batch.
        key : tuple of int
            What the crops derive from, besides the seed.
        """
        source = self.splits[split]
        listed = indices.tolist()
        draws = draw(
            self.config.augment,
            [source.images.shapes[k] for k in listed],
            [self._anchors[split][k] for k in listed],
            (self.config.seed, _CROPS, *key, int(split == "val")),
        )
        part = self.team.part(len(listed))
        draws, mine = draws[part], indices[part].to(self.device)
        images = source.images.crops(mine, draws.views, "reflect")
        mean, std = (values[mine] for values in self._units[split])
        images = retouch((images - mean) / std, draws)
        labels = self.labels.crops(split, mine, draws.views)
        images = images.expand(-1, self.model.in_channels, -1, -1)
        return Batch(split, mine, images, labels, draws.views, len(listed))

    def losses(self, batch: Batch) -> tuple[Tensor, Maps]:
        """Forward pass: the loss of each image, (B,), and the maps."""
        with torch.autocast(self.device.type, self.autocast, enabled=self.autocast is not None):
            maps: Maps = self._forward(batch.images)
        return self.strategy.losses(maps, batch, self.config.loss, self.model.auxiliary), maps

    def predictions(
        self,
        split: SplitName,
        indices: list[int] | None = None,
        boxes: Mapping[int, Sequence[Box]] | None = None,
    ) -> Iterator[tuple[int, Tensor]]:
        """Probabilities of whole, unchanged images; see `pointmask_trainer.inference.tiles.predict_pool`."""
        return predict_pool(
            self.judged,
            self.splits[split].images,
            self.normalisation,
            indices,
            boxes=boxes,
            autocast=self.autocast,
        )

    def validate(
        self,
        truths: list[Mask] | None = None,
        seen: Callable[[int, Tensor, Score], None] | None = None,
    ) -> dict[str, Score]:
        """Score the validation images against their labels and, as a diagnostic, against true masks.

        Parameters
        ----------
        truths : list of (H, W) bool arrays, optional
            True masks.
        seen : callable, optional
            Called with the index, the (H, W) probabilities and the score of each image of this process's
            share: against its true mask where that is known, else against its label.

        Returns
        -------
        dict
            ``labels``, and ``truth`` where true masks are given.
        """
        mine = list(range(len(self.splits["val"])))[self.team.rank :: self.team.size]
        against_labels, against_truth = Score(), Score()
        for index, probabilities in self.predictions("val", mine):
            mask = (probabilities > 0.5).cpu().numpy()
            counted = score(mask, self.labels.label("val", index) > 0.5)
            against_labels += counted
            if truths is not None:
                counted = score(mask, truths[index])
                against_truth += counted
            if seen:
                seen(index, probabilities, counted)
        scores = {"labels": sum(self.team.gather(against_labels), Score())}
        if truths is not None:
            scores["truth"] = sum(self.team.gather(against_truth), Score())
        return scores

    def _batches(self) -> Iterator[Batch]:
        rng = np.random.default_rng([self.config.seed, _SHUFFLE, self.epoch])
        order = torch.from_numpy(rng.permutation(len(self.splits["train"])))
        for step in range(self.steps_per_epoch):
            indices = order[step * self.config.batch : (step + 1) * self.config.batch]
            yield self.batch("train", indices, (self.epoch, step))

    def _train_step(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Do one step; returns the losses and, over all processes, their sum and the whole loss."""
        chance = np.random.SeedSequence(
            [self.config.seed, _CHANCE, self.epoch, self.step, self.team.rank]
        ).generate_state(1)
        torch.manual_seed(int(chance[0]))  # dropout
        set_rate(self.optimiser, self.config.optim, self._progress(), self.config.epochs)
        losses, maps = self.losses(batch)
        weights = self.strategy.weights(self, batch, maps, losses)
        loss = (losses if weights is None else weights * losses).sum() / batch.total
        extra = self.strategy.extra_loss(self, batch)
        if extra is not None:
            loss = loss + extra
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.team.sum_gradients(self.model.parameters())
        if self.config.optim.clip:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.config.optim.clip)
        self.optimiser.step()
        if self.average is not None:
            self.average.update_parameters(self.model)
        losses = losses.detach()
        self.strategy.after_step(self, batch, maps, losses)
        return losses, self.team.sum(torch.stack([losses.sum(), loss.detach()]))

    def _finite_loss(self, batch: Batch, done: tuple[Tensor, Tensor]) -> float:
        """Sum of a step's losses over all processes, or the end of this training.

        The weights have moved by then, but no checkpoint is written any more.
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
        bad = [name for listed in self.team.gather(bad) for name in listed]
        whose = f"of {', '.join(bad)}" if bad else "of all images together"
        return (
            f"the loss {whose} is not a finite number in epoch {self.epoch + 1}, step {self.step + 1}; the "
            "last checkpoint is kept. Look at these images and their labels, lower optim.lr, or set "
            "optim.clip; then run again with --resume"
        )


def _anchors(split: Split, labels: LabelStore, name: SplitName) -> list[NDArray[np.float64]]:
    """Places that crops which must hold a target are put round: the points, else the labels' centroids."""
    if any(len(points) for points in split.points):
        return [points.astype(np.float64) for points in split.points]
    return [blobs(labels.label(name, index) > 0.5)[0] for index in range(len(split))]
