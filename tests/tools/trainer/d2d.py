"""A detector of two layers, and loops in memory that train it on blobs."""

import json
from pathlib import Path

import numpy as np
import torch
from torch import nn

from pointmask_trainer.config import load_config
from pointmask_trainer.data.labels import LabelStore
from pointmask_trainer.data.normalisation import normalisation_of
from pointmask_trainer.data.pool import Pool
from pointmask_trainer.data.split import Split
from pointmask_trainer.detectors.base import Detector
from pointmask_trainer.strategies.base import Folder
from pointmask_trainer.strategies.registry import make_strategy
from pointmask_trainer.training.loop import Loop
from tools.trainer.training import TINY

SIDE = 32


class TwoLayers(Detector):
    """Smooth, so that differences of losses are what their gradients say; with a norm and dropout."""

    stride = 1

    def __init__(self, in_channels=1, width=6, dropout=0.2):
        super().__init__(in_channels)
        self.first = nn.Conv2d(in_channels, width, 5, padding=2)
        self.norm = nn.BatchNorm2d(width)
        self.drop = nn.Dropout2d(dropout)
        self.last = nn.Conv2d(width, 1, 3, padding=1)

    def forward_maps(self, x):
        return self.last(self.drop(torch.nn.functional.softplus(self.norm(self.first(x))))), []


def blobs(count, seed=0, radii=(1.0, 2.5)):
    """Images with one bright blob each, their masks and points."""
    rng = np.random.default_rng(seed)
    rows, cols = np.mgrid[:SIDE, :SIDE]
    images, masks, points = [], [], []
    for _ in range(count):
        row, col = rng.integers(6, SIDE - 6, 2)
        radius = rng.uniform(*radii)
        squares = (rows - row) ** 2 + (cols - col) ** 2
        image = rng.normal(100, 3, (SIDE, SIDE)) + rng.uniform(40, 90) * np.exp(-squares / (2 * radius**2))
        images.append(image.astype(np.uint8))
        masks.append(squares <= (1.5 * radius) ** 2)
        points.append(np.array([(row, col)], np.int64))
    return images, masks, points


def split_of(name, images, points):
    names = tuple(f"{name}_{k}" for k in range(len(images)))
    return Split(name, names, tuple(map(Path, names)), Pool(images), tuple(points))


def make_loop(count=16, val=12, *, options=(), settings=(), train_masks=None, model=None, strategy=None):
    """A loop on blobs; by default with strategy d2d, and the true masks as labels."""
    settings = [
        "epochs=100",
        "batch=8",
        f"augment.crop={SIDE}",
        "optim.lr=0.01",
        "strategy.name=d2d",
        *[f"strategy.options.{option}" for option in options],
        *settings,
    ]
    config = load_config(settings=settings)
    torch.manual_seed(0)
    images, masks, points = blobs(count, seed=1)
    val_images, val_masks, val_points = blobs(val, seed=2)
    splits = {"train": split_of("train", images, points), "val": split_of("val", val_images, val_points)}
    strategy = strategy or make_strategy("d2d", config.strategy.options)
    strategy.prepare(Folder(Path("nowhere"), splits, None, True))
    labels = LabelStore({"train": masks if train_masks is None else train_masks, "val": val_masks})
    norm = normalisation_of(splits["train"].images)
    return Loop(config, splits, labels, strategy, model or TwoLayers(), norm)


def first_batch(loop, size=None):
    size = size or loop.config.batch
    return loop.batch("train", torch.arange(size), (0, 0))


BUSY = ("warmup=1", "theta_every=2", "val_every=1", "alpha_every=1", "theta_images=3")


def config_of(*options, settings=(), strategy="d2d"):
    options = [f"strategy.options.{option}" for option in options]
    return load_config(settings=[*TINY, f"strategy.name={strategy}", *options, *settings])


def journal_of(run):
    return [json.loads(line) for line in (run / "strategy.jsonl").read_text().splitlines()]
