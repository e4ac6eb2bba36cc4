"""Train cells of strategy x seed on real images, score each against true masks, and write the table.

    # on two cores: SIRST-v1, three strategies, three seeds
    POINTMASK_SIRST3=... python benchmarks/training.py --preset cpu --include 'Misc_*' --masks LABELS
    # on a GPU: all of SIRST3, in slices: run it again until every cell is done
    POINTMASK_SIRST3=... python benchmarks/training.py --name gpu --preset paper --strategies full masks \
        --seeds 0 --masks LABELS --minutes 8 --set run.precision=bf16 run.validate_every=10

LABELS is what ``pointmask annotate`` wrote for all images of the data set. Runs are kept in ``--runs`` and
go on where they stopped; a cell enters the table when its last epoch is done. The figure is the IoU of the
checkpoint that the strategy's own validation labels chose, against the true masks of the validation list.
"""

import argparse
import json
import os
import time
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from _results import FOLDER, save

from pointmask_trainer.config import Config, load_config
from pointmask_trainer.metrics_file import METRICS
from pointmask_trainer.train import Source, Watcher, train


class TimeIsUpError(Exception):
    """The slice is over; the run goes on next time."""


def main() -> None:
    """Train what is missing, print the table and write ``training-<name>.json`` and ``.md``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--name", default="cpu", help="of the result files")
    parser.add_argument("--preset", default="cpu")
    parser.add_argument("--include", default="*")
    parser.add_argument("--masks", type=Path, required=True)
    parser.add_argument("--strategies", nargs="+", default=["full", "masks", "point"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--set", nargs="*", default=[], help="settings a.b=v")
    parser.add_argument("--runs", type=Path, default=Path("build/training"))
    parser.add_argument("--minutes", type=float, default=0, help="stop after an epoch when these have passed")
    parser.add_argument("--results", type=Path, default=FOLDER)
    options = parser.parse_args()
    root = Path(os.environ["POINTMASK_SIRST3"])
    deadline = time.monotonic() + 60 * options.minutes if options.minutes else float("inf")
    cells = []
    for seed in options.seeds:
        for strategy in options.strategies:
            out = options.runs / options.name / f"{strategy}-{seed}"
            flags = [f"strategy.name={strategy}", f"seed={seed}", *options.set]
            config = load_config(preset=options.preset, settings=flags)
            source = Source(
                root=root,
                masks=options.masks if strategy == "masks" else None,
                points=root / "points_centroid.csv",
                include=options.include,
            )
            run(config, source, out, deadline)
            if cell := result(config, out):
                cells.append(cell)
                print(f"{strategy}, seed {seed}: {cell}", flush=True)
    table = markdown(cells, options.strategies)
    print(table)
    save(f"training-{options.name}", {"cells": cells}, options.results)
    (options.results / f"training-{options.name}.md").write_text(table, encoding="utf-8")


def run(config: Config, source: Source, out: Path, deadline: float) -> None:
    """Train a cell, or go on with it, until it is done or the time is up."""

    def epoch(metrics: dict[str, Any]) -> None:
        if metrics["epoch"] < config.epochs and time.monotonic() > deadline:
            raise TimeIsUpError

    if time.monotonic() > deadline:
        return
    try:
        train(config, source, out, resume=True, watcher=Watcher(message=print, epoch=epoch))
    except TimeIsUpError:
        print(f"{out}: time is up; run again to go on", flush=True)


def result(config: Config, out: Path) -> dict[str, Any] | None:
    """Figures of a finished run; None if it is not."""
    path = out / METRICS
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    if not lines or lines[-1]["epoch"] < config.epochs:
        return None
    scored = [line for line in lines if "val_labels" in line]
    chosen = max(scored, key=lambda line: line["val_labels"]["iou"] or 0.0)
    return {
        "strategy": config.strategy.name,
        "seed": config.seed,
        "epoch": chosen["epoch"],
        "val_labels": chosen["val_labels"],
        "val_truth": chosen["val_truth"],
        "minutes": round(sum(line["seconds"] for line in lines) / 60, 2),
    }


def markdown(cells: list[dict[str, Any]], strategies: list[str]) -> str:
    """Table of means over seeds, with the ratio to full supervision."""
    rows = [
        "| strategy | seeds | val IoU | nIoU | Pd | Fa (1e-6) | of full | minutes |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    figures = {name: [cell["val_truth"] for cell in cells if cell["strategy"] == name] for name in strategies}
    full = mean(f["iou"] for f in figures["full"]) if figures.get("full") else None
    for name, listed in figures.items():
        if not listed:
            rows.append(f"| {name} | 0 | | | | | | |")
            continue
        ious = [f["iou"] for f in listed]
        spread = f" ± {stdev(ious):.3f}" if len(ious) > 1 else ""
        share = f"{mean(ious) / full:.2f}" if full else ""
        minutes = mean(cell["minutes"] for cell in cells if cell["strategy"] == name)
        niou, pd, fa = (mean(f[key] for f in listed) for key in ("niou", "pd", "fa"))
        rows.append(
            f"| {name} | {len(ious)} | {mean(ious):.3f}{spread} | {niou:.3f} | {pd:.3f} | {1e6 * fa:.1f} "
            f"| {share} | {minutes:.1f} |"
        )
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    main()
