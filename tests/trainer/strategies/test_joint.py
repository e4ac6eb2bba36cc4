"""Joint learning: rendered labels are the annotator's, gradients reach everything, runs resume alike."""

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tools.trainer.d2d import split_of
from tools.trainer.runs import StopError, assert_same_run, stop_after
from tools.trainer.training import TINY, make_folder

from pointmask.annotator.image import annotate
from pointmask.errors import PointsError
from pointmask.synth.scenes import make_scenes
from pointmask.theta import Theta
from pointmask_trainer.config import AugmentConfig, load_config
from pointmask_trainer.data.augment import draw_augmentation
from pointmask_trainer.data.batch import Batch
from pointmask_trainer.data.labels import LabelStore
from pointmask_trainer.errors import ConfigError
from pointmask_trainer.operator.theta import LearnableTheta, ThetaTensors
from pointmask_trainer.strategies.labels.rendering import Renderer
from pointmask_trainer.strategies.registry import make_strategy
from pointmask_trainer.training.train import Source, train


def scenes_split():
    scenes = list(make_scenes(6, seed=5, shape=(80, 80)))
    points = [np.array(scene.points, np.int64).reshape(-1, 2) for scene in scenes]
    points[2] = np.empty((0, 2), np.int64)
    return split_of("train", [np.ascontiguousarray(scene.image) for scene in scenes], points)


def batch_of(split, config):
    indices = torch.arange(len(split))
    centres = [points.astype(float) for points in split.points]
    views = draw_augmentation(config, split.images.shapes, centres, (0, 0)).views
    blank = torch.zeros(len(split), 1, *views.size)
    return Batch("train", indices, blank, blank, views, len(split))


@pytest.mark.parametrize(("changes", "tolerance"), [({}, 5e-5), ({"scale": 0.3, "rotate": 40.0}, 2e-2)])
def test_rendered_labels_are_the_annotators_in_the_same_crops(changes, tolerance):
    split, theta = scenes_split(), Theta.load("default").with_(octaves=0)
    batch = batch_of(split, AugmentConfig(crop=48, positive=1.0, share=1.0, **changes))
    found = Renderer(split, theta, "bright", torch.device("cpu")).labels(batch, ThetaTensors.of(theta))
    labels = [
        annotate(split.images.stored(k), split.points[k].tolist(), theta=theta).soft
        for k in range(len(split))
    ]
    expected = LabelStore({"train": labels, "val": labels}).crops("train", batch.indices, batch.views)
    assert float((found - expected).abs().max()) < tolerance
    assert float(expected[2].max()) == 0 < float(expected[0].max())


def test_gradients_reach_theta_through_the_crops():
    split, theta = scenes_split(), Theta.load("default")
    batch, learnable = batch_of(split, AugmentConfig(crop=48, positive=1.0)), LearnableTheta(theta)
    Renderer(split, theta, "bright", torch.device("cpu")).labels(batch, learnable()).sum().backward()
    for name in ("rho", "D0", "beta", "growth", "law_weights"):
        assert float(getattr(learnable, name).grad.abs().max()) > 0, name


def test_a_run_moves_weights_and_theta_and_resumes_alike(tmp_path):
    folder = make_folder(tmp_path / "data", 10)
    config, source = (
        load_config(file="b1", settings=[*TINY, "epochs=3"]),
        Source(root=folder, points=folder / "points.csv"),
    )
    train(config, source, tmp_path / "whole")
    for epochs in (1, 2):
        with pytest.raises(StopError):
            train(config, source, tmp_path / "parts", resume=True, watcher=stop_after(epochs))
    train(config, source, tmp_path / "parts", resume=True)
    assert_same_run(tmp_path / "whole", tmp_path / "parts")
    texts = [(tmp_path / run / "strategy.jsonl").read_text() for run in ("whole", "parts")]
    assert texts[0] == texts[1]
    first, last = (json.loads(line) for line in (texts[0].splitlines()[0], texts[0].splitlines()[-1]))
    assert first["theta"]["rho"] != last["theta"]["rho"]
    assert np.std(last["alpha"]) > 0
    assert 0 < last["alpha_entropy"] <= 1 + 1e-6
    assert last["label_area"] > 0


def test_what_it_cannot_do_it_says(tmp_path):
    folder = make_folder(tmp_path / "data", 6)
    (folder / "points.csv").unlink()
    with pytest.raises(PointsError, match="--points"):
        train(load_config(file="b1", settings=[*TINY]), Source(root=folder), Path(tmp_path / "run"))
    with pytest.raises(ConfigError, match="beta"):
        make_strategy("joint", {"beta": -1})
