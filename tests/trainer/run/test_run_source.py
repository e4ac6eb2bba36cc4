"""Where a run's data came from, and its first labels, are kept with the run."""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tools.trainer.d2d import BUSY, config_of
from tools.trainer.runs import StopError, stop_after
from tools.trainer.training import make_folder

from pointmask_trainer.errors import CheckpointError, DataError
from pointmask_trainer.run.source import Source, read_source, write_source
from pointmask_trainer.training.train import train


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_folder(tmp_path_factory.mktemp("data"), 10)


def test_paths_are_absolute_and_come_back(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = Source(root=tmp_path / "data", points=(tmp_path / "p.csv").relative_to(tmp_path), include="a*")
    write_source(tmp_path, source)
    found = read_source(tmp_path)
    assert found == Source(root=tmp_path / "data", points=tmp_path / "p.csv", include="a*")


@pytest.mark.parametrize(
    "text", [None, "", "[]", '{"root": "x"}', '{"include": "*"}', '{"include": "*", "rot": "x"}']
)
def test_a_source_that_cannot_be_read_is_asked_for(tmp_path, text):
    if text is not None:
        (tmp_path / "source.json").write_text(text)
    with pytest.raises(DataError, match="--data"):
        read_source(tmp_path)


def labels_of(path):
    with np.load(path) as saved:
        return {name: saved[name] for name in saved.files}


def test_the_first_labels_are_kept_once_whatever_interrupts_the_run(folder, tmp_path):
    config = config_of(*BUSY, "theta_lr=1.0", settings=["epochs=6"])
    source = Source(root=folder, points=folder / "points.csv")
    run = tmp_path / "run"
    (run / "labels").mkdir(parents=True)
    (run / "config.toml").write_text(config.to_toml())
    (run / "labels" / "0000.npz").write_bytes(b"of a run that was killed before its first checkpoint")
    with pytest.raises(StopError):
        train(config, source, run, resume=True, watcher=stop_after(1))
    first = run / "labels" / "0000.npz"
    kept = labels_of(first)
    written = first.stat().st_mtime_ns
    with pytest.raises(StopError):
        train(config, source, run, resume=True, watcher=stop_after(4))
    assert first.stat().st_mtime_ns == written
    first.unlink()  # as in a run of an earlier version, which did not keep them
    train(config, source, run, resume=True)
    again = labels_of(first)
    assert again.keys() == kept.keys()
    assert all(np.array_equal(again[name], kept[name]) for name in kept)
    last = labels_of(run / "labels" / "0002.npz")
    assert any((last[name] != kept[name]).any() for name in kept)
    assert int(last["version"]) == 2
    assert int(kept["version"]) == 0


def test_a_run_of_fixed_masks_keeps_its_source_but_no_labels(folder, tmp_path):
    config = config_of(strategy="full")
    train(config, Source(root=folder), tmp_path / "run")
    assert read_source(tmp_path / "run") == Source(root=folder)
    assert not (tmp_path / "run" / "labels").exists()


def test_other_data_is_refused_before_the_source_is_replaced(folder, tmp_path):
    config = config_of(strategy="full", settings=["epochs=1"])
    train(config, Source(root=folder), tmp_path / "run")
    other = make_folder(tmp_path / "other", 12)
    longer = config_of(strategy="full", settings=["epochs=1", "run.threads=2"])
    with pytest.raises(CheckpointError, match="other labels"):
        train(longer, Source(root=other), tmp_path / "run", resume=True)
    assert json.loads((tmp_path / "run" / "source.json").read_text())["root"] == str(folder)
