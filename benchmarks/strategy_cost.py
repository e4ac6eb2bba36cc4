"""Compare the processor time of whole trainings by strategy with that of static masks.

    python benchmarks/strategy_cost.py
    python benchmarks/strategy_cost.py --rows lesps --set strategy.options.every=1

Scenes of 256 x 256 px and 8 bits are generated in memory. Each row of `strategy_table.py` trains for all
epochs of the preset, so that warm-ups, updates of labels and measurements count as often as they occur; the
rows take turns epoch by epoch, and what is compared is processor time summed over all epochs. Validation is
left out, which is the same for all.
"""

import argparse
import time
from pathlib import Path

import torch
from cells.rows import ROWS
from d2d_cost import loop_of, make_splits
from support.results import FOLDER, save

from pointmask_trainer.config import load_config
from pointmask_trainer.data.labels import LabelStore
from pointmask_trainer.strategies.base import Folder
from pointmask_trainer.strategies.registry import make_strategy
from pointmask_trainer.training.loop import Loop

_COMPARED = ("lesps", "lesps_annotator", "pal", "pal_annotator", "gsacp", "d2d")


def main() -> None:
    """Measure, print and write ``strategy_cost.json``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--preset", default="cpu-alcnet")
    parser.add_argument("--rows", nargs="+", choices=list(ROWS), default=list(_COMPARED))
    parser.add_argument("--images", type=int, default=32)
    parser.add_argument("--threads", type=int, default=1, help="of torch")
    parser.add_argument("--set", nargs="*", default=[], help="settings a.b=v")
    parser.add_argument("--results", type=Path, default=FOLDER)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    loops = {name: make_loop(name, options) for name in ("masks", *options.rows)}
    seconds = dict.fromkeys(loops, 0.0)
    for loop in loops.values():  # the first epoch warms up
        loop.train_epoch()
    epochs = loops["masks"].config.epochs
    for _ in range(epochs - 1):
        for name, loop in loops.items():
            start = time.process_time()
            loop.train_epoch()
            seconds[name] += time.process_time() - start
    ratios = {name: total / seconds["masks"] for name, total in seconds.items()}
    for name, ratio in ratios.items():
        print(f"{name}: {ratio:.2f} x static masks")
    facts = {"images": options.images, "epochs": epochs, "preset": options.preset}
    save("strategy_cost", {"ratios": ratios, "seconds": seconds, **facts}, options.results)


def make_loop(name: str, options: argparse.Namespace) -> Loop:
    """Make a loop of a row of the table on built-in scenes."""
    row = ROWS[name]
    config = load_config(preset=options.preset, file=row.file, settings=[*row.settings, *options.set])
    device = torch.device("cpu")
    splits = make_splits(options.images, device)
    strategy = make_strategy(config.strategy.name, config.strategy.options)
    labels = strategy.prepare(Folder(Path("scenes"), splits, None, True))
    torch.manual_seed(config.seed)
    return loop_of(config, splits, strategy, LabelStore(labels, device))


if __name__ == "__main__":
    main()
