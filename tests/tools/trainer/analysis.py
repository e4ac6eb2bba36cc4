"""Runs made by hand, as an analysis finds them."""

import json

import numpy as np

from pointmask_trainer.config import load_config
from pointmask_trainer.data.labels import LabelStore


def make_run(run, lines, *options, strategy="d2d", ids=("a", "b", "c")):
    run.mkdir(exist_ok=True)
    settings = [f"strategy.name={strategy}", *[f"strategy.options.{option}" for option in options]]
    (run / "config.toml").write_text(load_config(settings=settings).to_toml())
    (run / "train.txt").write_text("".join(f"{name}\n" for name in ids))
    (run / "strategy.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return run


LINES = (
    {"epoch": 1, "loss": [0.9, 0.8, None], "alpha": [None] * 3, "labels": {"version": 0, "train": 0.5}},
    {"epoch": 2, "loss": [0.7, None, None], "alpha": [1.5, None, None]},
    {"epoch": 3, "loss": [0.5, 0.4, None], "alpha": [0.5, 1.2, None]},
)


def put(shape, *boxes):
    mask = np.zeros(shape, bool)
    for top, left, bottom, right in boxes:
        mask[top:bottom, left:right] = True
    return mask


def save_labels(run, versions, *, soft=False):
    """One ``.npz`` per version, as a training writes them."""
    kind = np.float32 if soft else bool
    store = LabelStore(
        {"train": [mask.astype(kind) for mask in versions[0]], "val": [put((4, 4)).astype(kind)]}
    )
    (run / "labels").mkdir()
    for number, masks in enumerate(versions):
        if number:
            store.update({"train": {k: mask.astype(kind) for k, mask in enumerate(masks)}})
        store.save(run / "labels" / f"{number:04d}.npz")


FIRST = (put((20, 20), (2, 2, 4, 6), (10, 10, 14, 14)), put((9, 9), (1, 1, 3, 3)), put((5, 5)))

LAST = (put((20, 20), (2, 2, 4, 4), (10, 10, 14, 15)), put((9, 9), (1, 1, 3, 3)), put((5, 5), (0, 0, 1, 1)))
