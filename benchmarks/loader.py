"""Measure whether the data pipeline keeps up with the network: crops per second, alone and in training.

    python benchmarks/loader.py                        on the processor
    python benchmarks/loader.py --device cuda --batch 16

Scenes of 256 x 256 px are generated in memory. ``empty`` is a network of one convolution: its rate is the
limit of the loader and the loop.
"""

import argparse
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from support.results import FOLDER, save
from torch import Tensor, nn

from pointmask.synth.scenes import make_scenes
from pointmask_trainer.config import load_config
from pointmask_trainer.data.labels import LabelStore
from pointmask_trainer.data.normalisation import normalisation_of
from pointmask_trainer.data.pool import Pool
from pointmask_trainer.data.split import Split
from pointmask_trainer.detectors.base import Detector
from pointmask_trainer.detectors.registry import build
from pointmask_trainer.distributed import choose_device
from pointmask_trainer.strategies.registry import make_strategy
from pointmask_trainer.training.loop import Loop


class Empty(Detector):
    """One convolution."""

    stride = 1

    def __init__(self, in_channels: int = 1) -> None:
        super().__init__(in_channels)
        self.convolution = nn.Conv2d(in_channels, 1, 3, padding=1)

    def forward_maps(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Convolve."""
        return self.convolution(x), []


def main() -> None:
    """Measure both networks in turns, print and write ``loader[-cuda].json``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--preset", default="paper")
    parser.add_argument("--model", default="alclnet")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--set", nargs="*", default=[])
    parser.add_argument("--results", type=Path, default=FOLDER)
    options = parser.parse_args()
    device = choose_device(options.device)
    loops = {name: make_loop(name, options, device) for name in ("empty", options.model)}
    rates: dict[str, list[float]] = {name: [] for name in loops}
    shares: dict[str, list[float]] = {name: [] for name in loops}
    for round_ in range(options.rounds + 1):  # the first round warms up
        for name, loop in loops.items():
            result = loop.train_epoch()
            if round_:
                rates[name].append(result.images / result.seconds)
                shares[name].append(result.loading)
    figures: dict[str, Any] = {
        name: {"images_per_second": median(rates[name]), "loading": median(shares[name])} for name in loops
    }
    ratio = figures["empty"]["images_per_second"] / figures[options.model]["images_per_second"]
    for name, figure in figures.items():
        print(f"{name}: {figure['images_per_second']:.1f} images/s, {figure['loading']:.1%} of it loading")
    print(f"the loop with an empty network: {ratio:.1f} x the images of {options.model}")
    name = "loader" if device.type == "cpu" else f"loader-{device.type}"
    save(name, {**figures, "ratio": ratio}, options.results)


def make_loop(name: str, options: argparse.Namespace, device: torch.device) -> Loop:
    """Make a loop on built-in scenes whose epochs have the requested number of steps."""
    settings = [f"batch={options.batch}", f"run.device={device}", *options.set]
    config = load_config(preset=options.preset, settings=settings)
    scenes = list(make_scenes(min(options.images, options.batch * options.steps), seed=0))
    masks = [scene.mask for scene in scenes]
    points = tuple(np.array(scene.points, np.int64) for scene in scenes)
    names = tuple(scene.name for scene in scenes)
    split = Split("train", names, tuple(map(Path, names)), Pool([s.image for s in scenes], device), points)
    channels = config.model.in_channels
    model = Empty(channels) if name == "empty" else build(name, in_channels=channels)
    return Loop(
        config,
        {"train": split, "val": split},
        LabelStore({"train": masks, "val": masks}, device),
        make_strategy("full", {}),
        model.to(device),
        normalisation_of(split.images),
    )


if __name__ == "__main__":
    main()
