"""Analyses of runs of lesps, pal and gsacp: what they show, and why the rest is left out."""

import json

import numpy as np
import pytest
from tools.trainer.d2d import config_of

pytest.importorskip("torch")
pytest.importorskip("matplotlib")

from tools.trainer.training import make_folder

from pointmask.io.images.array import read
from pointmask_trainer.analysis.page import numbers, write_analysis
from pointmask_trainer.analysis.pictures import pictures_of
from pointmask_trainer.analysis.study import study_run
from pointmask_trainer.training.train import Source, train

RUNS = {
    "lesps": ("begin=0", "every=1"),
    "pal": ("every=1", "miss=1", "false=1000", "easy=annotator", "easy_confidence=0.75"),
    "gsacp": ("probe_every=1",),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_folder(tmp_path_factory.mktemp("data"), 10)


@pytest.mark.parametrize("name", RUNS)
def test_every_strategy_shows_what_it_learned(folder, tmp_path, name):
    config = config_of(*RUNS[name], settings=["epochs=3"], strategy=name)
    train(config, Source(root=folder, points=folder / "points.csv"), tmp_path / "run")
    page = (tmp_path / "run" / "report.html").read_text("utf-8")
    assert "What was learned" in page
    study = study_run(tmp_path / "run")
    pictures = {p.file: p for p in pictures_of(study, lambda key: read(folder / "images" / f"{key}.png"))}
    drawn = {file for file, picture in pictures.items() if picture.png}
    own = {"lesps": {"labels.png", "changed.png"}, "pal": {"pool.png"}, "gsacp": {"drift.png"}}[name]
    assert own | {"history.png"} <= drawn
    assert all(pictures[file].png.startswith(b"\x89PNG") for file in drawn)
    assert ("pool.png" in pictures, "drift.png" in pictures) == (name == "pal", name == "gsacp")
    assert "weighs alike" in pictures["weights.png"].text or "weigh alike" in pictures["weights.png"].text
    assert "stays as it was" in pictures["theta.png"].text
    if name == "gsacp":
        assert "anew in every step" in pictures["labels.png"].text
        assert "px per point" in pictures["drift.png"].text
    if name == "pal":
        assert "The training began with" in pictures["pool.png"].text
    found = json.loads(json.dumps(numbers(study)))
    assert len(found["pool"]) == (3 if name == "pal" else 0)
    assert [line["epoch"] for line in found["drift"]] == ([1, 2, 3] if name == "gsacp" else [])
    if name == "lesps":
        assert all(np.isfinite(line["px_per_point"]) for line in found["label_quality"])
    names = {path.name for path in write_analysis(study, list(pictures.values()), tmp_path / "out")}
    assert drawn < names
