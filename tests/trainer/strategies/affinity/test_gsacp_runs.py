"""Runs of gsacp: they resume alike, the teacher takes no gradient, each switch changes its part alone."""

import os
import subprocess
import sys

import numpy as np
import pytest
from tools.trainer.d2d import TwoLayers, config_of, journal_of, make_loop

torch = pytest.importorskip("torch")

from tools.trainer.runs import PROCESSES, StopError, assert_same_run, stop_after
from tools.trainer.training import TINY, make_folder

from pointmask_trainer.config import load_config
from pointmask_trainer.detectors.reading import reading
from pointmask_trainer.errors import ConfigError
from pointmask_trainer.recipes import VARIANTS
from pointmask_trainer.strategies.affinity.features import Teacher, embedded
from pointmask_trainer.strategies.registry import make_strategy
from pointmask_trainer.training.train import Source, train

FINAL = {}
BASE = {"teacher": "none", "support": "fixed", "hard_background": False}


class Headed(TwoLayers):
    """With the name of the module that makes the logits; in training as in use, but for a batch norm."""

    embedding = "last"

    def __init__(self, *, batch_norm=False):
        super().__init__(dropout=0.0)
        if not batch_norm:
            self.norm = torch.nn.GroupNorm(2, 6)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_folder(tmp_path_factory.mktemp("data"), 10)


def source_of(folder):
    return Source(root=folder, points=folder / "points.csv")


def loop_of(*, settings=(), **options):
    torch.manual_seed(0)
    return make_loop(strategy=make_strategy("gsacp", options), model=Headed(), settings=settings)


def first_step(loop):
    batch = loop.batch("train", torch.arange(8), (0, 0))
    losses, maps = loop.losses(batch)
    return batch, losses, maps


@pytest.mark.parametrize("options", [(), ("teacher=none", "support=fixed", "hard_background=false")])
def test_a_resumed_run_ends_like_an_uninterrupted_one(folder, tmp_path, options):
    config = config_of("probe_every=2", *options, settings=["epochs=5"], strategy="gsacp")
    train(config, source_of(folder), tmp_path / "whole")
    for epochs in (1, 3):
        with pytest.raises(StopError):
            train(config, source_of(folder), tmp_path / "parts", resume=True, watcher=stop_after(epochs))
    train(config, source_of(folder), tmp_path / "parts", resume=True)
    assert_same_run(tmp_path / "whole", tmp_path / "parts")
    lines = journal_of(tmp_path / "whole")
    assert lines == journal_of(tmp_path / "parts")
    assert [line["epoch"] for line in lines if "drift" in line] == [1, 2, 4, 5]
    assert lines[0]["drift"]["like_last"] is None
    for line in lines[1::2]:
        drift = line["drift"]
        assert drift["area"] >= 1
        assert all(0 <= drift[name] <= 1 for name in ("filled", "like_last", "like_gate", "train"))


def test_targets_pass_no_gradient_and_none_reaches_the_teacher():
    loop = loop_of()
    strategy = loop.strategy
    _, losses, _ = first_step(loop)
    losses.sum().backward()
    assert all(
        p.grad is None and not p.requires_grad for part in strategy._teacher._parts for p in part.parameters()
    )
    assert strategy._projection.weight.grad.any()
    alone = loop_of(hard_background=False)
    _, losses, maps = first_step(alone)
    (through,) = torch.autograd.grad(losses.sum(), maps["logits"], retain_graph=True)
    losses.sum().backward()
    gradients = [p.grad.clone() for p in alone.model.parameters()]
    again = loop_of(hard_background=False)
    _, _, maps = first_step(again)
    maps["logits"].backward(through)  # nothing but the logits carries gradients
    assert all(torch.equal(a, p.grad) for a, p in zip(gradients, again.model.parameters(), strict=True))


def test_a_teacher_without_memory_is_no_teacher():
    runs = []
    for options in ({"teacher": "none"}, {"teacher": "ema", "ema": 0.0}):
        loop = loop_of(settings=["batch=4"], **options)
        loop.train_epoch()
        loop.train_epoch()
        runs.append([p.detach().clone() for p in loop.model.parameters()])
    assert all(map(torch.equal, *runs))
    loop = loop_of(ema=0.9, settings=["batch=4"])
    loop.train_epoch()
    loop.train_epoch()
    teacher = [*loop.strategy._teacher._model.parameters()]
    assert not any(torch.equal(a, b) for a, b in zip(teacher, loop.model.parameters(), strict=True))


