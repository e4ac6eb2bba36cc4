"""Compare the cost of an epoch of strategy d2d with one of static masks, on the same detector and images.

    python benchmarks/d2d_cost.py                                             on the processor
    python benchmarks/d2d_cost.py --preset paper --device cuda --images 512   on a GPU

Scenes of 256 x 256 px are generated in memory, with a third as many for validation. ``steps`` is the ratio
for epochs with all branches enabled and constant theta. ``cycle`` is the ratio for a whole cycle between two
updates of theta, as in the preset: with the update, and the epoch during which all labels are renewed. Ratios
are medians over rounds, in which the two strategies alternate; on a CPU they compare processor times summed
over threads.
"""

import argparse
import time
from pathlib import Path
from statistics import median

import numpy as np
import torch
from support.results import FOLDER, save

from pointmask.synth.scenes import make_scenes
from pointmask_trainer.config import Config, load_config
from pointmask_trainer.data.labels import LabelStore, SplitName
from pointmask_trainer.data.normalisation import normalisation_of
from pointmask_trainer.data.pool import Pool
from pointmask_trainer.data.split import Split
from pointmask_trainer.distributed import choose_device
from pointmask_trainer.strategies.base import Folder, Strategy
from pointmask_trainer.strategies.d2d_options import D2DOptions
from pointmask_trainer.strategies.registry import make_strategy
from pointmask_trainer.training.loop import Loop
from pointmask_trainer.training.prepare import fresh

_PLAIN = 2  # epochs of a round with constant theta


def main() -> None:
    """Measure, print and write ``d2d_cost[-cuda].json``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--preset", default="cpu")
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1, help="of torch on the processor")
    parser.add_argument("--set", nargs="*", default=[], help="settings a.b=v")
    parser.add_argument("--results", type=Path, default=FOLDER)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    cycle = cycle_of(options.preset)
    apart = max(cycle, 2 + _PLAIN)  # updates, one at the beginning of each round
    loops = {name: make_loop(name, options, apart) for name in ("masks", "d2d")}
    # The first round warms up.
    rounds = [measure_round(loops, k * apart, cycle) for k in range(options.rounds + 1)][1:]
    figures = {name: median(measured[name] for measured in rounds) for name in rounds[0]}
    for name in ("steps", "cycle"):
        print(f"{name}: {figures[name]:.2f} x an epoch of static masks")
    print(f"an update of theta and new labels: {figures['update']:.2f} epochs of static masks, every {cycle}")
    name = "d2d_cost" if options.device == "cpu" else f"d2d_cost-{choose_device(options.device).type}"
    facts = {"images": options.images, "epochs_between_updates": cycle, "rounds": rounds}
    save(name, {**figures, **facts}, options.results)


def cycle_of(preset: str) -> int:
    """Return the number of epochs between updates of theta in a preset."""
    return D2DOptions().timing(load_config(preset=preset).epochs)[1]


def measure_round(loops: dict[str, Loop], epoch: int, cycle: int) -> dict[str, float]:
    """Time the first epochs of a cycle: with an update at its end, with labels being renewed, and plain."""
    for loop in loops.values():
        loop.epoch = epoch
    seconds: dict[str, list[float]] = {name: [] for name in loops}
    for _ in range(2 + _PLAIN):
        for name, loop in loops.items():
            start = clock(loop.device)
            loop.train_epoch()
            seconds[name].append(clock(loop.device) - start)
    masks, plain = median(seconds["masks"]), median(seconds["d2d"][2:])
    update = sum(seconds["d2d"][:2]) - 2 * plain
    return {
        "seconds_masks": masks,
        "steps": plain / masks,
        "update": update / masks,
        "cycle": (plain + update / cycle) / masks,
    }


def clock(device: torch.device) -> float:
    """Return the seconds of work of this process: on a CPU the processor time of all threads."""
    if device.type == "cpu":
        return time.process_time()
    torch.cuda.synchronize(device)
    return time.perf_counter()


def make_loop(strategy_name: str, options: argparse.Namespace, apart: int) -> Loop:
    """Make a loop on built-in scenes with the annotator's labels; theta is due at multiples of `apart`."""
    settings = [f"strategy.name={strategy_name}", *options.set]
    if strategy_name == "d2d":
        settings += ["strategy.options.warmup=0", f"strategy.options.theta_every={apart}"]
    config = load_config(preset=options.preset, settings=["epochs=1000", *settings])
    device = choose_device(options.device)
    splits = make_splits(options.images, device)
    folder = Folder(Path("scenes"), splits, None, True)
    labels = make_strategy("d2d", {}).prepare(folder)
    strategy = make_strategy(strategy_name, config.strategy.options)
    if strategy_name == "d2d":
        strategy.prepare(folder)
    return loop_of(config, splits, strategy, LabelStore(labels, device))


def loop_of(config: Config, splits: dict[SplitName, Split], strategy: Strategy, labels: LabelStore) -> Loop:
    """Make a loop with a fresh model."""
    images = splits["train"].images
    model = fresh(config.model).to(images.device)
    normalisation = normalisation_of(images, per_image=config.model.normalisation == "image")
    return Loop(config, splits, labels, strategy, model, normalisation)


def make_splits(count: int, device: torch.device) -> dict[SplitName, Split]:
    """Generate scenes to train on, and a third as many for validation."""
    return {
        "train": make_split("train", count, 0, device),
        "val": make_split("val", max(1, count // 3), 1, device),
    }


def make_split(name: str, count: int, seed: int, device: torch.device) -> Split:
    """Generate scenes with their points."""
    scenes = list(make_scenes(count, seed=seed))
    names = tuple(f"{name}/{scene.name}" for scene in scenes)
    points = tuple(np.array(scene.points, np.int64).reshape(-1, 2) for scene in scenes)
    images = Pool([np.ascontiguousarray(scene.image) for scene in scenes], device)
    return Split(name, names, tuple(map(Path, names)), images, points)


if __name__ == "__main__":
    main()
