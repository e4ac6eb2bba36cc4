"""Callbacks: told of every epoch, unable to end a training, and imported only when they are named."""

import json
import os
import subprocess
import sys
import types
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from tools.trainer.training import TINY, make_folder

from pointmask_trainer import Callback, train
from pointmask_trainer.config import load_config
from pointmask_trainer.errors import ConfigError
from pointmask_trainer.run.callbacks import CALLBACKS, named_callbacks
from pointmask_trainer.run.source import Source
from pointmask_trainer.training.train import Watcher, check_only


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_folder(tmp_path_factory.mktemp("callbacks") / "data", 8)


def config_of(*settings):
    return load_config(settings=[*TINY, "strategy.name=full", *settings])


class Recorder(Callback):
    def __init__(self):
        self.calls = []

    def start(self, folder, settings, epoch):
        self.calls.append(("start", folder.name, settings["optim.lr"], epoch))

    def epoch(self, metrics):
        self.calls.append(("epoch", metrics["epoch"]))

    def end(self, best):
        self.calls.append(("end", best["epoch"]))


class Failing(Callback):
    def epoch(self, metrics):
        raise OSError("no network")


class Leaving(Callback):
    def epoch(self, metrics):
        sys.exit(7)


class Speechless(Callback):
    def epoch(self, metrics):
        class SilentError(Exception):
            def __str__(self):
                raise RuntimeError

        raise SilentError


class Changing(Callback):
    def epoch(self, metrics):
        metrics["val_labels"]["iou"] = metrics["epoch"] = "x"


class Moving(Callback):
    def start(self, folder, settings, epoch):
        os.chdir(folder.anchor)


def test_a_callback_is_told_of_every_epoch_and_another_s_failure_ends_nothing(folder, tmp_path, monkeypatch):
    told, said = Recorder(), []
    run = tmp_path / "run"
    watcher = Watcher(message=said.append)
    monkeypatch.chdir(tmp_path)
    others = [Failing(), Leaving(), Speechless(), Changing(), Moving()]
    best = train(
        config_of(),
        Source(root=folder),
        Path("run"),
        trust_labels=True,
        callbacks=[*others, told],
        watcher=watcher,
    )
    assert isinstance(best["val_labels"]["iou"], float)
    assert said.count("callback Leaving failed and is told no more (SystemExit: 7)") == 1
    assert sum("callback Speechless failed" in line for line in said) == 1
    assert told.calls == [("start", "run", 0.01, 0), ("epoch", 1), ("epoch", 2), ("end", best["epoch"])]
    assert said.count("callback Failing failed and is told no more (OSError: no network)") == 1
    assert len((run / "metrics.jsonl").read_text().splitlines()) == 2
    again = Recorder()
    train(config_of(), Source(root=folder), run, resume=True, callbacks=[again])
    assert again.calls == [("start", "run", 0.01, 2), ("end", best["epoch"])]


def fake_wandb(seen):
    class Run:
        def __init__(self):
            self.summary = {}

        def log(self, values, step):
            seen.append((step, values))

        def finish(self):
            seen.append(("finish", dict(self.summary)))

    def init(**options):
        seen.append(("init", options))
        return Run()

    return types.SimpleNamespace(init=init)


def fake_mlflow(seen):
    names = ("set_experiment", "start_run", "log_params", "log_metrics", "set_tag", "end_run")

    run = types.SimpleNamespace(info=types.SimpleNamespace(run_id="4f2a"))

    def recorded(name):
        def call(*words, **options):
            seen.append((name, words, options))
            return run if name == "start_run" else None

        return call

    return types.SimpleNamespace(**{name: recorded(name) for name in names})


def test_wandb_gets_settings_metrics_and_the_best(folder, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setitem(sys.modules, "wandb", fake_wandb(seen))
    monkeypatch.setenv("WANDB_PROJECT", "mine")
    run = tmp_path / "run"
    config = config_of('run.callbacks=["wandb"]')
    train(config, Source(root=folder), run, trust_labels=True)
    kind, options = seen[0]
    assert (kind, options["project"], options["name"], options["resume"]) == ("init", "mine", "run", None)
    assert options["config"]["optim.lr"] == 0.01
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [(step, values["loss"]) for step, values in seen[1:-1]] == [
        (k + 1, lines[k]["loss"]) for k in (0, 1)
    ]
    assert seen[-1][0] == "finish"
    assert "best/val_labels/iou" in seen[-1][1]
    seen.clear()
    train(config, Source(root=folder), run, resume=True)
    assert (seen[0][1]["resume"], seen[0][1]["id"]) == ("allow", options["id"])


def test_mlflow_gets_settings_metrics_and_the_best(folder, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setitem(sys.modules, "mlflow", fake_mlflow(seen))
    monkeypatch.delenv("MLFLOW_EXPERIMENT_NAME", raising=False)
    train(config_of('run.callbacks=["mlflow"]'), Source(root=folder), tmp_path / "run", trust_labels=True)
    assert [name for name, _, _ in seen] == [
        "set_experiment", "start_run", "log_params", "log_metrics", "log_metrics", "set_tag", "end_run"
    ]  # fmt: skip
    assert seen[0][1] == ("pointmask",)
    assert seen[3][2] == {"step": 1}
    seen.clear()
    train(config_of('run.callbacks=["mlflow"]'), Source(root=folder), tmp_path / "run", resume=True)
    assert [name for name, _, _ in seen] == ["start_run", "set_tag", "end_run"]
    assert seen[0][2] == {"run_id": "4f2a"}


@pytest.mark.parametrize("name", ["wandb", "mlflow"])
def test_a_missing_package_is_said_before_anything_is_trained(name, folder, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)
    config = config_of(f'run.callbacks=["{name}"]')
    for do in (train, check_only):
        with pytest.raises(ConfigError, match=rf"pip install {name}"):
            do(config, Source(root=folder), tmp_path / "run")
    assert not (tmp_path / "run" / "config.toml").exists()


def test_an_unknown_callback_is_answered_with_the_known_ones():
    with pytest.raises(ConfigError, match="wandb"):
        named_callbacks(["wandbb"])
    assert list(CALLBACKS)[:3] == ["tensorboard", "wandb", "mlflow"]


def test_nothing_is_imported_that_was_not_named():
    code = (
        "import sys, pointmask_trainer.run.callbacks as c; list(c.CALLBACKS);"
        "assert not {'wandb', 'mlflow', 'tensorboard', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
