"""Runs of the trainer: broken off, and held against each other."""

import json

import torch
from safetensors.torch import load_file

from pointmask_trainer.training.train import Watcher


def metrics_of(run):
    timed = ("seconds", "images_per_second", "loading")
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key not in timed} for line in lines]


def weights_of(run, part="last"):
    return load_file(run / part / "model.safetensors")


def assert_same_run(one, other):
    assert metrics_of(one) == metrics_of(other)
    for part in ("last", "best"):
        ours, theirs = weights_of(one, part), weights_of(other, part)
        assert all(torch.equal(ours[key], theirs[key]) for key in ours)


class StopError(Exception):
    pass


def stop_after(epochs):
    """A watcher that breaks a run off after so many epochs."""

    def epoch(metrics):
        if metrics["epoch"] == epochs:
            raise StopError

    return Watcher(epoch=epoch)


PROCESSES = """
import sys
from pointmask_trainer.config import load_config
from pointmask_trainer.training.train import Source, train
from pathlib import Path
train(load_config(settings=sys.argv[3:]), Source(root=Path(sys.argv[1])), Path(sys.argv[2]))
"""