def test_a_teacher_sees_each_crop_alone():
    """It normalises by running statistics, which follow the detector's, whichever crops are looked at."""
    torch.manual_seed(0)
    model = Headed(batch_norm=True)
    projection = torch.nn.Conv2d(6, 4, 1)
    teacher = Teacher(model, projection, 0.9)
    model(torch.rand(8, 1, 20, 24))
    teacher.follow()
    assert torch.allclose(teacher._model.norm.running_mean, 0.1 * model.norm.running_mean)
    images = torch.rand(4, 1, 20, 24)
    whole = teacher.features(images, torch.arange(4), None)
    some = teacher.features(images, torch.tensor([1, 3]), None)
    torch.testing.assert_close(some, whole[[1, 3]])
    exact = Teacher(model.eval(), projection, 0.0)
    with reading(model, model.embedding) as seen:
        model(images)
    torch.testing.assert_close(
        exact.features(images, torch.arange(4), None), embedded(seen[0], projection, (20, 24), 1)
    )


def test_each_switch_changes_only_its_part():
    def step(**changes):
        loop = loop_of(**{**BASE, "ramp": 0, **changes})
        _, losses, maps = first_step(loop)
        return losses.detach(), maps["logits"].detach(), loop.strategy._targets

    losses, logits, targets = step()
    for changes in ({"teacher": "ema"}, {"hard_background": True}, {"support": "adaptive"}):
        assert torch.equal(step(**changes)[1], logits)
    assert torch.equal(step(teacher="ema")[0], losses)  # it has seen no step yet
    assert not torch.equal(step(support="adaptive")[2].supports, targets.supports)
    with_term = step(hard_background=True, contrast=0.0)
    assert torch.equal(with_term[2].supports, targets.supports)
    assert not torch.equal(step(hard_background=True, contrast=1.0)[0], with_term[0])


def test_labels_are_shown_and_not_trained_on():
    one, other = loop_of(), loop_of()
    other.labels.update({"train": {k: np.zeros((32, 32), bool) for k in range(16)}})
    for loop in (one, other):
        loop.train_epoch()
    assert all(map(torch.equal, one.model.parameters(), other.model.parameters()))


def test_a_collapse_is_said_aloud():
    loop = loop_of()
    probe = loop.strategy._probe
    assert probe.warning({"area": 20.0, "filled": 0.5}) == ""
    assert "shrunk to 9.0 px per point, from 20.0" in probe.warning({"area": 9.0, "filled": 0.5})
    assert "fill 95 %" in probe.warning({"area": 20.0, "filled": 0.95})


def test_probed_crops_are_the_same_each_time():
    loop = loop_of()
    one, other = (loop.batch("train", torch.arange(6), (7, 0), plain=True) for _ in range(2))
    assert torch.equal(one.images, other.images)
    assert one.views.whole
    linear = one.views.matrices[:, :, :2]
    assert torch.equal(linear, torch.eye(2, dtype=linear.dtype).expand_as(linear))


def test_other_losses_and_compiled_detectors_are_refused():
    with pytest.raises(ConfigError, match="set it to softiou"):
        loop_of(settings=["loss.name=bce"])
    with pytest.raises(ConfigError, match=r"run\.compile"):
        loop_of(settings=["run.compile=true"])


@pytest.mark.parametrize("name", [name for name in VARIANTS if name.startswith("gsacp")])
def test_the_ablation_has_one_part_at_most(name):
    options = load_config(preset="cpu", file=name).strategy.options
    parts = [options["teacher"] == "ema", options["support"] == "adaptive", options["hard_background"]]
    assert sum(parts) == (name != "gsacp_base")
    assert load_config(preset="gsacp").strategy.name == "gsacp"


def test_two_processes_learn_like_one(folder, tmp_path):
    options = ("strategy.options.probe_every=2", "strategy.options.ramp=0")
    # Adam would turn rounding errors of gradients near 0 into whole steps; this detector has no dropout.
    settings = ["epochs=3", "optim.name=sgd", "optim.lr=0.001", "model.name=mlclnet_small", "optim.clip=1"]
    flags = [*TINY, "strategy.name=gsacp", *options, *settings]
    points = folder / "points.csv"
    train(load_config(settings=flags), source_of(folder), tmp_path / "one")
    script = tmp_path / "run.py"
    script.write_text(
        PROCESSES.replace("Path(sys.argv[1]))", f"Path(sys.argv[1]), points=Path({str(points)!r}))")
    )
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    finished = subprocess.run(
        [*launch, str(script), str(folder), str(tmp_path / "two"), *flags],
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert finished.returncode == 0, finished.stderr[-2000:]
    for ours, theirs in zip(*(journal_of(tmp_path / run) for run in ("one", "two")), strict=True):
        np.testing.assert_allclose(theirs["loss"], ours["loss"], rtol=1e-3, atol=1e-4)
        assert ours.get("drift", {}).keys() == theirs.get("drift", {}).keys()
        for key, value in ours.get("drift", {}).items():
            assert theirs["drift"][key] == (value if value is None else pytest.approx(value, rel=0.02))
