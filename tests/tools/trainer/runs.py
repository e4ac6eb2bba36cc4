"""Runs of the trainer: broken off, and held against each other."""

import json
from dataclasses import replace

import torch
from safetensors.torch import load_file

from pointmask_trainer.run.checkpoint import read_weights
from pointmask_trainer.training.train import Watcher
from tools.folders import tree


def metrics_of(run):
    return [_timeless(json.loads(line)) for line in (run / "metrics.jsonl").read_text().splitlines()]


def _timeless(metrics):
    timed = ("seconds", "images_per_second", "loading")
    return {key: value for key, value in metrics.items() if key not in timed}


def weights_of(run, part="last"):
    return load_file(run / part / "model.safetensors")


def assert_same_run(one, other):
    assert metrics_of(one) == metrics_of(other)
    for part in ("last", "best"):
        ours, theirs = weights_of(one, part), weights_of(other, part)
        assert all(torch.equal(ours[key], theirs[key]) for key in ours)


def assert_same_files(one, other):
    """Every file is the same byte for byte, but for what tells of time."""
    ours, theirs = tree(one), tree(other)
    assert sorted(ours) == sorted(theirs)
    timed = {
        "metrics.jsonl",
        "report.html",
        "best/model.safetensors",
        "last/model.safetensors",
        "last/state.json",
    }
    assert [name for name in ours.keys() - timed if ours[name] != theirs[name]] == []
    for part in ("last", "best"):
        ours, theirs = (read_weights(run / part / "model.safetensors")[1] for run in (one, other))
        assert replace(ours, facts=_timeless(ours.facts)) == replace(theirs, facts=_timeless(theirs.facts))
    assert _state_of(one) == _state_of(other)


def _state_of(run):
    state = json.loads((run / "last/state.json").read_text())
    del state["files"]["model.safetensors"]  # tells of the card, and so of time
    return {**state, "best": _timeless(state["best"])}


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
